"""A task's page as a room: watched while anything moves, its conversation filtered, its figures drawn, its logs read."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from tasks.admin import figures, run_page, talk, task_page, task_state
from tasks.admin.downloads import download
from tasks.admin.rounds import STOP_POLLING
from tasks.admin.task_forms import TaskForms, rights
from tasks.orchestrator import logs


class TaskRoom(TaskForms):
    """The page's parts are templates of their own, which the polls are answered with."""

    def get_urls(self) -> list[URLPattern]:
        read = {"live": self.live_view, "talk": self.talk_view, "figures": self.figures_view, "log": self.log_view}
        urls = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(require_safe(view)), name=f"tasks_taskrequest_{name}")
            for name, view in read.items()
        ]
        log = self.admin_site.admin_view(require_safe(self.log_download_view))
        urls.append(path("<path:object_id>/log/download/", log, name="tasks_taskrequest_log_download"))
        return [*urls, *super().get_urls()]

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What came since the page was last asked: new messages and runs; `HX-Trigger` names the parts that are to read themselves again."""
        task = task_state.with_rounds(self.task_or_404(request, object_id))
        since, last_run = (number(request.GET.get(name, "")) for name in ("since", "since_run"))
        newest = task.messages.order_by("-id").values_list("pk", flat=True).first() or 0
        rows = [run_page.row_context(row) for row in run_page.newest(task, last_run)] if rights(request)["may_see_runs"] else []
        fresh = talk.entries(task, talk.Filter.of(request.GET), since)
        marks = task_state.marks(task)
        live = task_state.is_live(task)
        context = {
            "task": task,
            "marks": marks,
            "fresh": fresh,
            "senders": talk.senders(task) if fresh else [],
            "fresh_runs": rows,
            "counts": task_page.counts(task),
            "polled": True,
            "last_message": max(since, newest),
            "last_run": rows[0]["run"].pk if rows else last_run,
        }
        response = self.fragment(request, "_live", context, 200 if live else STOP_POLLING)
        changed = [f"room-{name}" for name, mark in marks.items() if request.GET.get(f"mark_{name}") != mark]
        if changed:
            response["HX-Trigger"] = ", ".join(changed)
        return response

    def talk_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The conversation through a filter."""
        task = self.task_or_404(request, object_id)
        return self.fragment(request, "_talk", {"task": task, **talk.context(task, talk.Filter.of(request.GET))})

    def figures_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Chart and table with another figure."""
        task = self.task_or_404(request, object_id)
        chosen, over = request.GET.get("metric", ""), request.GET.get("over", "")
        return self.fragment(request, "_figures", {"task": task, **figures.context(task, chosen, over)})

    def log_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The first lines of a log."""
        return self.fragment(request, "_log", {"log": self.log_or_404(request, object_id), "lines": logs.PREVIEW_LINES})

    def log_download_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        log = self.log_or_404(request, object_id)
        return download(log.filename, log.content.encode("utf-8", "replace"), "text/plain; charset=utf-8")

    def log_or_404(self, request: HttpRequest, object_id: str) -> logs.Log:
        log = logs.find(self.task_or_404(request, object_id), request.GET.get("name", "").replace("\0", ""))
        if log is None:
            raise Http404("The task has no log of that name.")
        return log


def number(text: str) -> int:
    """An id of the address; 0 for anything else."""
    return int(text[:18]) if text.isascii() and text.isdecimal() else 0
