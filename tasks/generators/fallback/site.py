"""Makes the files of a fallback site and writes them in the answer format that every generator uses.

In: a round's inputs, all of it text that somebody else wrote. Out: the answer's text. A page of our own is made anew for all its briefs together,
which it carries in a record; on anybody else's page, only a marked section is added.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.template.loader import render_to_string
from django.utils.html import escape

from tasks.generators.answers import render
from tasks.generators.base import Inputs
from tasks.generators.fallback import data
from tasks.generators.fallback.markup import elements_html
from tasks.generators.fallback.plan import Plan, make_plan
from tasks.generators.fallback.wants import read

MARKER = "Deployer fallback"
_RECORD = re.compile(r'<script type="application/json" data-record>(.*?)</script>', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
SERVICE_FILES = frozenset({"LICENSE", ".nojekyll", "README.md", "index.html"})


@dataclass(frozen=True)
class Asked:
    """What one round asked for."""

    round: int
    brief: str
    checks: tuple[str, ...]


def write(inputs: Inputs) -> str:
    """The answer for these inputs."""
    page = inputs.files.get("index.html")
    former = record_of(page) if page is not None else []
    if page is not None and former is None:
        return "\n".join([*_copies(inputs), "", render(_sections(inputs, page))])
    asked = [each for each in former or [] if each.round != inputs.round]
    return _site(inputs, [*asked, Asked(inputs.round, clean(inputs.brief), tuple(map(clean, inputs.checks)))])


def record_of(page: bytes) -> list[Asked] | None:
    """The rounds that a page of ours was made for; None when the page is not ours."""
    text = page.decode("utf-8", "replace")
    match = _RECORD.search(text)
    if f'content="{MARKER}"' not in text or not match:
        return None
    try:
        return [Asked(int(each["round"]), str(each["brief"]), tuple(map(str, each["checks"]))) for each in json.loads(match[1])]
    except (ValueError, KeyError, TypeError):
        return None


def clean(text: str) -> str:
    """Text that can be put into a file: no control characters, no halves of characters."""
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).encode("utf-8", "replace").decode()


def script_json(value: Any) -> str:
    """JSON that cannot end the script element around it."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _site(inputs: Inputs, asked: list[Asked]) -> str:
    files = _files(inputs)
    wants = read(text for each in asked for text in (each.brief, *each.checks))
    plan = make_plan(wants, files, "\n".join(each.brief for each in asked))
    title = wants.title or clean(inputs.task).strip() or "Page"
    stylesheet = next((name for name in inputs.required if name.endswith(".css")), "")
    made = {"robots.txt": "User-agent: *\nAllow: /\n"} if "robots.txt" in inputs.required else {}
    if stylesheet:
        made[stylesheet] = render_to_string("offline/style.css")
    copies = _copies(inputs)
    missing = _missing(inputs, {*made, *(_path_of(line) for line in copies)})
    listed = [path for path in files if path not in SERVICE_FILES]
    page = render_to_string(
        "offline/index.html",
        {
            "marker": MARKER,
            "title": title,
            "heading": "h2" if any(element.tag == "h1" for element in wants.elements) else "h1",
            "plan": script_json(plan.json),
            "record": script_json([{"round": each.round, "brief": each.brief, "checks": each.checks} for each in asked]),
            "wants": wants,
            "stylesheet": stylesheet,
            "elements": elements_html(wants.elements, plan),
            "files": [_listed(path, plan) for path in listed],
            "missing": missing,
            "briefs": asked,
        },
    )
    readme = render_to_string(
        "offline/README.md",
        {
            "title": markdown(title),
            "task": markdown(clean(inputs.task)),
            "computed": [markdown(line) for line in plan.computed],
            "missing": [markdown(name) for name in missing],
            "unfilled": [markdown(name) for name in plan.unfilled],
            "files": [markdown(path) for path in listed],
            "stylesheet": stylesheet,
        },
    )
    written = {"index.html": page, "README.md": readme, **made}
    return "\n".join([*copies, "", render({path: text.encode() for path, text in written.items()})])


def _sections(inputs: Inputs, page: bytes) -> dict[str, bytes]:
    """The present page and README with a section each that says what is still to be done."""
    start, end = f"<!-- fallback for round {inputs.round}: start -->", f"<!-- fallback for round {inputs.round}: end -->"
    mine = {
        "round": inputs.round,
        "brief": clean(inputs.brief),
        "files": [{"path": file.path, "link": quote(file.path)} for file in inputs.attachments],
    }
    html = render_to_string("offline/_section.html", mine).strip()
    readme = inputs.files.get("README.md", b"").decode("utf-8", "replace") or f"# {markdown(clean(inputs.task))}\n"
    addition = render_to_string("offline/_readme_section.md", mine).strip()
    return {
        "index.html": insert(page.decode("utf-8", "replace"), f"{start}\n{html}\n{end}\n", start, end).encode(),
        "README.md": insert(readme, f"{start}\n\n{addition}\n\n{end}\n", start, end).encode(),
    }


def insert(text: str, section: str, start: str, end: str) -> str:
    """`text` with the section in place of its former self, else before the end of the body, else at the end."""
    first, last = text.find(start), text.find(end)
    if 0 <= first < last:
        return text[:first] + section + text[last + len(end) :].removeprefix("\n")
    place = text.lower().rfind("</body>")
    return f"{text[:place]}{section}{text[place:]}" if place >= 0 else f"{text.rstrip()}\n\n{section}"


def markdown(text: str) -> str:
    """Text as a part of one line of Markdown, where it is text and nothing else."""
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", escape(" ".join(text.split())))


def _files(inputs: Inputs) -> dict[str, bytes]:
    """The files that the page can show: what former rounds left, and the attachments."""
    return inputs.files | {file.path: file.content for file in inputs.attachments}


def _copies(inputs: Inputs) -> list[str]:
    """The attachments as they are, and tables that only have to be converted. One that an earlier round mended stays as it is."""
    new = [file for file in inputs.attachments if file.path not in inputs.files]
    lines = [f'<file path="{escape(file.path)}" from="attachment:{escape(file.path)}"/>' for file in new]
    sheets = {file.path.rsplit(".", 1)[0]: file.path for file in inputs.attachments if file.path.lower().endswith(".xlsx")}
    present = {file.path for file in inputs.attachments} | set(inputs.files)
    for name in inputs.required:
        if name.endswith(".csv") and name not in present and (name[:-4] in sheets or len(sheets) == 1):
            sheet = sheets.get(name[:-4]) or next(iter(sheets.values()))
            lines.append(f'<file path="{escape(name)}" from="attachment:{escape(sheet)}#csv"/>')
    return lines


def _path_of(line: str) -> str:
    return line.split('"')[1]


def _missing(inputs: Inputs, made: set[str]) -> list[str]:
    return [name for name in inputs.required if name not in made and name not in inputs.files and name not in SERVICE_FILES]


def _listed(path: str, plan: Plan) -> dict[str, str]:
    table = plan.table
    delimiter = table.delimiter if table and table.path == path else ","
    return {"path": path, "link": quote(path), "kind": data.kind(path), "delimiter": delimiter}
