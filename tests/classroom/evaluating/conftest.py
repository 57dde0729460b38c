"""The emulated GitHub as the one that the settings name."""

from __future__ import annotations

from tests.hosts.conftest import github, loopback_only

__all__ = ["github", "loopback_only"]
