import os
import signal
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from tasks.worker.flag import Flag
from tasks.worker.wake import LONGEST_PATH, Bell, folder, wake


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def test_a_ring_ends_the_wait_at_once() -> None:
    bell = Bell()
    wake()
    start = time.monotonic()
    assert bell.wait(30)
    assert time.monotonic() - start < 10
    bell.close()


def test_every_bell_rings() -> None:
    bells = [Bell(), Bell()]
    for bell in bells:
        bell.wait(0)
    wake()
    assert [bell.wait(0) for bell in bells] == [True, True]
    for bell in bells:
        bell.close()


def test_many_rings_end_one_wait() -> None:
    bell = Bell()
    for _ in range(5000):  # more than a socket holds
        wake()
    assert bell.wait(0)
    assert not bell.wait(0.01)
    bell.close()


def test_a_flag_ends_the_wait_too() -> None:
    bell, flag = Bell(), Flag()
    flag.set()
    assert bell.wait(5, flag)
    bell.close()
    flag.close()


def test_the_bell_of_a_dead_process_is_taken_away() -> None:
    pid = os.fork()
    if pid == 0:
        Bell()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert len(list(folder().iterdir())) == 1
    wake()
    assert list(folder().iterdir()) == []


def test_waking_nobody_is_no_error(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "not" / "there"
    wake()
    assert not settings.DATA_DIR.exists()


def test_a_data_folder_too_deep_for_a_socket_gets_a_folder_elsewhere(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / ("d" * 100)
    bell = Bell()
    assert len(os.fsencode(bell.path)) <= LONGEST_PATH
    wake()
    assert bell.wait(0)
    bell.close()
    folder().rmdir()


def test_two_data_folders_have_bells_of_their_own(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / ("a" * 100)
    first = folder()
    settings.DATA_DIR = tmp_path / ("b" * 100)
    assert folder() != first
