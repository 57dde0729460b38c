"""A file as an answer: an attachment that no browser shows, with an ETag, and in parts where a part is asked for.

https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

from __future__ import annotations

import hashlib
import re

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def attachment(request: HttpRequest, name: str, content: bytes, media_type: str) -> HttpResponse:
    """200 with all of it, 206 with one range, 304 when the caller has it, 416 for a range that lies outside. Several ranges get all of it."""
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": content_disposition_header(True, name.rsplit("/", 1)[-1]) or "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-cache",
    }
    response = get_conditional_response(request, etag=etag)
    if response is not None:
        response["ETag"] = etag
        return response
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    wanted_if = request.headers.get("If-Range")
    if asked is None or asked[0] == "bytes=-" or (wanted_if is not None and wanted_if != etag):
        return HttpResponse(content, content_type=media_type, headers=headers)
    first, last = _bounds(asked[1], asked[2], len(content))
    if first > last or first >= len(content):
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    part = content[first : last + 1]
    return HttpResponse(part, status=206, content_type=media_type, headers={**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"})


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and last byte of `first-last`, `first-` or `-count`."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
