"""Reports evaluated by real worker processes: one whose worker is killed comes again."""

from __future__ import annotations

import socket

import pytest

from tests.peers import Peer
from tests.worker.box import Box, until

pytestmark = pytest.mark.worker


def test_the_report_of_a_killed_worker_is_looked_at_again(box: Box) -> None:
    def silent(connection: socket.socket, _request: bytes) -> None:
        connection.settimeout(60)
        connection.recv(1)

    worker, page = box.worker(), Peer(silent)
    try:
        pk = box.call("report", page.url())
        until(lambda: page.requests and box.call("report_row", pk)[0] == "running", 5, "the report in a worker")
        owner = box.call("report_row", pk)[2]
        worker.kill(int(owner.split(":")[-2]))
        until(lambda: box.call("report_row", pk)[1] == 2, 8, lambda: str(box.call("report_row", pk)))
        assert box.call("report_row", pk)[2] != owner
    finally:
        page.close()
