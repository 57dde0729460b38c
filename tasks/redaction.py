"""What must never be shown: this installation's secrets, and anything that has the shape of one.

Used by the log, by error details and, through `secret_values`, by the leak evaluator. E-mail addresses are kept: they are how an operator
finds a student. Redacting twice changes nothing more.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, urlsplit

from django.conf import settings

from tasks.storable import storable

MIN_SECRET = 6  # shorter values stand in ordinary words, and would blank them out
NAMES = ("STUDENT_SECRET", "GITHUB_TOKEN", "GEMINI_API_KEY", "OPENAI_API_KEY", "SECRET_KEY", "DEMO_API_KEY")

_KEY_NAMES = (
    r"(?:[a-z0-9]{1,20}[-_]){0,3}"
    r"(?:api[-_]?key|secret(?:[-_]?key)?|(?:access|refresh|id|auth)?[-_]?token|password|passwd|pwd|signature|credentials?|authorization)"
)
_SCHEME = r"(?:bearer|basic|token)\s{1,3}"

# Each with what stays of it.
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, flags), kept)
    for pattern, flags, kept in (
        (r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL, "[redacted PEM block]"),
        (r"(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})", 0, "[redacted GitHub token]"),
        (r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{30,}", 0, "[redacted Google key]"),
        (r"(?<![A-Za-z0-9_-])sk-(?=[a-zA-Z_-]{0,40}[0-9])[A-Za-z0-9_-]{16,}", 0, "[redacted API key]"),
        (r"(?<![A-Za-z0-9_-])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", 0, "[redacted AWS key]"),
        (r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+", 0, "[redacted JWT]"),
        (r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,15}://)[^/\s?#\"'<>\\]+@", re.IGNORECASE, r"\1[redacted]@"),
        (rf"\b(authorization\s{{0,3}}[:=]\s{{0,3}}(?:{_SCHEME})?)(?!{_SCHEME}\[)[^\s\"',;\[\\]+", re.IGNORECASE, r"\1[redacted]"),
        (r"\b(bearer\s{1,3})(?=[a-z._~+/-]{0,60}[0-9]|[^\s\"',;\\]{24})[a-z0-9._~+/-]{8,}=*", re.IGNORECASE, r"\1[redacted]"),
        (r"([?&]key=)[^&#\s\"'<>\\\[]+", re.IGNORECASE, r"\1[redacted]"),
        (rf"(?<![a-z0-9])({_KEY_NAMES}=)[^&#\s\"'<>;,)\\\[]+", re.IGNORECASE, r"\1[redacted]"),
        (rf"(\"{_KEY_NAMES}\"\s{{0,3}}:\s{{0,3}}\")(?:[^\"\\]|\\.)+(\")", re.IGNORECASE | re.DOTALL, r"\1[redacted]\2"),
        (rf"('{_KEY_NAMES}'\s{{0,3}}:\s{{0,3}}')(?:[^'\\]|\\.)+(')", re.IGNORECASE | re.DOTALL, r"\1[redacted]\2"),
        (rf"(?<![a-z0-9])({_KEY_NAMES}:\s{{0,3}})(?=[a-z_-]{{0,60}}[0-9])[a-z0-9._~+/=-]{{8,}}", re.IGNORECASE, r"\1[redacted]"),
    )
)
_BASIC = re.compile(r"\b(basic\s{1,3})([a-z0-9+/_-]{4,}={0,2})", re.IGNORECASE)


def secret_values() -> dict[str, str]:
    """The secrets of the settings, name to value, those of at least six characters.

    A database password that is also the user's or the database's name is no secret, but a word that stands everywhere."""
    values = {name: getattr(settings, name, "") for name in NAMES}
    database = settings.DATABASES["default"]
    if database.get("PASSWORD") not in (database.get("USER"), database.get("NAME")):
        values["DATABASE_PASSWORD"] = database.get("PASSWORD", "")
    values["REDIS_PASSWORD"] = unquote(urlsplit(getattr(settings, "REDIS_URL", "")).password or "")
    return {name: value for name, value in values.items() if isinstance(value, str) and len(value) >= MIN_SECRET}


def redact(text: str) -> str:
    """The text without this installation's secrets (plain, URL-encoded, JSON-escaped, hexadecimal, base64) and without strings in the shape of
    tokens, passwords in URLs, credentials of headers and query values, and PEM blocks. What is left can be stored."""
    text = storable(text)
    known = _known(tuple(secret_values().items()))
    if known is not None:
        pattern, names = known
        text = pattern.sub(lambda match: f"[redacted {names[match[0]]}]", text)
    for shape, kept in _SHAPES:
        text = shape.sub(kept, text)
    return _BASIC.sub(_basic, text)


def without(text: str, secret: str) -> str:
    """The text, redacted, without this secret too: somebody else's, which may be short. Where a short one stands, nothing of the text is kept."""
    text = storable(text)
    if len(secret) >= MIN_SECRET:
        forms = {*_forms(secret), html.escape(secret)}
        pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        return redact(re.sub(pattern, "[redacted]", text, flags=re.IGNORECASE))
    return "[redacted: it holds the secret]" if secret and secret.lower() in text.lower() else redact(text)


def _basic(match: re.Match[str]) -> str:
    """`Basic` begins many an English sentence; credentials are what decodes to `user:password`."""
    try:
        decoded = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4), altchars=b"-_" if re.search("[-_]", match[2]) else None, validate=True)
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match[1]}[redacted]" if b":" in decoded and decoded.isascii() else match[0]


@lru_cache(maxsize=4)
def _known(secrets: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]] | None:
    """One pattern for every form of every secret, longest first, and which secret each form belongs to."""
    names = {form: name for name, value in secrets for form in _forms(value)}
    if not names:
        return None
    return re.compile("|".join(re.escape(form) for form in sorted(names, key=len, reverse=True))), names


def _forms(value: str) -> set[str]:
    raw = value.encode("utf-8", errors="surrogatepass")
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], raw.hex(), raw.hex().upper()}
    forms |= {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    forms |= {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in forms if "%" in form}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms |= {encode(raw).decode(), encode(raw).decode().rstrip("=")}
        for lead in range(3):  # base64 of a longer text: three alignments, without the characters shared with the neighbours
            whole = (lead + len(raw)) * 8 // 6
            forms.add(encode(b"\0" * lead + raw).decode()[(0, 2, 3)[lead] : whole])
    return {form for form in forms if len(form) >= MIN_SECRET}
