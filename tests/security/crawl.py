"""Opens the admin's pages one after the other in Chromium and notes whatever is not as it should be."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page

LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
SKIPPED = ("/admin/logout/", "/download/", "/image/")  # these leave the admin, or are no pages
LIST = re.compile(r"/admin/[a-z_]+/[a-z]+/\?.+")  # a part of a list
EXPECTED = "Failed to load resource"  # a picture whose stored type is an attack is not shown; a page that does not exist is 404


class Crawl:
    """`found` is what is wrong, `seen` the kinds of address that were opened, `attacked` those that show an attack as text."""

    def __init__(self, page: Page, origin: str, *, filters: bool = True) -> None:
        """`filters`: whether the links of lists to a part of themselves are followed."""
        self.page, self.origin, self.filters = page, origin, filters
        self.found: list[str] = []
        self.seen: set[str] = set()
        self.attacked: set[str] = set()
        page.add_init_script("window.xss = () => { window.ran = true; }")
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"uncaught: {error}"))

    def _note(self, what: str) -> None:
        self.found.append(f"{self.page.url}: {what}")

    def _dialog(self, dialog: Dialog) -> None:
        self._note(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        """What breaks the Content-Security-Policy is reported here, and so is an expression that Alpine cannot read."""
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            self._note(message.text)

    def visit(self, address: str) -> list[str]:
        """Open one address; the admin's own addresses that it links to."""
        answer = self.page.goto(f"{self.origin}{address}", wait_until="load")
        if answer is None or answer.status >= 500:
            self.found.append(f"{address}: {answer and answer.status}")
        looked = self.page.evaluate(LOOK)
        self.found += [f"{address}: {bad}" for bad in looked["bad"]]
        self.seen.add(kind(address))
        if "xss(" in looked["text"]:
            self.attacked.add(kind(address))
        inside = [urlsplit(link) for link in looked["links"] if link.startswith(f"{self.origin}/admin/")]
        return [f"{link.path}?{link.query}" if link.query else link.path for link in inside]

    def everything(self, begin: list[str]) -> None:
        """Each kind of address once, and every record's page in `begin`; then what they link to with other parameters."""
        waiting = deque(begin)
        known = {kind(address) for address in begin}
        while waiting:
            address = waiting.popleft()
            if any(part in address for part in SKIPPED) or (kind(address) in self.seen and "/change/" not in address):
                continue
            links = self.visit(address)
            if "?" not in address:  # one filter at a time: their combinations have no end
                fresh = {kind(link): link for link in links if kind(link) not in known and (self.filters or not LIST.fullmatch(link))}
                known.update(fresh)
                waiting.extend(fresh.values())


def kind(address: str) -> str:
    """A page, whichever row of the model it shows, and the fields that its parameters filter by, however they do."""
    path, _, query = address.partition("?")
    fields = {name.split("__")[0] for name, _ in parse_qsl(query)} - {"o", "_facets"}
    return f"{re.sub(r'/[0-9]+/', '/N/', path)}?{','.join(sorted(fields))}"
