"""The page that issues a round: choose, see whom it would go to, confirm; the workers do it, and the page shows how far they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from tasks.admin import columns, state
from tasks.admin.badges import badge
from tasks.admin.base import PageAdmin
from tasks.admin.rounds import STOP_POLLING
from tasks.classroom import briefs, issue
from tasks.classroom.issue import Order
from tasks.classroom.tries import HOURS, MOST_HOURS
from tasks.errors import Conflict
from tasks.models import IssuedTask

WATCHED = timedelta(minutes=30)  # how long the page asks on while nothing is made


class IssueForm(forms.Form):
    """An order, but for the addresses: those are the command's."""

    brief = forms.ChoiceField()
    round = forms.IntegerField(min_value=1, max_value=99, initial=1, help_text="2 goes to every reported round 1")
    contains = forms.CharField(max_length=200, required=False, label="only these", help_text="part of the e-mail or note; empty: the whole class")
    limit = forms.IntegerField(min_value=1, required=False, label="at most", help_text="empty: everybody")
    hours = forms.FloatField(min_value=0.01, max_value=MOST_HOURS, initial=HOURS, help_text="over which what is not accepted is tried again")
    again = forms.BooleanField(required=False, label="also to those who accepted one", help_text="another task, with a new nonce")
    again_uncertain = forms.BooleanField(required=False, label="also to those whose answer was lost", help_text="the same task and nonce again")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["brief"]).choices = [(name, name) for name in briefs.names()]

    def order(self) -> Order:
        return Order(**self.cleaned_data)


class Issuing(PageAdmin):
    """For whoever may add issued tasks; nobody adds them one by one."""

    def may_issue(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tasks.add_issuedtask")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "may_issue": self.may_issue(request)})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        issue_view = view(require_http_methods(["GET", "HEAD", "POST"])(self.issue_view))
        return [
            path("issue/", issue_view, name="tasks_issuedtask_issue"),
            path("progress/", view(require_safe(self.progress_view)), name="tasks_issuedtask_progress"),
            path("progress/live/", view(require_safe(self.progress_live_view)), name="tasks_issuedtask_progress_live"),
            *super().get_urls(),
        ]

    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """GET is the form. POST shows whom it would go to, and with `confirmed` puts it into the queue."""
        if not self.may_issue(request):
            raise PermissionDenied
        form = IssueForm(request.POST or None)
        planned = None
        if request.method == "POST" and form.is_valid():
            order = form.order()
            try:
                planned = issue.preview(order)
            except Conflict as error:
                form.add_error(None, str(error))
            if planned is not None and "confirmed" in request.POST:
                return self._begin(request, order, planned)
        context = {"form": form, "planned": planned, "goes": planned.new + planned.taken_up + planned.waiting if planned else 0}
        return self._page(request, "admin/tasks/issuedtask/issue.html", "Issue a round", context)

    def _begin(self, request: HttpRequest, order: Order, planned: issue.Planned) -> HttpResponse:
        what = f"round {order.round} of {order.brief} for {planned.new + planned.taken_up} students"
        with transaction.atomic():
            issue.enqueue(order)
            kind = ContentType.objects.get_for_model(IssuedTask)
            user_id = cast(int, request.user.pk)
            LogEntry.objects.create(user_id=user_id, content_type=kind, object_repr=what, action_flag=ADDITION, change_message="queued")
        expected = IssuedTask.objects.filter(brief_id=order.brief, round=order.round, submission__is_practice=False).count() + planned.new
        query = {"brief": order.brief, "round": str(order.round), "of": str(expected), "since": order.began.isoformat()}
        return HttpResponseRedirect(f"{reverse('admin:tasks_issuedtask_progress')}?{urlencode(query)}")

    # -- progress ------------------------------------------------------------------------------------------------------------------------

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, "admin/tasks/issuedtask/progress.html", "Issuing", self._progress(request))

    def progress_live_view(self, request: HttpRequest) -> HttpResponse:
        context = self._progress(request)
        response = render(request, "admin/tasks/issuedtask/_progress.html", context)
        response["Cache-Control"] = "no-store"
        if not context["open"]:
            response.status_code = STOP_POLLING
        return response

    def _progress(self, request: HttpRequest) -> dict[str, Any]:
        """Counts by state of one brief and round. It is open while rows are to be sent, or are still to be made."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        brief, number, expected = (request.GET.get(name, "").replace("\0", "") for name in ("brief", "round", "of"))
        rows = IssuedTask.objects.filter(brief_id=brief, round=_whole(number), submission__is_practice=False).order_by()
        counts = {row["status"]: row["rows"] for row in rows.values("status").annotate(rows=Count("pk"))}
        made, whole = sum(counts.values()), max(_whole(expected), sum(counts.values()))
        moving = counts.get("pending", 0) + counts.get("sending", 0)
        url = f"{reverse('admin:tasks_issuedtask_changelist')}?{urlencode({'brief_id': brief, 'round': number})}"
        return {
            "brief": brief,
            "round": number,
            "query": request.GET.urlencode(),
            "open": bool(moving) or (made < whole and _is_recent(request.GET.get("since", ""))),
            "made": made,
            "whole": whole,
            "settled": whole - moving - (whole - made),
            "share": f"{100 * (made - moving) / max(1, whole):.0f}",
            "states": [
                {"badge": badge(f"issue {status}"), "count": columns.count(counts[status]), "url": f"{url}&{urlencode({'status__exact': status})}"}
                for status in IssuedTask.Status.values
                if status in counts
            ],
            "list": url,
            "no_worker": bool(moving or made < whole) and not state.workers_alive(),
        }

    def _page(self, request: HttpRequest, template: str, title: str, extra: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "is_fullwidth": "1", **extra}
        return TemplateResponse(request, template, context)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def _is_recent(moment: str) -> bool:
    try:
        return timezone.now() - datetime.fromisoformat(moment) < WATCHED
    except (ValueError, TypeError, OverflowError):
        return False
