"""The files that were asked for exist, can be read as what they are, and find one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from tasks.evaluators import base
from tasks.files import links
from tasks.files.paths import fold
from tasks.files.sniff import text_of
from tasks.prose import formats
from tasks.required import check_texts, required_files
from tasks.workflows.policy import deploys_pages

_WORKFLOW = re.compile(r"\.github/workflows|\bgithub actions?\b", re.I)
_PAGE = re.compile(r"\b(?:web ?page|page|site|website|app|html|dashboard)\b", re.I)


class Evaluator(base.Evaluator):
    name = "files"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        wanted = required_files(subject.brief, check_texts(subject.checks))
        names = [*wanted, *(["index.html"] if self.needs_index(subject, wanted) else [])]
        yield from (_existence(name, subject.files) for name in names)
        yield from _formats(subject)
        yield from _links(subject)

    def needs_index(self, subject: base.Subject, wanted: tuple[str, ...]) -> bool:
        """A repository whose workflow publishes by itself has its page elsewhere."""
        return "index.html" not in wanted and about_a_page(subject.brief, wanted) and not deploys_pages(subject.files)


def about_a_page(brief: str, wanted: Iterable[str]) -> bool:
    """Everything is, except for work that is all workflow and data: the address that a visitor opens shows index.html."""
    if any(name.endswith((".html", ".htm")) for name in wanted):
        return "index.html" in wanted
    prose = re.sub(r"\bgithub pages(?: site)?\b", "", brief, flags=re.I)
    return not _WORKFLOW.search(prose) or bool(_PAGE.search(prose))


def _existence(name: str, files: dict[str, bytes]) -> base.Finding:
    title = f"{name} exists"
    if name in files:
        if files[name] or name.endswith(".nojekyll"):
            return base.Finding(title, "pass")
        return base.Finding(title, "fail", f"{name} is empty.")
    twin = next((path for path in files if fold(path) == fold(name)), None)
    if twin:
        return base.Finding(title, "fail", f"It is called {twin}; GitHub Pages tells capitals from small letters.", evidence={"found": twin})
    elsewhere = sorted(path for path in files if "/" not in name and PurePosixPath(path).name == name)
    if elsewhere:
        return base.Finding(title, "fail", f"It is at {elsewhere[0]} and not at the root.", evidence={"found": elsewhere})
    return base.Finding(title, "fail", f"There is no {name} among the {len(files)} files.", evidence={"files": sorted(files)[:60]})


# -- formats ---------------------------------------------------------------------------------------------------------------------------


def _formats(subject: base.Subject) -> Iterator[base.Finding]:
    """One finding for each kind of file. Verbatim attachments are not judged: nobody may mend them."""
    posted = {path for path in subject.attachments if path not in subject.revised}
    for label, endings, problem in _KINDS:
        paths = sorted(path for path in subject.files if path.lower().endswith(endings) and path not in posted)
        wrong = {path: reason for path in paths if (reason := _problem(problem, subject.files[path]))}
        if wrong:
            path, reason = next(iter(wrong.items()))
            yield base.Finding(f"{label} files can be read", "fail", f"{path}: {reason}"[:900], evidence=wrong)
        elif paths:
            yield base.Finding(f"{label} files can be read", "pass", evidence={"files": paths})


def _problem(check: Callable[[str], str], data: bytes) -> str:
    decoded = text_of(data)
    if decoded is None:
        return "it is not text."
    return check(decoded.text) if decoded.text.strip() else "it is empty."


_KINDS: tuple[tuple[str, tuple[str, ...], Callable[[str], str]], ...] = (
    ("JSON", (".json", ".geojson", ".webmanifest"), formats.json_problem),
    ("SVG", (".svg",), formats.svg_problem),
    ("XML", (".xml",), formats.xml_problem),
    ("CSV", (".csv",), formats.csv_problem),
    ("YAML", (".yml", ".yaml"), formats.yaml_problem),
)


# -- links -----------------------------------------------------------------------------------------------------------------------------


def _links(subject: base.Subject) -> Iterator[base.Finding]:
    title = "Local links lead to files of the repository"
    found = list(_all_links(subject.files))
    # A workflow may make files at deployment that are in no commit; the brief names them.
    made_later = any(path.startswith(".github/workflows/") for path in subject.files)
    dead = {}
    for link in found:
        target = link.target.removeprefix(f"{subject.repo}/") if link.absolute and subject.repo else link.target
        exists = target in subject.files or f"{target}/index.html" in subject.files
        if link.absolute and not (exists and link.target.startswith(f"{subject.repo}/") and subject.repo):
            dead[link.url] = f"{link.source} asks for {link.url!r}, which begins with / and leaves the site's folder; write it relative to the page."
        elif not exists and not (made_later and PurePosixPath(target).name in subject.brief):
            near = next((path for path in subject.files if PurePosixPath(path).name == PurePosixPath(target).name), "")
            hint = f"; the file is at {near}" if near else ""
            dead[link.url] = f"{link.source} asks for {link.url!r}, but there is no {target}{hint}."
    if dead:
        yield base.Finding(title, "fail", next(iter(dead.values())), evidence=dead)
    elif found:
        yield base.Finding(title, "pass", evidence={"links": len(found)})


def _all_links(files: dict[str, bytes]) -> Iterator[links.Link]:
    readers = {".html": links.of_page, ".htm": links.of_page, ".js": links.of_script, ".mjs": links.of_script, ".css": links.of_style}
    for path, data in files.items():
        reader = readers.get(PurePosixPath(path.lower()).suffix)
        decoded = text_of(data) if reader else None
        if reader and decoded:
            yield from reader(path, decoded.text)
