"""Finds the file name in the line above a block, in a fence's info string or in a first comment."""

from __future__ import annotations

import re
from typing import NamedTuple

from tasks.files.paths import ARCHIVES, EXTENSIONS, PLAIN_NAMES, PROGRAMS, extension

_TOKEN = re.compile(r"(?:[A-Za-z]:)?(?:[\w.~@-]{1,80}[\\/]){0,8}[\w.~@-]{0,120}\.[A-Za-z][A-Za-z0-9]{0,11}(?![\w/-])")
_QUOTED = re.compile(r"`([^`\n]{1,150})`|\*\*([^*\n]{1,150})\*\*|\"([^\"\n]{1,150})\"|“([^”\n]{1,150})”")
_DECORATION = re.compile(r"(?:[\s>#*+=~-]{1,12}|\d{1,3}[.)]\s{1,4}|[`\"“\[(])+")
_LABEL = re.compile(
    r"(?:(?:new|updated|modified|complete)\s+)?(?:file\s?name|file|path|name|create|update|title)\s*(?:#?\d{1,3}\s*)?(?:[:=]|\s[–-]\s)\s*|file\s+",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s*(?:\([^()]{0,100}\)|\[[^\[\]]{0,100}\]|[:：])\s*$")
_COMMENT = re.compile(r"(?:<!--|//|/\*+|#+|--|;+|%+|\"\"\"|''')[ \t]*(.{1,160}?)[ \t]*(?:-->|\*+/|\"\"\"|''')?")
_LIBRARIES = frozenset(
    [
        "node.js",
        "vue.js",
        "next.js",
        "nuxt.js",
        "chart.js",
        "d3.js",
        "three.js",
        "highlight.js",
        "react.js",
        "express.js",
        "p5.js",
        "alpine.js",
        "socket.io",
    ]
)
_OWN_NAMES = frozenset({"license", "licence", "copying", "cname", ".nojekyll", ".env", ".gitmodules", ".gitattributes", ".gitignore"})
_PLAIN = {name.casefold() for name in PLAIN_NAMES} | _OWN_NAMES

# what a fence's language says about the file's extension; a language that is not here says nothing
LANGUAGES: dict[str, tuple[str, ...]] = {
    "html": ("html", "htm", "vue", "svelte", "xhtml"),
    "css": ("css",),
    "scss": ("scss", "css"),
    "js": ("js", "mjs", "cjs", "jsx"),
    "javascript": ("js", "mjs", "cjs", "jsx"),
    "jsx": ("jsx", "js"),
    "ts": ("ts", "tsx"),
    "typescript": ("ts", "tsx"),
    "json": ("json", "webmanifest", "geojson", "topojson", "ipynb", "map"),
    "python": ("py",),
    "py": ("py",),
    "markdown": ("md", "markdown", "mdx"),
    "md": ("md", "markdown", "mdx"),
    "svg": ("svg",),
    "xml": ("xml", "svg", "rss", "atom", "kml", "gpx"),
    "yaml": ("yml", "yaml"),
    "yml": ("yml", "yaml"),
    "csv": ("csv", "tsv"),
    "toml": ("toml",),
    "sql": ("sql",),
    "bash": ("sh", "bash"),
    "sh": ("sh", "bash"),
    "shell": ("sh", "bash"),
    "text": ("txt", "csv", "tsv", "log", "ini", "cfg", "md"),
    "txt": ("txt", "csv", "tsv", "log"),
    "plaintext": ("txt", "csv", "tsv", "log"),
    "console": (),
    "terminal": (),
    "output": (),
    "tree": (),
    "mermaid": (),
    "zsh": (),
    "cmd": (),
    "powershell": (),
}


class Named(NamedTuple):
    """`names` in the order of the line; `strong` when the line is hardly more than the one name."""

    names: tuple[str, ...]
    strong: bool


def looks_like_name(text: str) -> bool:
    """Would a person call this a file name? Bad names count too: it is `clean_path` that refuses them, with a reason."""
    text = text.strip()
    if not 0 < len(text) <= 200 or "\n" in text:
        return False
    last = re.split(r"[\\/]", text)[-1]
    if last.casefold() in _PLAIN or text.casefold().startswith((".git/", ".github/")):
        return True
    return bool(re.fullmatch(r"[^<>|*?\"{}]*\.[A-Za-z0-9]{1,12}", text)) and extension(last) in EXTENSIONS | PROGRAMS | ARCHIVES


def names_of_line(line: str) -> Named:
    """The file names in a line of prose, a heading, or a label."""
    if not 0 < len(line) <= 240:
        return Named((), False)
    bare = re.sub(r"^[^\w\s.`*\"/\\~#>+=-]+\s*", "", line.strip())  # an emoji in front
    bare = bare[match.end() :] if (match := _DECORATION.match(bare)) else bare
    for _ in range(3):
        bare = _NOTE.sub("", bare.strip(" \t*`\"'_“”#="))
    bare = bare[match.end() :] if (match := _LABEL.match(bare)) else bare
    bare = bare.strip(" \t*`\"'“”#=")
    if looks_like_name(bare) and (" " not in bare or _TOKEN.fullmatch(bare) is not None) and bare.casefold() not in _LIBRARIES:
        return Named((bare,), True)
    quoted = [next(group for group in match if group).strip() for match in _QUOTED.findall(line)]
    found = [name for name in quoted if looks_like_name(name) and " " not in name]
    found = found or [token for token in _TOKEN.findall(line) if looks_like_name(token) and token.casefold() not in _LIBRARIES]
    return Named(tuple(dict.fromkeys(found)), False)


def name_in_info(info: str) -> str:
    """The file name behind a fence: `html index.html`, `python:Title:file.py`, `js title="app.js"`."""
    if looks_like_name(info) and " " not in info.strip() and ":" not in info:
        return info.strip()
    for token in re.split(r"[\s:=,{}\"'()\[\]]+", info[:200]):
        if "." in token and looks_like_name(token) and token.casefold() not in _LIBRARIES:
            return token
    return ""


def name_in_comment(body: str) -> str:
    """The file name that is all of the first line's comment: `<!-- index.html -->`, `// script.js`, `# execute.py`."""
    match = _COMMENT.fullmatch(body.split("\n", 1)[0].strip()[:200])
    text = match[1].strip() if match else ""
    text = text[label.end() :] if (label := _LABEL.match(text)) else text
    return text if " " not in text and looks_like_name(text) and text.casefold() not in _LIBRARIES else ""


def language_fits(language: str, name: str) -> bool:
    """May a block of this language be that file? Unknown languages may be anything."""
    kinds = LANGUAGES.get(language.lower())
    return kinds is None or extension(name) in kinds
