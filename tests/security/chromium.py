"""A real Chromium for tests that look at pages of ours. It reaches this machine only: everything else is sent to a proxy that nobody runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

from tasks.browser.chromium import CURE, find_chromium

NOBODY = "http://127.0.0.1:9"
needs_chromium = pytest.mark.skipif(find_chromium() is None, reason=CURE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for the tests of a module, which open contexts of their own."""
    from playwright.sync_api import sync_playwright  # a third of a second that no other test pays for

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop in this thread
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            proxy={"server": NOBODY, "bypass": "127.0.0.1,localhost"},
        )
        try:
            yield browser
        finally:
            browser.close()
