"""The Chrome DevTools Protocol over a pipe: JSON messages, each ended by a zero byte. https://chromedevtools.github.io/devtools-protocol/

Commands are awaited, events are handed to the session's listener. A page can make a message as long as it likes; those past `MAX_MESSAGE` are
dropped unread.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Callable
from typing import Any

MAX_MESSAGE = 24 * 1024 * 1024

Listener = Callable[[str, dict[str, Any]], None]


class Gone(Exception):
    """The page or the browser is no more."""


class Refused(Exception):
    """The browser did not carry out the command; its message says why."""


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._listeners: dict[str, Listener] = {}
        self._buffer = bytearray()
        self._searched = 0
        self._dropping = False
        self._writer: asyncio.WriteTransport | None = None
        self.closed = False

    @classmethod
    async def open(cls, to_browser: int, from_browser: int) -> Connection:
        loop = asyncio.get_running_loop()
        connection = cls()
        await loop.connect_read_pipe(lambda: connection, os.fdopen(from_browser, "rb", 0))
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(to_browser, "wb", 0))
        connection._writer = writer
        return connection

    def listen(self, session: str, listener: Listener) -> None:
        self._listeners[session] = listener

    def forget(self, session: str) -> None:
        """Nothing more comes from this session: whoever waits for it is told."""
        self._listeners.pop(session, None)
        for number, (owner, future) in list(self._waiting.items()):
            if owner == session:
                self._waiting.pop(number)
                if not future.done():
                    future.set_exception(Gone("the page is gone"))

    def post(self, method: str, parameters: dict[str, Any] | None = None, session: str = "") -> asyncio.Future[dict[str, Any]]:
        """Send a command without waiting. The answer may be left unread."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # an answer that nobody awaits is no error
        if self.closed or self._writer is None or self._writer.is_closing():
            future.set_exception(Gone("the browser is gone"))
            return future
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        self._waiting[number] = (session, future)
        self._writer.write(json.dumps(message).encode() + b"\0")
        return future

    async def send(self, method: str, parameters: dict[str, Any] | None = None, session: str = "", *, timeout: float = 10.0) -> dict[str, Any]:
        """The command's result. `Refused`, `Gone`, or TimeoutError after `timeout` seconds."""
        return await asyncio.wait_for(self.post(method, parameters, session), timeout)

    # -- asyncio.Protocol --------------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\0", self._searched)) >= 0:
            message = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            if not self._dropping:
                self._dispatch(message)
            self._dropping = False
        self._searched = len(self._buffer)
        if len(self._buffer) > MAX_MESSAGE:
            self._dropping = True
            self._buffer.clear()
            self._searched = 0

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(Gone("the browser is gone"))
        self._waiting.clear()

    def _dispatch(self, text: bytes) -> None:
        message = json.loads(text)
        session = message.get("sessionId", "")
        if "id" not in message:
            listener = self._listeners.get(session)
            if listener:
                listener(message["method"], message.get("params", {}))
            return
        _, future = self._waiting.pop(message["id"], ("", None))
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(Refused(message["error"].get("message", "")))
        else:
            future.set_result(message.get("result", {}))
