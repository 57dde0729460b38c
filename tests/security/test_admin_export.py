"""Lists as CSV: no cell is a formula, whatever was posted, and what was posted can be read back."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tasks import csv_cells
from tasks.admin import export
from tasks.models import CheckResult, Round, TaskRequest
from tests.admin.conftest import staff, tell
from tests.factories import make_round, make_task

FORMULAS = [
    '=HYPERLINK("http://127.0.0.1:9/?x="&A1,"open")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "   =1+1",
    "＝1+1",
    '","=1+1',
    "x;=1+1;y",
    "x\t@SUM(A1)",
    "'=1+1",
    "''",
    'x"; =1+1',
]
HARMLESS = ["sum-of-sales-7f3a2", "student@example.org", "a, b; c - d", "it's", "two\nlines", "été", "1", ""]
DANGER = re.compile(r"\A[\t\r\n]|(\A\s*|[;\t\r\n] *)[=+\-@＝＋－＠]")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_and_comes_back(text):
    assert not DANGER.search(csv_cells.cell(text))
    assert csv_cells.plain(csv_cells.cell(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_stays_as_it_is(text):
    assert csv_cells.cell(text) == text


def test_any_text_is_harmless_and_comes_back():
    some = random.Random(7)
    for _ in range(3_000):
        text = "".join(some.choice("=+-@＝'\";, \t\r\nab") for _ in range(some.randrange(9)))
        assert not DANGER.search(csv_cells.cell(text)), repr(text)
        assert csv_cells.plain(csv_cells.cell(text)) == text


def test_a_value_has_one_form():
    moment = datetime(2026, 3, 10, 12, 30, 0, 123, tzinfo=UTC)
    assert [csv_cells.cell(value) for value in (None, True, False, 7, 0.5, -3, moment)] == ["", "yes", "no", "7", "0.5", "'-3", "2026-03-10 12:30:00"]


# -- the action ------------------------------------------------------------------------------------------------------------------------


def exported(client, *rows) -> tuple[list[dict[str, str]], str]:
    """The rows of the file, each by the names of its columns, and the file as it was sent."""
    model = type(rows[0])
    form = {"action": "export_as_csv", "_selected_action": [row.pk for row in rows], "index": 0}
    answer = client.post(reverse(f"admin:tasks_{model._meta.model_name}_changelist"), form)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{model._meta.verbose_name_plural}-')
    assert (answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == ("nosniff", "sandbox; default-src 'none'")
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text.startswith(csv_cells.BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(csv_cells.BOM), newline=""))), text


def test_no_cell_of_an_export_is_a_formula(boss):
    rounds = []
    for number, text in enumerate(FORMULAS):
        tell(text, f"=https://example.org/{number}")
        TaskRequest.objects.filter(pk=Round.objects.latest("pk").task_request_id).update(task=text, email=f"{text}@example.org")
        rounds.append(Round.objects.select_related("task_request").latest("pk"))

    for rows in (rounds, [round_.task_request for round_ in rounds]):
        table, sent = exported(boss, *rows)
        cells = [cell for row in table for cell in row.values()]
        assert len(table) == len(rows)
        assert [cell for cell in cells if DANGER.search(cell)] == []
        assert sent.removeprefix(csv_cells.BOM).startswith('"id","email","task",'), "every cell is quoted"
        assert {csv_cells.plain(row["task"]) for row in table} == set(FORMULAS)
        assert {csv_cells.plain(row["email"]) for row in table} == {f"{text}@example.org" for text in FORMULAS}


def test_a_rounds_line_says_what_an_instructor_asks(boss):
    story = tell("ok")
    CheckResult.objects.filter(round=story.round, deployment=story.deployment).update(status="fail")

    (line,), _ = exported(boss, story.round)

    assert list(line) == list(export.ROUND)
    told = {key: line[key] for key in ("task", "round", "status", "degraded", "in_time", "seconds_to_notification", "checks_passed", "checks")}
    assert told == {
        "task": "task ok",
        "round": "1",
        "status": "succeeded",
        "degraded": "deadline",
        "in_time": "yes",
        "seconds_to_notification": "42.0",
        "checks_passed": "0",
        "checks": "1",
    }
    assert (line["deliveries"], line["last_delivery"], line["last_answer"]) == ("2", "delivered", "200")
    assert (line["commit_sha"], line["version"], line["cost_usd"]) == ("c" * 40, "2", "0.004200")


def test_a_round_that_has_done_nothing_yet_has_a_line_too(boss):
    (line,), _ = exported(boss, make_round())

    assert (line["commit_sha"], line["last_answer"], line["version"], line["in_time"], line["checks"]) == ("", "", "", "no", "0")


def test_a_long_list_asks_no_more_of_the_database_than_a_short_one(boss, django_assert_max_num_queries):
    task = make_task()
    rounds = [make_round(task, number=number) for number in range(1, 41)]

    with django_assert_max_num_queries(16):
        table, _ = exported(boss, *rounds)

    assert len(table) == 40


@pytest.mark.parametrize("rights", [("view_round", "view_taskrequest"), ()])
def test_whoever_may_only_look_carries_nothing_away(db, rights):
    round_ = make_round()
    client = staff(*rights)

    for row in (round_, round_.task_request):
        form = {"action": "export_as_csv", "_selected_action": [row.pk], "index": 0}
        answer = client.post(reverse(f"admin:tasks_{row._meta.model_name}_changelist"), form)
        assert not answer.streaming
        assert "attachment" not in answer.get("Content-Disposition", "")
