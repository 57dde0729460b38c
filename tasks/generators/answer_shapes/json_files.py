"""Files in JSON: `{"index.html": "…"}`, `{"files": [{"path": …, "content": …}]}`, `{"files": {…}}`, in one object or several, fenced or not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tasks.generators.answer_shapes.loose_json import NotJson, read_value
from tasks.generators.answer_shapes.names import looks_like_name
from tasks.generators.answer_shapes.pieces import Piece

_START = re.compile(r"^[ \t]{0,20}(?=[{\[])", re.MULTILINE)
_NAME_KEYS = ("path", "name", "filename", "file_name", "filepath", "file_path", "file", "title")
_BODY_KEYS = ("content", "contents", "code", "data", "body", "text", "source", "value", "file_content")
_DELETE_KEYS = frozenset({"delete", "deleted", "deleted_files", "remove", "removed"})
_ALIASES = {
    "readme": "README.md",
    "readme_md": "README.md",
    "html": "index.html",
    "index": "index.html",
    "index_html": "index.html",
    "css": "style.css",
    "style_css": "style.css",
    "js": "script.js",
    "javascript": "script.js",
    "script_js": "script.js",
    "license": "LICENSE",
    "license_text": "LICENSE",
}
_MAX_VALUES = 500


def read(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    for _ in range(_MAX_VALUES):
        match = _START.search(text, position)
        if match is None:
            break
        try:
            found = read_value(text, match.end())
        except NotJson:
            if pieces or match.start():  # only the first bracket may be a mistake: a brace in prose is not worth a second scan
                break
            position = match.end() + 1
            continue
        position = found.end
        made = list(_files(found.value, 0))
        if found.open_string is not None and made and made[-1].body == found.open_string:
            made[-1] = replace(made[-1], cut=True)
        elif found.open_string is not None and made:
            made.append(Piece("(the end)", kind="dropped", reason="the answer stops in the middle", cut=True))
        pieces += made
        if not made and not pieces and found.cut:
            break
    if not pieces and (inner := _quoted(text)):
        return read(inner)
    return pieces


def _files(value: Any, depth: int) -> Iterator[Piece]:
    """The files of a value, at most four levels down; what is not a file (a plan, a title) gives none."""
    if depth > 4 or not isinstance(value, dict | list):
        return
    if isinstance(value, list):
        for item in value:
            yield from _files(item, depth + 1)
        return
    if piece := _entry(value):
        yield piece
        return
    named = {key for key, item in value.items() if looks_like_name(key) and isinstance(item, str | dict | list)}
    for key, item in value.items():
        alias = _ALIASES.get(re.sub(r"\W+", "_", key.strip().lower()), "")
        if alias and isinstance(item, str) and item.strip() and alias not in named and (alias != "index.html" or "<" in item):
            yield Piece(alias, item)
        elif key in named:
            yield _named(key, item)
        elif key.lower() in _DELETE_KEYS and isinstance(item, list):
            yield from (Piece(name, kind="delete") for name in item if isinstance(name, str))
        else:
            yield from _files(item, depth + 1)


def _entry(value: dict[str, Any]) -> Piece | None:
    """`{"path": "x", "content": "…"}` under any of the keys that models use."""
    keys = {re.sub(r"[\s-]+", "_", key.strip().lower()): key for key in value}
    name = next((value[keys[key]] for key in _NAME_KEYS if key in keys and isinstance(value[keys[key]], str)), "")
    body = next((keys[key] for key in _BODY_KEYS if key in keys), None)
    if not looks_like_name(name):
        return None
    if isinstance(source := value.get("from"), str) and source:
        return Piece(name, kind="copy", source=source)
    if body is None:
        return Piece(name, kind="delete") if value.get("action") == "delete" or value.get("deleted") is True else None
    return Piece(name, _text(value[body]), encoding=str(value.get("encoding") or ""))


def _named(name: str, item: Any) -> Piece:
    if isinstance(item, dict) and not name.lower().endswith("json"):
        body = next((item[key] for key in _BODY_KEYS if key in item), None)
        if body is not None:
            return Piece(name, _text(body), encoding=str(item.get("encoding") or ""))
    if isinstance(item, dict) and isinstance(item.get("content"), str) and set(item) <= {"content", "encoding", "language", "type", "description"}:
        return Piece(name, item["content"], encoding=str(item.get("encoding") or ""))
    return Piece(name, _text(item))


def _text(value: Any) -> str:
    """A content that is not a string: lines of one, or the JSON that the file is to hold."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return "\n".join(line.rstrip("\n") for line in value)
    return json.dumps(value, indent=2, ensure_ascii=False)


def _quoted(text: str) -> str:
    """The text inside, when the whole answer is one JSON string that holds the JSON."""
    try:
        inner = json.loads(text) if text.startswith('"') else ""
    except ValueError:
        return ""
    return inner if isinstance(inner, str) and inner.lstrip().startswith(("{", "[")) else ""
