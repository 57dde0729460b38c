import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from tasks.worker.packets import LARGEST, RECORD, PacketQueue
from tests.worker.box import stat, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packet sockets between processes are Linux's")


def child(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_messages_come_out_as_they_went_in() -> None:
    queue = PacketQueue()
    for item in ("STOP", {"id": 1, "args": ("ü", None)}, b"x" * 3000):
        queue.put(item)
    assert [queue.get() for _ in range(3)] == ["STOP", {"id": 1, "args": ("ü", None)}, b"x" * 3000]


def test_the_size_counts_waiting_messages() -> None:
    queue = PacketQueue()
    assert queue.empty()
    queue.put(1)
    queue.put(2)
    assert queue.qsize() == 2
    queue.get()
    assert (queue.qsize(), queue.empty()) == (1, False)


def test_a_full_queue_makes_put_wait_until_something_is_taken() -> None:
    queue = PacketQueue(maxsize=2)
    queue.put(1)
    queue.put(2)
    thread = threading.Thread(target=queue.put, args=(3,))
    thread.start()
    time.sleep(0.05)
    assert queue.qsize() == 2
    assert queue.get() == 1
    thread.join(5)
    assert [queue.get(), queue.get()] == [2, 3]


def test_the_pills_of_a_stop_wait_for_nobody() -> None:
    queue = PacketQueue(maxsize=2)
    for _ in range(5):
        queue.put("STOP")
    assert [queue.get() for _ in range(5)] == ["STOP"] * 5


def test_a_reader_killed_while_it_waits_takes_nothing_with_it() -> None:
    queue = PacketQueue()
    waiting = [child(lambda: queue.get()) for _ in range(3)]
    time.sleep(0.1)
    for pid in waiting:
        end(pid)
    queue.put("still here")
    assert queue.get() == "still here"


def test_a_stopped_reader_does_not_hold_up_the_others() -> None:
    queue, answers = PacketQueue(), PacketQueue()
    stopped = child(lambda: queue.get())
    until(lambda: stat(stopped)[1] == "S", 5, "a process that waits")
    os.kill(stopped, signal.SIGSTOP)
    until(lambda: stat(stopped)[1] == "T", 5, "a process that is stopped")
    reader = child(lambda: answers.put(queue.get()))
    queue.put("for the living")
    assert answers.get() == "for the living"
    end(stopped)
    os.waitpid(reader, 0)


def test_writers_and_readers_killed_at_random_never_tear_a_message() -> None:
    queue = PacketQueue(maxsize=4)
    payload = {"id": 7, "text": "x" * 2500}

    def write() -> None:
        while True:
            queue.put(payload)

    def read() -> None:
        while True:
            assert queue.get() == payload

    started = time.monotonic()
    running = [child(write), child(read), child(write), child(read)]
    while time.monotonic() - started < 1:
        time.sleep(0.01)
        end(running.pop(0))
        running.append(child([write, read][len(running) % 2] if time.monotonic() % 0.02 < 0.01 else read))
    for pid in running:
        end(pid)
    while not queue.empty():
        assert queue.get() == payload
    queue.put("next")
    assert queue.get() == "next"


def test_every_message_reaches_exactly_one_of_many_readers() -> None:
    queue, answers = PacketQueue(maxsize=4), PacketQueue()

    def read() -> None:
        for item in iter(queue.get, "STOP"):
            answers.put(item)

    readers = [child(read) for _ in range(3)]
    for number in range(60):
        queue.put(number)
    for _ in readers:
        queue.put("STOP")
    for pid in readers:
        os.waitpid(pid, 0)
    assert sorted(answers.get() for _ in range(60)) == list(range(60))
    assert answers.empty()


def test_a_result_too_long_for_the_queue_is_cut() -> None:
    queue = PacketQueue()
    queue.put({"id": 1, "result": "x" * LARGEST + "the end"})
    assert queue.get()["result"].endswith("the end")


def test_a_message_too_long_for_the_queue_is_refused() -> None:
    with pytest.raises(OSError, match="pass an id"):
        PacketQueue().put(b"x" * LARGEST)


def test_the_size_can_be_asked_after_closing() -> None:
    queue = PacketQueue()
    queue.put("STOP")
    queue.close()
    queue.join_thread()
    assert until(lambda: queue.qsize() == 1, 1, "the message") and RECORD == 1024
