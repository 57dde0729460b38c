"""Why this machine's kernel lets nobody build a sandbox, and which setting allows it.

https://docs.kernel.org/admin-guide/sysctl/user.html, https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces,
https://docs.docker.com/engine/security/seccomp/
"""

from __future__ import annotations

import os
from pathlib import Path

CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
PROFILE = "profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }"


def refusals(sysctl: Path = Path("/proc/sys"), *, root: bool | None = None, container: bool | None = None) -> list[tuple[str, str]]:
    """What forbids user namespaces here, each with its cure; empty where nothing known does."""
    root = os.geteuid() == 0 if root is None else root
    container = any(Path(mark).exists() for mark in CONTAINER_MARKS) if container is None else container
    found: list[tuple[str, str]] = []
    if _value(sysctl, "user/max_user_namespaces") == "0":
        found.append(("user.max_user_namespaces is 0", "Run: sysctl -w user.max_user_namespaces=15000"))
    if not root and _value(sysctl, "kernel/unprivileged_userns_clone") == "0":
        found.append(("kernel.unprivileged_userns_clone is 0", "Run: sysctl -w kernel.unprivileged_userns_clone=1"))
    if not root and _value(sysctl, "kernel/apparmor_restrict_unprivileged_userns") == "1":
        cure = (
            f"Write “{PROFILE}” to /etc/apparmor.d/bwrap and run: systemctl reload apparmor. "
            "Or, for all programs: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        )
        found.append(("AppArmor lets no program without a profile make user namespaces", cure))
    if container:
        cure = "Start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined, or set RUNNER=docker or RUNNER=cloud_run."
        found.append(("a container, whose own filter of system calls forbids namespaces", cure))
    return found


def _value(sysctl: Path, name: str) -> str:
    try:
        return (sysctl / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""
