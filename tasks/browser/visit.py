"""One visit: load the page, try the checks, look at it."""

from __future__ import annotations

import asyncio
import base64
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from tasks import address_guard
from tasks.browser import cdp, checks, looks
from tasks.browser.jail import Jailed
from tasks.browser.page import Page
from tasks.browser.proxy import Proxy
from tasks.browser.site import File, Site

if TYPE_CHECKING:
    from tasks.browser.runner import Errand

START_SECONDS = 15.0
LOAD_SECONDS = 20.0
SETTLE_SECONDS = 1.5
ARRIVAL_SECONDS = 1.0  # the longest that the checks wait for the page's own data
ARRIVAL_QUIET = 0.15
LOOKS_SECONDS = 20.0


def run(errand: Errand, jailed: Jailed) -> bool:
    """The whole visit with this Chromium; False if it does not answer."""
    if not settings.configured:
        settings.configure(ALLOWED_PRIVATE_HOSTS=errand.order["allow"])
    return asyncio.run(_with_browser(errand, jailed))


async def _with_browser(errand: Errand, jailed: Jailed) -> bool:
    connection = await cdp.Connection.open(jailed.to_browser, jailed.from_browser)
    proxy = _proxy(errand)
    await proxy.start(jailed.listener)
    try:
        await connection.send("Browser.getVersion", timeout=START_SECONDS)
        await connection.send("Browser.setDownloadBehavior", {"behavior": "deny"})
    except (cdp.Gone, cdp.Refused, TimeoutError):
        return False
    errand.emit("page", isolation=jailed.isolation)
    await _Visit(errand, connection, proxy).run()
    return True


def _proxy(errand: Errand) -> Proxy:
    if errand.order["url"]:
        return Proxy(live=address_guard.parse_url(errand.order["url"]), pinned=[ip_address(text) for text in errand.order["addresses"]])
    files = {head["path"]: File(head["type"], content) for head, content in errand.files if head["for"] == "site"}
    return Proxy(site=Site(errand.order["repo"], files))


class _Visit:
    def __init__(self, errand: Errand, connection: cdp.Connection, proxy: Proxy) -> None:
        self.order = errand.order
        self.emit = errand.emit
        self.connection = connection
        self.proxy = proxy
        self.cdn = {head["path"]: (head["type"], base64.b64encode(content).decode()) for head, content in errand.files if head["for"] == "cdn"}
        self.url = self.order["url"] or f"http://{proxy.origin}{proxy.site.root if proxy.site else '/'}"
        self.until = _now() + self.order["seconds"]

    async def run(self) -> None:
        page = Page(self.connection, self.proxy, self.emit, self.cdn)
        first = page
        try:
            problem = await self.open(page)
            status = page.ledger.status
            if not problem and status is not None and status >= 400:
                problem = f"The page answered {status}."
            self.emit("page", loaded=not problem, status=status, reason=problem, bytes=page.ledger.bytes)
            page = await checks.run(page, self.again, self.order["checks"], self.until - 1, self.order["patience"], self.emit)
            if page.crashed:
                return
            await page.settle(min(SETTLE_SECONDS, self.until - _now()))
            title = await page.peek("() => document.title.slice(0, 300)", timeout=2)
            self.emit("page", title=title or "", bytes=first.ledger.bytes)
            page.ledger.closed = True  # what follows is our doing, not the page's
            axe = Path(self.order["axe"]).read_text(encoding="utf-8") if self.order["axe"] else ""
            await looks.look(page, min(self.until, _now() + LOOKS_SECONDS), self.emit, screenshots=self.order["screenshots"], axe=axe)
        except (cdp.Gone, cdp.Refused, TimeoutError) as error:
            if not page.crashed:
                self.emit("error", text=f"The browser gave up: {error or type(error).__name__}")

    async def open(self, page: Page) -> str:
        await page.open()
        await page.size(1280, 800)
        problem = await page.navigate(self.url, max(1.0, min(LOAD_SECONDS, self.until - _now())))
        if not problem:
            await page.settle(min(ARRIVAL_SECONDS, self.until - _now()), quiet=ARRIVAL_QUIET)
        return problem or page.crashed

    async def again(self, old: Page) -> Page:
        """The same page afresh. What it says was said before."""
        await old.close()
        page = Page(self.connection, self.proxy, _unheard, self.cdn)
        await self.open(page)
        return page


def _unheard(event: str, **values: Any) -> None:
    pass


def _now() -> float:
    return asyncio.get_running_loop().time()
