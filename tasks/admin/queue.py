"""django-q2's own tables, for superusers only. Arguments and results are pickled, so they are not shown (reading them would run them)."""

from __future__ import annotations

import django_q.admin  # noqa: F401  (registers its own admins, which are replaced here)
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from tasks.admin.base import ReadOnlyAdmin

for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class SuperusersOnly(ReadOnlyAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Success, Failure)
class EndedAdmin(SuperusersOnly):
    list_display = ("name", "func", "started", "stopped", "success", "attempt_count")
    fields = ("name", "func", "started", "stopped", "success", "attempt_count")
    search_fields = ("name", "func")


@admin.register(OrmQ)
class WaitingAdmin(SuperusersOnly):
    list_display = ("id", "key", "lock")
    fields = ("key", "lock")
    list_filter = ("key",)


@admin.register(Schedule)
class ScheduleAdmin(SuperusersOnly):
    list_display = ("id", "name", "func", "schedule_type", "repeats", "next_run")
    fields = ("name", "func", "schedule_type", "repeats", "next_run")
