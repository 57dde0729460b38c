"""The briefs' pages: all files of templates/briefs, and one of them as it would be sent to anybody at any hour. Nothing is sent or stored here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from tasks.admin import columns
from tasks.admin.downloads import IMAGE_TYPES, download, image
from tasks.classroom import briefs
from tasks.classroom.briefs import BriefError, Made
from tasks.files.data_uri import decode

SHOWN = 6000  # characters of an attachment or a value that stand on the page
HOUR = "%Y-%m-%d-%H"


def may_see_briefs(request: HttpRequest) -> bool:
    return bool(request.user.is_staff and request.user.has_perm("tasks.view_issuedtask"))


class PreviewForm(forms.Form):
    """Who, when and which round; without any of them a student of no name, now and round 1."""

    email = forms.EmailField(max_length=254, label="e-mail", widget=forms.EmailInput(attrs={"size": 30}))
    hour = forms.CharField(max_length=13, label="hour (UTC)", widget=forms.TextInput(attrs={"size": 14}))
    asked = forms.ChoiceField(label="round")

    def __init__(self, variants: list[list[str]], data: Any) -> None:
        given = {"email": "student@example.com", "hour": briefs.seed_of(timezone.now()), "asked": "1"}
        super().__init__({**given, **{key: data[key] for key in given if data.get(key)}})
        choice = cast("forms.ChoiceField", self.fields["asked"])
        choice.choices = [option for number, titles in enumerate(variants, 1) for option in _options(number, titles)]

    def clean_hour(self) -> str:
        hour: str = self.cleaned_data["hour"].strip()
        try:
            if datetime.strptime(hour, HOUR).strftime(HOUR) == hour:
                return hour
        except ValueError:
            pass
        raise forms.ValidationError("Write the hour as 2026-01-31-14: year, month, day, hour.")

    def made(self, name: str) -> Made:
        number, _, variant = self.cleaned_data["asked"].partition(".")
        return briefs.make(name, self.cleaned_data["email"], self.cleaned_data["hour"], int(number), int(variant) if variant else None)

    def query(self) -> str:
        return urlencode({key: self.cleaned_data[key] for key in self.fields})


def _options(number: int, titles: list[str]) -> list[tuple[str, str]]:
    if len(titles) == 1:
        return [(str(number), f"round {number}")]
    named = [(f"{number}.{at}", f"round {number}: {title}") for at, title in enumerate(titles)]
    return [(str(number), f"round {number}, as the hour has it"), *named]


def list_context() -> dict[str, Any]:
    """Every file with its title and rounds, or with what is wrong with it."""
    return {"briefs": [_row(name) for name in briefs.names()], "misnamed": briefs.misnamed()}


def _row(name: str) -> dict[str, Any]:
    row = {"name": name, "url": reverse("admin:brief", args=[name])}
    try:
        counts = [len(titles) for titles in briefs.variants(name)]
        rounds = [columns.of(count, "variant") if count > 1 else "" for count in counts]
        return {**row, "title": briefs.title(name), "rounds": rounds, "error": briefs.problem_of(name)}
    except BriefError as error:
        return {**row, "error": str(error)}


def one_context(request: HttpRequest, name: str) -> dict[str, Any]:
    """The brief as the form asks for it. A file that cannot be used shows its error in place of the text; 404 when there is none of that name."""
    if name not in briefs.names():
        raise Http404("There is no brief of that name.")
    try:
        form = PreviewForm(briefs.variants(name), request.GET)
        if not form.is_valid():
            return {"name": name, "form": form}
        made = form.made(name)
        known = briefs.values(name, form.cleaned_data["email"], form.cleaned_data["hour"])
        heading = briefs.title(name)
    except BriefError as error:
        return {"name": name, "error": str(error)}
    names = briefs.variants(name)[made.round - 1]
    return {
        "name": name,
        "heading": heading,
        "form": form,
        "made": made,
        "variant": names[made.variant] if len(names) > 1 else "",
        "task": briefs.task_id(made),
        "checks": [("JavaScript", check["js"]) if isinstance(check, dict) else ("English", check) for check in made.checks],
        "attachments": [_attachment(name, form, made, number) for number in range(len(made.attachments))],
        "known": list(_known(known)),
    }


def file_view(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """An attachment's bytes to keep, or with `picture` in the query for an <img>."""
    if name not in briefs.names():
        raise Http404("There is no brief of that name.")
    try:
        form = PreviewForm(briefs.variants(name), request.GET)
        if not form.is_valid():
            raise Http404("The address does not say for whom, when and which round.")
        item = form.made(name).attachments[number]
    except (BriefError, IndexError) as error:
        raise Http404("There is no such attachment.") from error
    kind, data = decode(item["url"])
    return image(item["name"], kind, data) if "picture" in request.GET else download(item["name"], data, "application/octet-stream")


def _attachment(name: str, form: PreviewForm, made: Made, number: int) -> dict[str, Any]:
    item = made.attachments[number]
    kind, data = decode(item["url"])
    url = f"{reverse('admin:brief_file', args=[name, number])}?{form.query()}"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if "\0" in text:
        text = ""
    return {
        "name": item["name"],
        "kind": kind,
        "size": columns.size(len(data)),
        "url": url,
        "picture": f"{url}&picture=1" if kind in IMAGE_TYPES else "",
        "text": text[:SHOWN],
        "more": len(text) > SHOWN,
    }


def _known(values: dict[str, Any]) -> list[tuple[str, str]]:
    """The short ones of the made values, by the name that a file uses for them."""
    flat = {name: value for name, value in values.items() if not isinstance(value, dict)}
    flat |= {f"{name}.{field}": value for name, held in values.items() if isinstance(held, dict) for field, value in held.items()}
    shown = {name: str(value) for name, value in flat.items() if not isinstance(value, bytes)}
    return [(f"${{{name}}}", text) for name, text in shown.items() if len(text) <= 200 and "\n" not in text]
