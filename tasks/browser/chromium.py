"""Where Chromium is, and how it is started.

Source of the switches: https://peter.sh/experiments/chromium-command-line-switches/ and `content/public/common/content_switches.cc`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "headless_shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
CURE = (
    "Chromium is not installed: `apt-get install chromium-headless-shell` (or `chromium`), or `python -m playwright install --only-shell chromium`, "
    "or set CHROMIUM_PATH to the program."
)
HEAP_MB = 512  # of JavaScript objects in one page; more ends the page, not the browser

# Features that talk to the network on their own account, or that would look like a fault of the page.
_FEATURES = (
    "Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,AutofillServerCommunication,CertificateTransparencyComponentUpdater,"
    "NetworkTimeServiceQuerying,InterestFeedContentSuggestions,GlobalMediaControls,HttpsUpgrades,WebRtcAllowInputVolumeAdjustment"
)


def find_chromium() -> str | None:
    """The path of a Chromium: CHROMIUM_PATH (None if that is no program: a wrong setting must show), else one on PATH, else Playwright's own.
    The headless shell comes first, it takes half the memory and time."""
    chosen = _setting()
    if chosen:
        return shutil.which(chosen)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return _unwrapped(found)
    return _playwrights()


def _setting() -> str:
    from django.conf import settings  # the runner's process never comes here

    return str(getattr(settings, "CHROMIUM_PATH", "") or "")


def _unwrapped(path: str) -> str:
    """Debian starts Chromium from a shell script, which would stay between us and the process that has to die with us."""
    real = Path("/usr/lib/chromium") / Path(path).name
    return str(real) if path.startswith("/usr/bin/") and os.access(real, os.X_OK) else path


def _playwrights() -> str | None:
    """https://playwright.dev/docs/browsers#managing-browser-binaries"""
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "") or Path.home() / ".cache" / "ms-playwright")
    for pattern in ("chromium_headless_shell-*/*/*headless[-_]shell", "chromium-*/*/chrome"):
        found = sorted(path for path in root.glob(pattern) if os.access(path, os.X_OK))
        if found:
            return str(found[-1])
    return None


def arguments(executable: str, *, profile: str, proxy_port: int, sandbox: bool) -> list[str]:
    """The whole command line. Every request goes to the proxy, loopback too; nothing is resolved here; what is no request has no way out."""
    proxy = f"127.0.0.1:{proxy_port}"
    switches = [
        "--headless",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
        f"--proxy-server=http://{proxy}",
        "--proxy-bypass-list=<-loopback>",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--disable-blink-features=WebTransport,DirectSockets",
        "--dns-prefetch-disable",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-component-extensions-with-background-pages",
        "--disable-client-side-phishing-detection",
        "--disable-domain-reliability",
        "--disable-default-apps",
        "--disable-extensions",
        "--disable-sync",
        "--no-pings",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-breakpad",
        "--disable-crash-reporter",
        "--log-level=3",
        f"--disable-features={_FEATURES}",
        f"--js-flags=--max-old-space-size={HEAP_MB}",
        "--block-new-web-contents",
        "--deny-permission-prompts",
        "--disable-notifications",
        "--disable-print-preview",
        "--disable-gpu",
        "--mute-audio",
        "--hide-scrollbars",
        "--password-store=basic",
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--lang=en-US",
        "--window-size=1280,800",
    ]
    if not sandbox:
        switches.append("--no-sandbox")
    if _small_shared_memory():
        switches.append("--disable-dev-shm-usage")
    return [executable, *switches, "about:blank"]


def _small_shared_memory() -> bool:
    """Containers often have 64 MB in /dev/shm, in which a large page dies."""
    try:
        space = os.statvfs("/dev/shm")  # noqa: S108 - looked at, not written to  # nosec B108
    except OSError:
        return True
    return space.f_blocks * space.f_frsize < 256 * 1024 * 1024
