import os
import signal
import subprocess
import sys
import time

import pytest

from tasks.worker import processes
from tests.worker.box import ROOT, alive, stat, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")

FAMILY = r"""
import os, time
from tasks.worker import processes
processes.tie_children()
processes.name_next("queue-child")
if os.fork() == 0:
    os.fork()
    os.write(1, b"%d\n" % os.getpid())
time.sleep(60)
"""


def test_children_and_grandchildren_end_with_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", FAMILY], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(map(alive, pids))
    assert stat(pids[0])[0] == "queue-child"
    parent.kill()
    parent.wait()
    until(lambda: not any(map(alive, pids)), 5, "the end of the family")
    parent.stdout.close()


def test_a_process_whose_parent_is_gone_already_ends_itself() -> None:
    pid = os.fork()
    if pid == 0:
        processes.die_with_parent(os.getppid() + 1)  # as if another process had been the parent when it was forked
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_a_process_is_alive_only_in_its_own_group() -> None:
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
    group = os.getpgid(0)
    assert processes.is_alive(pid, group)
    assert not processes.is_alive(pid, group + 1)
    os.kill(pid, signal.SIGKILL)
    until(lambda: stat(pid)[1] == "Z", 5, "a dead child that nobody has waited for")
    assert not processes.is_alive(pid, group)
    os.waitpid(pid, 0)
    assert not processes.is_alive(pid, group)
