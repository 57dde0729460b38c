"""The action that erases a person's data, with a page that says first what would go and what stays elsewhere."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from tasks.admin.base import SuperuserDeletes
from tasks.models import TaskRequest
from tasks.retention import erasure
from tasks.retention.pruning import named

MOST_PEOPLE = 20  # at once: the log is read for each


class Erasing(SuperuserDeletes):
    """For whoever may delete tasks. It is on record who erased and how much, but not whose."""

    actions: Any = ("erase_people",)

    @admin.action(permissions=["delete"], description="Erase everything of these people (all their tasks; open rounds end first)")
    def erase_people(self, request: HttpRequest, queryset: QuerySet[TaskRequest]) -> TemplateResponse | None:
        people = sorted({email.strip().lower() for email in queryset.order_by().values_list("email", flat=True)} - {""})
        if not people or len(people) > MOST_PEOPLE:
            why = f"These are {len(people)} people; erase at most {MOST_PEOPLE} at once." if people else "These tasks belong to no person."
            self.message_user(request, why, messages.WARNING)
            return None
        if "confirmed" not in request.POST:
            return self._ask(request, queryset, people)
        for erased in map(erasure.erase, people):
            self._tell(request, erased)
        return None

    def _ask(self, request: HttpRequest, queryset: QuerySet[TaskRequest], people: list[str]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Erase everything of these people?",
            "opts": self.opts,
            "people": [{"email": email, "found": erasure.look(email)} for email in people],
            "ids": list(queryset.values_list("pk", flat=True)),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/tasks/taskrequest/erase.html", context)

    def _tell(self, request: HttpRequest, erased: erasure.Erased) -> None:
        what = f"{erased.tasks} tasks with {erased.rounds} rounds of one person erased"
        LogEntry.objects.create(
            user_id=cast(int, request.user.pk),
            content_type=ContentType.objects.get_for_model(TaskRequest),
            object_repr="one person's data",
            action_flag=DELETION,
            change_message=what,
        )
        rows = ", ".join(f"{number} {name}" for name, number in named(erased.rows).items())
        self.message_user(request, f"{what}: {rows}; {erased.log_lines} log lines, {len(erased.repositories)} local repositories.")
        if erased.stays:
            self.message_user(request, f"Not deleted, do it there: {', '.join(erased.stays)}", messages.WARNING)
        for problem in erased.problems:
            self.message_user(request, problem, messages.ERROR)
