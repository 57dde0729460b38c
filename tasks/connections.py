"""Names to addresses, addresses to connections, within one time limit. Which addresses are allowed is `tasks/address_guard.py`'s part."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Any

from tasks.address_guard import IPAddress, Target
from tasks.errors import RemoteUnavailable

Peer = tuple[socket.AddressFamily, Any]  # a family and its socket address


class TimeLimit:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    @property
    def over(self) -> bool:
        return self.elapsed >= self.seconds

    def left(self) -> float:
        if self.over:
            raise TimeoutError
        return self.seconds - self.elapsed


def resolve(target: Target, deadline: TimeLimit) -> list[Peer]:
    """All socket addresses of the target. The system's resolver cannot be interrupted, so it is waited for from outside."""
    results: SimpleQueue[list[Any] | OSError | UnicodeError] = SimpleQueue()

    def ask() -> None:
        try:
            results.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            results.put(error)

    if target.literal is not None:
        ask()  # nobody is asked for a literal address
    else:
        threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = results.get(timeout=deadline.left())
    except Empty as error:
        raise TimeoutError from error
    if isinstance(found, Exception) or not found:
        raise RemoteUnavailable(f"The name {target.host} could not be found (DNS).", detail=str(found))
    return [(family, address) for family, _, _, _, address in found]


def is_ours(address: IPAddress) -> bool:
    """Whether this machine has that address: the kernel would then send from the very same one. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return ip_address(probe.getsockname()[0]) == address
    except OSError:  # no way there
        return False


@contextmanager
def connected(peers: list[Peer], deadline: TimeLimit) -> Iterator[socket.socket]:
    """A connection to the first peer that takes it, cut off at the deadline whatever is being done with it by then.

    The cut goes through a duplicate: TLS takes over the descriptor of the socket it wraps."""
    with _connect(peers, deadline) as sock, sock.dup() as twin:
        cut = threading.Timer(deadline.left(), _cut, [twin])
        cut.daemon = True
        cut.start()
        try:
            yield sock
        finally:
            cut.cancel()
            cut.join()


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):  # the peer was faster
        sock.shutdown(socket.SHUT_RDWR)


def _connect(peers: list[Peer], deadline: TimeLimit) -> socket.socket:
    failure: OSError | None = None
    for index, (family, address) in enumerate(peers):
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a machine without IPv6
            failure = error
            continue
        try:
            sock.settimeout(deadline.left() / (len(peers) - index))  # one that never answers leaves time for the next
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(deadline.left())
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure or TimeoutError
