"""Messages, feedback and events."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.base import ReadOnlyAdmin
from tasks.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("text", "kind", "sender", "recipient", "task_link", "round_link", "said")
    list_filter = ("kind", "created_at")
    list_select_related = ("task_request", "round__task_request")
    search_fields = ("body", "sender", "recipient", "task_request__task", "task_request__name", "task_request__email")
    fields = ("kind", "sender", "recipient", "task_link", "round_link", "body", "data", "said")
    readonly_fields = ("task_link", "round_link", "said")
    ordering = ("-id",)

    @admin.display(description="text")
    def text(self, message: Message) -> str:
        return columns.one_line(message.body, 120) or "–"

    @admin.display(description="task", ordering="task_request")
    def task_link(self, message: Message) -> SafeString:
        return columns.inside(message.task_request)

    @admin.display(description="round", ordering="round")
    def round_link(self, message: Message) -> SafeString:
        return columns.inside(message.round, f"round {message.round.number}" if message.round else "")

    @admin.display(description="said (UTC)", ordering="created_at")
    def said(self, message: Message) -> SafeString:
        return columns.when(message.created_at)
