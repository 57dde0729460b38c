"""A yes/no that processes share and that nobody can leave locked."""

from __future__ import annotations

import contextlib
import os
import select


class Flag:
    """Goes up once, for every process that inherited it.

    The state is a byte in a pipe that is never read: no lock, so a process may be killed at any instruction. (`multiprocessing.Event` holds a
    semaphore while it looks.) May be raised from a signal handler.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        """Readable once the flag is up."""
        return self._reader

    def set(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: it has been up for long
            os.write(self._writer, b"1")

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until the flag is up, at most `timeout` seconds; whether it is up."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)
