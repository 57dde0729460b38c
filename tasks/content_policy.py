"""The Content-Security-Policy of every answer whose view set none of its own: the admin's, the API pages', and a closed one for all the rest.

The admin's pages hold no inline script, so that markup which slips in can neither bring one nor an event handler nor a `javascript:` address. Alpine,
which django-unfold is built with, makes functions of the attributes that it finds (`unsafe-eval`), and its widths are inline styles:
https://alpinejs.dev/advanced/csp. Its attributes are therefore the one thing that only the templates' escaping keeps out.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_COMMON = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
_OWN = f"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; {_COMMON}"

ADMIN = f"{_OWN}; script-src 'self' 'unsafe-eval'; form-action 'self'; frame-src http: https:"  # frames: a round's page in its own sandbox
DOCS = f"{_OWN}; script-src 'self'; form-action 'none'"
CLOSED = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; {_COMMON}"
POLICIES = {"/admin/": ADMIN, "/api/docs/": DOCS}


class ContentPolicy:
    """Middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_of(request.path))
        return response


def policy_of(path: str) -> str:
    return next((policy for start, policy in POLICIES.items() if path.startswith(start)), CLOSED)
