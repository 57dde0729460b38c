"""A real Chromium, or a visible reason why not; and canaries, servers that no page may ever reach."""

from __future__ import annotations

import fcntl
import os
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.browser import find_chromium
from tasks.browser.chromium import CURE

SIOCGIFADDR = 0x8915


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything marked `browser` needs Chromium; REQUIRE_SERVICES=1 makes its absence a failure."""
    if find_chromium() is None and os.environ.get("REQUIRE_SERVICES") != "1":
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=CURE))


class Canaries:
    """TCP and UDP listeners on every address of this machine. `hits` are the connections and datagrams that came."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.tcp: list[str] = []  # host:port
        self.udp: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        self._stop = threading.Event()
        for family, address in _addresses():
            for kind, names in ((socket.SOCK_STREAM, self.tcp), (socket.SOCK_DGRAM, self.udp)):
                with suppress(OSError):
                    names.append(self._open(family, kind, address))
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _open(self, family: int, kind: int, address: tuple[str | int, ...]) -> str:
        listener = socket.socket(family, kind)
        self._sockets.append(listener)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        host, port = listener.getsockname()[:2]
        host = host.partition("%")[0]
        self._selector.register(listener, selectors.EVENT_READ, f"{host} {port}")
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _watch(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.1):
                self.hits.append(key.data)
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(2000)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._selector.close()
        for listener in self._sockets:
            listener.close()


def _addresses() -> list[tuple[int, tuple[str | int, ...]]]:
    """Loopback, and whatever the interfaces have: the machine's own address, link-local ones."""
    found: list[tuple[int, tuple[str | int, ...]]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()))
                found.append((socket.AF_INET, (socket.inet_ntoa(answer[20:24]), 0)))
    with suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            packed, index, *_ = line.split()
            found.append((socket.AF_INET6, (socket.inet_ntop(socket.AF_INET6, bytes.fromhex(packed)), 0, 0, int(index, 16))))
    return found


@pytest.fixture
def canaries() -> Iterator[Canaries]:
    running = Canaries()
    yield running
    running.close()
