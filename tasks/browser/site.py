"""One site's files, answered as GitHub Pages does: under /<repo>/, index.html for folders, `.html` may be left out, 404.html, case matters.

The media types come with the files; they are the local host's (`tasks/files/media_types.py`), so that a page is judged as it will be served.
https://docs.github.com/en/pages/getting-started-with-github-pages/creating-a-custom-404-page-for-your-github-pages-site
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, unquote


@dataclass(frozen=True)
class File:
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Site:
    repo: str
    files: dict[str, File]

    @property
    def root(self) -> str:
        return f"/{quote(self.repo)}/"

    def answer(self, method: str, resource: str) -> bytes:
        """The whole response to a request for `resource` (path and query, as on the wire)."""
        if method not in {"GET", "HEAD"}:
            return _response(405, File("text/plain; charset=utf-8", b"Published pages can only be read."), Allow="GET, HEAD")
        path = resource.partition("?")[0]
        if not path.startswith(self.root):
            if f"{path}/" == self.root:
                return self._redirect(resource, self.root)
            return _response(404, File("text/plain; charset=utf-8", f"Nothing outside {self.root}".encode()), body=method == "GET")
        name = unquote(path.removeprefix(self.root))
        found = self._find(name)
        if found is None and name and not name.endswith("/") and f"{name}/index.html" in self.files:
            return self._redirect(resource, f"{path}/")
        missing = self.files.get("404.html") or File("text/html; charset=utf-8", b"<!doctype html><title>404</title><h1>File not found</h1>")
        return _response(200 if found else 404, found or missing, body=method == "GET")

    def _find(self, name: str) -> File | None:
        if not name or name.endswith("/"):
            return self.files.get(f"{name}index.html")
        return self.files.get(name) or self.files.get(f"{name}.html")

    def _redirect(self, resource: str, to: str) -> bytes:
        _, mark, query = resource.partition("?")
        return _response(301, File("text/plain; charset=utf-8", b""), Location=f"{to}{mark}{query}")


def _response(status: int, file: File, *, body: bool = True, **more: str) -> bytes:
    headers = {
        "Content-Type": file.media_type,
        "Content-Length": str(len(file.content)),
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "max-age=600",
        **more,
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (file.content if body else b"")
