"""Submissions: the students who take part, where their services are, and which of them answer."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from tasks.admin import columns, state
from tasks.admin.badges import badge
from tasks.admin.base import List, counted
from tasks.admin.export import SUBMISSION, Exporting
from tasks.admin.rounds import STOP_POLLING
from tasks.admin.submission_form import SubmissionForm
from tasks.admin.submission_import import Importing
from tasks.classroom import probe_queue
from tasks.classroom.probing import NOT_ASKED
from tasks.models import IssuedTask, Submission

WAITING = (probe_queue.WAITS, probe_queue.ASKING)


@admin.register(Submission)
class SubmissionAdmin(Importing, Exporting, List):
    form = SubmissionForm
    actions: Any = ("probe_chosen", "export_as_csv")
    export_columns = SUBMISSION
    export_right = "tasks.change_submission"
    list_display = ("email", "where", "state", "took", "asked", "is_active", "issued")
    list_filter = ("probe", "is_active", "probed_at", "submitted_at")
    list_filter_submit = False
    list_fullwidth = True
    list_per_page = 100
    list_before_template = "admin/tasks/submission/_before_list.html"
    search_fields = ("email", "endpoint", "note")
    search_help_text = "e-mail, endpoint or note"
    fields = ("email", "endpoint", "secret", "is_active", "note", "submitted_at", "state", "probe_detail", "asked")
    readonly_fields = ("submitted_at", "state", "probe_detail", "asked")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        queryset = cast("QuerySet[Submission]", super().get_queryset(request)).filter(is_practice=False)
        return queryset.annotate(issued_count=counted(IssuedTask, "submission"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [name for name in self.fields if (may or name != "secret") and (obj or name not in self.readonly_fields)]

    # -- columns --------------------------------------------------------------------------------------------------------------------------

    @admin.display(description="endpoint", ordering="endpoint")
    def where(self, row: Submission) -> SafeString:
        return columns.out(row.endpoint)

    @admin.display(description="answers", ordering="probe")
    def state(self, row: Submission) -> SafeString:
        states = [row.probe or "not asked"] if row.probe or row.probe_detail not in WAITING else []
        states += ["to be asked"] if row.probe_detail in WAITING else []
        return format_html_join(" ", "{}", ((badge(state, row.probe_detail),) for state in states))

    @admin.display(description="after", ordering="probe_ms")
    def took(self, row: Submission) -> str:
        return columns.units(None if row.probe_ms is None else row.probe_ms / 1000)

    @admin.display(description="asked (UTC)", ordering="probed_at")
    def asked(self, row: Submission) -> SafeString:
        return columns.when(row.probed_at)

    @admin.display(description="tasks issued", ordering="issued_count")
    def issued(self, row: Submission) -> int:
        return int(getattr(row, "issued_count", 0))

    # -- editing --------------------------------------------------------------------------------------------------------------------------

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return cast(HttpResponse, super().changeform_view(request, *args, **kwargs))

    def save_model(self, request: HttpRequest, obj: Submission, form: Any, change: bool) -> None:
        """What a person says here is later than the sheet's rows, so that importing the same sheet again does not take it back."""
        if {"email", "endpoint", "secret"} & set(form.changed_data) or not change:
            obj.submitted_at = timezone.now()
        if not change:
            obj.save()
            return
        written = ["email", "endpoint", "sealed_secret", "is_active", "note", "submitted_at", "updated_at"]
        if "endpoint" in form.changed_data:
            for name, value in NOT_ASKED.items():
                setattr(obj, name, value)
            written += NOT_ASKED
        obj.save(update_fields=written)  # not what a worker may be writing at the moment: whether the service answers

    # -- who answers ----------------------------------------------------------------------------------------------------------------------

    @admin.action(permissions=["change"], description="Ask whether the chosen services answer (a GET, starts nothing there)")
    def probe_chosen(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        self._ask(request, queryset)

    def _ask(self, request: HttpRequest, queryset: QuerySet[Submission]) -> None:
        number = probe_queue.ask_later(queryset.order_by().values_list("pk", flat=True))
        self.message_user(request, f"{columns.of(number, 'service')} will be asked by a worker, ten at a time; the list shows how far it is.")
        if not state.workers_alive():
            self.message_user(request, "No worker is running: start one with manage.py worker.", messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(require_POST(self.probe_all_view))
        live = self.admin_site.admin_view(require_safe(self.probes_view))
        own = [path("probe/", ask, name="tasks_submission_probe"), path("probes/", live, name="tasks_submission_probes")]
        return [*own, *super().get_urls()]

    def probe_all_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        self._ask(request, Submission.objects.filter(is_active=True))
        return HttpResponseRedirect(reverse("admin:tasks_submission_changelist"))

    def probes_view(self, request: HttpRequest) -> HttpResponse:
        """How many answer, and how many are still to be asked; the poll ends with the last of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = probes_context()
        status = 200 if context["open"] else STOP_POLLING
        return render(request, "admin/tasks/submission/_probes.html", {**context, "polled": True}, status=status)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        rights = {"may_import": self.may_import(request), "may_probe": self.has_change_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **probes_context(), **rights})


def probes_context() -> dict[str, Any]:
    """The tiles above the list: how many of those who take part are in each state."""
    counts = dict(Submission.objects.filter(is_active=True).order_by().values_list("probe").annotate(number=Count("pk")))
    states = [value for value in Submission.Probe.values if counts.get(value)]
    return {
        "probes": [{"value": value, "badge": badge(value or "not asked"), "number": counts[value]} for value in states],
        "open": probe_queue.open_count(),
    }
