"""CSS selectors, the plain ones: `tag#id.class[attr*="x"]`, descendants, children (`>`) and lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tasks.prose.pages import Node, Page

MAX_PARTS = 8
_NAME = r"-?[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff-]*"
_PIECE = re.compile(
    rf"(?P<tag>\*|{_NAME})|#(?P<id>{_NAME})|\.(?P<cls>{_NAME})|"
    rf"\[\s*(?P<attr>[\w:-]+)\s*(?:(?P<test>[*^$~|]?=)\s*(?:\"(?P<dq>[^\"]*)\"|'(?P<sq>[^']*)'|(?P<bare>[\w./:-]+))\s*)?\]"
)
_COMBINATOR = re.compile(r"\s*>\s*|\s+")


class SelectorInvalid(ValueError):
    """This selector is none that is understood here (pseudo-classes and siblings are not)."""


@dataclass(frozen=True)
class Test:
    """One condition on an attribute: `test` is empty (it is there) or CSS's operator."""

    attribute: str
    test: str = ""
    value: str = ""

    def holds(self, node: Node) -> bool:
        found = node.attributes.get(self.attribute)
        if found is None:
            return False
        match self.test:
            case "=":
                return found == self.value
            case "~=":
                return self.value in found.split()
            case "*=":
                return bool(self.value) and self.value in found
            case "^=":
                return bool(self.value) and found.startswith(self.value)
            case "$=":
                return bool(self.value) and found.endswith(self.value)
            case "|=":
                return found == self.value or found.startswith(f"{self.value}-")
        return True


@dataclass(frozen=True)
class Part:
    """One element of a chain; `child`: its parent is the part before."""

    tag: str
    tests: tuple[Test, ...]
    child: bool

    def holds(self, node: Node) -> bool:
        return self.tag in {"*", node.tag} and all(test.holds(node) for test in self.tests)


@lru_cache(maxsize=64)
def compile_selector(text: str) -> tuple[tuple[Part, ...], ...]:
    """The selector's alternatives, each a chain of parts. `SelectorInvalid` for what is not understood."""
    chains = []
    for alternative in _split(text):
        parts: list[Part] = []
        position, child = 0, False
        while position < len(alternative):
            tag, tests, start = "*", [], position
            while piece := _PIECE.match(alternative, position):
                if piece["tag"] and position != start:
                    break
                tag = piece["tag"].lower() if piece["tag"] else tag
                if not piece["tag"]:
                    tests.append(_test(piece))
                position = piece.end()
            if position == start:
                raise SelectorInvalid(f"{text!r} is not understood at {alternative[position : position + 20]!r}")
            parts.append(Part(tag, tuple(tests), child))
            gap = _COMBINATOR.match(alternative, position)
            if gap is None and position < len(alternative):
                raise SelectorInvalid(f"{text!r} is not understood at {alternative[position : position + 20]!r}")
            if gap:
                child, position = ">" in gap[0], gap.end()
                if position == len(alternative):
                    raise SelectorInvalid(f"{text!r} ends in the middle")
        if not 0 < len(parts) <= MAX_PARTS:
            raise SelectorInvalid(f"{text!r} has to have 1 to {MAX_PARTS} parts")
        chains.append(tuple(parts))
    return tuple(chains)


def select(page: Page, selector: str) -> list[Node]:
    """The elements that match, in document order. One pass over the page for each alternative, whatever the nesting."""
    found: dict[int, Node] = {}
    for chain in compile_selector(selector):
        own: list[int] = []  # bit i: the chain up to part i ends in this very element
        above: list[int] = []  # the same of the element or any element around it
        for node in page.nodes:
            index = node.parent.index if node.parent else -1
            parent_own, parent_above = (own[index], above[index]) if index >= 0 else (0, 0)
            bits = 0
            for position, part in enumerate(chain):
                before = 1 << (position - 1) if position else 0
                if (not position or (parent_own if part.child else parent_above) & before) and part.holds(node):
                    bits |= 1 << position
            own.append(bits)
            above.append(bits | parent_above)
            if bits >> (len(chain) - 1) & 1:
                found[node.index] = node
    return [found[index] for index in sorted(found)]


def _test(piece: re.Match[str]) -> Test:
    if piece["id"]:
        return Test("id", "=", piece["id"])
    if piece["cls"]:
        return Test("class", "~=", piece["cls"])
    value = next((piece[name] for name in ("dq", "sq", "bare") if piece[name] is not None), "")
    return Test(piece["attr"].lower(), piece["test"] or "", value)


def _split(text: str) -> list[str]:
    """At commas outside of brackets."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text)]
