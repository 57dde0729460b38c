"""`/api/v1`: resources for programs with a key, over HTTP."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest

from tasks import runs
from tasks.models import AgentKey, CodeVersion, ContainerRun, IdempotencyKey, TaskRequest
from tests.api.test_orchestrator import KEY, Client
from tests.factories import make_round


@pytest.fixture
def call(live_server, settings) -> Client:
    settings.DEMO_API_KEY = KEY
    return Client(live_server.url + "/api/v1")


@pytest.fixture
def task(call) -> int:
    return int(call("POST", "/tasks", 201, json={"name": "Digits", "creator_agent": "gina"})["id"])


def zipped(files: dict[str, bytes], **links: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, target in links.items():
            item = zipfile.ZipInfo(name)
            item.external_attr = 0o120777 << 16
            archive.writestr(item, target)
    return buffer.getvalue()


def spoiled(archive: bytes) -> bytes:
    """The packed bytes of its only file are no longer what a packer writes."""
    return archive[:40] + b"\xff" * 20 + archive[60:]


# -- tasks -------------------------------------------------------------------------------------------------------------------------------


def test_a_task_is_made_shown_and_moved(call) -> None:
    made = call("POST", "/tasks", 201, json={"name": "Digits", "dataset": "mnist", "coder": "cody", "creator_agent": "gina"})
    assert made.items() >= {"name": "Digits", "dataset": "mnist", "coder": "cody", "creator_agent": "gina", "status": "created", "rounds": []}.items()
    assert call("GET", f"/tasks/{made['id']}") == made
    assert call("PATCH", f"/tasks/{made['id']}", json={"status": "running", "reason": "begun"})["status"] == "running"
    problem = call("PATCH", f"/tasks/{made['id']}", 409, json={"status": "created"})
    assert problem.items() >= {"status": 409, "code": "conflict"}.items()
    event = call("GET", f"/tasks/{made['id']}/messages")["results"][0]
    assert (event["kind"], event["content"]) == ("event", "created → running: begun")


def test_a_task_with_a_built_in_part_has_a_round_that_can_be_followed(call) -> None:
    body = {"name": "Page", "description": "A page.", "coder": "builtin", "evaluator": "builtin", "checks": ["The file a.txt exists"]}
    body["attachments"] = [{"name": "a.txt", "url": "data:text/plain,x"}]
    made = call("POST", "/tasks", 201, json=body)
    (round_,) = made["rounds"]
    assert (made["status"], round_["round"], round_["status"], round_["stage"]) == ("running", 1, "queued", "attachments")


def test_what_is_wrong_is_said_field_by_field(call, task) -> None:
    problem = call("POST", "/tasks", 422, json={"dataset": "x" * 501, "checks": [1], "attachments": [{"name": "a", "url": "ftp://x"}]})
    fields = {item["field"] for item in problem["errors"]}
    assert fields >= {"name", "dataset", "checks", "attachments"}
    assert call("POST", "/tasks", 422, json={"name": "a\0b"})["errors"][0]["field"] == "name"
    assert call("POST", "/tasks", 400, data=b"{", headers={"Content-Type": "application/json"})["status"] == 400
    assert call("POST", "/tasks", 415, data=b"x", headers={"Content-Type": "text/csv"})["status"] == 415


def test_lists_are_filtered_and_come_in_pages(call, db) -> None:
    for number in range(5):
        TaskRequest.objects.create(name=f"task {number}", creator_agent="gina" if number % 2 else "greg")
    page = call("GET", "/tasks?page_size=2")
    names = [row["name"] for row in page["results"]]
    while page["next"]:
        page = call("GET", page["next"].removeprefix(call.root))
        names += [row["name"] for row in page["results"]]
    assert names == [f"task {number}" for number in reversed(range(5))]
    assert [row["name"] for row in call("GET", "/tasks?creator_agent=gina")["results"]] == ["task 3", "task 1"]
    assert [row["name"] for row in call("GET", "/tasks?q=K+4")["results"]] == ["task 4"]
    assert call("GET", "/tasks?created_after=tomorrow", 422)["errors"][0]["field"] == "created_after"


def test_a_create_with_a_key_happens_once(call, db) -> None:
    headers = {"Idempotency-Key": "one"}
    first = call("POST", "/tasks", 201, json={"name": "once"}, headers=headers)
    assert call("POST", "/tasks", 201, json={"name": "once"}, headers=headers) == first
    assert call("POST", "/tasks", 422, json={"name": "other"}, headers=headers)["code"] == "idempotency-key-reused"
    call("POST", "/tasks", 422, json={}, headers={"Idempotency-Key": "two"})
    call("POST", "/tasks", 201, json={"name": "now right"}, headers={"Idempotency-Key": "two"})
    assert TaskRequest.objects.count() == 2
    assert IdempotencyKey.objects.count() == 2


# -- versions ------------------------------------------------------------------------------------------------------------------------------


def test_code_comes_as_json_as_a_form_and_as_a_zip(call, task) -> None:
    files = [{"path": "main.py", "content": "print(1)"}, {"path": "a.png", "content": base64.b64encode(b"\0\1").decode(), "encoding": "base64"}]
    made = call("POST", f"/tasks/{task}/versions", 201, json={"version": "first", "files": files})
    assert (made["version"], made["kind"], [file["path"] for file in made["files"]]) == ("first", "upload", ["a.png", "main.py"])
    call("POST", f"/tasks/{task}/versions", 201, files=[("file", ("b.txt", b"b"))], data={"version": "second"})
    unpacked = call("POST", f"/tasks/{task}/versions", 201, files=[("archive", ("all.zip", zipped({"x/y.txt": b"y"})))])
    assert (unpacked["version"], unpacked["files"][0]["path"]) == ("v3", "x/y.txt")

    assert [row["version"] for row in call("GET", f"/tasks/{task}/versions")["results"]] == ["v3", "second", "first"]
    assert call("GET", f"/tasks/{task}/versions/first/download?filename=a.png").content == b"\0\1"
    archive = zipfile.ZipFile(io.BytesIO(call("GET", f"/tasks/{task}/versions/first/download").content))
    assert sorted(archive.namelist()) == ["a.png", "main.py"]
    call("DELETE", f"/tasks/{task}/versions/second", 204)
    call("GET", f"/tasks/{task}/versions/second", 404)


@pytest.mark.parametrize(
    "archive",
    [
        zipped({"../up.txt": b"x"}),
        zipped({".git/config": b"x"}),
        zipped({"ok.txt": b"x"}, link="/etc/passwd"),
        zipped({"bomb.txt": b"0" * 30_000_000}),
        zipped({f"{number}.txt": b"" for number in range(201)}),
        b"no zip",
        spoiled(zipped({"a.txt": bytes(range(256)) * 20})),
        zipped({"a.txt": b"x" * 1000})[:-30],
    ],
    ids=["up", "git", "link", "bomb", "many", "text", "spoiled", "cut"],
)
def test_an_archive_that_is_not_what_it_should_be_is_refused_whole(call, task, archive) -> None:
    problem = call("POST", f"/tasks/{task}/versions", 413 if len(archive) > 5000 else 422, files=[("archive", ("all.zip", archive))])
    assert problem["detail"]
    assert not CodeVersion.objects.exists()


# -- reports and talk ------------------------------------------------------------------------------------------------------------------------


def test_results_feedback_and_messages(call, task) -> None:
    call("POST", f"/tasks/{task}/versions", 201, json={"files": [{"path": "main.py", "content": "x"}]})
    body = {"version": "v1", "accuracy": 0.5, "metrics": {"f1": 0.4}, "passed": False, "raw_logs": "log"}
    result = call("POST", f"/tasks/{task}/results", 201, json=body)
    assert result.items() >= {"version": "v1", "accuracy": 0.5, "metrics": {"f1": 0.4}, "passed": False, "log": f"run_{result['id']}.log"}.items()
    assert call("GET", f"/tasks/{task}/results/latest") == result
    call("POST", f"/tasks/{task}/results", 422, json={"version": "v9"})

    first = call("POST", f"/tasks/{task}/feedback", 201, json={"content": "slow", "version": "v1", "sender": "eve"})
    call("POST", f"/tasks/{task}/feedback", 201, json={"content": "wrong"})
    assert (first["sender"], first["recipient"], first["acknowledged_at"]) == ("eve", "coder", None)
    assert call("POST", f"/tasks/{task}/feedback/{first['id']}/acknowledge", json={})["acknowledged_at"]
    assert [row["content"] for row in call("GET", f"/tasks/{task}/feedback?unread=true")["results"]] == ["wrong"]

    said = call("POST", f"/tasks/{task}/messages", 201, json={"content": "hello", "recipient": "cody", "sender": "gina"})
    assert [row["content"] for row in call("GET", f"/tasks/{task}/messages?agent=cody")["results"]] == ["hello"]
    assert call("GET", f"/tasks/{task}/messages?since={said['id']}")["results"] == []
    since = call("GET", f"/tasks/{task}/messages?since={first['created_at']}")["results"]
    assert [row["content"] for row in since] == ["hello", "wrong"]
    call("GET", f"/tasks/{task}/messages?since=yesterday", 422)


def test_logs_are_listed_and_taken_in_parts(call, task) -> None:
    call("POST", f"/tasks/{task}/results", 201, json={"raw_logs": "0123456789"})
    (log,) = call("GET", f"/tasks/{task}/logs")
    assert (log["size"], log["preview"]) == (10, "0123456789")
    assert call("GET", f"/tasks/{task}/logs/{log['filename']}", 206, headers={"Range": "bytes=0-3"}).text == "0123"
    call("GET", f"/tasks/{task}/logs/..%2F..%2Fetc%2Fpasswd", 404)


# -- containers ------------------------------------------------------------------------------------------------------------------------------


def test_a_container_runs_leaves_artefacts_and_is_cancelled(call, task) -> None:
    program = "open('out/made.txt', 'w').write('made'); print(input())"
    files = [{"path": "main.py", "content": program}]
    made = call("POST", "/containers", 202, json={"task_id": task, "files": files, "stdin": "typed\n", "limits": {"wall_seconds": 30}})
    assert (made["status"], made["command"], made["limits"]["wall_seconds"]) == ("queued", ["python3", "main.py"], 30)
    runs.run_next()
    done = call("GET", f"/containers/{made['id']}")
    assert (done["status"], done["stdout"], [file["path"] for file in done["artefacts"]]) == ("succeeded", "typed\n", ["made.txt"])
    assert call("GET", f"/containers/{made['id']}/artefact?path=made.txt").content == b"made"
    call("GET", f"/containers/{made['id']}/artefact?path=../main.py", 404)

    waiting = call("POST", "/containers", 202, json={"task_id": task, "files": files})
    assert call("POST", f"/containers/{waiting['id']}/cancel", json={})["status"] == "cancelled"
    assert [row["id"] for row in call("GET", f"/containers?task_id={task}&status=cancelled")["results"]] == [waiting["id"]]
    call("DELETE", f"/containers/{waiting['id']}", 204)
    assert ContainerRun.objects.count() == 1
    assert "Say what to run" in call("POST", "/containers", 422, json={"task_id": task})["detail"]


def test_stats_hold_the_five_and_more(call, task) -> None:
    numbers = call("GET", "/stats")
    assert numbers.keys() >= {"total_tasks", "completed_tasks", "avg_accuracy", "avg_runtime", "active_containers"}
    assert numbers.keys() >= {"success_rate", "deadline_misses", "tokens_today", "cost_today", "stage_seconds"}


# -- who may ---------------------------------------------------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_told(client, db) -> None:
    for path in ("/api/v1/tasks", "/api/v1/stats", "/api/v1/containers", "/api/v1/tasks/1/logs"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


def test_a_course_task_is_seen_by_readers_alone(live_server, db) -> None:
    round_ = make_round()
    path = f"/tasks/{round_.task_request_id}"
    keys = {role: AgentKey.objects.create_key(name=role, role=role)[1] for role in AgentKey.Role.values}
    by = {role: Client(live_server.url + "/api/v1", key) for role, key in keys.items()}
    seen: dict[str, Any] = by["reader"]("GET", path)
    assert (seen["email"], seen["name"]) == (round_.task_request.email, round_.task_request.task)
    by["reader"]("PATCH", path, 403, json={"status": "failed"})
    for role in ("generator", "coder", "evaluator"):
        by[role]("GET", path, 404)
        by[role]("GET", f"{path}/messages", 404)
        assert by[role]("GET", "/tasks")["results"] == []
