"""Phrases about a GitHub Actions workflow: "the workflow has steps for ruff, running build.py and Pages deployment"."""

from __future__ import annotations

import re

from tasks.prose.grammar import HAS, MODAL, NAME, Context, file_name, whole
from tasks.prose.language import Predicate

_PATH = r"\.github/workflows/[\w.-]+\.ya?ml"
_NAMES = r"(?:the )?(?:CI YAML|CI workflow|CI|GitHub Actions? workflow|GitHub Actions?|workflow(?: file| YAML)?)"
_SUBJECT = rf"(?:{_NAMES}(?: \(?[\"'`]?(?P<file>{_PATH})[\"'`]?\)?)?|[\"'`]?(?P<path>{_PATH})[\"'`]?)"
_LIST = (
    rf"(?:{HAS} (?:an? |the )?(?:separate )?steps? (?:for|to|that|which):? (?P<steps>.+)|(?P<verbs>{MODAL}(?:runs?|executes?|deploys?|publishes) .+))"
)
_TOOLS = ("ruff", "pytest", "mypy", "black", "flake8", "eslint", "prettier", "pylint")
_TOOL = (
    r"(?:(?:run|runs|running|execute|lint|lints|linting) )?(?:the )?(?:with |using |code with )?"
    rf"(?P<tool>{'|'.join(_TOOLS)})(?: check| lint| linting| linter)?"
)
_SCRIPT = (
    r"(?:(?:run|runs|running|execut(?:e|es|ing)) )?(?:the )?[\"'`]?(?:python3? )?(?P<script>(?:[\w-]+/){0,4}[\w-]+\.(?:py|sh|js))[\"'`]?"
    rf"(?: > (?P<out>{NAME}))?[\"'`]?(?: execution)?"
)
_PAGES = (
    r"(?:(?:a |the )?(?:GitHub )?Pages (?:deploy|deployment|publishing)|(?:deploy|deploys|deploying|publish|publishes|publishing)"
    r"(?: (?:the )?(?:site|result|results|page|output|[\w-]+\.(?:json|html)))? (?:to|on|via|with|through) (?:the )?(?:GitHub )?Pages)"
)


def statement(text: str, _context: Context) -> Predicate | None:
    match = whole(rf"{_SUBJECT} {_LIST}", text)
    if not match:
        return None
    found: Predicate = {"op": "workflow"}
    path = match["file"] or match["path"]
    if path:
        found["path"] = file_name(path)
    for part in re.split(r", (?:and )?| and | \+ ", match["steps"] or match["verbs"], flags=re.I):
        if tool := whole(_TOOL, part):
            found.setdefault("tools", []).append(tool["tool"].lower())
        elif script := whole(_SCRIPT, part):
            found.setdefault("scripts", []).append(script["script"])
        elif whole(_PAGES, part):
            found["pages"] = True
        else:
            return None
    return found
