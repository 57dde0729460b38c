"""Cloud Storage's JSON interface for one bucket, whose objects are files in a folder: https://cloud.google.com/storage/docs/json_api/v1"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.emulators.base import Reply, Request, json_reply

OBJECT = re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)")
OBJECTS = re.compile(r"/storage/v1/b/([^/]+)/o")
UPLOAD = re.compile(r"/upload/storage/v1/b/([^/]+)/o")
TEST = re.compile(r"/storage/v1/b/([^/]+)/iam/testPermissions")
RIGHTS = {"POST": "create", "GET": "get", "DELETE": "delete"}
PAGE = 3  # objects of one page; the real one has 1,000


class Bucket:
    """`denied` are permissions that the caller lacks."""

    def __init__(self, name: str, folder: Path, denied: set[str]) -> None:
        self.name, self.folder, self.denied = name, folder, denied
        folder.mkdir(parents=True)

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def answer(self, request: Request) -> Reply:
        for pattern, act in ((UPLOAD, self._put), (OBJECT, self._one), (OBJECTS, self._list), (TEST, self._test)):
            if match := pattern.fullmatch(request.path):
                return act(request, match) if match[1] == self.name else refusal(404, "The specified bucket does not exist.")
        return refusal(404, "Not Found")

    def _lacks(self, right: str) -> Reply | None:
        if f"storage.objects.{right}" in self.denied:
            return refusal(403, f"runner@emulated does not have storage.objects.{right} access to the Google Cloud Storage object.")
        return None

    def _put(self, request: Request, match: re.Match[str]) -> Reply:
        name = request.query.get("name", [""])[0]
        if request.query.get("uploadType") != ["media"] or not name or len(name.encode()) > 1024 or "\n" in name:
            return refusal(400, "Required")
        if lacking := self._lacks("create"):
            return lacking
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(request.body)
        return json_reply(self._described(name))

    def _one(self, request: Request, match: re.Match[str]) -> Reply:
        name = unquote(match[2])
        if lacking := self._lacks(RIGHTS[request.method]):
            return lacking
        path = self.folder / name
        if not path.is_file():
            return refusal(404, f"No such object: {self.name}/{name}")
        if request.method == "DELETE":
            path.unlink()
            return Reply(204)
        if request.query.get("alt") == ["media"]:
            return Reply(200, path.read_bytes(), {"Content-Type": "application/octet-stream"})
        return json_reply(self._described(name))

    def _list(self, request: Request, match: re.Match[str]) -> Reply:
        if lacking := self._lacks("list"):
            return lacking
        found = [name for name in self.names() if name.startswith(request.query.get("prefix", [""])[0])]
        start = int(request.query.get("pageToken", ["0"])[0])
        page: dict[str, Any] = {"kind": "storage#objects"}
        if found[start:]:
            page["items"] = [self._described(name) for name in found[start : start + PAGE]]
        if found[start + PAGE :]:
            page["nextPageToken"] = str(start + PAGE)
        return json_reply(page)

    def _test(self, request: Request, match: re.Match[str]) -> Reply:
        held = [right for right in request.query.get("permissions", []) if right not in self.denied]
        return json_reply({"kind": "storage#testIamPermissionsResponse", **({"permissions": held} if held else {})})

    def _described(self, name: str) -> dict[str, Any]:
        return {"kind": "storage#object", "name": name, "bucket": self.name, "size": str((self.folder / name).stat().st_size)}


def refusal(code: int, message: str, status: str = "") -> Reply:
    return json_reply({"error": {"code": code, "message": message, **({"status": status} if status else {})}}, code)
