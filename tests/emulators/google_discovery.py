"""Checks requests against Google's own description of its interfaces, which comes with google-api-python-client.

https://developers.google.com/discovery/v1/reference/apis
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
SIMPLE = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


@cache
def methods(document: str) -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Verb, path and description of every method; an upload has a path of its own."""
    found = []

    def collect(resource: dict[str, Any]) -> None:
        for method in resource.get("methods", {}).values():
            paths = [described["servicePath"] + method.get("flatPath", method["path"])]
            paths += [method["mediaUpload"]["protocols"]["simple"]["path"].lstrip("/")] if "mediaUpload" in method else []
            for path in paths:
                pattern = re.sub(r"\\\{[^}]+\\\}", "[^/:]+", re.escape(path))
                found.append((method["httpMethod"], re.compile(f"/{pattern}"), method))
        for inner in resource.get("resources", {}).values():
            collect(inner)

    described = loaded(document)
    collect(described)
    return found


@cache
def loaded(document: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((DOCUMENTS / f"{document}.json").read_text(encoding="utf-8"))
    return described


def problem(document: str, verb: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, str]:
    """Status and text as the service would refuse it; 0 when it keeps the description. `body` is a JSON value, None for any other."""
    method = next((method for known, pattern, method in methods(document) if known == verb and pattern.fullmatch(path)), None)
    if method is None:
        return 404, f"Method not found: {verb} {path}"
    known = {*method.get("parameters", {}), *loaded(document)["parameters"]}
    for name in query:
        if name not in known:
            return 400, f"Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found."
    if body is None or "request" not in method:
        return 0, ""
    text = misfit(loaded(document)["schemas"], method["request"], body, "")
    return (400, f"Invalid JSON payload received. {text}") if text else (0, "")


def misfit(schemas: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> str:
    """What in a JSON value is not as described; empty when all of it is."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "object":
        if not isinstance(value, dict):
            return f"Invalid value at '{where}'."
        for name, inner in value.items():
            described = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if described is None:
                return f"Unknown name \"{name}\" at '{where}': Cannot find field."
            if text := misfit(schemas, described, inner, f"{where}.{name}".lstrip(".")):
                return text
    elif kind == "array":
        if not isinstance(value, list):
            return f"Invalid value at '{where}'."
        return next(filter(None, (misfit(schemas, schema["items"], inner, f"{where}[{index}]") for index, inner in enumerate(value))), "")
    elif kind in SIMPLE and (not isinstance(value, SIMPLE[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return f"Invalid value at '{where}' (TYPE_{kind.upper()})."
    elif "enum" in schema and value not in schema["enum"]:
        return f"Invalid value at '{where}': {value}"
    return ""
