"""Wrong passwords of the last minutes, for superusers. To delete an attempt is to open the door again."""

from __future__ import annotations

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.queue import SuperusersOnly


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SuperusersOnly):
    list_display = ("name", "state", "failures", "ip_address", "agent", "tried")
    search_fields = ("username", "ip_address")
    fields = ("username", "state", "failures", "ip_address", "user_agent", "path_info", "tried")
    readonly_fields = ("state", "failures", "tried")
    actions = ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="user name", ordering="username")
    def name(self, row: AccessAttempt) -> str:
        return columns.one_line(row.username or "", 60) or "–"

    @admin.display(description="state")
    def state(self, row: AccessAttempt) -> SafeString:
        locked = row.failures_since_start >= settings.AXES_FAILURE_LIMIT
        return badge("refused" if locked else "waiting", "delete the row to open it" if locked else "")

    @admin.display(description="wrong passwords", ordering="failures_since_start")
    def failures(self, row: AccessAttempt) -> int:
        return int(row.failures_since_start)

    @admin.display(description="browser")
    def agent(self, row: AccessAttempt) -> str:
        return columns.one_line(row.user_agent, 60)

    @admin.display(description="last tried (UTC)", ordering="attempt_time")
    def tried(self, row: AccessAttempt) -> SafeString:
        return columns.when(row.attempt_time)
