"""A database in which every text that the admin can show is an attack: every text field of every record, names of files and keys of JSON too."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import models
from django.utils import timezone
from django_q.models import Task

from tests.admin.conftest import practised, tell

ADDRESS = "javascript:xss()//"
# Each alone would run `xss`, the function that the tests give to every page, or leave an element that no page of ours has.
PAYLOADS = (
    "<script>xss()</script>",
    '"><img src=x onerror=xss()>',
    "'><svg onload=xss()>",
    "</textarea><script>xss()</script>",
    "</title></style></script><iframe srcdoc='<script>parent.xss()</script>'>",
    '"><p x-data x-init="xss()">',
    "'-xss()-'",
    "{{7*7}}{% debug %}${7*7}<%=7*7%>",
    '" onfocus=xss() autofocus tabindex=1 x="',
    "`-xss()-`\\');xss()//",
    '<b hx-on:htmx:load=xss() hx-get="/admin/" hx-trigger=load>',
    "<math><a xlink:href=javascript:xss()>x</a></math><base href=//127.0.0.1:9/>",
    "[x](javascript:xss()) javascript:xss()",
    "<xss>",
    "'\"><xss>",
)
WHOLE = "\n".join(PAYLOADS)
SHORT = "<script>xss()</script>\"'><img src onerror=xss()>"  # fits every field


def fill_everything() -> None:
    """At least one row of every model that the admin registers, with an attack in every free field."""
    tell(SHORT, ADDRESS, graded=True)
    practised(SHORT, ADDRESS)
    for success in (True, False):
        Task.objects.create(id=f"{success:032}", name="job", func="f", started=timezone.now(), stopped=timezone.now(), success=success)
    for model in admin.site._registry:
        if not model._default_manager.exists():
            make_row(model).save()
        if model not in (User, Group):
            for number, row in enumerate(model._default_manager.all(), start=1):
                poison(row, number)
    for group in Group.objects.all():
        Group.objects.filter(pk=group.pk).update(name=f"{PAYLOADS[0]}{group.pk}")


def poison(row: models.Model, number: int) -> None:
    """Attacks in the texts of a stored row, others in each, and in its JSON; what chooses among the values of a list is left."""
    changed = {field.attname: attack(field, number, turn) for turn, field in enumerate(texts(row), start=number)}
    changed |= {field.attname: within(getattr(row, field.attname)) for field in row._meta.concrete_fields if isinstance(field, models.JSONField)}
    type(row)._default_manager.filter(pk=row.pk).update(**changed)


def texts(row: models.Model) -> list[Any]:
    fields = [field for field in row._meta.concrete_fields if isinstance(field, models.CharField | models.TextField)]
    return [field for field in fields if not field.choices and not field.primary_key]


def attack(field: Any, number: int, turn: int) -> str:
    """All attacks together where there is room, else one of those that fit whole; a unique one ends in the row's number."""
    if isinstance(field, models.URLField):
        return ADDRESS
    room = field.max_length or len(WHOLE)
    if room >= len(WHOLE) and not field.unique:
        return WHOLE
    end = str(number) if field.unique or any(field.name in group for group in field.model._meta.unique_together) else ""
    fits = [text for text in PAYLOADS if len(text + end) <= room]
    return (fits[turn % len(fits)] if fits else "") + end


def within(data: Any) -> Any:
    """The same structure with all attacks in each string of it, and one more key in each object."""
    if isinstance(data, str):
        return WHOLE
    if isinstance(data, list):
        return [within(value) for value in data]
    return {**{key: within(value) for key, value in data.items()}, WHOLE: WHOLE} if isinstance(data, dict) else data


def make_row(model: type[models.Model]) -> models.Model:
    """A row of a model that nobody made one of, with whatever its fields take."""
    row = model()
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField) or field.null or field.get_default() not in (None, ""):
            continue
        value: Any = ""
        if isinstance(field, models.ForeignKey):
            value = field.related_model._default_manager.first()
        elif field.choices:
            value = next(iter(field.choices))[0]
        elif isinstance(field, models.IntegerField | models.FloatField | models.DecimalField):
            value = 1
        elif isinstance(field, models.DateTimeField):
            value = timezone.now()
        elif isinstance(field, models.JSONField):
            value = {WHOLE: [WHOLE]}
        elif isinstance(field, models.BooleanField):
            value = False
        elif isinstance(field, models.GenericIPAddressField):
            value = "127.0.0.1"
        elif isinstance(field, models.BinaryField):
            value = WHOLE.encode()
        elif field.unique:
            value = "1"
        setattr(row, field.name, value)
    return row
