"""A task's page: watched, talked in, measured, and programs started from it."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.admin import figures
from tasks.models import AgentKey, ContainerRun, Message, Round, TaskRequest
from tasks.orchestrator import assignments, logs, reports, uploads
from tests.admin.conftest import staff
from tests.factories import make_round, make_task

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def task() -> TaskRequest:
    """An agent's task with two versions, each measured and commented on."""
    made = assignments.create(name="Digits", agent="gen", dataset="mnist", description="Tell digits apart.", coder="carla")
    assignments.set_status(made, "running", "gen")
    for number, accuracy in enumerate((0.5, 0.75), start=1):
        version = uploads.upload(made, f"try-{number}", {"main.py": f"print({number})\n".encode()}, "carla").version
        reports.report(
            made, "eva", version=version, accuracy=accuracy, loss=1 - accuracy, run_time=2, metrics={"f1": accuracy, "note": "x"}, raw_log="a"
        )
        reports.feed_back(made, "eva", f"feedback {number}", version=version)
    made.messages.filter(body="feedback 1").update(acknowledged_at=timezone.now())
    return made


def url(name: str, task: TaskRequest) -> str:
    return reverse(f"admin:tasks_taskrequest_{name}", args=[task.pk])


def page_of(client: Client, task: TaskRequest, **query: object) -> str:
    answer = client.get(url("change", task), query)
    assert answer.status_code == 200
    return answer.content.decode()


# -- overview --------------------------------------------------------------------------------------------------------------------------


def test_the_overview_says_how_the_task_stands_and_who_fills_its_parts(boss, task):
    AgentKey.objects.create_key(name="eve", role="evaluator")
    context = boss.get(url("change", task)).context

    assert context["sentence"] == "Agents are at work; newest code try-2, last measured accuracy 0.75."
    assert [(part.role, part.who, part.note) for part in context["parts"]] == [
        ("creator", "gen", "no valid key has this name"),
        ("coder", "carla", "no valid key has this name"),
        ("evaluator", "any agent", "1 with a valid evaluator key"),
    ]
    assert (context["unread"], context["counts"]) == (1, {"conversation": 5, "versions": 2, "figures": 2, "containers": 0})
    course = make_task(email="ann@example.org")
    make_round(course, status="waiting", stage="generate", waiting_for="an answer")
    context = boss.get(url("change", course)).context
    assert context["sentence"] == "Round 1 is waiting in generate, waits for an answer; no code yet."
    assert (context["parts"][0].who, context["moves"]) == ("ann@example.org", [])


def test_a_task_leaves_its_state_by_a_button_and_the_conversation_keeps_why(boss, task):
    assert [move["status"] for move in boss.get(url("change", task)).context["moves"]] == ["completed", "failed"]

    boss.post(url("status", task), {"status": "completed", "reason": "good enough"})

    event = task.messages.latest("pk")
    assert [move["status"] for move in boss.get(url("change", task)).context["moves"]] == ["running"]
    assert (event.sender, event.body) == ("boss", "running → completed: good enough")
    for refused in ("failed", "created", "nonsense"):
        boss.post(url("status", task), {"status": refused})
    task.refresh_from_db()
    assert task.status == "completed"
    TaskRequest.objects.filter(pk=task.pk).update(status="running")
    make_round(task, status="succeeded")  # it is shown as completed, whatever its own word is
    assert [move["status"] for move in boss.get(url("change", task)).context["moves"]] == ["failed"]


# -- conversation ----------------------------------------------------------------------------------------------------------------------


def test_the_conversation_is_filtered_and_unread_feedback_is_marked(boss, task):
    answer = boss.get(url("talk", task), {"kind": "feedback", "sender": "eva"}).context["talk"]

    assert [(said.row.body, bool(said.unread)) for said in answer] == [("feedback 2", True), ("feedback 1", False)]
    assert len(boss.get(url("talk", task), {"kind": "no such kind"}).context["talk"]) == 5
    assert "Nothing of that kind" in boss.get(url("talk", task), {"sender": "nobody\0"}).content.decode()


def test_what_comes_later_is_asked_for_by_the_last_id_until_the_task_has_ended(boss, task):
    page = boss.get(url("change", task))
    assert f'hx-get="{url("live", task)}"' in page.content.decode()
    seen = {f"mark_{name}": mark for name, mark in page.context["marks"].items()} | {"since": page.context["last_message"], "kind": "message"}
    quiet = boss.get(url("live", task), seen)
    assert (quiet.status_code, quiet.context["fresh"], quiet.has_header("HX-Trigger")) == (200, [], False)

    said = reports.say(task, "carla", "done soon")
    uploads.upload(task, "try-3", {"main.py": b"3"}, "carla")  # its event does not pass the filter
    answer = boss.get(url("live", task), seen)

    assert [entry.row for entry in answer.context["fresh"]] == [said]
    assert f'<ol hx-swap-oob="afterbegin:#talk"><li id="message-{said.pk}"' in answer.content.decode()
    assert answer["HX-Trigger"] == "room-overview, room-versions"
    assert answer.context["last_message"] == said.pk + 1
    TaskRequest.objects.filter(pk=task.pk).update(status="completed")
    assert boss.get(url("live", task), seen).status_code == 286
    assert url("live", task) not in page_of(boss, task)


def test_a_person_speaks_to_a_part_and_feedback_wakes_the_round_that_waits(boss, task):
    round_ = make_round(task, status="waiting", stage="generate", next_run_at=timezone.now() + timezone.timedelta(hours=1))
    version = task.versions.get(number=2)

    answer = boss.post(url("say", task), {"say-kind": "message", "say-to": "coder", "say-text": "hello <b>"}, headers=HTMX)
    assert "hello &lt;b&gt;" in answer.content.decode()
    assert 'hx-swap-oob="afterbegin:#talk"' in answer.content.decode()
    plain = boss.post(url("say", task), {"say-kind": "feedback", "say-to": "coder", "say-version": version.pk, "say-text": "use more rows"})

    assert plain["Location"] == f"{url('change', task)}#conversation"
    assert list(task.messages.order_by("-pk").values_list("sender", "recipient", "kind", "role", "version")[:2]) == [
        ("boss", "carla", "feedback", "feedback", version.pk),
        ("boss", "carla", "message", "person", None),
    ]
    assert Round.objects.get(pk=round_.pk).next_run_at <= timezone.now()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"say-text": " "}, "Write something first."),
        ({"say-kind": "feedback", "say-to": "evaluator"}, "Feedback goes to the coder"),
        ({"say-kind": "event"}, "event is not one of the available choices"),
        ({"say-version": "999999"}, "That choice is not one of the available choices"),
    ],
)
def test_a_message_that_does_not_fit_says_at_its_field_why(boss, task, change, said):
    before = task.messages.count()

    for headers in (HTMX, {}):
        assert said in boss.post(url("say", task), {"say-kind": "message", "say-text": "x", **change}, headers=headers).content.decode()
    assert task.messages.count() == before


# -- versions --------------------------------------------------------------------------------------------------------------------------


def test_the_files_of_a_chosen_version_have_lines_with_addresses_and_come_as_a_zip(boss, task):
    first = task.versions.get(number=1)
    file = first.files.get()
    page = page_of(boss, task, version=first.pk)

    assert f'id="file-{file.pk}-L1"><a class="d-ln" href="#file-{file.pk}-L1"' in page
    assert "accuracy <b>0.75" in page
    link = reverse("admin:tasks_codeversion_download", args=[first.pk])
    assert link in page
    answer = boss.get(link)
    assert answer["Content-Disposition"] == 'attachment; filename="digits-v1.zip"'
    assert zipfile.ZipFile(io.BytesIO(answer.content)).read("main.py") == b"print(1)\n"
    assert staff("view_taskrequest").get(link).status_code == 403


# -- logs and metrics ------------------------------------------------------------------------------------------------------------------


def test_results_show_the_difference_to_the_one_before_and_any_figure_is_drawn(boss, task):
    reports.report(task, "eva", accuracy=0.7, metrics={"f1": 10**400, "loss": 3, "on": True})
    context = boss.get(url("figures", task), {"metric": "metric.f1", "over": "versions"}).context

    shown = [[(figure.value, figure.delta, figure.tone) for figure in line["figures"]] for line in context["results"]]
    assert shown[0][0] == ("0.7", "−0.05", "red")
    assert shown[1] == [("0.75", "+0.25", "green"), ("0.25", "−0.25", "green"), ("2.0 s", "±0", "grey")]
    assert shown[2][0] == ("0.5", "", "grey")
    assert [choice["key"] for choice in context["choices"]] == ["accuracy", "loss", "run_time", "metric.f1", "metric.loss"]
    assert context["summary"] == "f1 over 2 versions: from 0.5 (try-1) to 0.75 (try-2), lowest 0.5, highest 0.75."
    svg = boss.get(url("figures", task), {"metric": "no such"}).content.decode()
    assert "<title>try-2: 0.75</title>" in svg
    assert f'<desc id="chart-desc">{figures.context(task)["summary"]}</desc>' in svg


def test_logs_are_listed_with_their_sizes_previewed_and_downloaded(boss, task):
    ContainerRun.objects.create(task_request=task, runner="sandbox", stdout="é\n" * 60, stderr="x", status="failed")
    make_round(task)
    reports.log(task, "notes & more.log", "<i>\n" * 60)

    whole = {(log.filename, log.size, log.modified) for log in logs.all_of(task)}
    assert len(whole) == 6
    assert {(log.filename, log.size, log.modified) for log in logs.listing(task, 50)} == whole
    page = page_of(boss, task)
    assert f"{url('log', task)}?name=notes%20%26%20more.log" in page
    preview = boss.get(url("log", task), {"name": "notes & more.log"}).content.decode()
    assert preview.count("&lt;i&gt;") == 50
    answer = boss.get(url("log_download", task), {"name": "notes & more.log"})
    assert (answer.content, answer["Content-Disposition"][:10]) == (b"<i>\n" * 60, "attachment")
    for name in ("../etc/passwd", "", "container_1.stdout.log\0"):
        assert boss.get(url("log", task), {"name": f"{name}?"}).status_code == 404


# -- containers ------------------------------------------------------------------------------------------------------------------------


def test_a_run_is_started_with_what_was_asked_and_its_line_watches_itself(boss, task):
    version = task.versions.get(number=2)
    asked = {"run-version": version.pk, "run-command": "python3 -c 'print(1)'", "run-stdin": "in", "run-wall_seconds": "5"}

    answer = boss.post(url("spawn", task), asked, headers=HTMX).content.decode()
    assert boss.post(url("spawn", task), {"run-version": version.pk})["Location"].endswith("#containers")

    plain, run = task.runs.order_by("-pk")
    assert (run.agent, run.version, run.command, run.stdin, run.limits["wall_seconds"]) == ("boss", version, ["python3", "-c", "print(1)"], "in", 5.0)
    assert plain.command == ["python3", "main.py"]
    live = reverse("admin:tasks_containerrun_live", args=[run.pk])
    assert f'hx-get="{live}?row=1"' in answer
    ContainerRun.objects.filter(pk=run.pk).update(status="timed_out", reason="too slow", stdout="last line")
    end = boss.get(live, {"row": 1, "seen": "queued"})
    assert end.status_code == 286
    for part in ("timed out", "too slow", "last line", f'id="cancel-{run.pk}" hx-swap-oob="delete"', f"Run {run.pk}: timed out. too slow"):
        assert part in end.content.decode()
    assert f'hx-get="{live}' not in page_of(boss, task)
    assert [row["run"] for row in boss.get(url("live", task), {"since_run": run.pk}).context["fresh_runs"]] == [plain]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"run-wall_seconds": "9999"}, "wall_seconds", "at most 240"),
        ({"run-memory_mb": "0.5"}, "memory_mb", "at least 1"),
        ({"run-processes": "nan"}, "processes", "Enter a number"),
        ({"run-command": "python3 'main"}, "command", "Close every quote"),
        ({"run-version": "0"}, "version", "not one of the available choices"),
        ({}, "command", "Say what to run"),
    ],
)
def test_what_cannot_be_run_is_said_at_the_field(boss, task, change, field, said):
    page = uploads.upload(task, "page", {"index.html": b"x"}, "carla").version

    answer = boss.post(url("spawn", task), {"run-version": page.pk, **change}, headers=HTMX)

    assert any(said in error for error in answer.context["spawn_form"].errors[field])
    assert said.encode() in answer.content
    assert not task.runs.exists()


# -- the whole -------------------------------------------------------------------------------------------------------------------------


def test_each_right_opens_its_own_form(task, viewer):
    page = page_of(viewer, task)
    assert "csrfmiddlewaretoken" not in page.split('class="d-page')[1]
    assert "no program was run" in page.lower()
    plain = staff("view_taskrequest")
    assert "You may not see runs" in page_of(plain, task)
    forms = {
        "say": ("add_message", {"say-kind": "message", "say-text": "x"}),
        "spawn": ("add_containerrun", {"run-version": task.versions.first().pk}),
    }
    for name, (right, data) in {**forms, "status": ("change_taskrequest", {"status": "failed"})}.items():
        assert viewer.post(url(name, task), data).status_code == 403
        able = staff("view_taskrequest", right)
        assert f'action="{url(name, task)}"' in page_of(able, task)
        assert able.post(url(name, task), data).status_code == 302
        assert able.get(url(name, task)).status_code == 405
    assert viewer.get(url("live", TaskRequest(pk=999_999))).status_code == 404
    assert (task.runs.count(), task.messages.filter(kind=Message.Kind.MESSAGE).count()) == (1, 1)


def test_a_longer_history_asks_no_more_of_the_database(boss, task):
    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            boss.get(url(name, task))
        assert not any('"tasks_containerrun"."files"' in query["sql"] or '"raw_answer"' in query["sql"] for query in captured)
        return len(captured)

    def grow(number: int) -> None:
        version = uploads.upload(task, "", {f"{number}.py": b"x"}, "carla").version
        reports.report(task, "eva", version=version, accuracy=1, raw_log="x")
        reports.feed_back(task, "eva", "x", version=version)
        ContainerRun.objects.create(task_request=task, version=version, runner="sandbox", stdout="x", status="failed")
        make_round(task, number=number + 1)

    grow(0)
    few = {name: queries(name) for name in ("change", "live", "talk", "figures")}
    for number in range(1, 8):
        grow(number)

    assert {name: queries(name) for name in few} == few
