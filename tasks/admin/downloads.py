"""Files and images that came from outside, handed out so that no browser runs them."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

IMAGE_TYPES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


def kept(name: str) -> dict[str, str]:
    """The headers of a file to keep: an attachment that is neither sniffed nor allowed to do anything."""
    plain = "".join(char for char in name.rsplit("/", 1)[-1] if char.isprintable()) or "file"
    return {
        "Content-Disposition": content_disposition_header(True, plain) or "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }


def download(name: str, content: bytes, content_type: str) -> HttpResponse:
    """The bytes as they are."""
    return HttpResponse(content, content_type=content_type, headers=kept(name))


def image(name: str, media_type: str, content: bytes) -> HttpResponse:
    """A picture for an <img>: PNG, JPEG or WebP and nothing else, kept for an hour by this browser only (a row's image never changes)."""
    if media_type not in IMAGE_TYPES:
        return HttpResponse("Not an image that is shown here.", status=415, content_type="text/plain; charset=utf-8")
    stem = "".join(char for char in name if char.isalnum()) or "screenshot"
    return HttpResponse(
        content,
        content_type=media_type,
        headers={
            "Content-Disposition": content_disposition_header(False, stem + IMAGE_TYPES[media_type]) or "inline",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, max-age=3600",
            "Vary": "Cookie",
        },
    )
