"""Checks recorded requests against GitHub's own OpenAPI description, when one is at hand.

The description is the file named by GITHUB_OPENAPI, else a `github_openapi.json` in a folder beside the checkout; without it nothing is checked."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

MANY_SEGMENTS = re.compile(r"^(/repos/[^/]+/[^/]+/(?:git/refs?|git/matching-refs|contents)/)(.+)$")


def description() -> Path | None:
    """Where the OpenAPI description is, None when there is none."""
    named = os.environ.get("GITHUB_OPENAPI")
    if named:
        return Path(named)
    return next(iter(sorted(Path(__file__).resolve().parents[2].parent.glob("*/github_openapi.json"))), None)


@lru_cache(maxsize=1)
def loaded(path: Path) -> Any:
    from openapi_core import Config, OpenAPI

    return OpenAPI.from_file_path(str(path), config=Config(spec_validator_cls=None))  # it is GitHub's: no need to check it each time


def violation(method: str, path: str, query: dict[str, str], body: bytes) -> str:
    """What is wrong with a request; empty when it keeps the description (or there is none)."""
    file = description()
    if file is None:
        return ""
    from openapi_core.exceptions import OpenAPIError
    from openapi_core.testing import MockRequest

    # A reference or a file path fills one parameter, slashes and all; the matcher wants them encoded.
    matched = MANY_SEGMENTS.match(path)
    where = matched.group(1) + matched.group(2).replace("/", "%2F") if matched else path
    request = MockRequest("https://api.github.com", method.lower(), where, args=query, data=body or None, content_type="application/json")
    try:
        loaded(file).validate_request(request)
    except OpenAPIError as error:
        cause = error.__cause__ or error
        details = "; ".join(str(getattr(item, "message", item)) for item in getattr(cause, "schema_errors", []))
        return f"{method} {path}: {error} {details or cause}".strip()
    return ""
