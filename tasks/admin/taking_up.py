"""The ways out of a state: run again, notify again, evaluate again; one round by its buttons, many by bulk actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone

from tasks import rerun
from tasks.admin.base import PageAdmin, post_url
from tasks.admin.columns import admin_url
from tasks.admin.state import is_held
from tasks.models import Round
from tasks.pipeline import STAGES

EVALUATE = "evaluate again, publish nothing"
NO_DEPLOYMENT = "nothing is deployed yet"
NO_VERSION = "there is no code yet"


def evaluate_free(round_: Round) -> bool:
    """Not while a worker holds the round: its own evaluate stage may be writing the same results."""
    return not is_held(round_, timezone.now()) and rerun.reevaluate(round_)


class TakingUp(PageAdmin):
    """Adds `<id>/rerun/`, `<id>/renotify/` and `<id>/reevaluate/` (POST) and the same as bulk actions, for whoever may change a round."""

    actions: Any = ("rerun_rounds", "rerun_from_generate", "renotify_rounds", "reevaluate_rounds")

    def get_urls(self) -> list[URLPattern]:
        views = {"rerun": self.rerun_view, "renotify": self.renotify_view, "reevaluate": self.reevaluate_view}
        return [*(post_url(self, name, view) for name, view in views.items()), *super().get_urls()]

    def rerun_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stage = request.POST.get("stage", "")
        if stage and stage not in STAGES:
            return HttpResponse(f"Unknown stage. Use one of {', '.join(STAGES)}.", status=400, content_type="text/plain")
        return self._take_up_one(request, object_id, lambda round_: rerun.rerun(round_, stage), f"run again from {stage or 'the stage it is in'}")

    def renotify_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._take_up_one(request, object_id, rerun.renotify, "notify again")

    def reevaluate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._take_up_one(request, object_id, evaluate_free, EVALUATE, NO_VERSION)

    def _take_up_one(
        self, request: HttpRequest, object_id: str, take: Callable[[Round], bool], what: str, lacking: str = NO_DEPLOYMENT
    ) -> HttpResponse:
        round_ = self.row_or_403(request, object_id)
        if not self.has_change_permission(request, round_):
            raise PermissionDenied
        if round_ is None:
            return HttpResponse(status=404)
        self._take_up(request, [round_], take, what, lacking)
        return HttpResponseRedirect(admin_url(round_))

    def _take_up(self, request: HttpRequest, rounds: Iterable[Round], take: Callable[[Round], bool], what: str, lacking: str = NO_DEPLOYMENT) -> None:
        """Queue each again and say how many were taken, how many a worker holds and how many were skipped because of what they lack."""
        taken, held, other = 0, 0, 0
        for round_ in rounds:
            if take(round_):
                taken += 1
                self.log_change(request, round_, what)
            elif Round.objects.filter(pk=round_.pk, lease_until__gte=timezone.now()).exists():
                held += 1
            else:
                other += 1
        parts = [f"{taken} taken: {what}."] if taken else []
        parts += [f"{held} skipped because a worker holds them; try again in a minute."] if held else []
        parts += [f"{other} skipped because {lacking}."] if other else []
        self.message_user(request, " ".join(parts) or "Nothing to do.", messages.SUCCESS if taken else messages.WARNING)

    @admin.action(permissions=["change"], description="Re-run from the stage it is in (any state, but not while a worker holds it)")
    def rerun_rounds(self, request: HttpRequest, queryset: QuerySet[Round]) -> None:
        self._take_up(request, queryset, rerun.rerun, "run again from the stage it is in")

    @admin.action(permissions=["change"], description="Re-run from generate: new code (any state, but not while a worker holds it)")
    def rerun_from_generate(self, request: HttpRequest, queryset: QuerySet[Round]) -> None:
        self._take_up(request, queryset, lambda round_: rerun.rerun(round_, "generate"), "run again from generate")

    @admin.action(permissions=["change"], description="Notify again (deployed rounds, but not while a worker holds them)")
    def renotify_rounds(self, request: HttpRequest, queryset: QuerySet[Round]) -> None:
        self._take_up(request, queryset, rerun.renotify, "notify again")

    @admin.action(
        permissions=["change"],
        description="Evaluate again: run the checks on the chosen version, publish nothing (rounds with code, but not while a worker holds them)",
    )
    def reevaluate_rounds(self, request: HttpRequest, queryset: QuerySet[Round]) -> None:
        self._take_up(request, queryset, evaluate_free, EVALUATE, NO_VERSION)
