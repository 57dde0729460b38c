"""The GitHub emulator as the host that the settings name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tasks.hosts.github_client import Client
from tests.emulators.github import GitHubEmulator


@pytest.fixture
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        assert not isinstance(address, tuple) or address[0] in {"127.0.0.1", "::1"}, f"a connection to {address} left this machine"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def github(settings: Any, loopback_only: None) -> Iterator[GitHubEmulator]:
    """A running emulator; at the end no request may have broken GitHub's description."""
    with GitHubEmulator() as emulator:
        for name, value in emulator.django_settings().items():
            setattr(settings, name, value)
        settings.GITHUB_USERNAME = ""
        Client._streaks.clear()
        yield emulator
        assert emulator.violations == []
