"""Is a round's check JavaScript or English?

In: a check in any of its wire forms: `{"js": "…"}`, `"js: …"`, a bare expression, a sentence. Out: its kind and its text. The form in which it was
sent counts, unless what it holds cannot be the one but is clearly the other ("js: Repo has MIT license").

A bare text is JavaScript when it reads as such (no two words side by side that no operator joins, brackets and quotes closed) and does what a
script does (names the document, compares, calls a function of the language). A sentence that quotes a piece of code stays a sentence.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal

Kind = Literal["js", "prose"]

CODE_KEYS = ("js", "javascript", "expression", "script", "code")
TEXT_KEYS = ("check", "text", "prose", "description", "title", "name")
MAX_TEXT = 20_000

_PREFIX = re.compile(r"(?:js|javascript)\s*:\s*", re.IGNORECASE)
_FENCED = re.compile(r"(`{1,3})(?:js|javascript)?\s*(.*?)\s*\1", re.IGNORECASE | re.DOTALL)
_GLOBALS = (
    r"(?:document|window|globalThis|self|location|navigator|localStorage|sessionStorage|performance|customElements|history|screen|Math|JSON|Object|"
    r"Array|Number|String|Boolean|Promise|Date|RegExp|Intl|Reflect|Symbol|Set|Map|URL|URLSearchParams|parseInt|parseFloat|isNaN|fetch|getComputedStyle|"
    r"matchMedia|setTimeout|requestAnimationFrame|eval|\$)"
)
_DOES = re.compile(
    rf"(?<![\w$.]){_GLOBALS}(?:\?\.|\.(?=[\w$])|\[|\()|=>|[!=]==?|&&|\|\||^\s*!+\s*[\w$(\[]|\btypeof\s+[\w$]|\binstanceof\b|"
    r"(?<![\w$])(?:function|new|await|return|const|let|var)\s+[\w$*]|^\s*\(?\s*(?:true|false)\s*\)?;?\s*$|"
    r"\.(?:querySelector(?:All)?|getElementById|textContent|innerHTML|innerText|getAttribute|includes|length|dataset|value|checked)\b"
)
_PIECE = re.compile(
    r"(?P<space>[^\S\n]+)|(?P<line>\n|//[^\n]*|/\*.*?\*/)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)"
    r"|(?P<number>\d[\w.]*|\.\d+)|(?P<word>[A-Za-z_$][\w$]*)"
    r"|(?P<sign>=>|[-+*/%&|^!~<>=?:.,;@#]+)|(?P<open>[(\[{])|(?P<close>[)\]}])",
    re.DOTALL,
)
_REGEX = re.compile(r"/(?![/*\s])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[dgimsuvy]*")
_BEFORE_WORD = frozenset(  # words after which another word may stand
    re.findall(
        r"\w+", "typeof void delete new await return throw case in instanceof const let var function async class extends else do yield static get set"
    )
)
_AFTER_WORD = frozenset({"in", "instanceof", "of", "else", "while", "catch", "finally", "extends"})  # words that may stand after a value
_PAIRS = {")": "(", "]": "[", "}": "{"}


def classify(check: Any) -> tuple[Kind, str]:
    """The check's kind and its text, without prefix, key or quotation; ("prose", "") for an empty one."""
    told, text = _unwrap(check)
    text = text.strip()
    fenced = _FENCED.fullmatch(text)
    if fenced and (told or fenced[1] == "```" or _reads_as_code(fenced[2])):
        text = fenced[2]
    if told:
        return ("prose" if _is_sentence(text) else "js") if text else "prose", text
    return ("js" if len(text) <= MAX_TEXT and _DOES.search(_without_strings(text)) and _reads_as_code(text) else "prose"), text


def _unwrap(check: Any) -> tuple[bool, str]:
    """Whether the sender called it code, and what it says."""
    if isinstance(check, dict):
        for key in CODE_KEYS:
            if isinstance(check.get(key), str):
                return True, _PREFIX.sub("", check[key].strip(), count=1) if _PREFIX.match(check[key].strip()) else check[key]
        values = [check[key] for key in TEXT_KEYS if isinstance(check.get(key), str)] + [value for value in check.values() if isinstance(value, str)]
        return _unwrap(values[0]) if values else (False, json.dumps(check, ensure_ascii=False) if check else "")
    text = "" if check is None else str(check).strip()
    prefix = _PREFIX.match(text)
    return (True, text[prefix.end() :]) if prefix else (False, text)


def _is_sentence(text: str) -> bool:
    """Nothing in it is code, and it has words side by side."""
    return (
        len(text) <= MAX_TEXT
        and not _DOES.search(_without_strings(text))
        and not _reads_as_code(text)
        and bool(re.search(r"[A-Za-z]+ +[A-Za-z]+", text))
    )


def _without_strings(text: str) -> str:
    return re.sub(r"\"(?:[^\"\\\n]|\\.)*\"|(?<![A-Za-z])'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", '""', text)


def _reads_as_code(text: str) -> bool:
    """Whether no two values stand side by side, and every bracket and quote is closed."""
    depth: list[str] = []
    value = ""  # the last piece if it can end an expression: a word, else something that is none
    newline, at = True, 0
    loops = "for" in text
    while at < len(text):
        match = _REGEX.match(text, at) if text[at] == "/" and not value else None
        if match:
            value, newline, at = "/", False, match.end()
            continue
        match = _PIECE.match(text, at)
        if match is None:
            return False
        at = match.end()
        kind, piece = match.lastgroup, match[0]
        if kind == "space":
            continue
        if kind == "line":
            newline = newline or piece == "\n" or "\n" in piece
            continue
        if kind in {"word", "number", "string"}:
            template = kind == "string" and piece[0] == "`"
            joins = kind == "word" and piece in _AFTER_WORD and (piece != "of" or loops)
            if value and not newline and not template and not joins and value not in {"}", ")"}:
                return False
            if value == ")" and not newline and kind == "word" and not joins and not _follows_head(text, match.start()):
                return False
            value = "" if kind == "word" and (piece in _BEFORE_WORD or joins or (piece == "of" and loops)) else piece
        elif kind == "open":
            depth.append(piece)
            value = ""
        elif kind == "close":
            if not depth or depth.pop() != _PAIRS[piece]:
                return False
            value = piece
        else:
            value = ""
        newline = False
    return not depth


def _follows_head(text: str, at: int) -> bool:
    """Whether the bracket before belongs to `if (…)` or the like, after which a statement begins."""
    return bool(re.search(r"\b(?:if|for|while|switch|catch|with)\b", text[:at]))
