"""The lists and pages of the other records."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.models import CompiledCheck, Worker, WriteBudget
from tests.admin.conftest import tell

OWN = [
    "taskrequest",
    "attachment",
    "codeversion",
    "generatedfile",
    "stagerun",
    "deployment",
    "notificationattempt",
    "checkresult",
    "screenshot",
    "compiledcheck",
    "message",
    "worker",
    "agentkey",
    "containerrun",
    "artefact",
    "result",
    "logfile",
    "issuedtask",
    "issuetry",
    "reporeport",
    "gradebook",
]


@pytest.mark.parametrize("name", OWN)
def test_a_longer_list_asks_no_more_of_the_database(boss, name):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert boss.get(reverse(f"admin:tasks_{name}_changelist")).status_code == 200
        return len(captured)

    tell("one", graded=True)
    few = queries()
    tell("two", "https://example.net/", graded=True)
    tell("three", "https://example.com/", graded=True)

    assert queries() <= few


@pytest.mark.parametrize("name", OWN)
def test_every_filter_and_search_of_a_list_works(boss, story, name):
    page = next(page for model, page in admin.site._registry.items() if model._meta.label_lower == f"tasks.{name}")
    url = reverse(f"admin:tasks_{name}_changelist")
    for filter_ in boss.get(url).context["cl"].filter_specs:
        for choice in filter_.choices(boss.get(url).context["cl"]):
            assert boss.get(url + choice["query_string"]).status_code == 200
    if page.search_fields:
        assert boss.get(url, {"q": "ok"}).status_code == 200


def test_a_tasks_page_shows_its_rounds_versions_deployments_and_conversation(boss, story):
    page = boss.get(reverse("admin:tasks_taskrequest_change", args=[story.round.task_request_id])).content.decode()

    for part in ("round 1", "<strong>v1</strong>", "<strong>v2</strong>", "$0.0042", "c" * 10, "okokok", "https://example.org/page/"):
        assert part in page


@pytest.mark.parametrize("name", ["screenshot", "checkresult", "codeversion", "attachment", "generatedfile"])
def test_no_list_loads_long_columns(boss, story, name):
    with CaptureQueriesContext(connection) as captured:
        boss.get(reverse(f"admin:tasks_{name}_changelist"))

    long = ("content", "evidence", "expression", "prompt", "raw_answer")
    loaded = [query["sql"] for query in captured if any(f'."{column}"' in query["sql"].split(" FROM ")[0] for column in long)]
    assert loaded == []


def test_a_check_results_page_shows_its_evidence_line_by_line(boss, story):
    result = story.version.check_results.filter(deployment=None).first()

    page = boss.get(reverse("admin:tasks_checkresult_change", args=[result.pk])).content.decode()

    assert "<dt>value</dt>" in page
    assert '<li class="d-ink-red">error: ok</li>' in page


def test_a_compiled_check_shows_its_operation_or_that_there_is_none(boss):
    CompiledCheck.objects.create(key="1", text="uid.txt equals the attachment", predicate={"op": "equals", "path": "uid.txt"}, model="m")
    CompiledCheck.objects.create(key="2", text="README is good", predicate=None, model="m")

    page = boss.get(reverse("admin:tasks_compiledcheck_changelist")).content.decode()

    assert ">equals<" in page.replace("\n", "")
    assert "the model could not turn it into a predicate" in page


def test_a_versions_page_shows_prompt_answer_tokens_and_difference(boss, story):
    story.version.tokens_in, story.version.tokens_out, story.version.prompt = 3120, 1893, "You write web pages."
    story.version.raw_answer = "<file path='index.html'>"
    story.version.save()

    page = boss.get(reverse("admin:tasks_codeversion_change", args=[story.version.pk])).content.decode()

    for part in (
        "3,120 / 1,893",
        "$0.0042",
        "You write web pages.",
        "&lt;file path=&#x27;index.html&#x27;&gt;",
        "Compared with version 1",
        "-&lt;p&gt;one&lt;/p&gt;",
    ):
        assert part in page


@pytest.mark.parametrize(("fields", "word"), [({}, "alive"), ({"seen": 20}, "silent"), ({"stopped": True}, "stopped")])
def test_a_worker_is_alive_silent_or_stopped(boss, fields, word):
    now = timezone.now()
    seen = now - timedelta(seconds=fields.get("seen", 0))
    worker = Worker.objects.create(name="w", host="h", pid=1, seen_at=seen, stopped_at=now if "stopped" in fields else None)
    page = admin.site._registry[Worker]

    assert f"</span>{word}</span>" in page.state(worker)


@pytest.mark.django_db
def test_a_write_budget_counts_the_last_minute_and_hour(settings):
    now = timezone.now().timestamp()
    budget = WriteBudget(key="k" * 64, stamps=[now - 3000, now - 1500, now - 30, now - 1])
    page = admin.site._registry[WriteBudget]

    assert page.last_minute(budget) == f"2 of {settings.GITHUB_WRITES_PER_MINUTE}"
    assert page.last_hour(budget) == f"4 of {settings.GITHUB_WRITES_PER_HOUR}"
