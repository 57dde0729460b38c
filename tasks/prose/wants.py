"""What a brief asks of a file in words: how long it has to be, and which fields of which type a JSON file has.

Both are read only where the brief is plain: one file and one count in a sentence or bullet; a skeleton in braces that follows the file's name.
"""

from __future__ import annotations

import re

from tasks.files.wording import units
from tasks.prose.language import Predicate
from tasks.prose.numbers import COUNT, DASH, RANGE, bounds
from tasks.prose.skeletons import read, requirements
from tasks.required import required_files

MAX_BRIEF = 60_000
REACH = 600  # characters between a file's name and its skeleton
TEXTS = (".txt", ".md")
_WRITING = r"(?:story|essay|text|poem|article|summary|description|report|letter|biography|bio|paragraph|speech|review|tale|introduction|note)"
_FRAMES = (  # "in three words", "a 300-400 word story", "a story of exactly 50 words", "between 20 and 30 words"
    re.compile(rf"\b(?:in|using|with|has|have|contain(?:s|ing)?|write|be)\s+{RANGE}[\s-]words?\b(?!\s*(?:or (?:less|fewer|more)|from|about))", re.I),
    re.compile(rf"\ban?\s+(?P<from>{COUNT}){DASH}(?P<to>{COUNT})[\s-]words?\b", re.I),
    re.compile(rf"\ban?\s+(?P<plain>{COUNT})[\s-]word\b", re.I),
    re.compile(rf"\b{_WRITING}\s+(?:of|\()\s*{RANGE}\s+words\b(?!\s*or)", re.I),
    re.compile(rf"\(\s*{RANGE}\s+words\s*\)", re.I),
    re.compile(rf"\bbetween\s+(?P<low>{COUNT})\s+and\s+(?P<high>{COUNT})\s+words\b", re.I),
    re.compile(rf"\b(?:at least|a minimum of)\s+(?P<least>{COUNT})\s+words\b", re.I),
    re.compile(rf"\b(?:at most|no more than|up to|a maximum of)\s+(?P<most>{COUNT})\s+words\b", re.I),
    re.compile(rf"\bexactly\s+(?P<exactly>{COUNT})\s+words\b", re.I),
    re.compile(rf"\b(?P<most>{COUNT})\s+words or (?:less|fewer)\b", re.I),
    re.compile(rf"\b(?P<least>{COUNT})\s+words or more\b", re.I),
)
_VAGUE = re.compile(
    rf"\b(?:about|around|approximately|roughly|circa|some|nearly|almost|first|last|top|each|every|per)\s+(?:the\s+)?{COUNT}\b|~\s?\d", re.I
)


def word_counts(brief: str) -> dict[str, dict[str, int]]:
    """Each text file with the `min` and `max` of its words."""
    found: dict[str, dict[str, int]] = {}
    for unit in units(brief[:MAX_BRIEF]):
        names = required_files(unit, ())
        if len(names) != 1 or not names[0].lower().endswith(TEXTS) or len(re.findall(r"\bwords?\b", unit, re.I)) != 1 or _VAGUE.search(unit):
            continue
        ranges = [limits for frame in _FRAMES for match in frame.finditer(unit) if (limits := bounds(match))]
        if ranges and all(limits == ranges[0] for limits in ranges):
            found.setdefault(names[0], ranges[0])
    return found


def shapes(brief: str) -> dict[str, list[Predicate]]:
    """Each JSON file whose skeleton the brief shows, with what it asks of the file's fields."""
    text = brief[:MAX_BRIEF]
    names = [name for name in required_files(text, ()) if name.lower().endswith(".json")]
    others = required_files(text, ())
    found: dict[str, list[Predicate]] = {}
    for name in names:
        for place in re.finditer(rf"(?<![\w./-]){re.escape(name)}(?![\w-]|\.\w)", text):
            after = text[place.end() : place.end() + REACH]
            start = re.search(r"[{\[]", after)
            if not start or any(other in after[: start.start()] for other in others):
                continue
            skeleton = read(text, place.end() + start.start())
            if skeleton is not None and name not in found:
                found[name] = requirements(name, skeleton)
    return {name: wanted for name, wanted in found.items() if wanted}


def asked_of(path: str, brief: str) -> list[Predicate]:
    """Everything that the brief asks of this file and a program can tell."""
    wanted: list[Predicate] = []
    limits = word_counts(brief).get(path)
    if limits:
        wanted.append({"op": "words", "path": path, **limits})
    return wanted + shapes(brief).get(path, [])
