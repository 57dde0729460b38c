"""Turns a body into the bytes of its file. What a container did to it (fences, escapes, base64) is undone; nothing else is touched."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re

from tasks.files.paths import BINARY_EXTENSIONS, extension

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([\w+#.:/ -]{0,80})")
_TAG_LINE = re.compile(r"(html|css|javascript|js|json|python|py|markdown|md|svg|xml|yaml|csv|text|txt)", re.IGNORECASE)
_DATA_URI = re.compile(r"data:[\w.+/-]{0,80}(?:;[\w=.-]{1,60})*;base64,")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
# an escaped line end, where code or prose may end a line
_LINE_END = re.compile(r"(?:(?<=[>;{}(),:\]\[*/.|\w])|(?<=\\\"))\\n|\\n(?=\\n|#|  |<|[-*] )")
_ESCAPED = {"n": "\n", "t": "\t", "r": "", '"': '"', "\\": "\\", "/": "/", "'": "'"}
_MARKUP = frozenset({"html", "htm", "svg", "xml", "xhtml"})
_CODE = frozenset({"js", "mjs", "ts", "jsx", "tsx", "css", "py"})
_JSON = frozenset({"json", "webmanifest", "geojson", "topojson", "ipynb"})
_LANGUAGE_OF = {"javascript": "js", "python": "py", "markdown": "md", "yaml": "yml", "text": "txt"}
_MAGIC = {
    "png": b"\x89PNG",
    "jpg": b"\xff\xd8\xff",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF8",
    "webp": b"RIFF",
    "pdf": b"%PDF",
    "ico": b"\x00\x00\x01\x00",
    "woff": b"wOFF",
    "woff2": b"wOF2",
    "wasm": b"\x00asm",
    "xlsx": b"PK",
}


class Unusable(Exception):
    """There is no file to be made of this body; the message is the reason."""


def content(path: str, body: str, encoding: str = "") -> tuple[bytes, list[str]]:
    """The file's bytes and what was mended. Text has LF line ends and ends with one; `Unusable` when nothing is left."""
    notes: list[str] = []
    if encoding.strip().lower() in {"base64", "b64"}:
        decoded = _decoded("".join(body.split()))
        if decoded is None:
            raise Unusable("it is said to be base64, but cannot be decoded")
        return decoded, notes
    if extension(path) in BINARY_EXTENSIONS:
        return _binary(path, body), notes
    text = as_text(body)
    for mend in (_unwrapped, _without_tag_line, _from_base64, _from_escapes, _from_entities):
        mended = mend(path, text)
        if mended != text:
            notes.append(f"{path}: {(mend.__doc__ or '').splitlines()[0].rstrip('.').lower()}")
            text = mended
    text = as_text(text)
    if not text.strip() and not path.endswith("__init__.py"):
        raise Unusable("it is empty")
    return text.encode("utf-8", "replace"), notes


def as_text(body: str) -> str:
    """LF line ends, no byte order mark, no NUL, and one line end at the end."""
    text = body.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").removeprefix("\ufeff").rstrip("\n")
    return text + "\n" if text else ""


def _unwrapped(path: str, text: str) -> str:
    """A fence around the whole file was taken off."""
    lines = text.strip("\n").split("\n")
    match = _FENCE.fullmatch(lines[0].strip()[:200])
    if match is None or len(lines) < 2:
        return text
    mark, language = match[1], match[2].strip().lower()
    closings = [index for index, line in enumerate(lines) if index and line.strip().startswith(mark) and not line.strip().strip(mark[0])]
    if extension(path) in {"md", "markdown", "mdx", "rst"}:
        if language not in {"md", "markdown"} or lines[-1].strip() != mark:
            return text
        return "\n".join(lines[1:-1])
    if not closings:
        return "\n".join(lines[1:])
    if extension(path) in {"txt", "text", "adoc", "tex", "csv"} and closings[-1] != len(lines) - 1:
        return text
    return "\n".join(lines[1 : closings[-1]])


def _without_tag_line(path: str, text: str) -> str:
    """A language tag that stood on a line of its own was taken off."""
    first, _, rest = text.lstrip("\n").partition("\n")
    language = first.strip().lower()
    if len(first) > 20 or not _TAG_LINE.fullmatch(language) or not rest.strip():
        return text
    kind = extension(path)
    if kind in {"txt", "csv", "md"} and not (language in {"markdown", "md"} and rest.lstrip().startswith("#")):
        return text
    return rest if _LANGUAGE_OF.get(language, language) == kind or (kind in _MARKUP and language in _MARKUP) else text


def _from_base64(path: str, text: str) -> str:
    """It was base64 and has been decoded."""
    compact = text.strip()
    if match := _DATA_URI.match(compact[:400]):
        compact = compact[match.end() :]
    elif extension(path) in {"txt", "text", "csv", "log"} or not re.match(r"[A-Za-z0-9+/]{20}", compact):
        return text
    compact = "".join(compact.split())
    if not _BASE64.fullmatch(compact) and not match:
        return text
    decoded = _decoded(compact)
    try:
        plain = decoded.decode("utf-8") if decoded else ""
    except UnicodeDecodeError:
        return text
    return plain if plain.isprintable() or "\n" in plain or plain.lstrip().startswith("<") else text


def _from_escapes(path: str, text: str) -> str:
    """Escaped line ends and quotes were turned into real ones."""
    line = text.strip()
    if "\n" in line or line.count("\\n") < 2 or re.search(r'(?<!\\)"', line):
        return text
    if extension(path) in _JSON and _is_json(line):
        return text
    if re.search(r"\\[^ntru\"\\/']|^[A-Za-z]:\\", line):  # a regular expression, a path: not what escaping a text gives
        return text
    kind = extension(path)
    if (kind in _CODE and not re.search(r"[;{})]\\n", line)) or (kind in _MARKUP and ">\\n" not in line):
        return text
    return text if len(_LINE_END.findall(line)) < 0.8 * line.count("\\n") else _unescaped(line)


def _unescaped(line: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[0]), line)


def _from_entities(path: str, text: str) -> str:
    """HTML entities were turned into the characters that they stand for."""
    kind = extension(path)
    if kind in _MARKUP:
        escaped = "<" not in text and text.lstrip().startswith("&lt;")
    elif kind in _CODE:
        escaped = not re.search('[<>"]', text) and re.search(r"=&gt;|&amp;&amp;|&lt;=|&quot;", text) is not None
    else:
        escaped = kind in _JSON and "&quot;" in text and not _is_json(text) and _is_json(html.unescape(text))
    return html.unescape(text) if escaped else text


def _binary(path: str, body: str) -> bytes:
    compact = "".join(body.split())
    if match := _DATA_URI.match(compact[:400]):
        compact = compact[match.end() :]
    decoded = _decoded(compact) if len(compact) > 16 else None
    magic = _MAGIC.get(extension(path))
    if not decoded or (magic is not None and not decoded.startswith(magic)):
        raise Unusable("it is a binary file, which cannot be written as text; it can only be copied from an attachment")
    return decoded


def _decoded(compact: str) -> bytes | None:
    try:
        return base64.b64decode(compact.replace("-", "+").replace("_", "/") + "=" * (-len(compact) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
