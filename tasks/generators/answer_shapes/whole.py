"""Is a body the whole file? Models leave parts out ("rest unchanged"), and answers end where the tokens do."""

from __future__ import annotations

import json
import re

from tasks.files.paths import extension

_COMMENT = re.compile(r"(?:<!--|//+|/\*+|\{/\*|#+|--|%+|;+|\*)[ \t]*(.{0,160}?)[ \t]*(?:-->|\*+/\}?)?")
_BRACKETS = re.compile(r"[\[(<{][ \t]*(.{3,160}?)[ \t]*[\])>}]")
_DOTS = re.compile(r"(?:\.{2,}|…)+")
_CODE = r"(?:code|file|html|css|js|javascript|functions?|methods?|logic|implementation|styles?|script|markup|text|content|license|page)"
_ARTICLE = r"(?:the |your |this |my |all |other |of )*"
# says by itself that something is missing
_FIRM = re.compile(
    rf"(?:the )?(?:rest|remainder) of {_ARTICLE}(?:\w+ )?{_CODE}\b(?! of\b)[^.;]{{0,60}}"
    rf"|{_ARTICLE}(?:(?:rest|remainder|existing|remaining|previous|same|{_CODE}) ){{1,3}}"
    r"(?:remains?|stays?|is left) (?:unchanged|the same|as is|as before).{0,40}"
    rf"|{_ARTICLE}(?:rest|remainder|remaining|(?:existing|previous|other|same) {_CODE})\b.{{0,60}}\b(?:unchanged|as before|omitted)"
    r"|.{0,80}\b(?:omitted|shortened|truncated|elided) for (?:brevity|clarity|space)\b.{0,40}"
    rf"|.{{0,40}}\b(?:full|complete|entire|license)\b.{{0,40}}\b{_CODE} (?:is )?(?:omitted|truncated)"
    r"|(?:rest|all|everything) (?:else )?(?:is )?(?:unchanged|the same|same as before|as before).{0,40}"
    r"|.{0,40}\blicense text (?:goes )?here",
    re.IGNORECASE,
)
# says so together with dots
_SOFT = re.compile(r"(?:the |your |all )*(?:rest|remainder|remaining|existing|previous|other|same|unchanged|more|similar)\b.{0,80}", re.IGNORECASE)
_SOFT_ENDING = re.compile(rf"{_ARTICLE}(?:rest|remaining|existing|previous)\b (?:of )?{_ARTICLE}(?:\w+ )?{_CODE}(?: here)?", re.IGNORECASE)
_HINT = re.compile(
    r"\.\.|…|rest of|remainder of|unchanged|omitted|the same|as before|as is|for brevity|for clarity|for space|license text", re.IGNORECASE
)
_PROSE = frozenset({"md", "markdown", "txt", "text", "rst", "adoc", "tex", "csv", "tsv", ""})


def left_out(path: str, body: str, present: str | None = None) -> str:
    """The line that stands for a part left out, or an empty text. Dots alone in a comment count only when the file was longer before."""
    if not _HINT.search(body):
        return ""
    prose = extension(path) in _PROSE
    shorter = present is not None and len(body) < 0.8 * len(present)
    fenced = False
    for line in body.split("\n"):
        stripped = line.strip()
        if prose and stripped.startswith(("```", "~~~")):
            fenced = not fenced
        if 3 <= len(stripped) <= 200 and not fenced and _HINT.search(stripped) and _stands_for_more(stripped, prose, shorter):
            return stripped
    return ""


def _stands_for_more(line: str, prose: bool, shorter: bool) -> bool:
    comment = None if prose else _COMMENT.fullmatch(line)
    match = comment or _BRACKETS.fullmatch(line)
    inner = match[1].strip(" \t()[]") if match else line
    start, end = _DOTS.match(inner), re.search(r"(?:\.{2,}|…)$", inner)
    said = inner[start.end() if start else 0 : end.start() if end else None].strip(" \t-–:.…()[]")
    if not said:
        return shorter and not prose and start is not None
    if match is None and not (start and end and (shorter or not prose)):
        return False
    if _FIRM.fullmatch(said):
        return True
    if match and not (comment or prose):  # brackets in code: `[...rest]` is code
        return False
    brief = end is not None or len(said.split()) < 4 or re.search(rf"\b{_CODE}\b", said, re.IGNORECASE) is not None
    return bool(start and brief and _SOFT.fullmatch(said)) or bool(end and _SOFT_ENDING.fullmatch(said))


def looks_cut(path: str, body: str) -> bool:
    """Does a body whose end is not marked stop in the middle?"""
    kind = extension(path)
    text = body.rstrip()
    if kind in {"html", "htm", "svg", "xml", "xhtml"}:
        return re.search(r"</(?:html|svg|[\w:-]+)>(?:\s*<!--[^<>]*-->)?$", text[-200:]) is None or (
            kind in {"html", "htm"} and "<html" in text[:2000].lower() and "</html>" not in text[-300:].lower()
        )
    if kind in {"json", "webmanifest", "geojson", "topojson", "ipynb"}:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return True
        return False
    if kind in {"js", "mjs", "ts", "css", "jsx", "tsx"}:
        return not text.endswith(("}", ";", ")", "]", "*/", "`")) or text.count("{") > text.count("}")
    return not text.endswith((".", "!", "?", "`", ")", "|", ":", "*", "}", ">", "]")) and kind in {"md", "markdown", "txt", "py"}
