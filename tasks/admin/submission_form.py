"""A student's submission as it is edited: the same rules as for a row of the sheet, and a secret that goes in and never comes out."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminFileFieldWidget, UnfoldAdminPasswordWidget, UnfoldAdminURLInputWidget

from tasks.classroom import moments, rows, sheet
from tasks.classroom.sealing import seal, unseal
from tasks.errors import Misconfigured, SheetRefused
from tasks.models import Submission


class SubmissionForm(forms.ModelForm):
    email = forms.CharField(max_length=rows.MAX_EMAIL, widget=UnfoldAdminEmailInputWidget)
    endpoint = forms.CharField(max_length=rows.MAX_ENDPOINT, widget=UnfoldAdminURLInputWidget, help_text="the whole address of its /ready")
    secret = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="stored encrypted and never shown again; empty keeps the one that is stored",
    )

    class Meta:
        model = Submission
        fields = ("email", "endpoint", "is_active", "note")

    def clean_email(self) -> str:
        address = self._fit("email", rows.email)
        if Submission.objects.filter(email__iexact=address).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is a submission of this address already: change that one.")
        return address

    def clean_endpoint(self) -> str:
        return self._fit("endpoint", rows.endpoint)

    def clean_secret(self) -> str:
        if not self.cleaned_data["secret"].strip() and self.instance.pk:
            return ""
        return self._fit("secret", rows.secret)

    def clean(self) -> dict[str, Any]:
        """Seal the secret for the address that the row is going to have. Nothing of it is left in the cleaned data for anybody to print."""
        held = super().clean() or self.cleaned_data
        if "email" not in held or "secret" not in held:
            return held
        given, before = held.pop("secret"), self.initial.get("email", "")
        if given or held["email"].lower() != before.lower():
            try:
                self.instance.sealed_secret = seal(given or unseal(self.instance.sealed_secret, before), held["email"])
            except Misconfigured as error:
                self.add_error("secret", f"{error.message} Or type the secret here.")
        return held

    def _fit(self, name: str, check: Any) -> str:
        try:
            return str(check(self.cleaned_data[name]))
        except rows.Unfit as error:
            raise forms.ValidationError(str(error)) from None


class SheetForm(forms.Form):
    """The form's sheet, to be looked through before anything is stored."""

    file = forms.FileField(
        label="CSV file",
        help_text=f"with the columns {', '.join(sheet.COLUMNS)}; at most {sheet.MAX_ROWS:,} rows",
        # The skin's own: its script writes a file's name into the nearest text field, which with a plain one is the time zone.
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        allow_empty_file=True,
    )
    zone = forms.CharField(label="its time zone", initial="UTC", max_length=60, help_text="of timestamps that name none: UTC, Asia/Kolkata")

    def clean_file(self) -> str:
        """The text of the file."""
        file = self.cleaned_data["file"]
        if file.size > sheet.MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {sheet.MAX_BYTES:,} bytes: export only the form's sheet.")
        try:
            return sheet.decode(file.read())
        except SheetRefused as error:
            raise forms.ValidationError(error.message) from None

    def clean_zone(self) -> str:
        try:
            moments.zone(self.cleaned_data["zone"])
        except SheetRefused as error:
            raise forms.ValidationError(error.message) from None
        return str(self.cleaned_data["zone"])
