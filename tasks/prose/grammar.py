"""The words that all rules share: file names, lists, quotations, and the view of the brief that a rule may need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tasks.prose.language import Predicate
from tasks.required import BARE_NAMES, EXTENSIONS, required_files

MAX_SENTENCE = 600
_ENDINGS = "|".join(sorted(EXTENSIONS, key=len, reverse=True))
_BARE = "|".join(map(re.escape, BARE_NAMES))
_QUOTE = r"[\"'`]?"

# Lists and names are atomic, so that a sentence made to fit nearly everything costs no more than another.
NAME = rf"(?>(?:\./)?(?:\.?[\w-]+/){{0,4}}(?:[\w-]+(?:\.[\w-]+)*\.(?:{_ENDINGS})|{_BARE})(?![\w/-]))"  # a file's name
SEPARATOR = r"(?>,? (?:and|&|or) |, ?)"
FILES = rf"(?>{_QUOTE}{NAME}{_QUOTE}(?:{SEPARATOR}{_QUOTE}{NAME}{_QUOTE})*)"
QUOTED = r"(?:\"[^\"]+\"|'[^']+'|`[^`]+`)"
ID = r"#?[A-Za-z_][\w:-]*"
MODAL = r"(?:(?:must|should|shall|has to|have to|needs? to|does|do|will|can) )?"
HAS = rf"{MODAL}(?:contains?|includes?|has|have)"
IS = r"(?:is|are|(?:must|should|shall|has to|have to|needs? to) be)"
WHERE = (
    r"(?: (?:in|at|on|to|inside) (?:the |its )?(?:root(?: (?:of the )?(?:repo(?:sitory)?|folder|directory|level))?|"
    r"(?:public |GitHub )?repo(?:sitory)?(?:'s)?(?: root)?|GitHub|top level))?"
)
EXISTS = (
    rf"(?:(?:both|all|each) )?{MODAL}(?:exists?|(?:is|are|be) (?:both |all )?(?:present|included|committed|there)|(?:has|have) been committed){WHERE}"
)

_LEAD = re.compile(
    r"^(?:[-*•] |\d{1,2}[.)] )?(?:(?:please )?(?:check|verify|ensure|make sure|confirm|validate|assert)(?: (?:that|if|whether))? )?", re.I
)
_CURLY = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u2009": " ", "\u2011": "-", "≥": ">=", "≤": "<=", "≠": "!="}
)


@dataclass(frozen=True)
class Context:
    """What was asked: the brief and the texts of all checks."""

    brief: str
    checks: tuple[str, ...] = ()

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The files that the brief or the checks name."""
        return required_files(self.brief, self.checks)

    @cached_property
    def only_json(self) -> str:
        """The one JSON file that is spoken of; empty when there are none or several."""
        found = [name for name in self.required if name.lower().endswith(".json")]
        return found[0] if len(found) == 1 else ""

    def names(self, word: str) -> bool:
        """Does the brief have this word, as it is written?"""
        return bool(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self.brief))


Rule = Callable[[str, Context], Predicate | None]


def normal(text: str) -> str:
    """The sentence in one line with plain quotes, without bullet, "check that" and the full stop at its end."""
    flat = " ".join(text.translate(_CURLY).split())
    return _LEAD.sub("", flat, count=1).rstrip(" .!;")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def whole(pattern: str, text: str) -> re.Match[str] | None:
    """A match of the whole text, capitals aside."""
    return _compiled(pattern).fullmatch(text)


def unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] in "\"'`" and text[0] == text[-1] else text


def file_list(text: str) -> list[str]:
    """The names of a list that FILES has matched."""
    return [file_name(found) for found in _compiled(NAME).findall(text)]


def file_name(text: str) -> str:
    """As the service writes it: LICENSE and README.md in their capitals."""
    name = unquote(text).removeprefix("./")
    return {"license": "LICENSE", "readme.md": "README.md"}.get(name.casefold(), name)


def quotations(text: str) -> list[str]:
    return [unquote(found) for found in re.findall(QUOTED, text)]


def together(parts: Iterable[Predicate | None]) -> Predicate | None:
    """All of them; None if one of them is, or if there is none."""
    found: list[Predicate] = []
    for part in parts:
        if part is None:
            return None
        found += part["of"] if part["op"] == "all" else [part]
    unique = [part for index, part in enumerate(found) if part not in found[:index]]
    return {"op": "all", "of": unique} if len(unique) > 1 else unique[0] if unique else None


def and_more(parts: Iterable[Predicate], reason: str) -> Predicate:
    """These have to hold, and a rest that nobody can tell from the files remains: it can fail, but not pass."""
    return {"op": "all", "of": [*parts, {"op": "undecided", "reason": reason}]}
