import os
import signal
import time

from tasks.worker.flag import Flag


def test_a_flag_raised_in_a_child_is_up_in_the_parent() -> None:
    flag = Flag()
    assert not flag.is_set()
    if os.fork() == 0:
        flag.set()
        os._exit(0)
    assert flag.wait(5)
    assert flag.is_set()
    os.wait()
    flag.close()


def test_waiting_ends_with_the_time() -> None:
    flag = Flag()
    start = time.monotonic()
    assert not flag.wait(0.05)
    assert 0.04 < time.monotonic() - start < 10
    flag.close()


def test_a_flag_can_be_raised_any_number_of_times() -> None:
    flag = Flag()
    for _ in range(70_000):  # more than a pipe holds
        flag.set()
    assert flag.is_set()
    flag.close()


def test_a_process_killed_while_it_looks_leaves_the_flag_usable() -> None:
    flag = Flag()
    pid = os.fork()
    if pid == 0:
        while True:
            flag.is_set()
    time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    flag.set()
    assert flag.is_set()
    flag.close()
