"""Who changed what in a grade-book: entries in the admin's own history, in the log where no user is behind it (a command)."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

log = logging.getLogger(__name__)


def note(user: Any, row: Model, message: str) -> None:
    """On the history of `row`. What tells of a student is noted on their submission, with which it is erased."""
    if getattr(user, "pk", None) is None:
        log.info("%s %s: %s", row._meta.verbose_name, row.pk, message)
        return
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(type(row)),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=CHANGE,
        change_message=message,
    )
