"""Decodes data URIs as they come in the wild (RFC 2397 is the rule, posters are the practice)."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote, unquote_to_bytes

from tasks.errors import AttachmentUnusable

DEFAULT_TYPE = "text/plain"  # RFC 2397, section 2
_URL_SAFE = str.maketrans("-_", "+/")
_SPACE = re.compile(r"\s+")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def is_data_uri(url: str) -> bool:
    return url[:64].lstrip()[:5].lower() == "data:"


def prefix(uri: str) -> str:
    """What may be kept of a data URI once it is decoded: `data:text/csv;base64,…`."""
    return _split(uri)[0][:150] + ",…"


def decode(uri: str) -> tuple[str, bytes]:
    """The declared media type (without its parameters, and not to be trusted) and the bytes.

    Takes base64 with missing padding, white space, percent escapes or the URL-safe alphabet, and the percent-encoded form, where characters that
    should have been escaped count in the declared charset (UTF-8 without one). An empty payload is an empty file. Raises `AttachmentUnusable`."""
    header, payload = _split(uri)
    media_type, *parameters = (part.strip() for part in unquote(header.lstrip()[5:]).split(";"))
    declared = media_type.lower() or DEFAULT_TYPE
    names = [parameter.lower() for parameter in parameters]
    if media_type.lower() == "base64" and not parameters:  # `data:base64,…`
        return DEFAULT_TYPE, _from_base64(payload)
    if "base64" in names:
        return declared, _from_base64(payload)
    charset = next((name.removeprefix("charset=").strip("\"' ") for name in names if name.startswith("charset=")), "utf-8")
    return declared, _from_percent(payload, charset)


def _split(uri: str) -> tuple[str, str]:
    """Header (with `data:`) and payload. A comma inside a quoted parameter does not end the header."""
    if not is_data_uri(uri):
        raise AttachmentUnusable("The address is not a data URI: it does not begin with data:.")
    end = uri.find(",")
    while end >= 0 and uri.count('"', 0, end) % 2 and (further := uri.find(",", end + 1, end + 1000)) >= 0:
        end = further
    if end < 0:
        raise AttachmentUnusable("The data URI has no comma, so it has no content; post it as data:<type>;base64,<content>.")
    return uri[:end], uri[end + 1 :]


def _from_base64(payload: str) -> bytes:
    spaced = (unquote(payload) if "%" in payload else payload).strip("\t\r\n").translate(_URL_SAFE)
    text = _SPACE.sub("", spaced)
    # A form decoder turns every "+" into a space. Spaces that wrap lines stand at even distances; these do not, or the length tells.
    restored = spaced.replace(" ", "+")
    wrapped = len({len(part) for part in spaced.split(" ")[:-1]}) <= 1
    if restored != text and _fits(restored) and not (wrapped and _fits(text)):
        text = restored
    body = text.rstrip("=")
    wrong = _NOT_BASE64.search(body)
    if wrong:
        raise AttachmentUnusable(
            f"The data URI says base64, but its content holds {wrong.group()!r} at position {wrong.start() + 1}, which base64 does not have."
        )
    if len(body) % 4 == 1:
        raise AttachmentUnusable(f"The base64 content is cut off: {len(body)} characters cannot be a whole number of bytes.")
    return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)


def _fits(text: str) -> bool:
    """The length is one that an encoder makes: whole groups of four, or no padding at all and no single character left over."""
    return len(text) % 4 == 0 or (not text.endswith("=") and len(text) % 4 != 1)


def _from_percent(payload: str, charset: str) -> bytes:
    try:
        return unquote_to_bytes(payload.encode(charset))
    except LookupError:
        pass  # an unknown charset name says nothing about the content
    except UnicodeEncodeError:
        pass  # characters that the declared charset does not have
    try:
        return unquote_to_bytes(payload.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise AttachmentUnusable("The data URI holds half a character (a lone surrogate); post it as base64.") from error
