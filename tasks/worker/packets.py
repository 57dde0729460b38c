"""The queue between the processes of a cluster, kept by the kernel alone.

`multiprocessing.Queue` guards its pipe with semaphores, and a worker that is killed while it waits for work takes the reader's lock with it: the
cluster looks healthy and never runs anything again (https://github.com/django-q2/django-q2/issues/23). A packet socket needs no lock: the kernel
hands each packet, whole, to exactly one reader, and what a process held is gone with it.
"""

from __future__ import annotations

import errno
import fcntl
import pickle
import socket
import struct
import termios
import time
from typing import Any

RECORD = 1024  # bytes; packets are padded to a multiple, so that the number of waiting bytes tells the number of packets
LARGEST = 64 * 1024  # bytes of one packet
PILL = "STOP"  # whoever takes it ends
FULL_PAUSE = 0.01  # seconds between looks at a queue that is full: there is work in it, so nobody waits for this


class PacketQueue:
    """Takes the place of `django_q.queues.Queue` (Linux). Small messages only: an id in, nothing out."""

    def __init__(self, maxsize: int = 0) -> None:
        self._maxsize = maxsize
        self._reader, self._writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def put(self, item: Any) -> None:
        """Waits while the queue is full; not with django-q2's pills, one for each worker that it believes in, for the dead ones take none."""
        packet = pickle.dumps(item)
        if len(packet) > LARGEST and isinstance(item, dict) and "result" in item:  # the trace of a failed job
            packet = pickle.dumps({**item, "result": str(item["result"])[-2000:]})
        if len(packet) > LARGEST:
            raise OSError(errno.EMSGSIZE, f"A message of {len(packet)} bytes is too long for the queue; pass an id.")
        while self._maxsize and item != PILL and self.qsize() >= self._maxsize:
            time.sleep(FULL_PAUSE)
        self._writer.send(packet + bytes(-len(packet) % RECORD))

    def get(self) -> Any:
        """Waits for the next message; any number of processes may."""
        return pickle.loads(self._reader.recv(LARGEST))  # noqa: S301 - written by a process of this very cluster  # nosec B301

    def qsize(self) -> int:
        waiting = fcntl.ioctl(self._reader, termios.FIONREAD, bytes(4))
        return int(struct.unpack("i", waiting)[0]) // RECORD

    def empty(self) -> bool:
        return self.qsize() == 0

    def close(self) -> None:
        """Nothing is buffered in this process, and the sentinel goes on asking for the size: the sockets end with the processes."""

    def join_thread(self) -> None:
        """There is no thread: `put` has written when it returns."""
