"""What somebody types to practise: a brief, the service, its secret; and for whoever may see the class, whose practice it is."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import HttpRequest

from tasks.classroom import briefs, practice, rows
from tasks.errors import Conflict
from tasks.models import IssuedTask

NO_ADDRESS = "Your account has no e-mail address, which a practice belongs to: ask whoever runs this service to enter it at your user."


def may_type_any(request: HttpRequest) -> bool:
    """Whoever sees the class may practise under any address, others under their account's."""
    return request.user.has_perm("tasks.view_issuedtask")


def own_email(request: HttpRequest) -> str:
    return str(getattr(request.user, "email", "")).strip()


class PracticeForm(forms.Form):
    """`start` sends it. The secret goes in and is never printed again, not even into the form that is shown with an error."""

    email = forms.CharField(label="e-mail", max_length=rows.MAX_EMAIL, widget=forms.EmailInput())
    brief = forms.ChoiceField()
    endpoint = forms.CharField(
        max_length=rows.MAX_ENDPOINT, widget=forms.URLInput(attrs={"placeholder": "https://…/ready"}), help_text="the whole address of its /ready"
    )
    secret = forms.CharField(
        max_length=rows.MAX_SECRET,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="that the service compares with; stored encrypted and never shown",
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = "" if may_type_any(request) else own_email(request)
        if self.person:
            del self.fields["email"]
        else:
            self.fields["email"].initial = own_email(request)
        cast(forms.ChoiceField, self.fields["brief"]).choices = list(choices())

    def start(self) -> IssuedTask | None:
        """The task that is on its way, or None and an error in the form."""
        given = self.cleaned_data
        try:
            return practice.start(self.person or given["email"], given["brief"], given["endpoint"], given.pop("secret"))
        except Conflict as error:
            self.add_error(None, str(error))
            return None


def choices() -> list[tuple[str, str]]:
    """The briefs that can be used, by name and title."""
    found = []
    for name in briefs.names():
        try:
            found.append((name, f"{name}: {briefs.title(name)}"))
        except briefs.BriefError:
            continue
    return found
