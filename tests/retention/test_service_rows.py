"""Rows that belong to no task: queue, workers, sessions, logins, write budgets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.utils import timezone
from django_q.models import OrmQ, Task

from tasks.hosts import write_budget
from tasks.models import CompiledCheck, Worker, WriteBudget
from tasks.retention.service_rows import SHELVES
from tests.retention.conftest import pruned_after

pytestmark = pytest.mark.django_db


def session(at: datetime) -> Model:
    return Session.objects.create(session_key=uuid.uuid4().hex, session_data="x", expire_date=at)


def entry(at: datetime) -> Model:
    user = User.objects.get_or_create(username="boss")[0]
    return LogEntry.objects.create(user=user, object_repr="x", action_flag=2, action_time=at)


def job(success: bool) -> Callable[[datetime], Model]:
    return lambda at: Task.objects.create(id=uuid.uuid4().hex, name="job", func="f", started=at, stopped=at, success=success)


def attempt(name: str) -> Callable[[datetime], Model]:
    def make(at: datetime) -> Model:
        model = apps.get_model("axes", name)
        given: dict[str, Any] = {"failures_since_start": 1} if name == "AccessAttempt" else {}
        row = model._default_manager.create(username=uuid.uuid4().hex, ip_address="127.0.0.1", user_agent="x", **given)
        model._default_manager.filter(pk=row.pk).update(attempt_time=at)
        return row

    return make


MADE: dict[str, tuple[Callable[[datetime], Model], int]] = {
    "tasks.CompiledCheck": (lambda at: CompiledCheck.objects.create(key=uuid.uuid4().hex, text="x", created_at=at), 365),
    "admin.LogEntry": (entry, 365),
    "django_q.Success": (job(True), 30),
    "django_q.Failure": (job(False), 30),
    "axes.AccessAttempt": (attempt("AccessAttempt"), 30),
    "axes.AccessFailureLog": (attempt("AccessFailureLog"), 30),
    "axes.AccessLog": (attempt("AccessLog"), 30),
    "django_q.OrmQ": (lambda at: OrmQ.objects.create(key="deployer", payload="x", lock=at), 7),
    "tasks.Worker": (lambda at: Worker.objects.create(name=uuid.uuid4().hex, host="h", pid=1, seen_at=at), 7),
    "sessions.Session": (session, 0),
}


@pytest.mark.parametrize("label", MADE)
def test_what_is_older_than_its_days_goes_and_what_is_younger_stays(label: str) -> None:
    make, days = MADE[label]
    now = timezone.now()
    old, young = make(now - timedelta(days=days, hours=1)), make(now - timedelta(days=days) + timedelta(hours=1))
    pruned_after(0)
    left = set(apps.get_model(label)._default_manager.values_list("pk", flat=True))
    assert (old.pk in left, young.pk in left) == (False, True)


def test_every_kind_of_row_has_the_column_that_it_is_judged_by() -> None:
    for label, moment, _ in SHELVES:
        assert apps.get_model(label)._meta.get_field(moment)


def test_a_write_budget_goes_when_it_was_not_used_for_a_week(settings: Any) -> None:
    write_budget.reserve("used", 3)
    write_budget.note_limit("asked to wait", timezone.now() + timedelta(days=10))
    pruned_after(6)
    assert WriteBudget.objects.count() == 2
    assert pruned_after(8).counts["write budgets"] == 1
    assert WriteBudget.objects.get().key == write_budget.key_of("asked to wait")
    write_budget.reserve("used", 3)
    assert WriteBudget.objects.count() == 2
