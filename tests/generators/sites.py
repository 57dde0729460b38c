"""Inputs for the `offline` generator, and its answer taken apart by the project's own parser."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from tasks.generators.answers import Parsed, parse
from tasks.generators.base import AttachedFile, Inputs, Prompt
from tasks.generators.offline import Generator

CSV = b'\xef\xbb\xbfproduct,region,sales,note\r\n"Lamp, large",EU,"1,234.50",x\r\nPen,US,-3.25,\r\n\r\nLamp small,EU,$10,y\r\nTotal,,1241.25,\r\n'
SALES = (
    'Publish a page that sums the sales column of data.csv inside #total-sales, sets the title to "Sales 7f3a2" and loads Bootstrap 5 from jsdelivr.'
)
CHECKS = (
    "document.title === `Sales 7f3a2`",
    "!!document.querySelector(\"link[href*='bootstrap']\")",
    'Math.abs(parseFloat(document.querySelector("#total-sales").textContent) - 1241.25) < 0.01',
)


def attached(path: str, content: bytes, media_type: str = "text/plain") -> AttachedFile:
    return AttachedFile(path, media_type, len(content), "", content)


def build(brief: str, checks: tuple[str, ...] = (), *files: AttachedFile, **fields: Any) -> Inputs:
    return Inputs(**{"kind": "build", "task": "demo-1", "round": 1, "brief": brief, "checks": checks, "attachments": files, **fields})


def made(inputs: Inputs) -> Parsed:
    answer = Generator().ask(Prompt("", "", inputs), "offline", 5)
    parsed = parse(answer.text, base=inputs.files, attachments=[file.path for file in inputs.attachments])
    assert (parsed.dropped, parsed.failed_edits, parsed.truncated) == ((), (), False)
    return parsed


def page(inputs: Inputs) -> str:
    return made(inputs).files["index.html"].decode()


def readme(inputs: Inputs) -> str:
    return made(inputs).files["README.md"].decode()


class Elements(HTMLParser):
    """Every start tag of a page, with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def tag_of(self, id: str) -> str:
        tags = [tag for tag, attributes in self.found if attributes.get("id") == id]
        assert len(tags) == 1, f"{id}: {tags}"
        return tags[0]


def revise(inputs: Inputs, brief: str, checks: tuple[str, ...] = (), **fields: Any) -> Inputs:
    return replace(inputs, kind="revise", round=2, brief=brief, checks=checks, files=made(inputs).files, **fields)
