"""The README of a published repository: which of the five required sections it has, and the missing ones written from a template."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.template.loader import render_to_string

from tasks.check_forms import classify

SECTIONS = ("summary", "setup", "usage", "code", "license")
MARK = "<!-- written from the list of files -->"  # a README that nobody has worked on; it is written anew when the files change
_HEADINGS = {
    "summary": r"summary|overview|about|description|introduction|purpose|what (?:is|it|this)",
    "setup": r"set[\s-]?up|install\w*|getting started|quick[\s-]?start|prerequisites|requirements|run(?:ning)? (?:it )?local\w*|deploy\w*",
    "usage": r"usage|how to use|using|use|user guide|examples?|try it",
    "code": r"code|how it works|explanation|structure|architecture|implementation|files|technical|technolog\w*|under the hood|design",
    "license": r"licen[cs]e|licensing|copyright",
}
_HEADING = re.compile(
    r"^ {0,3}(?:#{1,6}[ \t]+(?P<hash>[^\n]+?)[ \t#]*|\*\*(?P<bold>[^*\n]{2,60})\*\*:?[ \t]*|(?P<under>[^\s#>*\-|][^\n]{1,80})\n(?:=+|-{2,})[ \t]*)$",
    re.M,
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.M | re.S)
_COMMAND = re.compile(
    r"(?:please\s+)?(?:create|build|publish|generate|make|write|develop|design|implement|produce|render)(?:\s+(?:and|then)\s+(?:publish|deploy|host))?\s+(?:me\s+)?",
    re.IGNORECASE,
)
_KINDS = {
    ".html": "page",
    ".css": "styles",
    ".js": "script of the page",
    ".mjs": "script of the page",
    ".py": "Python program",
    ".json": "data in JSON",
    ".csv": "data, one record a line",
    ".xlsx": "Excel workbook",
    ".svg": "drawing",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".gif": "image",
    ".webp": "image",
    ".md": "text in Markdown",
    ".txt": "plain text",
    ".yml": "workflow or configuration",
    ".yaml": "workflow or configuration",
}
_ROLES = {
    "index.html": "the page itself",
    "LICENSE": "the MIT license",
    "README.md": "this description",
    ".github/README.md": "this description",
    ".nojekyll": "tells GitHub Pages to serve the files as they are",
}


@dataclass(frozen=True)
class About:
    """What a README is written from. `files` maps each path to what it is: model, service, attachment or base."""

    task: str
    brief: str
    files: dict[str, str]
    page: str = ""  # the text of index.html
    checks: tuple[str, ...] = ()
    pages_url: str = ""
    repo_url: str = ""


def missing(text: str) -> tuple[str, ...]:
    """The required sections that the text has no heading for. Prose between the title and the first section counts as the summary."""
    prose = _FENCE.sub("", text.replace("\r\n", "\n"))
    headings = [(match.start(), match.end(), match["hash"] or match["bold"] or match["under"] or "") for match in _HEADING.finditer(prose)]
    found = {section for section, pattern in _HEADINGS.items() if any(re.search(rf"\b(?:{pattern})\b", title, re.I) for _, _, title in headings)}
    start = headings[0][1] if headings else 0
    end = headings[1][0] if len(headings) > 1 else len(prose)
    if len(prose[start:end].split()) >= 8:
        found.add("summary")
    return tuple(section for section in SECTIONS if section not in found)


def write(about: About) -> str:
    """A whole README."""
    return render(about, SECTIONS, whole=True)


def complete(text: str, about: About) -> str:
    """The text with its missing sections appended."""
    lacking = missing(text)
    return text if not lacking else text.rstrip() + "\n\n" + render(about, lacking, whole=False)


def rewrite(old: str, about: About) -> str:
    """A README of ours for a new state of the files: its summary stays, and what this round asked for is added."""
    found = re.search(r"^## Summary\n+(.*?)(?=^## |\Z)", old, re.M | re.S)
    former = re.sub(r"^Live page: .*$", "", found[1], flags=re.M).strip() if found else ""
    latest = summary(about.task, about.brief)
    text = write(about)
    if not former:
        return text
    addition = "" if latest in former else f"\n\nChanged later: {latest[0].lower() + latest[1:]}"
    return text.replace(latest, former + addition, 1)


def render(about: About, sections: Sequence[str], *, whole: bool) -> str:
    text = render_to_string(
        "site_files/README.md",
        {
            "whole": whole,
            "sections": sections,
            "title": title(about),
            "summary": summary(about.task, about.brief),
            "files": [(path, describe(path, origin)) for path, origin in sorted(about.files.items())],
            "checks": [(f"`` {line} ``" if classify(line)[0] == "js" else line) for line in (_line(check, 160) for check in about.checks[:12])],
            "more_checks": max(0, len(about.checks) - 12),
            "has_page": "index.html" in about.files,
            "workflows": [path for path in sorted(about.files) if path.startswith(".github/workflows/")],
            "programs": [path for path in sorted(about.files) if path.endswith(".py")],
            "pages_url": about.pages_url,
            "repo_url": about.repo_url,
            "folder": about.repo_url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git"),
            "mark": MARK,
        },
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def title(about: About) -> str:
    """The page's own title, else the task's name in words."""
    found = re.search(r"<title[^>]*>([^<]{1,200})</title>", about.page, re.I)
    name = _line(html.unescape(found[1]), 80) if found else ""
    return name.replace("<", "").replace(">", "") or _words(about.task)


def summary(task: str, brief: str) -> str:
    """A sentence about what was asked for, made of the first one of the brief; never the brief itself."""
    lines = [line.strip() for line in brief.strip().splitlines() if line.strip()]
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z])", lines[0], maxsplit=1)[0] if lines else ""
    clause = _line(re.sub(r"\*\*|[<>`]|^#+\s", "", first), 220).rstrip(".:;, ")
    rest = _COMMAND.sub("", clause, count=1) if _COMMAND.match(clause) else clause
    if len(rest.split()) < 4 or re.match(r"(?:you|your|we|our|i|my|there|it|these|here|given)\b", rest, re.I):
        return f"What was made for the task “{_words(task)}”."
    if rest != clause and re.match(r"(?:an?|the|this)\b", rest, re.I):
        return f"{rest[0].upper()}{rest[1:]}."
    if re.match(r"[A-Z][a-z]+\b", clause) and not re.match(r"(?:an?|the|this)\b", clause, re.I):
        return f"A small static site whose purpose is to {clause[0].lower()}{clause[1:]}."
    return f"A small static site: {clause}."


def describe(path: str, origin: str) -> str:
    role = _ROLES.get(path) or _KINDS.get(PurePosixPath(path.lower()).suffix, "file")
    return f"{role}, as it was attached to the task" if origin == "attachment" else role


def _words(task: str) -> str:
    """`sum-of-sales-4e4b1` as `Sum of sales`: the hash at the end says nothing to a reader."""
    words = re.sub(r"[-_](?=[0-9a-f]*\d)[0-9a-f]{5,}$", "", task.strip())
    words = " ".join(re.split(r"[-_\s]+", words)).strip()
    return (words[:1].upper() + words[1:])[:80] or "Web page"


def _line(text: str, limit: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
