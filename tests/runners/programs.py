"""What every runner does with programs: what they may do, and how each of those that go too far ends. A runner's own tests inherit these."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.runners.base import MOST, Job, Limits, Report, Runner
from tests.runners.watch import Seen


class Programs:
    """`runner` and `left_over` are the runner's own."""

    @property
    def runner(self) -> Runner:
        raise NotImplementedError

    def left_over(self) -> list[str]:
        """What is still there of a run."""
        raise NotImplementedError

    def run(
        self, program: str, *, command: tuple[str, ...] = ("python3", "main.py"), watch: Seen | None = None, **options: Any
    ) -> tuple[Report, Seen]:
        seen = watch or Seen()
        job = {name: options.pop(name) for name in ("stdin", "env") if name in options}
        files = {"main.py": program.encode(), **options.pop("files", {})}
        limits = Limits(**{"wall_seconds": 20.0, **options})
        report = self.runner.run(Job(command, files, limits=limits, **job), seen)
        assert not self.left_over(), "something of the run is still there"
        return report, seen

    # -- what a program has ------------------------------------------------------------------------------------------------------------------

    def test_a_program_runs_with_its_files_its_input_and_its_surroundings(self) -> None:
        program = "import os, sys, pathlib; print(sys.stdin.read(), pathlib.Path('sub/data.txt').read_text(), os.environ['KIND'], os.getcwd())"
        report, seen = self.run(program, files={"sub/data.txt": b"data"}, stdin=b"words", env={"KIND": "test"})
        assert (report.status, report.reason, report.exit_code, report.signal) == ("succeeded", "", 0, None)
        assert (seen.stdout, seen.stderr) == (b"words data test /work\n", b"")

    def test_stdout_and_stderr_are_kept_apart(self) -> None:
        report, seen = self.run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
        assert (report.status, report.exit_code, report.reason) == ("failed", 3, "It ended with code 3.")
        assert (seen.stdout, seen.stderr) == (b"out\n", b"err\n")

    def test_output_comes_while_the_program_runs(self) -> None:
        report, seen = self.run("import time; print('first'); time.sleep(1.5)")
        assert report.status == "succeeded"
        assert seen.first_output is not None
        assert time.monotonic() - seen.first_output > 1

    def test_what_is_written_into_out_is_kept_and_links_are_not_followed(self) -> None:
        program = """
import os
os.makedirs("out/deep"); open("out/deep/a.txt", "w").write("kept"); open("b.txt", "w").write("not in out")
os.symlink("/etc/passwd", "out/link"); os.symlink("/", "out/folder"); os.mkfifo("out/pipe"); os.link("out/deep/a.txt", "out/twin")
"""
        report, _ = self.run(program)
        assert report.artefacts == {"deep/a.txt": b"kept", "twin": b"kept"}
        assert set(report.left_out) >= {"link", "pipe"}

    def test_out_as_a_link_gives_nothing_of_the_machine(self) -> None:
        report, _ = self.run("import os; os.rmdir('out'); os.symlink('/usr/lib', 'out')")
        assert report.artefacts == {}

    def test_more_artefacts_than_allowed_are_left_out_with_the_reason(self) -> None:
        report, _ = self.run("open('out/a','wb').write(bytes(900_000)); open('out/b','wb').write(bytes(900_000))", artefacts_mb=1)
        assert list(report.artefacts) == ["a"]
        assert report.left_out == {"b": "There is more than may be kept."}

    def test_a_file_of_the_largest_size_is_kept_whatever_memory_the_program_may_use(self) -> None:
        program = "f = open('out/a', 'wb')\nfor i in range(100): f.write(bytes([i]) * 1_000_000)"
        report, _ = self.run(program, file_mb=MOST.file_mb, artefacts_mb=MOST.artefacts_mb, memory_mb=20)
        assert (report.status, report.left_out) == ("succeeded", {})
        assert report.artefacts["a"][::1_000_000] == bytes(range(100))

    def test_a_program_that_is_not_there_is_told(self) -> None:
        report, _ = self.run("", command=("no-such-program",))
        assert (report.status, report.exit_code) == ("failed", 127)
        assert report.reason == "no-such-program could not be started: No such file or directory."

    def test_a_signal_is_named(self) -> None:
        report, _ = self.run("import os; os.kill(os.getpid(), 11)")
        assert (report.status, report.signal, report.reason) == ("failed", 11, "It was ended by SIGSEGV.")

    # -- limits ------------------------------------------------------------------------------------------------------------------------------

    def test_an_endless_wait_ends_at_the_wall_limit(self) -> None:
        report, _ = self.run("import time; time.sleep(600)", wall_seconds=1)
        assert (report.status, report.reason) == ("timed_out", "It ran for more than 1 s.")
        assert report.wall_ms is not None
        assert 1000 <= report.wall_ms < 6000

    def test_an_endless_loop_ends_at_the_processor_limit_even_in_many_processes(self) -> None:
        report, _ = self.run("import os\nfor _ in range(3): os.fork()\nwhile True: pass", cpu_seconds=1, wall_seconds=30)
        assert (report.status, report.reason) == ("timed_out", "It used more than 1 s of processor time.")
        assert report.cpu_ms is not None
        assert report.cpu_ms >= 1000

    @pytest.mark.parametrize(
        "program",
        [
            "held = []\nwhile True: held.append(bytearray(b'x' * 1_000_000))",
            "import os, time\nfor _ in range(3):\n    if os.fork() == 0: break\nheld = bytearray(b'y' * 60_000_000)\ntime.sleep(60)",
        ],
        ids=["one process", "a family"],
    )
    def test_a_memory_bomb_is_ended(self, program: str) -> None:
        report, _ = self.run(program, memory_mb=150)
        assert (report.status, report.reason) == ("oom_killed", "It used more than 150 MB of memory.")
        assert report.memory_peak_kb is not None
        assert report.memory_peak_kb > 140_000

    def test_an_output_flood_is_cut_and_ended(self) -> None:
        report, seen = self.run("while True: print('x' * 1000)", output_kb=64)
        assert (report.status, report.stdout_truncated, report.stderr_truncated) == ("output_limit", True, False)
        assert len(seen.stdout) == 64 * 1024

    def test_a_fork_bomb_stays_within_its_number_of_processes(self) -> None:
        program = """
import os, time
born = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60); os._exit(0)
        born += 1
except OSError as error:
    print(born, error.strerror)
"""
        report, seen = self.run(program, processes=20)
        assert report.status == "succeeded"
        assert 15 <= int(seen.stdout.split()[0]) <= 19  # the program itself is one of the twenty, and so are those that set it up

    def test_a_fork_bomb_that_never_stops_is_ended_whole(self) -> None:
        report, _ = self.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", processes=30, wall_seconds=2, cpu_seconds=20)
        assert report.status == "timed_out"

    def test_a_file_cannot_outgrow_its_limit_nor_the_folder_the_memory(self) -> None:
        report, seen = self.run("open('big', 'wb').write(bytes(5_000_000))", file_mb=1)
        assert report.status == "failed"
        assert b"File too large" in seen.stderr
        report, seen = self.run("for i in range(500): open(f'f{i}', 'wb').write(bytes(1_000_000))", artefacts_mb=1)
        assert report.status == "failed"
        assert b"No space left" in seen.stderr

    def test_a_cancelled_run_may_clean_up_and_is_killed_if_it_does_not(self) -> None:
        polite = "import signal, sys, time\nsignal.signal(15, lambda *_: (print('bye'), sys.exit(0)))\nprint('up')\ntime.sleep(60)"
        report, seen = self.run(polite, watch=Seen(cancel_when=b"up"))
        assert (report.status, report.reason) == ("cancelled", "It was cancelled.")
        assert seen.stdout == b"up\nbye\n"
        deaf = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up')\ntime.sleep(60)"
        report, _ = self.run(deaf, watch=Seen(cancel_when=b"up"))
        assert report.status == "cancelled"

    # -- the walls -----------------------------------------------------------------------------------------------------------------------------

    def test_there_is_no_network(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
            local.bind("\0deployer-canary-" + str(os.getpid()))
            local.listen()
            server.settimeout(0.2)
            local.settimeout(0.2)
            program = f"""
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", {server.getsockname()[1]})), (socket.AF_INET, ("192.0.2.1", 80)),
                        (socket.AF_UNIX, "\\0deployer-canary-{os.getpid()}")):
    try:
        socket.socket(family).connect(address); print("reached", address)
    except OSError as error:
        print("no", error.errno)
for family in (socket.AF_VSOCK, socket.AF_ALG, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_STREAM if family != socket.AF_ALG else socket.SOCK_SEQPACKET); print("made", family)
    except OSError as error:
        print("no", error.errno)
"""
            report, seen = self.run(program)
            assert report.status == "succeeded", seen.stderr
            assert [line.split()[0] for line in seen.stdout.splitlines()] == [b"no"] * 6
            for canary in (server, local):
                with pytest.raises(TimeoutError):
                    canary.accept()

    def test_nothing_of_the_machine_can_be_seen_or_changed(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("canary")
        program = f"""
import os, pathlib
def attempt(name, action):
    try: print(name, "DONE", action())
    except Exception as error: print(name, type(error).__name__)
attempt("read", lambda: pathlib.Path({str(secret)!r}).read_text())
attempt("shadow", lambda: pathlib.Path("/etc/shadow").read_text())
attempt("root", lambda: pathlib.Path("/x").write_text("x"))
attempt("usr", lambda: pathlib.Path("/usr/x").write_text("x"))
attempt("dev", lambda: pathlib.Path("/dev/sda").read_bytes())
attempt("sysctl", lambda: pathlib.Path("/proc/sys/kernel/hostname").write_text("x"))
attempt("environ", lambda: pathlib.Path("/proc/1/environ").read_bytes())
attempt("first", lambda: os.listdir("/proc/1/fd"))
attempt("device", lambda: os.mknod("node", 0o060666, 0))
attempt("user", lambda: os.setuid(0))
print(sorted(os.environ), len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
        report, seen = self.run(program)
        assert report.status == "succeeded", seen.stderr
        *attempts, rest = seen.stdout.decode().splitlines()
        assert [line for line in attempts if "DONE" in line] == []
        assert "SECRET" not in rest
        assert rest.endswith(" 2")  # it and the sandbox's first process

    def test_no_namespace_within_and_no_first_process_to_kill(self) -> None:
        program = """
import ctypes, os, resource, subprocess
libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x10000000, 0x00020000, 0x40000000): print(libc.unshare(flag), ctypes.get_errno())
print(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) if os.uname().machine == "x86_64" else -1)
print(libc.ptrace(16, 1, 0, 0))
print(libc.prlimit(1, 0, ctypes.byref((ctypes.c_ulong * 2)(0, 0)), None), resource.getrlimit(resource.RLIMIT_CPU)[0] > 0)
for number in (2, 14, 9, 11, 15): os.kill(1, number)
print(subprocess.run(["python3", "-c", "print('alive')"], capture_output=True, text=True).stdout)
"""
        report, seen = self.run(program)
        assert (report.status, report.exit_code) in {("succeeded", 0), ("failed", None)}, seen.stderr
        assert seen.stdout.startswith(b"-1 1\n-1 1\n-1 1\n-1\n-1\n-1 True\n")

    def test_what_goes_on_in_the_background_ends_with_the_program(self) -> None:
        report, _ = self.run("import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\nprint('done')")
        assert report.status == "succeeded"

    # -- figures -------------------------------------------------------------------------------------------------------------------------------

    def test_figures_are_those_of_the_program(self) -> None:
        """Against what the program says of itself; a process started by it counts too."""
        program = """
import os, resource, subprocess, sys, time
began = time.monotonic()
held = bytearray(b"x" * 120_000_000)
while time.process_time() < 0.6: pass
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.5: pass"])
own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, own.ru_maxrss, time.monotonic() - began)
"""
        report, seen = self.run(program, cpu_seconds=30)
        cpu, memory, wall = map(float, seen.stdout.split())
        assert report.cpu_ms == pytest.approx(cpu * 1000, rel=0.1, abs=20)
        assert report.memory_peak_kb == pytest.approx(memory, rel=0.1)
        assert report.wall_ms is not None
        assert report.wall_ms >= wall * 1000
        assert report.applied["network"] == "off"
