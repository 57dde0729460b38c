"""The log: one JSON object a line, without secrets, in one file that the web server and all workers share.

`LOGGING` in the settings names `JsonFormatter` and `SharedFileHandler`; `GET /logs` and the admin read the file's end through `tail`.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from tasks.redaction import redact

MAX_LINE = 16 * 1024
MESSAGE_ROOM = 6 * 1024
EXCEPTION_ROOM = 8 * 1024
CONTEXT = ("round", "stage")
CONTEXT_ROOM = 200
REDACTED_AT_MOST = 64 * 1024  # characters looked at; what is kept lies far from this edge, so no secret is cut in half

TAIL_LINES = 1000
TAIL_BYTES = 1024 * 1024


class JsonFormatter(logging.Formatter):
    """One record as one line of ASCII: `time` (ISO 8601, UTC), `level`, `logger`, `message`, `round` and `stage` where the call gave them
    (`extra={"round": 17}`), `exception` where there is one. Text is redacted, then cut so that the line stays under 16 KiB; of a long
    trace the end is kept. Line breaks, escape sequences and other control characters come out escaped."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name[:CONTEXT_ROOM],
            "message": _clip(redact(_message(record)[:REDACTED_AT_MOST]), MESSAGE_ROOM),
        }
        for name in CONTEXT:
            value = getattr(record, name, None)
            if value is not None:
                line[name] = value if isinstance(value, int) else _clip(redact(str(getattr(value, "pk", value))[:REDACTED_AT_MOST]), CONTEXT_ROOM)
        trace = "\n".join(filter(None, (record.exc_info and self.formatException(record.exc_info), record.stack_info)))
        if trace:
            line["exception"] = _clip(redact(trace[-REDACTED_AT_MOST:]), EXCEPTION_ROOM, end=True)
        return json.dumps(line).replace("\x7f", "\\u007f")


def _message(record: logging.LogRecord) -> str:
    """A message whose arguments do not fit it is a bug of the caller, but what it says may be needed all the more."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"


def _clip(text: str, room: int, *, end: bool = False) -> str:
    """The beginning (or the end) of a text, so much of it as takes `room` characters in JSON."""
    mark = "[cut]"
    if len(text) <= room and len(json.dumps(text)) <= room:
        return text
    kept = text[-room:] if end else text[:room]
    while (size := len(json.dumps(kept))) > room - len(mark) - 1:
        count = min(len(kept) - 1, len(kept) * (room - len(mark) - 1) // size)
        kept = kept[len(kept) - count :] if end else kept[:count]
    return f"{mark} {kept}" if end else f"{kept} {mark}"


class SharedFileHandler(logging.Handler):
    """Appends lines to a file that several processes write, and rotates it by size: `app.log`, `app.log.1`, … up to `backupCount`.

    Every line is one `write` on a descriptor opened for appending, which the kernel keeps whole. Rotating is done under a lock on the
    folder, by whoever comes first: the others find another inode under the name and open that. Meanwhile each holds a shared lock on the
    file, so that whoever puts another file under the name can wait until the last line is in. As in the standard library, nothing is
    rotated while `maxBytes` or `backupCount` is zero."""

    def __init__(self, filename: str, maxBytes: int = 0, backupCount: int = 0) -> None:
        super().__init__()
        self.path = Path(filename).absolute()
        self.max_bytes = maxBytes
        self.backup_count = backupCount
        self.descriptor: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", errors="backslashreplace")
            if not self._write(line, unless_full=True):
                self._rotate(len(line))
                self._write(line)
        except Exception:  # logging's own rule: a log that cannot be written must not stop the work
            self.handleError(record)

    def _write(self, line: bytes, *, unless_full: bool = False) -> bool:
        descriptor = self._open()
        try:
            if unless_full and self._full(os.fstat(descriptor).st_size, len(line)):
                return False
            os.write(descriptor, line)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        return True

    def _open(self) -> int:
        """The descriptor, locked, of the file that has the name now; another process, or an operator, may have moved the one we had."""
        while True:
            if self.descriptor is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            fcntl.flock(self.descriptor, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):
                if os.path.samestat(self.path.stat(), os.fstat(self.descriptor)):
                    return self.descriptor
            self._close()

    def _full(self, size: int, room: int) -> bool:
        return bool(self.max_bytes and self.backup_count and size and size + room > self.max_bytes)

    def _rotate(self, room: int) -> None:
        with locked(self.path.parent):
            try:
                size = self.path.stat().st_size
            except FileNotFoundError:
                return
            if not self._full(size, room):
                return  # another process was faster
            for number in range(self.backup_count - 1, 0, -1):
                with suppress(FileNotFoundError):
                    backup(self.path, number).replace(backup(self.path, number + 1))
            self.path.replace(backup(self.path, 1))

    def _close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def close(self) -> None:
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()


def backup(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While it lasts nobody else renames the folder's log files; writing lines goes on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def tail(lines: int) -> list[str]:
    """The last lines of LOG_FILE, oldest first: at most 1,000 and 1 MiB, from the rotated file too when the new one is still short."""
    wanted = min(lines, TAIL_LINES)
    found: list[str] = []
    room = TAIL_BYTES
    for path in (settings.LOG_FILE, backup(settings.LOG_FILE, 1)):
        if wanted <= len(found) or room <= 0:
            break
        text = _end_of(path, room)
        room -= len(text)
        found = text.decode("utf-8", errors="replace").split("\n")[:-1] + found
    return found[-wanted:] if wanted > 0 else []


def _end_of(path: Path, room: int) -> bytes:
    """The whole lines among the last `room` bytes."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - room)
            file.seek(start)
            data = file.read(room)
    except OSError:
        return b""
    if start:
        data = data.partition(b"\n")[2]
    return data[: data.rfind(b"\n") + 1]
