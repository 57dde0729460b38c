"""The README's section on agents: every documented call works as it stands there, and its three programs finish a task together."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from tasks import runs
from tasks.models import ContainerRun, TaskRequest, Worker

SECTION = (Path(settings.BASE_DIR) / "README.md").read_text(encoding="utf-8").partition("\n## Agents\n")[2].partition("\n## ")[0]
CALLS = [line for line in re.search(r"```bash\n(.*?)```", SECTION, re.S)[1].splitlines() if line.startswith("curl")]  # type: ignore[index]
PROGRAMS = re.findall(r"```python\n# (\w+\.py): .*?\n(.*?)```", SECTION, re.S)
KEY = "a-demo-key"
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)


@pytest.fixture
def worker(live_server, settings) -> object:
    """Runs what waits, as a worker does."""
    settings.DEMO_API_KEY = KEY
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            if ContainerRun.objects.filter(status="queued").exists():
                runs.run_next()
        connection.close()

    Worker.objects.create(name="box:1:1", host="box", pid=1, progress_at=timezone.now())
    thread = threading.Thread(target=work)
    thread.start()
    yield live_server.url
    stop.set()
    thread.join()


def test_every_documented_call_works(worker: str) -> None:
    assert len(CALLS) == 23
    for call in CALLS:
        command = shlex.split(call.replace("$H", f"X-API-KEY: {KEY}").replace("$U", worker))
        done = subprocess.run([*command, "-sS", "-w", "\n%{http_code}"], capture_output=True, text=True, timeout=60)
        body, _, status = done.stdout.rpartition("\n")
        assert status == "200", (call, done.stdout, done.stderr)
        if "spawn_container" in call:
            end = time.monotonic() + 60
            while time.monotonic() < end and ContainerRun.objects.get(pk=json.loads(body)["container_id"]).is_open:
                time.sleep(0.1)
        if "container_status" in call:
            assert json.loads(body)["logs"] == "accuracy 0.9\n"


def test_three_programs_finish_a_task_together(worker: str, tmp_path: Path) -> None:
    assert [name for name, _ in PROGRAMS] == ["generator.py", "coder.py", "evaluator.py"]
    started = []
    for name, code in PROGRAMS:
        (tmp_path / name).write_text(code)
        environment = {**os.environ, "URL": worker, "KEY": KEY}
        started.append(
            subprocess.Popen([sys.executable, name], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    try:
        said = [process.communicate(timeout=90) for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert said[0][0] == "task 1: completed, accuracy 1.0\n"
    task = TaskRequest.objects.get()
    assert list(task.versions.order_by("id").values_list("label", flat=True)) == ["v1", "v2"]
    assert list(task.results.order_by("id").values_list("accuracy", flat=True)) == [0.0, 1.0]
    assert task.messages.filter(kind="feedback").count() == 1
