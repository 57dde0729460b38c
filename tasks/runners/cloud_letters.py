"""What a container of Cloud Run writes for us to read: numbered files in the mounted folder. Runs inside, with the standard library only."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tasks import frames

PIECE = 4_000_000  # bytes of artefacts in one file, unless one is larger
WRITE_TRIES = 3


class Letters:
    """The numbered files. What is added is on its way after `send`."""

    def __init__(self, folder: str) -> None:
        self.folder, self.number = Path(folder), 0
        self.sent = 0.0
        self._held: list[tuple[dict[str, Any], bytearray]] = []
        self._size = 0

    def add(self, message: dict[str, Any], blob: bytes = b"") -> None:
        """What a program writes in many small pieces goes together."""
        if self._held and self._size + len(blob) > PIECE:
            self.send()
        if message["kind"] == "output" and self._held and self._held[-1][0] == message:
            self._held[-1][1].extend(blob)
        else:
            self._held.append((message, bytearray(blob)))
        self._size += len(blob)

    def send(self) -> None:
        """Raises `OSError` when the bucket cannot be written to."""
        self.sent = time.monotonic()
        if not self._held:
            return
        self.number += 1
        for left in reversed(range(WRITE_TRIES)):
            try:
                (self.folder / f"{self.number:06}").write_bytes(b"".join(frames.pack(message, bytes(blob)) for message, blob in self._held))
                break
            except OSError:
                if not left:
                    raise
                time.sleep(0.5)
        self._held.clear()
        self._size = 0
