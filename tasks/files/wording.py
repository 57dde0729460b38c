"""What a brief says about a file: whether it asks to change it, or to convert it.

Briefs are prose, so this is judgement by pattern: a verb of changing whose object is the file, in the file's own sentence or bullet. When in doubt
the answer is no, and the file is published as it was posted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_BRIEF = 60_000  # characters that are looked at
MAX_UNIT = 1_500
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", re.M)
_FILE = re.compile(r"(?<![\w./-])[\w./-]{0,99}\w\.[A-Za-z][A-Za-z0-9]{1,4}\b")
_PLAIN = [
    "fix",
    "correct",
    "repair",
    "debug",
    "edit",
    "patch",
    "refactor",
    "extend",
    "amend",
    "adapt",
    "adjust",
    "lint",
    "reformat",
    "translate",
    "update",
    "rewrite",
    "complete",
    "improve",
    "enhance",
    "modify",
    "change",
    "optimise",
    "optimize",
    "finish",
    "mend",
    "restyle",
    "redesign",
    "redo",
    "rework",
    "revise",
    "clean",
]
_DOUBLED = {"debug": "debugg", "reformat": "reformatt"}


def _ing(verb: str) -> str:
    return _DOUBLED.get(verb, verb.removesuffix("e")) + "ing"


def _ed(verb: str) -> str:
    if verb == "rewrite":
        return "rewritten"
    return _DOUBLED.get(verb, re.sub(r"y$", "i", verb.removesuffix("e"))) + "ed"


_VERB = "(?:" + "|".join([*_PLAIN, *map(_ing, _PLAIN)]) + ")"
_DONE = "(?:" + "|".join(map(_ed, _PLAIN)) + ")"
_MENDING = r"(?:fix|correct|repair|debug|patch|mend|find|remove)(?:g?ing)?"
_FAULT = r"(?:errors?|bugs?|typos?|mistakes?|problems?|issues?|faults?|failures?)"
_FAULTY = rf"{_MENDING}\s+(?:[\w'’-]+\s+){{0,4}}{_FAULT}"
_IT = r"(?:it|them|(?:the|this|that)\s+(?:file|script|program|code|page|document))"
_NOT_BEFORE = r"(?<!\ba )(?<!\ban )(?<!\bthe )(?<!\bevery )(?<!\beach )(?<!-)"
_NEGATED = re.compile(r"(?:\bnot|n['’]t|\bnever|\bwithout|\bno need to|\bavoid|\binstead of)\s+(?:\w+\s+){0,2}$", re.I)
_AS_IS = re.compile(r"\bas[- ]is\b|\bunchanged\b|\bunmodified\b|\bbyte[- ]for[- ]byte\b|\bverbatim\b|\bas it (?:is|was)\b|\bexact copy\b", re.I)
# Between a verb and a file these words give the file another part than that of the thing changed.
_OTHER_PART = re.compile(
    r"\b(?:from|using|uses?|reads?|reading|loads?|loading|fetch(?:es|ing)?|that|which|so|shows?|showing|display\w*|based|via|after|when|whether|like|"
    r"are|were|commit|publish|upload|include|add|convert|keep|copy|create|link|links|save|called|named|into)\b"
    r"|(?<!problem )(?<!issue )(?<!error )(?<!wrong )\bwith\b|\bto(?: the| an?)?(?: attached| given| provided| new)?\s*$",
    re.I,
)
_GIVEN = r"(?:attached|given|provided|supplied|existing|starter|sample)"
_SCRIPT = rf"(?:the|this|that|my|our) (?:{_GIVEN} )?(?:script|program|code|source)"
_PAGE = rf"(?:the|this|that|my|our) (?:{_GIVEN} )?(?:page|site|website|web ?page|html|template)"
_TEXT = rf"(?:the|this|that|my|our) {_GIVEN} (?:text|document|markdown|article|file)"
_ALIASES = {".py": _SCRIPT, ".js": _SCRIPT, ".html": _PAGE, ".htm": _PAGE, ".md": _TEXT, ".txt": _TEXT}
_PARTIAL = re.compile(
    r"\b(?:only|where|filter\w*|except|exclud\w*|renam\w*|sort\w*|without|columns?|sheets?|first|last|clean\w*|aggregat\w*)\b", re.I
)


def asks_to_change(brief: str, path: str) -> bool:
    """Does the brief ask for another content of this file than the one attached?"""
    name = _named(path)
    alias = _ALIASES.get(PurePosixPath(path.lower()).suffix)
    last: set[str] = set()
    for unit in units(brief):
        files = {PurePosixPath(found).name.lower() for found in _FILE.findall(unit)}
        if re.search(name, unit, re.I):
            if not _AS_IS.search(unit) and _is_object(unit, name):
                return True
        elif not files:
            meant = last == {PurePosixPath(path).name.lower()}
            if (meant and _mends(unit)) or (alias and _is_object(unit, rf"\b{alias}\b")):
                return True
        last = files or last
    return False


def conversions(brief: str, paths: Iterable[str]) -> dict[str, str]:
    """CSV files that the brief wants made of an attached workbook as a whole: `data.csv` to `data.xlsx`."""
    wanted: dict[str, str] = {}
    workbooks = [path for path in paths if path.lower().endswith(".xlsx")]
    for unit in units(brief):
        for path in workbooks:
            verb = r"\b(?:convert|export|turn|transform|sav)(?:e|ing)?\b"
            found = re.search(rf"{verb}[^.!?]{{0,30}}?{_named(path)}\W{{0,3}}\s*(?:in)?(?:to|as)\b[^!?]{{0,30}}?([\w/-][\w./-]*\.csv)\b", unit, re.I)
            if found and not _PARTIAL.search(unit):
                wanted[found[1].removeprefix("./")] = path
    return wanted


def units(brief: str) -> list[str]:
    """Bullets and sentences, each on one line and of a length that prose has."""
    blocks: list[list[str]] = [[]]
    for line in brief[:MAX_BRIEF].splitlines():
        if not line.strip() or _BULLET.match(line):
            blocks.append([])
        blocks[-1].append(_BULLET.sub("", line).strip())
    joined = (" ".join(block).strip() for block in blocks)
    return [sentence[:MAX_UNIT] for block in joined if block for sentence in re.split(r"(?<=[.!?])\s+", block)]


def _named(path: str) -> str:
    """The file's name in running text, with or without its folder, never as a part of a longer name."""
    return rf"(?<![\w.-])[`'\"]?(?:{re.escape(path)}|{re.escape(PurePosixPath(path).name)})(?![\w-]|\.\w)"


def _is_object(unit: str, name: str) -> bool:
    """Is the file what a verb of changing changes? `Fix the bug in x`, `x must be fixed`, `commit x after fixing it`, `the corrected x`."""
    for found in re.finditer(rf"{_NOT_BEFORE}\b{_VERB}\b(?P<between>.{{0,80}}?){name}", unit, re.I):
        if not _OTHER_PART.search(found["between"]) and not _NEGATED.search(unit[: found.start()]):
            return True
    if re.search(rf"\b(?:add|append|insert)(?:ing)?\b.{{2,80}}?\bto (?:the |your )?(?:{_GIVEN} )?{name}", unit, re.I):
        return True
    if re.search(rf"{_FAULTY} (?:in|of|with) (?:the )?(?:{_GIVEN} )?{name}", unit, re.I):
        return True
    if re.search(rf"\b{_DONE} (?:(?:version|copy|form) of )?(?:the )?(?:{_GIVEN} )?{name}", unit, re.I):
        return True
    found_name = re.search(name, unit, re.I)
    rest = unit[found_name.end() :] if found_name else ""
    if re.match(rf"[`'\")]?\s+(?:\w+\s+){{0,3}}?(?:(?:must|should|shall|has to|have to|needs? to|is to)\s+(?:\w+\s+)?|to )be {_DONE}\b", rest, re.I):
        return True
    needs = rf"[`'\")]?\s+(?:\w+\s+){{0,2}}?needs? (?:{'|'.join(map(_ing, _PLAIN))})\b"
    return bool(re.match(needs, rest, re.I)) or _mends(rest)


def _mends(text: str) -> bool:
    """`fix it`, `fixing the non-trivial error in it`."""
    pattern = rf"{_NOT_BEFORE}\b(?:{_VERB}\s+{_IT}|{_FAULTY})\b"
    return any(not _NEGATED.search(text[: found.start()]) for found in re.finditer(pattern, text, re.I))
