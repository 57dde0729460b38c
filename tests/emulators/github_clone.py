"""The two requests of a clone or fetch, by dulwich's own server on the emulator's objects: https://git-scm.com/docs/http-protocol

As on GitHub, a repository that is not there and one that is private both ask for a password.
"""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from dulwich.protocol import ReceivableProtocol
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo
from dulwich.server import DictBackend, UploadPackHandler

from tests.emulators.github_call import Answer
from tests.emulators.github_store import Repository

if TYPE_CHECKING:
    from tests.emulators.github import GitHubEmulator

PATH = re.compile(r"^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack)$")
SERVICE = "git-upload-pack"
PASSWORD = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}


def answer(emulator: GitHubEmulator, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer | None:
    """None when the request is none of git's."""
    match = PATH.match(path)
    if match is None or (match[3] == "info/refs" and query.get("service") != SERVICE):
        return None
    with emulator.lock:
        repo = emulator.find(match[1], match[2])
        if repo is None or repo.private or not emulator.visible(repo):
            return Answer(401, b"Repository not found.", PASSWORD)
        if headers.get("content-encoding") == "gzip":
            body = zlib.decompress(body, wbits=31)
        kind = "advertisement" if match[3] == "info/refs" else "result"
        return Answer(200, serve(repo, body, kind == "advertisement"), {"Content-Type": f"application/x-{SERVICE}-{kind}"})


def serve(repo: Repository, body: bytes, advertise: bool) -> bytes:
    out = BytesIO()
    proto = ReceivableProtocol(BytesIO(body).read, out.write)
    if advertise:
        proto.write_pkt_line(f"# service={SERVICE}\n".encode())
        proto.write_pkt_line(None)
    backend = DictBackend({"/": as_git(repo)})
    UploadPackHandler(backend, ["/"], proto, stateless_rpc=True, advertise_refs=advertise).handle()
    return out.getvalue()


def as_git(repo: Repository) -> MemoryRepo:
    git = MemoryRepo()
    for item in repo.objects.values():
        git.object_store.add_object(item)
    for ref, sha in repo.refs.items():
        git.refs.add_if_new(Ref(f"refs/{ref}".encode()), sha.encode())
    git.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(f"refs/heads/{repo.default_branch}".encode()))
    return git
