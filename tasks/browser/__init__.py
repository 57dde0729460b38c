"""A browser that judges a page.

`judge` serves a set of files exactly as GitHub Pages would, or goes to a page that is already live, opens it in headless Chromium, tries the task's
JavaScript checks there, and says what it saw as a `Report`. What runs where:

    judge ── supervise: one process per visit, killed with all below it at the time or memory limit (the report then holds what was seen so far)
      └─ runner ── jail: Chromium as nobody, in its own sandbox and, where the kernel allows it, a network namespace with one port
           ├─ proxy: that port; the site itself (`site`) and public addresses, nothing else
           └─ visit ── page (`cdp`, `noise`) · checks · looks

Chromium is driven over its own debugging pipe: a third of the memory of a driver in between, and a loop that does not let go can be ended.
"""

from __future__ import annotations

import importlib.util
import mimetypes
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tasks import frames
from tasks.browser.chromium import CURE, find_chromium
from tasks.browser.report import CheckOutcome, Collected, Failure, Report, Shot, Violation
from tasks.browser.supervise import watch
from tasks.files.media_types import media_type

__all__ = ["CheckOutcome", "Failure", "Report", "Shot", "Violation", "find_chromium", "judge"]

NAMESPACE = True  # off only where the proxy is to be tried alone
PATIENCE = 15.0  # seconds for which a check is tried again until it is true
GRACE = 3.0  # seconds of the limit in which the runner puts an end to it by itself


def judge(
    *,
    files: dict[str, bytes] | None,
    repo: str,
    url: str = "",
    addresses: Sequence[str] = (),
    checks: Sequence[str] = (),
    seconds: float = 90.0,
    allow: Sequence[str] = (),
    screenshots: bool = True,
    axe: bool = True,
    cdn: dict[str, bytes] | None = None,
) -> Report:
    """Look at the page for at most `seconds`. Never raises for anything that the page does.

    `files` (path to content) are served under `/<repo>/`; without them the page at `url` is opened, whose origin may be anywhere; with `addresses`,
    which the caller has judged, its host stands for these and no others. `checks` are JavaScript expressions. `allow` lists private hosts, addresses
    and networks that the page may reach all the same, as ALLOWED_PRIVATE_HOSTS does.
    `cdn` (address to content) is answered without a network: for tests.
    """
    executable = find_chromium()
    if executable is None:
        return Report(available=False, reason=CURE)
    started = time.monotonic()
    collected = Collected(tuple(checks))
    with tempfile.TemporaryDirectory(prefix="deployer-browser-", ignore_cleanup_errors=True) as name, tempfile.TemporaryFile() as errand:
        folder = Path(name)
        folder.chmod(0o711)  # Chromium's user goes through it to a folder of its own
        order = {
            "folder": name,
            "chromium": executable,
            "repo": repo,
            "url": "" if files is not None else url,
            "addresses": list(addresses),
            "checks": list(checks),
            "seconds": max(1.0, seconds - GRACE),
            "patience": PATIENCE,
            "allow": list(allow),
            "namespace": NAMESPACE,
            "screenshots": screenshots,
            "axe": axe_source() if axe else "",
        }
        _write(errand, order, files or {}, cdn or {})
        stopped, ours, tree = watch(errand, folder, collected, seconds)
    return collected.report(
        stopped,
        ours=ours,
        seconds=round(time.monotonic() - started, 2),
        cpu_seconds=round(tree.cpu_seconds, 2),
        memory_peak_mb=round(tree.peak / 1e6, 1),
    )


def axe_source() -> str:
    """The path of axe-core's script, which comes in a wheel; empty if that is not installed."""
    found = importlib.util.find_spec("axe_playwright_python")
    path = Path(found.origin).with_name("axe.min.js") if found and found.origin else None
    return str(path) if path and path.is_file() else ""


def _write(errand: IO[bytes], order: dict[str, object], files: dict[str, bytes], cdn: dict[str, bytes]) -> None:
    errand.write(frames.pack({**order, "files": len(files) + len(cdn)}))
    for path, content in files.items():
        errand.write(frames.pack({"for": "site", "path": path, "type": media_type(path, content)}, content))
    for address, content in cdn.items():
        kind = mimetypes.guess_type(address.partition("?")[0])[0] or "text/javascript"
        errand.write(frames.pack({"for": "cdn", "path": address, "type": kind}, content))
    errand.flush()
    errand.seek(0)
