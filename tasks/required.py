"""Reads a brief and its checks for the file names that must exist.

In: the brief's text and the checks as text (`check_texts` makes text of every wire form). Out: repository paths, in the order in which they are
named, each once. A name that is to be left out of the repository ("do not commit result.json") is not in the list, wherever else it stands; nor
are addresses, hosts, libraries and the code inside JavaScript checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tasks import check_forms

EXTENSIONS = re.findall(
    r"\S+",
    """
    html htm css js mjs ts tsx jsx json jsonl csv tsv txt md rst svg png jpg jpeg gif webp ico pdf xml yml yaml toml ini cfg py ipynb sh sql r
    xlsx xls parquet db sqlite zip geojson webmanifest wasm mp3 mp4 wav ttf woff2 tex log lock
    """,
)
MAX_TEXT = 60_000  # characters of one text that are looked at
REACH = 200  # characters before and after a name that say whether it is wanted
BARE_NAMES = ("LICENSE", "Dockerfile", "Makefile", "Procfile", ".nojekyll", ".gitignore", ".dockerignore", ".env.example", ".editorconfig")

# Names of libraries, frameworks and places that look like files.
LIBRARIES = frozenset(
    f"{stem}.{ending}"
    for ending in ("js", "css")
    for stem in re.findall(
        r"\S+",
        """
        alpine anime angular animate axios ace babylon backbone bootstrap bulma chart codemirror cytoscape d3 day dexie ember express face-api fabric
        font-awesome fontawesome fullpage gsap hammer handlebars highlight howler htmx html2canvas jquery jspdf jszip katex knockout konva leaflet
        lodash lottie lunr maplibre markdown-it marked math mathjax matter mermaid moment mustache next node normalize nuxt ol p5 papaparse paper
        particles pdf phaser pico pixi plotly popper preact prism quill raphael react require showdown sigma skeleton socket.io sortable sql stimulus
        svelte swiper tailwind tailwindcss tensorflow tesseract three tone tf turf typed underscore velocity vex video vis vue water wavesurfer
        webpack xlsx
        """,
    )
)

_EXTENSION = "|".join(sorted(EXTENSIONS, key=len, reverse=True))
_NAME = re.compile(
    r"(?<![\w@#%&=?*$}\\/.~-])(?:\./|/)?"  # not inside a longer word, an address, a pattern (*.png) or a template ({id}.csv)
    rf"(?P<name>(?:\.?[\w-]+/){{0,3}}(?:[\w-]+(?:\.[\w-]+)*\.(?:{_EXTENSION})|{'|'.join(map(re.escape, BARE_NAMES))}))"
    r"(?![\w/*({@-]|\.\w)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{0,20}:)?//[^\s\"'`<>)\]}]+|\bwww\.[^\s\"'`<>]+|\bdata:[^\s\"'`<>]+|"
    r"[\w.+-]{1,64}@[\w-]{1,60}(?:\.[\w-]{1,60})+",
    re.IGNORECASE,
)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+/")  # cdn.example.net/lib/thing.js without a scheme
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n(?=\s*(?:[-*•]|\d+[.)]|\n))|\b(?:but|instead|however|whereas)\b", re.IGNORECASE)
_STRING = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`")

_KEEP_OUT = r"(?:commit|include|add|create|push|upload|check\s+in|track|store|keep|save|ship|leave|put|generate|need|use|have|publish)"
_OUT_BEFORE = re.compile(  # "do not commit a.json", "without b.js", "no c.css", "delete d.html"
    rf"\b(?:(?:do\s+not|don['’]?t|does\s+not|must\s+not|mustn['’]?t|should\s+not|shouldn['’]?t|never|cannot|avoid|without|not\s+to)\s+"
    rf"(?:\w+\s+)??{_KEEP_OUT}\w*|without|no|exclude|excluding|delete|remove|avoid|instead\s+of)"
    r"(?:\s+(?:any|a|an|the|another|separate|external|extra|file|files|file\s+named|called))*\s*[:\"'`*(]*\s*$",
    re.IGNORECASE,
)
_OUT_AFTER = re.compile(  # "a.json is not committed", "a.json must not exist", "a.json is absent"
    rf"^[\s\"'`*)]*(?:file\s+)?(?:(?:is|are|was|were|be|must|should|shall|may|can|will|does|do|has|have)\s*)*"
    rf"(?:not|n['’]t|never|no\s+longer)\s+(?:(?:be|been|get|ever|itself)\s+)*"
    rf"(?:{_KEEP_OUT}|committ|exist|present|included|in\s+the\s+repo|part\s+of|tracked|stored|added|pushed|uploaded)|"
    r"^[\s\"'`*)]*(?:is|are|must\s+be|should\s+be)\s+(?:absent|missing|deleted|removed|git-?ignored|excluded)|"
    r"^[^.;]{0,60}\bnot\s+(?:be\s+)?committed\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"(?:\be\.?g\.?|\bfor\s+example|\bfor\s+instance|\bsuch\s+as|\blike)[,:]?\s*[\"'`(]*$", re.IGNORECASE)
_JOIN = re.compile(r"^[\s\"'`*]*(?:,\s*(?:and|or|nor)?|and|or|nor|&|\+)[\s\"'`*]*$", re.IGNORECASE)


def check_texts(checks: Iterable[Any]) -> tuple[str, ...]:
    """Each check as text: the JavaScript or the English of `{"js": "…"}`, `"js: …"` and a bare string. Empty ones are left out."""
    texts = (_check_text(check) for check in checks or ())
    return tuple(text for text in texts if text)


def _check_text(check: Any) -> str:
    if isinstance(check, dict):
        values = [check[key] for key in ("js", "check", "text", "description", "title", "name") if isinstance(check.get(key), str)]
        values += [value for value in check.values() if isinstance(value, str)]
        return values[0].strip() if values else json.dumps(check, ensure_ascii=False) if check else ""
    text = "" if check is None else str(check).strip()
    return re.sub(r"^js\s*:\s*", "", text, flags=re.IGNORECASE)


def required_files(brief: str, checks: Iterable[str]) -> tuple[str, ...]:
    """The files that the brief or the checks say must exist."""
    found: dict[str, str] = {}
    forbidden: set[str] = set()
    for text, code in ((brief, False), *((check, check_forms.classify(check)[0] == "js") for check in checks)):
        for name, wanted in _names_in_code(text[:MAX_TEXT]) if code else _names_in_prose(text[:MAX_TEXT]):
            if wanted:
                found.setdefault(name.casefold(), name)
            else:
                forbidden.add(name.casefold())
    return tuple(name for key, name in found.items() if key not in forbidden)


def _names_in_code(text: str) -> Iterator[tuple[str, bool]]:
    """The file names in the strings of a script; outside of them `data.json` would be a property."""
    for match in _STRING.finditer(text):
        literal = next(group for group in match.groups() if group is not None)
        for name in _NAME.finditer(_ADDRESS.sub(" ", re.sub(r"\\(.)", r"\1", literal))):
            if not _is_other(name["name"]):
                yield name["name"], True


def _names_in_prose(text: str) -> Iterator[tuple[str, bool]]:
    """Every file name, and whether it is to exist.

    A list shares its fate: "do not commit a.json or b.json", "a.json and b.json are not committed".
    """
    for sentence in filter(None, _SENTENCE.split(_ADDRESS.sub(" ", text))):
        matches = [match for match in _NAME.finditer(sentence) if not _is_other(match["name"])]
        if not matches:
            continue
        ends = [match.start() for match in matches[1:]] + [len(sentence)]
        heads = [sentence[max(0, match.start() - REACH) : match.start()] for match in matches]
        tails = [sentence[match.end() : min(end, match.end() + REACH)] for match, end in zip(matches, ends, strict=True)]
        before = [bool(_OUT_BEFORE.search(head)) for head in heads]
        after = [bool(_OUT_AFTER.search(tail)) for tail in tails]
        for index in range(1, len(matches)):
            before[index] |= before[index - 1] and bool(_JOIN.match(tails[index - 1]))
        for index in reversed(range(len(matches) - 1)):
            after[index] |= after[index + 1] and bool(_JOIN.match(tails[index]))
        for match, head, first, last in zip(matches, heads, before, after, strict=True):
            if not _EXAMPLE.search(head):
                yield match["name"], not (first or last)


def _is_other(name: str) -> bool:
    """A library, a host or a word that only looks like a file."""
    last = name.rsplit("/", 1)[-1]
    plain = re.sub(r"[.-](?:min|umd|esm|bundle|core|global|prod)(?=\.)", "", last.casefold())
    plain = re.sub(r"[.@-]?v?\d+(?:\.\d+)*(?=\.(?:js|css)$)", "", plain) if plain not in LIBRARIES else plain
    if last.casefold() != plain and plain.endswith((".js", ".css")) and re.search(r"[.-]min\.", last, re.IGNORECASE):
        return True
    if last.upper() == "LICENSE":
        return last != "LICENSE"  # "MIT license" is a word, LICENSE is the file
    return last.casefold() in LIBRARIES or plain in LIBRARIES or bool(_HOST.match(name))
