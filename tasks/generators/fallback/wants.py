"""Reads out of briefs and checks what a page must have, as far as plain rules can tell: its title, its ids, the libraries it loads.

In: texts that somebody else wrote. Out: values that fit into HTML as they are (ids, tag and attribute names) or have to be escaped (texts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_TEXT = 60_000
MAX_ELEMENTS = 60

_QUOTED = r"(?:\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'|`([^`\n]{1,200})`|“([^”\n]{1,200})”)"
_TITLE_CHECK = re.compile(r"document\.title(?:\.trim\(\))?\s*={2,3}\s*" + _QUOTED)
_TITLE_BRIEF = re.compile(
    r"\btitle(?:d)?\b(?:\s+(?:to|is|as|of|should|must|be|equal|equals|exactly|the|page|set|reads?|reading)){0,4}\s*[:=]?\s*" + _QUOTED, re.I
)

_ID = r"[A-Za-z][\w-]{0,80}"
_SELECTED = re.compile(r"(?:querySelector(?:All)?|closest|matches)\(\s*(?P<quote>[\"'`]|\\[\"'])(?P<selector>.{1,200}?)(?P=quote)\s*\)")
_BY_ID = re.compile(rf"getElementById\(\s*[\"'`]({_ID})[\"'`]\s*\)")
_ATTRIBUTE = re.compile(rf"\bid\s*=\s*[\"'`“]({_ID})[\"'`”]|\bids?\s+(?:of\s+)?[\"'`“]({_ID})[\"'`”]", re.I)
_HASH = re.compile(rf"(?<![\w/&?=.#:])#({_ID})\b(?![\w(])")
_LISTED = re.compile(rf"\bIDs?\b[^`\n]{{0,60}}\n?(?:\s*`{_ID}`\s*,?(?:\s*and)?)+", re.I)
_COLOUR = re.compile(r"(?:[0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})\Z", re.I)

TAGS = frozenset(
    {"form", "table", "select", "button", "input", "textarea", "ul", "ol", "nav", "canvas", "pre", "section", "img", "span", "div", "p", "output"}
    | {"h1", "h2", "h3", "h4", "article", "aside", "footer", "header", "video", "audio", "progress", "dialog"}
)
_WORDS = {  # how a brief calls an element, before or after its id
    "form": "form", "table": "table", "select": "select", "dropdown": "select", "drop-down": "select", "button": "button", "input": "input",
    "textarea": "textarea", "list": "ul", "canvas": "canvas", "badge": "span", "alert": "div", "heading": "h2",
}  # fmt: skip
_SUFFIXES = {
    "form": "form", "picker": "select", "select": "select", "filter": "select", "dropdown": "select", "table": "table", "btn": "button",
    "button": "button", "input": "input", "search": "input", "field": "input", "list": "ul", "canvas": "canvas", "chart": "canvas",
    "textarea": "textarea", "image": "img", "img": "img",
}  # fmt: skip


@dataclass
class Element:
    """One element with an id. `text` is what the brief says it shows, `options` what a select must offer, `buttons` how many it must hold."""

    id: str
    tag: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    options: list[str] = field(default_factory=list)
    buttons: int = 0

    @property
    def words(self) -> frozenset[str]:
        return frozenset(re.split(r"[-_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.id).lower()))


@dataclass(frozen=True)
class Wants:
    title: str
    elements: tuple[Element, ...]
    bootstrap: bool
    marked: bool
    highlight: bool
    address_parameter: bool  # ?url= names what to load


def read(texts: Iterable[str]) -> Wants:
    """What these briefs and checks ask for together; the last one that names a title has it."""
    whole = [text[:MAX_TEXT] for text in texts]
    title = ""
    elements: dict[str, Element] = {}
    for text in whole:
        title = _title(text) or title
        for name in _ids(text):
            if len(elements) < MAX_ELEMENTS:
                elements.setdefault(name, Element(name))
    joined = "\n".join(whole)
    for element in elements.values():
        _describe(element, joined)
    lower = joined.lower()
    return Wants(
        title=title,
        elements=tuple(elements.values()),
        bootstrap="bootstrap" in lower,
        marked=bool(re.search(r"\bmarked\b", lower)),
        highlight="highlight.js" in lower,
        address_parameter="?url=" in lower,
    )


def _title(text: str) -> str:
    for pattern in (_TITLE_CHECK, _TITLE_BRIEF):
        for match in pattern.finditer(text):
            return next(group for group in match.groups() if group is not None)
    return ""


def _ids(text: str) -> Iterable[str]:
    """Ids in the order in which they are named. In prose `#fff` is a colour; in a selector it is an id."""
    found: list[tuple[int, str]] = []
    for match in _SELECTED.finditer(text):
        found += [(match.start() + part.start(), part[1]) for part in re.finditer(rf"#({_ID})", match["selector"])]
    for match in _LISTED.finditer(text):
        found += [(match.start() + part.start(), part[1]) for part in re.finditer(rf"`({_ID})`", match[0])]
    found += [(match.start(), match[1]) for match in _BY_ID.finditer(text)]
    found += [(match.start(), match[1] or match[2]) for match in _ATTRIBUTE.finditer(text)]
    found += [(match.start(), match[1]) for match in _HASH.finditer(text) if not _COLOUR.match(match[1])]
    return dict.fromkeys(name for _, name in sorted(found))


def _describe(element: Element, text: str) -> None:
    """Fill in tag, attributes, text, options and buttons from what stands around the id."""
    name = re.escape(element.id)
    here = rf"(?:querySelector\(\s*[\"'`]#{name}[\"'`]\s*\)|getElementById\(\s*[\"'`]{name}[\"'`]\s*\))"
    element.tag = _tag(element, text, name, here)
    for match in re.finditer(here + r"\.getAttribute\(\s*[\"'`](aria-[a-z]+|role)[\"'`]\s*\)\s*={2,3}\s*[\"'`]([\w -]{1,60})[\"'`]", text):
        element.attributes[match[1]] = match[2]
    element.options = list(dict.fromkeys(re.findall(rf"#{name}\s+option\[value=\\?[\"']?([\w .-]{{1,40}}?)\\?[\"']?\]", text)))
    buttons = [int(match[1] or 1) for match in re.finditer(rf"#{name}\s+button[\"'`]\s*\)(?:\.length\s*>=?\s*(\d{{1,2}}))?", text)]
    element.buttons = min(12, max(buttons, default=2 if "tabs" in element.words else 0))
    for match in re.finditer(here + r"\.(?:textContent|innerText)(?:\.trim\(\))?(?:\.includes\(\s*|\s*={2,3}\s*)" + _QUOTED, text):
        literal = next(group for group in match.groups() if group is not None)
        # Only what the brief itself says in quotes: a result that a check expects is to be computed, not copied.
        if re.search(rf"(?<![(=] )(?<![(=])[\"'“‘]{re.escape(literal)}[\"'”’](?!\s*\))", text.replace(match[0], " ")):
            element.text = literal


def _tag(element: Element, text: str, name: str, here: str) -> str:
    match = re.search(here + r"\.(?:tagName|nodeName)(?:\.to\w+Case\(\))?\s*={2,3}\s*[\"'`](\w{1,20})[\"'`]", text, re.I)
    if match and match[1].lower() in TAGS:
        return match[1].lower()
    if re.search(rf"#{name}\s+(?:tbody|thead|tr|td|th)\b|#{name}\s*>\s*(?:tbody|thead|tr)\b", text):
        return "table"
    if re.search(rf"#{name}\s+option\b", text):
        return "select"
    match = re.search(rf"<(\w{{1,10}})\b[^<>\n]{{0,80}}?\bid\s*=\s*[\"'`]{name}[\"'`]", text) or re.search(
        rf"<(\w{{1,10}})>(?:\s+(?:element|tag|with|an|the|and|field)){{0,4}}\s+id\s*=?\s*[\"'`]?#?{name}\b", text, re.I
    )
    if match and match[1].lower() in TAGS:
        return match[1].lower()
    match = re.search(
        rf"\b([\w-]{{1,20}})(?:\s+(?:element|tag|area|field|container|with|an|the|box)){{0,3}}\s+(?:id\s*=?\s*)?[\"'`]?#?{name}\b", text, re.I
    )
    if match:
        word = match[1].lower()
        if word in TAGS or word in _WORDS:
            return _WORDS.get(word, word)
    last = element.id.lower().replace("_", "-").rsplit("-", 1)[-1]
    return _SUFFIXES.get(last, "div")
