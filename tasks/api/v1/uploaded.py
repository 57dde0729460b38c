"""What a body brings along: files in whichever form, and a version by its label."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from rest_framework import serializers

from tasks.models import CodeVersion, TaskRequest
from tasks.orchestrator import uploads


def files_of(body: dict[str, Any]) -> dict[str, bytes]:
    """The uploaded files, in whichever of the forms they came."""
    files = {item["path"]: decoded(item) for item in body.get("files", ())}
    if "file_content" in body:
        files[body.get("filename") or "main.py"] = body["file_content"].encode()
    for file in body.get("file", ()):
        files[file.name or "main.py"] = file.read()
    if body.get("archive") is not None:
        files |= uploads.unpack(body["archive"].read())
    return files


def decoded(item: dict[str, str]) -> bytes:
    if item["encoding"] == "utf-8":
        return item["content"].encode()
    try:
        return base64.b64decode(item["content"], validate=True)
    except (binascii.Error, ValueError):
        raise serializers.ValidationError({item["path"]: "The content is not base64."}) from None


def version_named(task: TaskRequest, label: str) -> CodeVersion | None:
    """The version of that label; none for an empty one."""
    if not label:
        return None
    found = uploads.find(task, label)
    if found is None:
        raise serializers.ValidationError({"version": f"The task has no version {label!r}."})
    return found
