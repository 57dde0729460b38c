"""The orchestrator's verbs, each as a client of seeds/003 calls it, over HTTP."""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

import pytest
import requests

from tasks import runs
from tasks.models import AgentKey, ContainerRun

KEY = "demo_key"


class Client:
    """What an agent's script does with `requests`."""

    def __init__(self, root: str, key: str = KEY) -> None:
        self.root, self.headers = root, {"X-API-KEY": key} if key else {}

    def __call__(self, method: str, path: str, expect: int = 200, **more: Any) -> Any:
        answer = requests.request(method, f"{self.root}{path}", headers={**self.headers, **more.pop("headers", {})}, timeout=20, **more)
        assert answer.status_code == expect, (method, path, answer.status_code, answer.text[:500])
        return answer.json() if answer.headers.get("Content-Type", "").endswith("json") else answer


@pytest.fixture
def call(live_server, settings) -> Client:
    settings.DEMO_API_KEY = KEY
    return Client(live_server.url)


@pytest.fixture
def task(call) -> int:
    body = {"name": "Digits", "dataset": "mnist", "description": "Tell digits apart.", "creator_agent": "generator"}
    return int(call("POST", "/upload_task", json=body)["task_id"])


def test_a_task_is_posted_listed_shown_and_updated(call, task) -> None:
    shown = call("GET", f"/get_task/{task}")
    assert shown.items() >= {"id": task, "name": "Digits", "dataset": "mnist", "description": "Tell digits apart."}.items()
    assert (shown["creator_agent"], shown["status"]) == ("generator", "created")
    newer = call("POST", "/upload_task", json={"name": "Other"})["task_id"]
    assert [row["id"] for row in call("GET", "/get_tasks")["tasks"]] == [newer, task]
    assert call("PUT", f"/update_task/{task}", json={"status": "running"}) == {"status": "updated"}
    assert call("GET", f"/get_task/{task}")["status"] == "running"
    assert "cannot become created" in call("PUT", f"/update_task/{task}", 409, json={"status": "created"})["detail"]
    assert call("PUT", f"/update_task/{task}", json={"status": "under review"}) == {"status": "updated"}


def test_code_is_uploaded_as_files_and_as_text_listed_downloaded_and_deleted(call, task) -> None:
    files = [("file", ("main.py", b"import helper\n")), ("file", ("helper.py", b"x = 1\n"))]
    stored = call("POST", "/upload_code", data={"task_id": task, "version": "v1", "agent": "coder"}, files=files)
    assert stored["stored_path"] == f"storage/code/{task}/v1/main.py"
    call("POST", "/upload_code", data={"task_id": task, "version": "v2", "agent": "coder", "file_content": "print('two')"})
    call("POST", "/upload_code", 400, data={"task_id": task, "version": "v3", "agent": "coder"})

    assert call("GET", f"/get_code/{task}") == {
        "versions": [{"version": "v1", "files": ["helper.py", "main.py"]}, {"version": "v2", "files": ["main.py"]}]
    }
    items = call("GET", f"/get_code/{task}/v1")["items"]
    assert {item["filename"] for item in items} == {"helper.py", "main.py"}
    assert items[0].keys() >= {"id", "task_id", "version", "agent", "filename", "stored_path", "uploaded_at"}

    one = call("GET", f"/download_code/{task}/v2")
    assert (one.text, one.headers["Content-Type"]) == ("print('two')", "text/plain; charset=utf-8")
    assert one.headers["Content-Disposition"] == 'attachment; filename="main.py"'
    assert call("GET", f"/download_code/{task}/v1?filename=helper.py").content == b"x = 1\n"
    archive = zipfile.ZipFile(io.BytesIO(call("GET", f"/download_code/{task}/v1").content))
    assert {name: archive.read(name) for name in archive.namelist()} == {"helper.py": b"x = 1\n", "main.py": b"import helper\n"}
    call("GET", f"/download_code/{task}/v1?filename=../../etc/passwd", 404)

    for item in items:
        assert call("DELETE", f"/delete_code/{item['id']}") == {"deleted": True}
    assert [row["version"] for row in call("GET", f"/get_code/{task}")["versions"]] == ["v2"]
    call("GET", f"/get_code/{task}/v1", 404)


def test_a_download_may_be_taken_in_parts_and_is_not_sent_twice(call, task) -> None:
    call("POST", "/upload_code", data={"task_id": task, "version": "v1", "agent": "coder", "file_content": "0123456789"})
    path = f"/download_code/{task}/v1"
    whole = call("GET", path)
    assert call("GET", path, 206, headers={"Range": "bytes=2-4"}).text == "234"
    assert call("GET", path, 206, headers={"Range": "bytes=-3"}).text == "789"
    last = call("GET", path, 206, headers={"Range": "bytes=8-"})
    assert (last.text, last.headers["Content-Range"]) == ("89", "bytes 8-9/10")
    call("GET", path, 416, headers={"Range": "bytes=10-"})
    assert requests.get(call.root + path, headers={**call.headers, "If-None-Match": whole.headers["ETag"]}, timeout=5).status_code == 304
    assert call("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).text == "0123456789"


def test_results_come_back_with_their_log_and_count_in_the_stats(call, task) -> None:
    assert call("GET", f"/get_latest_results/{task}") == {"latest": None}
    log = "\n".join(f"line {number}" for number in range(80))
    run = call("POST", "/upload_results", json={"task_id": task, "accuracy": 0.5, "loss": 1.5, "raw_logs": log, "run_time": 3.5, "f1": 0.25})[
        "run_id"
    ]
    call("POST", "/upload_results", json={"task_id": task, "accuracy": 0.7, "loss": None, "raw_logs": "short", "run_time": None})

    newest, oldest = call("GET", f"/get_results/{task}")["results"]
    assert (newest["accuracy"], newest["raw_logs"]) == (0.7, "short")
    assert oldest.items() >= {"id": run, "task_id": task, "accuracy": 0.5, "loss": 1.5, "raw_logs": log, "run_time": 3.5}.items()
    assert oldest["metrics"] == {"f1": 0.25}
    assert call("GET", f"/get_latest_results/{task}")["latest"]["id"] == newest["id"]

    listed = {row["filename"]: row for row in call("GET", f"/get_logs/{task}")["logs"]}
    assert listed[f"run_{run}.log"]["preview"].splitlines()[-1] == "line 49"
    assert listed[f"run_{newest['id']}.log"]["preview"] == "short"
    assert abs(listed[f"run_{run}.log"]["modified"] - time.time()) < 60
    answer = call("GET", f"/download_log/{task}/run_{run}.log")
    assert (answer.text, answer.headers["Content-Type"]) == (log, "text/plain; charset=utf-8")
    call("GET", f"/download_log/{task}/nothing.log", 404)

    call("PUT", f"/update_task/{task}", json={"status": "completed"})
    numbers = call("GET", "/stats")
    assert numbers.items() >= {"total_tasks": 1, "completed_tasks": 1, "avg_runtime": 3.5, "active_containers": 0}.items()
    assert numbers["avg_accuracy"] == pytest.approx(0.6)


def test_agents_talk_and_feedback_is_part_of_it(call, task) -> None:
    body = {"task_id": task, "sender": "generator", "receiver": "coder", "role": "user", "content": "Please begin."}
    assert call("POST", "/upload_message", json=body)["posted"] is True
    assert call("POST", "/upload_feedback", json={"task_id": task, "evaluator": "evaluator", "feedback": "Too slow."})["posted"] is True
    call("POST", "/upload_feedback", json={"task_id": task, "evaluator": "evaluator", "feedback": "Still too slow."})

    messages = call("GET", f"/get_messages/{task}")["messages"]
    assert [row["content"] for row in messages] == ["Please begin.", "Too slow.", "Still too slow."]
    assert messages[0].items() >= {"task_id": task, "sender": "generator", "receiver": "coder", "role": "user"}.items()
    feedback = call("GET", f"/get_feedback/{task}")["feedback"]
    assert [row["content"] for row in feedback] == ["Still too slow.", "Too slow."]
    assert feedback[0].items() >= {"sender": "evaluator", "receiver": "coder", "role": "feedback"}.items()


def test_a_container_is_spawned_watched_and_deleted(call, task) -> None:
    call("POST", "/upload_code", data={"task_id": task, "version": "v1", "agent": "coder", "file_content": "print('ran')"})
    spawned = call("POST", f"/spawn_container?task_id={task}")
    assert spawned["status"] == "queued"
    assert call("GET", "/stats")["active_containers"] == 1

    runs.run_next()

    status = call("GET", f"/container_status/{spawned['container_id']}")
    assert status.items() >= {"id": spawned["container_id"], "task_id": task, "status": "succeeded", "logs": "ran\n", "exit_code": 0}.items()
    assert f"container_{spawned['container_id']}.stdout.log" in [row["filename"] for row in call("GET", f"/get_logs/{task}")["logs"]]
    assert call("DELETE", f"/container/{spawned['container_id']}") == {"deleted": True}
    call("GET", f"/container_status/{spawned['container_id']}", 404)

    again = call(
        "POST", "/spawn_container", json={"task_id": task, "version": "v1", "command": ["python3", "-c", "print(2)"], "limits": {"memory_mb": 64}}
    )
    run = ContainerRun.objects.get(pk=again["container_id"])
    assert (run.command, run.limits["memory_mb"]) == (["python3", "-c", "print(2)"], 64)
    assert "at most" in call("POST", "/spawn_container", 422, json={"task_id": task, "limits": {"memory_mb": 10**9}})["detail"]


CALLS = [
    ("POST", "/upload_task"),
    ("GET", "/get_tasks"),
    ("GET", "/get_task/1"),
    ("PUT", "/update_task/1"),
    ("POST", "/upload_code"),
    ("GET", "/get_code/1"),
    ("GET", "/get_code/1/v1"),
    ("GET", "/download_code/1/v1"),
    ("DELETE", "/delete_code/1"),
    ("POST", "/upload_results"),
    ("GET", "/get_results/1"),
    ("GET", "/get_latest_results/1"),
    ("POST", "/upload_message"),
    ("GET", "/get_messages/1"),
    ("POST", "/upload_feedback"),
    ("GET", "/get_feedback/1"),
    ("GET", "/get_logs/1"),
    ("GET", "/download_log/1/a.log"),
    ("POST", "/spawn_container"),
    ("GET", "/container_status/1"),
    ("DELETE", "/container/1"),
    ("GET", "/stats"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_works_without_a_key(client, db, settings, method, path) -> None:
    for key in ({}, {"X-API-KEY": "wrong"}, {"X-API-KEY": "prefix.wrong"}):
        answer = client.generic(method, path, "{}", content_type="application/json", headers=key)
        assert answer.status_code == 401
        assert answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if "/1" in call[1]])
def test_an_id_that_is_not_there_is_404_with_a_detail(client, db, settings, method, path) -> None:
    settings.DEMO_API_KEY = KEY
    answer = client.generic(method, path, '{"status": "running"}', content_type="application/json", headers={"X-API-KEY": KEY})
    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_health_needs_no_key(client, db) -> None:
    assert client.get("/healthcheck").json()["status"] in {"ok", "not well"}


def test_a_role_does_its_part_and_sees_its_tasks(live_server, settings, db) -> None:
    by = {}
    for name, role in (("gina", "generator"), ("greg", "generator"), ("cody", "coder"), ("carl", "coder"), ("eve", "evaluator"), ("rita", "reader")):
        by[name] = Client(live_server.url, AgentKey.objects.create_key(name=name, role=role)[1])
    task = by["gina"]("POST", "/upload_task", json={"name": "hers", "coder": "cody", "creator_agent": "somebody else"})["task_id"]

    assert by["gina"]("GET", f"/get_task/{task}")["creator_agent"] == "gina"
    for name in ("greg", "carl"):
        by[name]("GET", f"/get_task/{task}", 404)
        assert by[name]("GET", "/get_tasks") == {"tasks": []}
    upload = {"task_id": task, "version": "v1", "agent": "cody", "file_content": "x"}
    by["carl"]("POST", "/upload_code", 404, data=upload)
    by["eve"]("POST", "/upload_code", 403, data=upload)
    by["cody"]("POST", "/upload_code", data=upload)
    by["cody"]("POST", "/upload_results", 403, json={"task_id": task})
    by["eve"]("POST", "/upload_results", json={"task_id": task, "accuracy": 1})
    by["rita"]("GET", f"/get_results/{task}")
    for path, body in (
        ("/upload_task", {"name": "x"}),
        ("/upload_message", {"task_id": task, "content": "x"}),
        ("/spawn_container", {"task_id": task}),
    ):
        by["rita"]("POST", path, 403, json=body)

    AgentKey.objects.filter(name="cody").update(revoked=True)
    by["cody"]("GET", "/get_tasks", 401)
