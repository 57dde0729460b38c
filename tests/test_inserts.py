"""The prepared INSERTs make the same rows as the ORM."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tasks.inserts import Insert
from tasks.models import Attachment, Round, TaskRequest
from tests.factories import make_round, make_task

pytestmark = pytest.mark.django_db


def values(row: Any, but: set[str]) -> dict[str, Any]:
    row.refresh_from_db()
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields if field.name not in but}


def test_a_round_has_every_default_of_the_model() -> None:
    now, task = timezone.now(), make_task()
    given = {"brief": "Ünï ‘code’ %s", "checks": [{"js": "1"}, "text"], "evaluation_url": "http://x/", "extra": {"a": [1, None]}, "fingerprint": "f"}
    times = {"received_at": now, "deadline_at": now + timedelta(seconds=600), "next_run_at": now}
    orm = Round.objects.create(task_request=task, number=1, nonce="orm", **given, **times)
    insert = Insert(Round, "uuid", "task_request", "number", "nonce", *given, *times, returning=("nonce", "id"))
    with connection.cursor() as cursor:
        rows = [[uuid.uuid4(), task.pk, 1, nonce, *given.values(), *times.values()] for nonce in ("one", "two")]
        made = dict(insert.rows(cursor, rows))
    own = {"id", "uuid", "nonce"}
    assert [values(Round.objects.get(pk=made[nonce]), own) for nonce in ("one", "two")] == [values(orm, own)] * 2
    assert Round.objects.get(pk=made["one"]).uuid == rows[0][0]


def test_an_attachment_and_a_task_have_them_too() -> None:
    round_ = make_round()
    orm, task = Attachment.objects.create(round=round_, position=1, name="a.csv", url="data:,x"), make_task(email="a@x", task="t1")
    with connection.cursor() as cursor:
        assert Insert(Attachment, "round", "position", "name", "url").rows(cursor, [(round_.pk, 1, "a.csv", "data:,x")]) == []
        [(id,)] = Insert(TaskRequest, "email", "task", returning=("id",)).rows(cursor, [("a@x", "t2")])
    assert values(Attachment.objects.exclude(pk=orm.pk).get(), {"id"}) == values(orm, {"id"})
    made = TaskRequest.objects.get(pk=id)
    assert values(made, {"id", "task", "marker", "created_at"}) == values(task, {"id", "task", "marker", "created_at"})
    assert len(made.marker) == 12 and made.marker != task.marker


def test_what_is_there_already_is_left_out_and_the_rest_is_added() -> None:
    make_task(email="a@x", task="there")
    insert = Insert(TaskRequest, "email", "task", returning=("task",))
    with connection.cursor() as cursor:
        assert insert.rows(cursor, [("a@x", "there"), ("a@x", "new"), ("b@x", "there")]) == [("new",), ("there",)]
        assert insert.rows(cursor, []) == []
    assert TaskRequest.objects.count() == 3
