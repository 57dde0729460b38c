"""`/pages/<repo>/…`: the local host's answer to GitHub Pages. In comes a path, out goes the file that main's last commit holds there.

The pages were written by a model for a stranger, and share the admin's origin. So each answer is sandboxed into an origin of its own
(no `allow-same-origin`): a page can run its scripts and read its own files, but no cookie, no storage and nothing of the admin. It follows that
its requests come from the origin "null", hence the open CORS header; and that it must not ask for a clean browsing context group
(Cross-Origin-Opener-Policy), which the standard forbids to sandboxed documents: https://html.spec.whatwg.org/multipage/browsing-the-web.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.urls import path
from django.utils.cache import get_conditional_response
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt

from tasks.api.problems import problem
from tasks.files.media_types import media_type
from tasks.hosts import local_store

HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "Cache-Control": "no-cache",
}


@csrf_exempt
@xframe_options_exempt
def pages(request: HttpRequest, repo: str, file: str | None = None) -> HttpResponse:
    """GET or HEAD of one file. `file` None: the address without its closing slash."""
    if request.method in {"GET", "HEAD"}:
        response = _answer(request, repo, file)
    else:
        response = problem(405, "method-not-allowed", "Published pages can only be read: use GET or HEAD.", headers={"Allow": "GET, HEAD"})
    for header, value in HEADERS.items():
        response[header] = value
    if request.method == "HEAD":
        response["Content-Length"] = str(len(response.content))
        response.content = b""
    return response


def _answer(request: HttpRequest, repo: str, file: str | None) -> HttpResponse:
    folder = local_store.locate(repo)
    commit_sha = local_store.tip(folder) if folder else None
    if folder is None or commit_sha is None:
        title = "Nothing published yet" if folder else "No such site"
        return HttpResponse(render_to_string("site/not_found.html", {"title": title, "what": f"/pages/{repo}/"}), status=404)
    files = local_store.listing(folder, commit_sha)
    if file is None or _is_folder(files, file):
        return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    name = _resolve(files, file)
    if name is None:
        return _not_found(folder, files, repo, file)

    etag = f'"{files[name]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        data = local_store.blob(folder, files[name])
        response = HttpResponse(data, content_type=media_type(name, data))
    response["ETag"] = etag
    return response


def _resolve(files: Mapping[str, str], file: str) -> str | None:
    """The path that answers for `file`, by the rules of GitHub Pages: a folder is its index.html, and `.html` may be left out."""
    choices = (f"{file}index.html",) if not file or file.endswith("/") else (file, f"{file}.html")
    return next((choice for choice in choices if choice in files), None)


def _is_folder(files: Mapping[str, str], file: str) -> bool:
    return bool(file) and not file.endswith("/") and _resolve(files, file) is None and f"{file}/index.html" in files


def _not_found(folder: Path, files: Mapping[str, str], repo: str, file: str) -> HttpResponse:
    if "404.html" in files:
        return HttpResponse(local_store.blob(folder, files["404.html"]), content_type="text/html; charset=utf-8", status=404)
    context = {"title": "File not found", "what": f"/pages/{repo}/{file}", "home": f"/pages/{repo}/"}
    return HttpResponse(render_to_string("site/not_found.html", context), status=404)


urlpatterns = [
    path("pages/<str:repo>", pages),
    path("pages/<str:repo>/", pages, {"file": ""}, name="pages"),
    path("pages/<str:repo>/<path:file>", pages, name="pages"),
]
