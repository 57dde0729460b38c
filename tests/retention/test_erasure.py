"""One person's data go: every row, page and log line; whoever else is there keeps theirs, and nothing comes back by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.utils import timezone

from tasks.errors import LeaseLost
from tasks.hosts import get_host, local_store
from tasks.lease import Lease
from tasks.models import CompiledCheck, IdempotencyKey, IssuedTask, IssueTry, Message, RepoReport, Round, Submission, TaskRequest
from tasks.pipeline import run_round
from tasks.prose.compiler import key
from tasks.retention import database, erasure
from tests.admin.conftest import tell
from tests.driver import carry, post, step
from tests.emulators.evaluator import Evaluator
from tests.factories import make_round, make_submission, make_task

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "ann.erased@example.org"


@pytest.fixture
def served(live_server: Any, settings: LazySettings) -> None:
    settings.PUBLIC_URL, settings.CHROMIUM_PATH = live_server.url, "no-browser-here"


def rows() -> dict[str, int]:
    """Every table of ours, and how many rows it has."""
    counts = {model._meta.label: model._default_manager.count() for model in apps.get_app_config("tasks").get_models()}
    return {label: number for label, number in counts.items() if number}


def texts() -> str:
    """All that the tables of ours hold."""
    return " ".join(str(list(model._default_manager.values())) for model in apps.get_app_config("tasks").get_models())


# -- what goes, what stays -----------------------------------------------------------------------------------------------------------------


def test_every_row_of_the_person_goes_and_no_row_of_anybody_else() -> None:
    tell("bob")
    before = rows()
    story = tell("ann")
    TaskRequest.objects.filter(pk=story.round.task_request_id).update(email=EMAIL)
    Submission.objects.filter(note="ann").update(email=EMAIL.title())
    story.worker.delete()
    story.budget.delete()
    CompiledCheck.objects.filter(text="ann").delete()
    IdempotencyKey.objects.filter(agent="ann").delete()
    told = erasure.look(EMAIL)
    erased = erasure.erase(EMAIL)
    assert rows() == before
    assert {label: erased.rows[label] for label in told.rows} == told.rows
    assert (erased.rows["tasks.IssuedTask"], erased.rows["tasks.RepoReport"]) == (2, 2)
    assert (erased.tasks, erased.rounds, erased.ended) == (1, 1, 0)
    assert (erased.stays, erased.mentions, erased.problems) == (["https://example.org/page/"], {}, [])


def test_a_students_submission_goes_with_the_tasks_that_were_issued_to_them() -> None:
    def issue(email: str) -> None:
        row = make_submission(email=email)
        fields = {"submission": row, "brief_id": "b", "seed": "s", "task": f"t-{row.pk}", "brief": "b", "evaluation_url": "https://e.example.org/"}
        first = IssuedTask.objects.create(**fields, round=1, nonce=f"{email} 1")
        later = IssuedTask.objects.create(**fields, round=2, nonce=f"{email} 2", first=first)
        IssueTry.objects.create(issued=later, number=1, url="https://s.example.org/ready", answer=email)
        RepoReport.objects.create(issued=first, repo_url="r", commit_sha="c", pages_url="p")
        user = User.objects.get_or_create(username="op")[0]
        for noted in (row, first):
            LogEntry.objects.log_actions(user.pk, [noted], 2, single_object=True)

    issue("bob@example.org")
    before, noted = rows(), LogEntry.objects.count()
    issue(EMAIL)
    counts = {"Submission": 1, "IssuedTask": 2, "IssueTry": 1, "RepoReport": 1}
    wanted = {f"tasks.{name}": number for name, number in counts.items()}
    look = erasure.look(EMAIL.upper())
    assert (look.rows, look.mentions) == (wanted, {})
    erased = erasure.erase(EMAIL.upper())
    assert {label: erased.rows[label] for label in wanted} == wanted
    assert (rows(), LogEntry.objects.count(), EMAIL in texts()) == (before, noted, False)


def test_the_address_is_found_in_any_letter_case_and_only_as_a_whole() -> None:
    for email in ("Ann.Erased@Example.org", f"x{EMAIL}", f"{EMAIL}.uk"):
        make_round(make_task(email=email))
    assert erasure.erase(f" {EMAIL} ").tasks == 1
    assert set(TaskRequest.objects.values_list("email", flat=True)) == {f"x{EMAIL}", f"{EMAIL}.uk"}


@pytest.mark.parametrize("email", ["", " "])
def test_no_address_is_nobody_and_not_everybody_without_one(email: str) -> None:
    make_task(email="", task="", name="an agent's")
    erased = erasure.erase(email)
    assert erased.tasks == 0
    assert TaskRequest.objects.count() == 1


def test_what_a_model_made_of_their_checks_goes_too() -> None:
    round_ = make_round(make_task(email=EMAIL), checks=["The page is friendly to Ann"])
    for text, brief in (("The page is friendly to Ann", round_.brief), ("The page is friendly", "another's brief")):
        CompiledCheck.objects.create(key=key(text, brief), text=text)
    erasure.erase(EMAIL)
    assert CompiledCheck.objects.get().text == "The page is friendly"


def test_the_admins_record_of_their_tasks_goes_and_that_of_others_stays() -> None:
    boss = User.objects.create_superuser("boss")
    mine, other = make_round(make_task(email=EMAIL)), make_round()
    for round_ in (mine, other):
        for row in (round_, round_.task_request):
            kind = ContentType.objects.get_for_model(type(row))
            LogEntry.objects.create(user=boss, content_type=kind, object_id=str(row.pk), object_repr=str(row), action_flag=2)
    erasure.erase(EMAIL)
    assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {str(other), str(other.task_request)}


def test_it_tells_what_stays_elsewhere_and_where_else_the_address_stands() -> None:
    make_task(email=EMAIL, repo_host="github", repo_name="made", repo_url="https://github.com/me/made", repo_created=True)
    make_task(email=EMAIL, repo_host="github", repo_name="only-named")
    User.objects.create_user("ann", email=EMAIL)
    other = make_round()
    Message.objects.create(task_request=other.task_request, round=other, body=f"ask {EMAIL}", data={"to": EMAIL})
    make_round(extra={"teacher": EMAIL.upper()})
    told = erasure.look(EMAIL)
    assert told.stays == ["https://github.com/me/made", "only-named (named on github, perhaps not made)"]
    assert told.mentions == {"messages": 1, "rounds": 1, "users": 1}
    erased = erasure.erase(EMAIL)
    assert (erased.stays, erased.mentions) == (told.stays, told.mentions)


def test_looking_changes_nothing_and_says_what_erasing_then_does(folder: Path) -> None:
    round_ = make_round(make_task(email=EMAIL, repo_host="local", repo_name="anns"))
    assert get_host("local").ensure_repo("anns", description="x", marker=round_.task_request.marker, known=False)
    log = folder / "logs" / "app.log"
    log.write_text(f'{{"message": "to {EMAIL}"}}\n{{"message": "x", "round": {round_.pk}}}\n{{"message": "y", "round": 0}}\n')
    before = (rows(), log.read_bytes())
    told = erasure.look(EMAIL)
    assert (rows(), log.read_bytes()) == before
    erased = erasure.erase(EMAIL)
    names = ("tasks", "rounds", "ended", "log_lines", "repositories")
    assert [getattr(told, name) for name in names] == [getattr(erased, name) for name in names] == [1, 1, 1, 2, ["anns"]]
    assert log.read_text() == '{"message": "y", "round": 0}\n'
    assert local_store.locate("anns") is None


def test_a_second_time_there_is_nothing() -> None:
    make_round(make_task(email=EMAIL))
    assert not erasure.erase(EMAIL).nothing
    assert erasure.erase(EMAIL).nothing


@pytest.mark.skipif("postgres" in str(connection.settings_dict["ENGINE"]), reason="reads SQLite's file")
def test_not_even_the_database_file_holds_it_any_more(payload: dict[str, Any], settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    marks = (EMAIL, "the secret garden of Ann", "garden-attachment")
    step(post(payload | {"email": EMAIL, "brief": marks[1] * 300, "attachments": [{"name": f"{marks[2]}.txt", "url": "data:,x"}]}))
    path = Path(connection.settings_dict["NAME"])
    files = [path, path.with_name(f"{path.name}-wal")]

    def held() -> list[str]:
        content = b"".join(file.read_bytes() for file in files if file.exists())
        return [mark for mark in marks if mark.encode() in content]

    assert held() == list(marks)
    erasure.erase(EMAIL)
    assert files[1].stat().st_size == 0
    database.vacuum()
    assert held() == []


# -- while somebody works on it ------------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_on_a_round_cannot_write_for_it_any_more() -> None:
    round_ = make_round(make_task(email=EMAIL), next_run_at=timezone.now())
    lease = Lease.claim(round_.pk)
    assert lease is not None
    assert erasure.erase(EMAIL).ended == 1
    with pytest.raises(LeaseLost), lease.fenced():
        Message.objects.create(task_request_id=round_.task_request_id, body="late")
    assert rows() == {}


@pytest.fixture
def erasing_evaluator() -> Iterator[str]:
    """An evaluator that has the person erased in the middle of the notification."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                erasure.erase(body["email"])
            finally:
                connection.close()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/notify"
    server.shutdown()
    server.server_close()


def test_erased_in_the_middle_of_a_stage_the_round_leaves_nothing(served: None, payload: dict[str, Any], erasing_evaluator: str) -> None:
    round_ = post(payload | {"email": EMAIL, "evaluation_url": erasing_evaluator})
    run_round(round_.pk)
    assert rows() == {}
    assert [path.name for path in local_store.root().iterdir()] == [".lock"]
    run_round(round_.pk)  # the message that was still in the queue


def test_a_repository_that_a_worker_was_just_making_goes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(email=EMAIL, repo_host="local", repo_name="late")
    assert Lease.claim(make_round(task, stage="publish", next_run_at=timezone.now()).pk)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        """The worker comes to the end of its step in this time."""
        waits.append(seconds)
        assert not TaskRequest.objects.exists()
        assert get_host("local").ensure_repo("late", description="x", marker=task.marker, known=False)

    monkeypatch.setattr(erasure.time, "sleep", wait)
    assert erasure.erase(EMAIL).repositories == ["late"]
    assert local_store.locate("late") is None
    assert waits == [erasure.SETTLE_SECONDS]


def test_a_repository_of_the_same_name_is_not_theirs() -> None:
    ann, bob = make_task(email=EMAIL), make_task(repo_host="local", repo_name="same")
    assert get_host("local").ensure_repo("same", description="x", marker=bob.marker, known=False)
    TaskRequest.objects.filter(pk=ann.pk).update(repo_host="github", repo_name="same")
    assert erasure.erase(EMAIL).repositories == []
    assert local_store.locate("same")


def test_posted_again_it_is_a_new_request(served: None, payload: dict[str, Any], evaluator: Evaluator) -> None:
    payload |= {"email": EMAIL, "evaluation_url": evaluator.url}
    first = carry(post(payload))
    erasure.erase(EMAIL)
    second = carry(post(payload))
    assert (second.status, second.uuid != first.uuid, second.pk != first.pk) == ("succeeded", True, True)
    assert Round.objects.count() == 1
    assert evaluator.bodies[0]["repo_url"] == evaluator.bodies[1]["repo_url"]


def test_a_broken_off_erasure_is_finished_by_the_next_one(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Broken off at the worst moment: all but the rows is gone."""
    task = make_task(email=EMAIL, repo_host="local", repo_name="anns")
    make_round(task)
    assert get_host("local").ensure_repo("anns", description="x", marker=task.marker, known=False)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erase_task", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erasure.erase(EMAIL)
    assert Round.objects.get().status == "failed"
    assert local_store.locate("anns") is None
    assert erasure.erase(EMAIL).tasks == 1
    assert EMAIL not in texts()


def test_posts_and_workers_that_meet_an_erasure_all_end_well(
    served: None, payload: dict[str, Any], settings: LazySettings, evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes first: a post is answered with 200, a worker leaves without an error, an erasure takes what is there."""
    settings.EVALUATE = False
    monkeypatch.setattr(erasure, "SETTLE_SECONDS", 0.0)
    answers: list[int] = []
    failures: list[str] = []

    def take_part(name: str) -> None:
        try:
            for number in range(6):
                body = payload | {"email": EMAIL, "task": name, "nonce": f"{number}", "brief": f"Page {number}.", "evaluation_url": evaluator.url}
                answer = Client().post("/ready", data=json.dumps(body), content_type="application/json")
                answers.append(answer.status_code)
                for pk in Round.objects.filter(uuid=answer.json()["id"]).values_list("pk", flat=True):
                    run_round(pk)
        except Exception as error:
            failures.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=take_part, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert erasure.erase(EMAIL).problems == []
    erasure.erase(EMAIL)
    assert (set(answers), len(answers), failures) == ({200}, 12, [])
    assert rows() == {}
