"""`/repos/<repo>.git`: the local host's repositories, for people a page, for git a read-only smart HTTP server.

The protocol's states are dulwich's; this module is the way in and out: https://git-scm.com/docs/http-protocol. Answers are made whole in memory,
which a repository of a few pages allows (`settings.MAX_BODY_BYTES` bounds what one commit brings). Pushing is refused: only the pipeline writes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import re_path, reverse
from django.views.decorators.csrf import csrf_exempt
from dulwich.errors import GitProtocolError
from dulwich.protocol import CAPABILITY_FILTER, Protocol, ReceivableProtocol
from dulwich.repo import Repo
from dulwich.server import DictBackend, UploadPackHandler

from tasks.api.problems import problem
from tasks.hosts import local_store

MAX_REQUEST = 4 * 1024 * 1024  # bytes of wants and haves, unpacked; a fetch of a thousand commits sends 50 KiB
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
SERVICE = "git-upload-pack"


class UploadPack(UploadPackHandler):
    """Without partial clones, which come back for single blobs that dulwich's server does not hand out: git then takes everything at once.
    It names the capability even so (git 2.39), and dulwich would refuse a name that was not offered."""

    def capabilities(self) -> list[bytes]:
        return [capability for capability in super().capabilities() if capability != CAPABILITY_FILTER]

    def set_client_capabilities(self, caps: Iterable[bytes]) -> None:
        super().set_client_capabilities([capability for capability in caps if capability != CAPABILITY_FILTER])


# -- for people ------------------------------------------------------------------------------------------------------------------------


@csrf_exempt
def repo(request: HttpRequest, name: str) -> HttpResponse:
    """What a browser sees: how to clone, the files, the last commits, the link to the page."""
    if request.method not in {"GET", "HEAD"}:
        return problem(405, "method-not-allowed", "This address can only be read: use GET or HEAD.", headers={"Allow": "GET, HEAD"})
    folder = local_store.locate(name)
    if folder is None:
        response = HttpResponse(render_to_string("site/not_found.html", {"title": "No such repository", "what": f"/repos/{name}.git"}), status=404)
    else:
        response = HttpResponse(render_to_string("site/repo.html", _page(folder, name)))
    response["Content-Security-Policy"] = PAGE_POLICY
    response["Cache-Control"] = "no-cache"
    return response


def _page(folder: Path, name: str) -> dict:
    commit_sha = local_store.tip(folder)
    files = local_store.listing(folder, commit_sha) if commit_sha else {}
    return {
        "name": name,
        "description": local_store.description(folder).rsplit(" [deployer:", 1)[0],
        "branch": local_store.BRANCH,
        "clone_url": f"{settings.PUBLIC_URL}/repos/{name}.git",
        "pages_url": reverse("pages", args=[name]),
        "files": [{"path": path, "size": len(local_store.blob(folder, sha))} for path, sha in files.items()],
        "commits": local_store.history(folder, 20),
    }


# -- for git ---------------------------------------------------------------------------------------------------------------------------


@csrf_exempt
def repo_git(request: HttpRequest, name: str, rest: str) -> HttpResponse:
    """The two requests of a clone or fetch. Anything that would write is 403, anything else 404."""
    folder = local_store.locate(name)
    if folder is None:
        return _plain("There is no such repository.", 404)
    service = request.GET.get("service", "") if rest == "info/refs" else rest
    if service == "git-receive-pack":
        return _plain("This repository is read-only; changes come from the pipeline.", 403)
    if rest == "info/refs" and request.method == "GET":
        if service != SERVICE:
            return _plain("Only git's smart HTTP protocol is spoken here; use git 1.6.6 or later.", 403)
        return _git(folder, "advertisement", _advertise)
    if rest == SERVICE and request.method == "POST":
        return _upload_pack(request, folder)
    return _plain("Not found.", 404)


def _advertise(git: Repo, write: Callable[[bytes], int]) -> None:
    proto = ReceivableProtocol(BytesIO().read, write)
    proto.write_pkt_line(f"# service={SERVICE}\n".encode())
    proto.write_pkt_line(None)
    _handler(git, proto, advertise_refs=True).handle()


def _upload_pack(request: HttpRequest, folder: Path) -> HttpResponse:
    if request.content_type != f"application/x-{SERVICE}-request":  # a form on another site cannot send this type unasked
        return _plain(f"Send application/x-{SERVICE}-request.", 415)
    if not request.META.get("CONTENT_LENGTH"):
        return _plain("Send a Content-Length; raise http.postBuffer if git sends in chunks.", 411)
    body = request.read(MAX_REQUEST + 1)
    if request.headers.get("Content-Encoding", "identity") in {"gzip", "x-gzip"}:
        try:
            body = zlib.decompressobj(wbits=31).decompress(body, MAX_REQUEST + 1)
        except zlib.error:
            return _plain("The body is not gzip.", 400)
    if len(body) > MAX_REQUEST:
        return _plain("The request is too large.", 413)

    def serve(git: Repo, write: Callable[[bytes], int]) -> None:
        _handler(git, ReceivableProtocol(BytesIO(body).read, write)).handle()

    return _git(folder, "result", serve)


def _handler(git: Repo, proto: Protocol, advertise_refs: bool = False) -> UploadPack:
    return UploadPack(DictBackend({"/": git}), ["/"], proto, stateless_rpc=True, advertise_refs=advertise_refs)


def _git(folder: Path, kind: str, serve: Callable[[Repo, Callable[[bytes], int]], None]) -> HttpResponse:
    out = BytesIO()
    with local_store.open_repo(folder) as git:
        try:
            serve(git, out.write)
        except (GitProtocolError, AssertionError, ValueError) as error:  # dulwich's three ways to say that the request makes no sense
            return _plain(f"The request is not git's: {error}", 400)
    response = HttpResponse(out.getvalue(), content_type=f"application/x-{SERVICE}-{kind}")
    response["Cache-Control"] = "no-cache, max-age=0, must-revalidate"
    return response


def _plain(text: str, status: int) -> HttpResponse:
    """git shows its user the text of an answer that is text/plain, and of no other."""
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")


urlpatterns = [
    re_path(r"^repos/(?P<name>[^/]+)\.git/?\Z", repo, name="repo"),
    re_path(r"^repos/(?P<name>[^/]+)\.git/(?P<rest>[\s\S]+)\Z", repo_git, name="repo-git"),
]
