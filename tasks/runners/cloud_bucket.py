"""What the Cloud Run runner keeps in its bucket for the time of a run: objects by name, through Cloud Storage's JSON interface.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.conf import settings

from tasks import http
from tasks.runners.cloud_api import ask, parsed

WANTED = tuple(f"storage.objects.{verb}" for verb in ("create", "delete", "get", "list"))
OBJECT_SECONDS = 120.0


def missing_rights() -> list[str]:
    """What may not be done in the bucket. https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions"""
    query = urlencode([("permissions", right) for right in WANTED])
    answer = _storage("GET", f"/storage/v1/b/{settings.CLOUD_RUN_BUCKET}/iam/testPermissions?{query}")
    held = parsed(answer).get("permissions", [])
    return [right for right in WANTED if right not in held]


def put(name: str, content: bytes) -> None:
    _storage("POST", f"/upload/storage/v1/b/{settings.CLOUD_RUN_BUCKET}/o?{urlencode({'uploadType': 'media', 'name': name})}", content)


def read(name: str) -> bytes | None:
    """None where there is no such object."""
    answer = _storage("GET", f"{_object(name)}?alt=media", missing=True)
    return None if answer.status == 404 else answer.body


def remove(name: str) -> None:
    _storage("DELETE", _object(name), missing=True)


def remove_below(prefix: str) -> None:
    """All objects whose names begin so."""
    while True:
        query = urlencode({"prefix": prefix, "fields": "items(name)"})
        items = parsed(_storage("GET", f"/storage/v1/b/{settings.CLOUD_RUN_BUCKET}/o?{query}")).get("items", [])
        for item in items:
            remove(item["name"])
        if not items:
            return


def _object(name: str) -> str:
    return f"/storage/v1/b/{settings.CLOUD_RUN_BUCKET}/o/{quote(name, safe='')}"


def _storage(method: str, path: str, body: bytes | None = None, *, missing: bool = False) -> http.Response:
    cure = f"give this service's identity roles/storage.objectUser on gs://{settings.CLOUD_RUN_BUCKET}"
    return ask(method, settings.CLOUD_STORAGE_API_ENDPOINT + path, body, service="Cloud Storage", cure=cure, missing=missing, seconds=OBJECT_SECONDS)
