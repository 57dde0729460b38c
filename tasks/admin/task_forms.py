"""What is done from a task's page: a person speaks, starts a program, sets an agent's task to another state."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern

from tasks.admin import columns, run_page, talk, task_page, task_state
from tasks.admin.base import PageAdmin, post_url
from tasks.admin.spawn_form import SpawnForm
from tasks.admin.talk_form import MessageForm
from tasks.errors import RunRefused
from tasks.models import TaskRequest
from tasks.orchestrator import assignments


def rights(request: HttpRequest) -> dict[str, bool]:
    """What this reader may do in the room beside reading it."""
    named = {"say": "add_message", "spawn": "add_containerrun", "cancel": "change_containerrun", "see_runs": "view_containerrun"}
    held = {f"may_{name}": request.user.has_perm(f"tasks.{codename}") for name, codename in named.items()}
    return {**held, "may_move": request.user.has_perm("tasks.change_taskrequest"), "may_see_task": True}


class TaskForms(PageAdmin):
    """Each form is a fragment of the page, which it is answered with."""

    def page_context(self, request: HttpRequest, row: TaskRequest) -> dict[str, Any]:
        may = rights(request)
        forms = {"say_form": MessageForm(row) if may["may_say"] else None, "spawn_form": SpawnForm(row) if may["may_spawn"] else None}
        return {**task_page.page_context(row, request.GET, runs=may["may_see_runs"]), **may, **forms}

    def get_urls(self) -> list[URLPattern]:
        write = {"say": self.say_view, "spawn": self.spawn_view, "status": self.status_view}
        return [*(post_url(self, name, view) for name, view in write.items()), *super().get_urls()]

    def task_or_404(self, request: HttpRequest, object_id: str, right: str = "") -> TaskRequest:
        task = self.row_or_403(request, object_id)
        if right and not rights(request)[right]:
            raise PermissionDenied
        if task is None:
            raise Http404("There is no such task.")
        return task  # type: ignore[no-any-return]

    def fragment(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        response = render(request, f"admin/tasks/taskrequest/{name}.html", {**rights(request), **context}, status=status)
        response["Cache-Control"] = "no-store"
        return response

    def say_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A person's message. The answer is an empty form and the message, or the form with what is wrong in it."""
        task = self.task_or_404(request, object_id, "may_say")
        form = MessageForm(task, request.POST)
        if not form.is_valid():
            return self.answer(request, task, "_say", {"say_form": form})
        said = talk.said(form.send(request.user.get_username()))
        sent = {"say_form": MessageForm(task), "fresh": [said], "senders": talk.senders(task)}
        return self.answer(request, task, "_say", sent, "conversation")

    def spawn_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A program to run. The answer is an empty form and the run's line, which watches itself, or the form with what is wrong in it."""
        task = self.task_or_404(request, object_id, "may_spawn")
        form = SpawnForm(task, request.POST)
        if form.is_valid():
            try:
                run = form.submit(request.user.get_username())
            except RunRefused as refused:
                form.add_error(None, refused.message)
            else:
                return self.answer(request, task, "_spawn", {"spawn_form": SpawnForm(task), "fresh_runs": [run_page.row_context(run)]}, "containers")
        return self.answer(request, task, "_spawn", {"spawn_form": form})

    def answer(self, request: HttpRequest, task: TaskRequest, name: str, context: dict[str, Any], done: str = "") -> HttpResponse:
        """A fragment for htmx; else the page, at the tab `done` when the form has done its work."""
        if request.headers.get("HX-Request"):
            return self.fragment(request, name, {"task": task, "polled": True, **context})
        if done:
            return HttpResponseRedirect(f"{columns.admin_url(task)}#{done}")
        return self.framed(request, task, self.page_template, {**self.page_context(request, task), **context})

    def status_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set an agent's task to another state; the conversation keeps by whom and why."""
        task = self.task_or_404(request, object_id, "may_move")
        wanted = request.POST.get("status", "")
        if not task.name or wanted not in task_state.WORDS:
            messages.error(request, "Only an agent's task is set to running, completed or failed; a course's task has its rounds.")
        else:
            try:
                assignments.set_status(task, wanted, request.user.get_username()[:100], request.POST.get("reason", "").replace("\0", "")[:500])
                messages.success(request, f"The task is {wanted}.")
            except assignments.IllegalMove as refused:
                messages.error(request, str(refused))
        return HttpResponseRedirect(columns.admin_url(task))
