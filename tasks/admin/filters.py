"""Filters that no column offers: what needs attention, and what is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import CharField, IntegerField, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from tasks.classroom.evaluating import queue
from tasks.errors import GitHubTokenRefused
from tasks.models import Round
from tasks.pipeline import STAGES

LOOKED_AT = 1000  # records whose values a filter offers


def attention() -> Q:
    """Rounds that somebody should look at: failed, degraded, past the deadline with nobody told, or waiting for a token that somebody must mend."""
    mend = Q(status__in=Round.OPEN, error_id=GitHubTokenRefused.id)
    late = Q(status__in=Round.OPEN, notified_at=None, deadline_at__lt=timezone.now())
    return Q(status="failed") | Q(degraded_id__gt="") | late | mend  # each part has its index


class ShowFilter(admin.SimpleListFilter):
    """The questions that the dashboard counts; its numbers link here."""

    title = "what to show"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("attention", "needs attention"),
            ("open", "open (queued, running, waiting)"),
            ("due", "due now, no worker on it"),
            ("overdue", "overdue"),
            ("degraded", "degraded"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "attention":
                return queryset.filter(attention())
            case "open":
                return queryset.filter(status__in=Round.OPEN)
            case "due":
                return queryset.filter(pk__in=Round.objects.due().values("pk"))
            case "overdue":
                return queryset.filter(pk__in=Round.objects.overdue().values("pk"))
            case "degraded":
                return queryset.exclude(degraded_id="")
        return queryset


class StageFilter(admin.SimpleListFilter):
    """Stages in the order of the pipeline."""

    title = "stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage, stage) for stage in STAGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(stage=self.value()) if self.value() else queryset


class RoundNumberFilter(admin.SimpleListFilter):
    """Round 1, round 2, and what comes after: fixed choices, so that the list asks nothing more of the database."""

    title = "round"
    parameter_name = "round"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "round 1"), ("2", "round 2"), ("3", "round 3 and later")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "1" | "2" as number:
                return queryset.filter(number=int(number))
            case "3":
                return queryset.filter(number__gte=3)
        return queryset


class PracticeFilter(admin.SimpleListFilter):
    """The class's rows, unless practice is asked for: the two are not mixed. `path` leads from the model to its submission."""

    title = "whose"
    parameter_name = "whose"
    path: ClassVar[str] = "submission"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("practice", "practice"), ("all", "the class and practice")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        return iter([{**first, "display": "the class"}, *others])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.filter(**{f"{self.path}__is_practice": self.value() == "practice"})


class PracticeOfIssued(PracticeFilter):
    path = "issued__submission"


class OurErrors(admin.SimpleListFilter):
    """Reports that could not be evaluated, or with checks that could not be made: nobody's failure, to be evaluated again."""

    title = "errors of ours"
    parameter_name = "ours"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "with errors of ours"), ("0", "without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("0", "1"):
            return queryset
        ours = queue.with_our_errors().order_by().values("pk")
        return queryset.filter(pk__in=ours) if self.value() == "1" else queryset.exclude(pk__in=ours)


class NewestValuesFilter(admin.AllValuesFieldListFilter):
    """The values that the newest records have. Django's own filter for such columns goes through the whole table to find them."""

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: type[Model], model_admin: Any, field_path: str) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        newest = model._default_manager.order_by("-pk").values_list(field_path, flat=True)[:LOOKED_AT]
        self.lookup_choices: Any = sorted(set(newest), key=lambda value: (value is not None, str(value)))


def _is_ours(field: Any) -> bool:
    return isinstance(field, CharField | IntegerField) and not field.choices and field.model._meta.app_label == "tasks"


admin.FieldListFilter.register(_is_ours, NewestValuesFilter, take_priority=True)
