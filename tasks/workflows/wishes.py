"""What a brief says about GitHub Actions: whether it asks for a workflow, and whether that workflow is to publish by GitHub Pages.

Briefs are prose, so this is judgement by pattern; when in doubt the answer is no: no workflow is let in, and Pages serve the branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tasks.files.wording import MAX_BRIEF, units

_ACTIONS = r"\bgithub[- ]actions?\b"
_ASKED = re.compile(
    r"\.github/workflows/[\w.-]+\.ya?ml\b"
    rf"|{_ACTIONS}[\s\w-]{{0,30}}?\b(?:workflow|pipeline)"
    r"|\b(?:workflow|pipeline|ci|deploy\w*|publish\w*)\b[^.;:!?\n]{0,60}?\b(?:with|using|via|by|through|in|on|as an?)\s+(?:an?\s+|the\s+)?"
    rf"{_ACTIONS}"
    r"|\b(?:add|create|write|set\s+up|include|commit|configure|provide|use)\b[^.;:!?\n]{0,40}?"
    rf"{_ACTIONS}(?!\s+(?:api|runs?|status|badge|page|docs))",
    re.I,
)
_NOT_BEFORE = re.compile(r"(?:\bno\b|\bnot\b|n['’]t\b|\bnever\b|\bwithout\b|\bavoid\b|\binstead of\b|\brather than\b)[^.;:!?\n]{0,40}$", re.I)
_NOT_WITHIN = re.compile(r"\b(?:not|n['’]t|without|never|avoid)\b", re.I)
_NOT_AFTER = re.compile(r"^[^.;!?\n]{0,30}?\b(?:not|n['’]t)\s+(?:be\s+)?(?:need|requir|necessary|allow|us|want|includ|ask)", re.I)

_RUN = r"(?:\bworkflows?\b|\bgithub[- ]actions?\b|\bci\b|\bci/cd\b|\bpipeline\b|\.github/workflows/)"
_PUBLISH = r"\b(?:publish|deploy|host|upload|serve|releas)(?:e|es|s|ed|ing)?\b"
_PAGES = r"\b(?:github[- ]pages|pages)\b"
_PUBLISHING = re.compile(rf"{_PUBLISH}(?P<what>[^!?]{{0,80}}?){_PAGES}", re.I)
_RUN_PUBLISHES = re.compile(rf"{_RUN}[^!?]{{0,200}}?{_PUBLISH}[^!?]{{0,80}}?{_PAGES}", re.I)
_PUBLISHED_BY_RUN = re.compile(rf"{_PUBLISH}[^!?]{{0,80}}?{_PAGES}[^!?]{{0,30}}?\b(?:using|via|with|by|through|from|in)\b[^!?]{{0,20}}?{_RUN}", re.I)
_GOES_ON = re.compile(r"^(?:it|this|that|the (?:job|run)|then|also|finally)\b", re.I)
_IT = re.compile(r"^\s*(?:it|this|that|the (?:result|output|file))\b", re.I)
_BULLET = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+")
_FILE = re.compile(r"(?<![\w./-])(?:[\w-]+/){0,3}[\w-]+(?:\.[\w-]+)*\.(?:json|csv|tsv|txt|html?|md|svg|png|xml|jsonl|geojson|pdf)\b(?!/)", re.I)


def asks_for_workflow(brief: str, checks: Iterable[str] = ()) -> bool:
    """Does the brief, or a check, ask for a workflow file?"""
    return any(_asks(unit) for text in (brief, *checks) for unit in units(text))


def _asks(unit: str) -> bool:
    return any(
        not (_NOT_BEFORE.search(unit[: found.start()]) or _NOT_WITHIN.search(found[0]) or _NOT_AFTER.search(unit[found.end() :]))
        for found in _ASKED.finditer(unit)
    )


def asks_to_publish(brief: str) -> bool:
    """Is it the workflow that has to publish by GitHub Pages?"""
    return asks_for_workflow(brief) and any(_publishing(brief))


def published_files(brief: str) -> tuple[str, ...]:
    """The files that the brief wants published by the workflow, in its order; empty when it names none."""
    return tuple(dict.fromkeys(name for text in _publishing(brief) for found in _PUBLISHING.finditer(text) for name in _named(text, found)))


def _named(text: str, found: re.Match[str]) -> list[str]:
    """The files between the verb and Pages; for `builds a.json and deploys it` the one named last before."""
    names = _FILE.findall(found["what"])
    return names or (_FILE.findall(text[: found.start()])[-1:] if _IT.search(found["what"]) else [])


def _publishing(brief: str) -> Iterator[str]:
    """Every sentence or bullet in which a workflow publishes by Pages."""
    yield from (unit for unit in _below_workflow(brief) if _affirmed(_PUBLISHING, unit))
    before = ""
    for unit in units(brief):
        goes_on = _GOES_ON.search(unit) and re.search(_RUN, before, re.I)
        if _affirmed(_RUN_PUBLISHES, unit) or _affirmed(_PUBLISHED_BY_RUN, unit) or (goes_on and _affirmed(_PUBLISHING, unit)):
            yield unit
        before = unit


def _affirmed(pattern: re.Pattern[str], unit: str) -> bool:
    found = pattern.search(unit)
    return found is not None and not _NOT_BEFORE.search(unit[: found.start()]) and not _NOT_WITHIN.search(found[0])


def _below_workflow(brief: str) -> Iterator[str]:
    """The points of a list whose head speaks of a workflow and ends with a colon."""
    head: tuple[int, bool] | None = None  # how far it is indented, and whether it is a bullet itself
    for line in brief[:MAX_BRIEF].expandtabs(4).splitlines():
        text = line.strip()
        if not text:
            continue
        depth, bullet = len(line) - len(line.lstrip()), _BULLET.match(text)
        if head is not None and (depth > head[0] or (bullet and not head[1] and depth >= head[0])):
            yield _BULLET.sub("", text, count=1)
        else:
            head = (depth, bool(bullet)) if text.endswith(":") and re.search(_RUN, text, re.I) else None
