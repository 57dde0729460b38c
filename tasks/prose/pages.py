"""An HTML file as a program without a browser sees it: the elements as they are written, before any script has run.

The standard library's parser takes quadratic time on unclosed tags and comments when it is told that the text ends (`close`): so it is fed in
pieces and never closed, pages above `MAX_PAGE` are not read, and elements deeper than browsers nest them are put beside one another.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_PAGE = 300_000  # characters
PIECE = 8_192
MAX_DEPTH = 512  # as in Chromium
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"])
SELF_CLOSING = frozenset(["p", "li", "dt", "dd", "tr", "td", "th", "option", "optgroup", "thead", "tbody", "tfoot"])  # <li>a<li>b are two items
_CELLS = ("td", "th")
_ROWS = (*_CELLS, "tr")
_PARTS = (*_ROWS, "thead", "tbody", "tfoot")
CLOSED_BY = {"td": _CELLS, "th": _CELLS, "tr": _ROWS, "thead": _PARTS, "tbody": _PARTS, "tfoot": _PARTS, "dt": ("dt", "dd"), "dd": ("dt", "dd")}
UNSEEN = frozenset({"script", "style", "template", "title", "noscript", "head"})
FOREIGN = frozenset({"svg", "math"})


@dataclass(eq=False)
class Node:
    """An element; `children` are elements and text. The tag and the attributes' names are in lower case."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None
    index: int
    depth: int = 0
    children: list[Node | str] = field(default_factory=list)

    def text(self, *, visible: bool = True) -> str:
        """The text inside, white space joined. Visible: without what is in scripts, styles and the head, the element itself aside."""
        parts: list[str] = []
        stack: list[Node | str] = list(reversed(self.children))
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                parts.append(item)
            elif not visible or (item.tag not in UNSEEN and "hidden" not in item.attributes):
                parts.append(" " if item.tag in {"br", "p", "div", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6"} else "")
                stack.extend(reversed(item.children))
        return " ".join("".join(parts).split())


@dataclass
class Page:
    """The elements in document order. `problem` says why the page could not be read. `faults` are what is not well-formed."""

    nodes: list[Node] = field(default_factory=list)
    root: Node = field(default_factory=lambda: Node("#document", {}, None, -1))
    problem: str = ""
    doctype: bool = False
    faults: list[str] = field(default_factory=list)

    def by_tag(self, tag: str) -> Iterator[Node]:
        return (node for node in self.nodes if node.tag == tag)

    @property
    def scripted(self) -> bool:
        return any(node.tag == "script" or any(name.startswith("on") for name in node.attributes) for node in self.nodes)

    @property
    def title(self) -> str | None:
        """The document's title as `document.title` gives it; None without one."""
        for node in self.by_tag("title"):
            above = node.parent
            while above is not None and above.tag not in FOREIGN:
                above = above.parent
            if above is None:
                return node.text(visible=False)
        return None


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._open = [self.page.root]
        self._count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while tag in SELF_CLOSING and self._open[-1].tag in CLOSED_BY.get(tag, (tag,)):
            self._pop()
        node = self._add(tag, attrs)
        if tag not in VOID and node.depth < MAX_DEPTH:
            self._open.append(node)
            self._count[tag] += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<br/>`. The slash means nothing on an element of HTML, but it closes one of SVG."""
        if self._count["svg"] or self._count["math"] or tag in FOREIGN:
            self._add(tag, attrs)
        else:
            self.handle_starttag(tag, attrs)
            if tag in self.CDATA_CONTENT_ELEMENTS:
                self.set_cdata_mode(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._count[tag]:
            if tag not in VOID:
                self._fault(f"</{tag}> closes nothing")
            return
        while True:
            closed = self._pop()
            if closed.tag == tag:
                return
            if closed.tag not in SELF_CLOSING:
                self._fault(f"<{closed.tag}> is not closed before </{tag}>")

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def handle_decl(self, decl: str) -> None:
        self.page.doctype |= decl.lower().split()[:2] == ["doctype", "html"]

    def unknown_decl(self, data: str) -> None:
        self._fault("a CDATA section stands in HTML")

    def finish(self) -> Page:
        """In place of `close`: what is left is text, or a tag that never ends."""
        left = self.rawdata
        if left and not left.startswith("<"):
            self.handle_data(left if self.cdata_elem else html.unescape(left))
        elif left:
            self._fault("a tag or comment at the end is not closed")
        for node in self._open[1:]:
            if node.tag not in SELF_CLOSING | {"html", "head", "body"}:
                self._fault(f"<{node.tag}> is not closed")
        return self.page

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Node:
        above = self._open[-1]
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")
        node = Node(tag, attributes, above, len(self.page.nodes), above.depth + 1)
        above.children.append(node)
        self.page.nodes.append(node)
        return node

    def _pop(self) -> Node:
        node = self._open.pop()
        self._count[node.tag] -= 1
        return node

    def _fault(self, text: str) -> None:
        if len(self.page.faults) < 20:
            self.page.faults.append(text)


def parse(text: str) -> Page:
    """Never raises; a page that cannot be read has a `problem`, a clause that goes on after the file's name."""
    if len(text) > MAX_PAGE:
        return Page(problem=f"has more than {MAX_PAGE:,} characters and was not read as HTML.")
    builder = _Builder()
    try:
        for start in range(0, len(text), PIECE):
            builder.feed(text[start : start + PIECE])
        return builder.finish()
    except (AssertionError, ValueError):  # the library's own word for markup that it does not know
        return Page(problem="holds markup that the HTML parser does not know.")
