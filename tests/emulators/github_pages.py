"""GitHub Pages as a visitor sees it: a push is built, becomes live after a while, and until then the former site (or a 404) is served."""

from __future__ import annotations

import mimetypes
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NOT_FOUND = (
    b'<!DOCTYPE html>\n<html><head><meta http-equiv="Content-type" content="text/html; charset=utf-8"><title>Site not found &middot; GitHub Pages'
    b"</title></head>\n<body><h1>404</h1><p><strong>There isn't a GitHub Pages site here.</strong></p></body></html>\n"
)
FILE_NOT_FOUND = NOT_FOUND.replace(b"There isn't a GitHub Pages site here.", b"File not found").replace(b"Site not found", b"Page not found")
TEXT = {"application/javascript", "application/json", "application/xml", "image/svg+xml"}
TYPES = {".js": "application/javascript", ".mjs": "application/javascript", ".md": "text/markdown", ".csv": "text/csv"}


@dataclass
class Build:
    commit: str
    files: dict[str, bytes] = field(repr=False)
    live_from: float  # monotonic seconds
    failed: bool = False
    by_workflow: bool = False  # what a run published, which is not listed among the builds
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def status(self) -> str:
        if time.monotonic() < self.live_from:
            return "building"
        return "errored" if self.failed else "built"


@dataclass
class Site:
    """The Pages settings of one repository and its builds, oldest first."""

    branch: str
    path: str
    latency: float
    fail: bool = False
    build_type: str = "legacy"
    builds: list[Build] = field(default_factory=list)

    def build(self, commit: str, files: dict[str, bytes]) -> Build:
        folder = self.path.strip("/")
        inside = {path[len(folder) + 1 :] if folder else path: data for path, data in files.items() if not folder or path.startswith(f"{folder}/")}
        build = Build(commit, jekyll(inside), time.monotonic() + self.latency, self.fail)
        self.builds.append(build)
        return build

    @property
    def status(self) -> str | None:
        """None for ever where workflows publish."""
        return self.own_builds[-1].status if self.own_builds and self.build_type == "legacy" else None

    @property
    def own_builds(self) -> list[Build]:
        """GitHub's own builds of the branch."""
        return [build for build in self.builds if not build.by_workflow]

    def live(self) -> dict[str, bytes] | None:
        """The files served now; None before the first deployment."""
        done = [build for build in self.builds if build.status == "built"]
        return done[-1].files if done else None

    def serve(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """The answer to a visitor who asks for a path inside the site."""
        files = self.live()
        if files is None:
            return 404, {"Content-Type": "text/html; charset=utf-8"}, NOT_FOUND
        name = path + "index.html" if path == "" or path.endswith("/") else path
        for candidate in (name, f"{name}.html"):
            if candidate in files:
                return 200, headers_for(candidate), files[candidate]
        if f"{name}/index.html" in files:
            return 301, {"Location": f"{name.rsplit('/', 1)[-1]}/"}, b""
        return 404, {"Content-Type": "text/html; charset=utf-8"}, files.get("404.html", FILE_NOT_FOUND)


def jekyll(files: dict[str, bytes]) -> dict[str, bytes]:
    """What is published: without `.nojekyll`, names that begin with `_` or `.` are left out."""
    if ".nojekyll" in files:
        return dict(files)
    return {path: data for path, data in files.items() if not any(part[0] in "_." for part in path.split("/"))}


def headers_for(path: str) -> dict[str, str]:
    suffix = "." + path.rsplit(".", 1)[-1].lower() if "." in path else ""
    media_type = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type in TEXT:
        media_type += "; charset=utf-8"
    return {"Content-Type": media_type, "Cache-Control": "max-age=600", "Access-Control-Allow-Origin": "*"}


def page_json(site: Site, repo_api: str, site_url: str) -> dict[str, Any]:
    return {
        "url": f"{repo_api}/pages",
        "status": site.status,
        "cname": None,
        "custom_404": False,
        "html_url": site_url,
        "build_type": site.build_type,
        "source": {"branch": site.branch, "path": site.path},
        "public": True,
        "https_enforced": True,
    }


def build_json(build: Build, repo_api: str, number: int, login: str) -> dict[str, Any]:
    stamp = build.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "url": f"{repo_api}/pages/builds/{number}",
        "status": build.status,
        "error": {"message": "Page build failed." if build.status == "errored" else None},
        "pusher": {"login": login, "id": 1, "type": "User"},
        "commit": build.commit,
        "duration": 1000,
        "created_at": stamp,
        "updated_at": stamp,
    }
