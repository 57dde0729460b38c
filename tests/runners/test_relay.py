"""The first process of a container, without an engine: in a sandbox whose stdin and stdout are all that leads out."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks import frames
from tasks.runners import get_runner, relay, sandbox, seccomp
from tasks.runners.base import Job
from tasks.runners.course import Course, source
from tests.runners.watch import Seen

REFUSED = get_runner("sandbox").unavailable()
in_a_sandbox = pytest.mark.skipif(bool(REFUSED) and os.environ.get("REQUIRE_SERVICES") != "1", reason=REFUSED)
KEY = b"k" * 32


@contextlib.contextmanager
def first_process(program: str, seen: Seen, seconds: float = 20) -> Iterator[tuple[subprocess.Popen[bytes], Course]]:
    job = Job(("python3", "-c", program))
    course = Course(job, seen, "The container", KEY)
    rules = sandbox._memory_file(seccomp.program() or b"")
    command = sandbox._Run(job, seen)._command(0, 1, rules)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[rules]) as process:
        os.close(rules)
        assert process.stdin
        process.stdin.write(course.order({}, {}, relay={"text": source("relay.py"), "memory": 10**9, "seconds": seconds}, key=KEY.hex()))
        process.stdin.flush()
        try:
            yield process, course
        finally:
            process.kill()


@in_a_sandbox
def test_output_use_and_end_of_a_program_come_in_frames() -> None:
    program = """
import sys, time
held = bytearray(b"x" * 60_000_000)
print("out"); print("err", file=sys.stderr)
while time.process_time() < 0.6: pass
sys.exit(3)
"""
    seen, told = Seen(), []
    with first_process(program, seen) as (process, course):
        assert process.stdout
        while data := os.read(process.stdout.fileno(), 65536):
            told += course.heard(data)
    assert (seen.stdout, seen.stderr, course.ended["exit_code"]) == (b"out\n", b"err\n", 3)
    assert course.ended["cpu_ms"] == pytest.approx(620, abs=60)
    assert 0.3 < told[-1]["cpu_seconds"] <= course.ended["cpu_ms"] / 1000
    assert {message["beyond"] for message in told} == {False}
    assert 60_000 < course.ended["memory_peak_kb"] < 150_000


@in_a_sandbox
@pytest.mark.parametrize("why", ["nobody listens", "its time is over"])
def test_everything_ends_when(why: str) -> None:
    seen = Seen()
    with first_process("print('up'); import time; time.sleep(60)", seen, seconds=1 if why == "its time is over" else 20) as (process, course):
        assert process.stdin
        assert process.stdout
        while not seen.stdout:
            course.heard(os.read(process.stdout.fileno(), 65536))
        if why == "nobody listens":
            process.stdin.close()
        began = time.monotonic()
        process.wait(10)
        assert time.monotonic() - began < 3
        assert not course.ended


def test_a_frame_of_another_or_out_of_turn_is_not_believed() -> None:
    def sealed(key: bytes, number: int, message: dict[str, Any]) -> bytes:
        text = frames.pack(message)[8:]
        return frames.pack(message, b"blob" + frames.seal(key, number, text, b"blob"))

    first, second = sealed(KEY, 0, {"kind": "use"}), sealed(KEY, 1, {"kind": "ended"})
    assert [message["kind"] for message, _ in frames.Feed(KEY).push(first + second)] == ["use", "ended"]
    for wrong in (second, first + first, sealed(b"other", 0, {"kind": "ended"}), frames.pack({"kind": "ended"}), first.replace(b"blob", b"blub")):
        with pytest.raises(frames.Broken):
            frames.Feed(KEY).push(wrong)


@pytest.mark.parametrize(
    ("place", "memory", "cpu", "events"),
    [
        ("version 2", "anon 3000\nfile 9000\nfile_mapped 400\nanon_thp 7\n", "usage_usec 2500000\nuser_usec 1\n", "low 0\noom 1\noom_kill 1\n"),
        ("version 1", "cache 9000\nrss 3000\nrss_huge 7\nmapped_file 400\ntotal_rss 3000\n", "2500000000\n", "under_oom 0\noom_kill 1\n"),
    ],
)
def test_control_groups_of_both_versions_are_read(
    place: str, memory: str, cpu: str, events: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = 0 if place == "version 2" else 1
    for name, text in (("memory", memory), ("cpu", cpu), ("events", events)):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(relay, "MEMORY", ((str(tmp_path / "none"), ()), (str(tmp_path / "memory"), relay.MEMORY[index][1])))
    monkeypatch.setattr(relay, "CPU", ((str(tmp_path / "cpu"), relay.CPU[index][1]),))
    monkeypatch.setattr(relay, "OUT_OF_MEMORY", (str(tmp_path / "events"),))
    assert (relay._group_memory(), relay._group_seconds(), relay.Relay.out_of_memory(None)) == (3400, 2.5, True)  # type: ignore[arg-type]
    (tmp_path / "events").write_text(events.replace("oom_kill 1", "oom_kill 0"))
    assert relay.Relay.out_of_memory(None) is False  # type: ignore[arg-type]
