"""The Git database calls: https://docs.github.com/en/rest/git"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from dulwich.objects import Blob, Commit, Tree

from tests.emulators.github_call import Answer, Call, route
from tests.emulators.github_store import BLOB_MODES, Problem, Repository, check_path

BASE = "/repos/{owner}/{repo}/git"
KINDS = {"040000": "tree", "160000": "commit"}


def refuse_secrets(call: Call, data: bytes) -> None:
    """Push protection: 409 with the place to ask for a bypass."""
    if any(secret in data for secret in call.emulator.secrets):
        places = [{"placeholder_id": "2ccEasQpTFrE8OFfwkg0hOZTeNu", "token_type": "google_api_key"}]
        raise Problem(409, "Secret detected in content", metadata={"secret_scanning": {"bypass_placeholders": places}})


@route("POST", f"{BASE}/blobs")
def create_blob(call: Call) -> Answer:
    repo, body = call.started(call.writable), call.json
    content = body.get("content")
    if not isinstance(content, str):
        raise Problem(422, 'Invalid request.\n\n"content" wasn\'t supplied.')
    try:
        data = base64.b64decode(content) if body.get("encoding") == "base64" else content.encode()
    except binascii.Error:
        data = base64.b64decode(re.sub(r"[^A-Za-z0-9+/]", "", content) + "==")  # GitHub reads broken base64 as far as it goes
    refuse_secrets(call, data)
    sha = repo.add_blob(data)
    return Answer(201, {"sha": sha, "url": f"{call.api(repo)}/git/blobs/{sha}"})


@route("GET", BASE + "/blobs/{sha}")
def get_blob(call: Call) -> Answer:
    repo = call.started(call.repo)
    blob = repo.find(call.args["sha"], Blob)
    if blob is None:
        raise Problem(404, "Not Found")
    content = base64.encodebytes(blob.data).decode()
    url = f"{call.api(repo)}/git/blobs/{call.args['sha']}"
    return Answer(200, {"sha": call.args["sha"], "node_id": "B_1", "size": len(blob.data), "url": url, "content": content, "encoding": "base64"})


def entry_json(call: Call, repo: Repository, path: str, mode: str, sha: str) -> dict[str, Any]:
    kind = KINDS.get(mode, "blob")
    size = {"size": len(repo.objects[sha].data)} if kind == "blob" else {}  # type: ignore[attr-defined]
    return {"path": path, "mode": mode, "type": kind, "sha": sha, **size, "url": f"{call.api(repo)}/git/{kind}s/{sha}"}


def tree_json(call: Call, repo: Repository, sha: str, recursive: bool) -> dict[str, Any]:
    entries = [entry_json(call, repo, *entry) for entry in repo.walk(sha, recursive=recursive)]
    return {"sha": sha, "url": f"{call.api(repo)}/git/trees/{sha}", "tree": entries, "truncated": False}


@route("POST", f"{BASE}/trees")
def create_tree(call: Call) -> Answer:
    repo, body = call.started(call.writable), call.json
    entries = body.get("tree")
    if not isinstance(entries, list) or not entries:
        raise Problem(422, "Invalid tree info")
    files: dict[str, tuple[str, str]] = {}
    if body.get("base_tree"):
        if repo.find(body["base_tree"], Tree) is None:
            raise Problem(422, "base_tree is not a valid tree oid")
        files = repo.blobs(body["base_tree"])
    for entry in entries:
        place_entry(repo, files, entry)
    return Answer(201, tree_json(call, repo, repo.make_tree(files), recursive=False))


def place_entry(repo: Repository, files: dict[str, tuple[str, str]], entry: dict[str, Any]) -> None:
    path, mode = check_path(entry.get("path")), entry.get("mode")
    if mode not in BLOB_MODES | set(KINDS):
        raise Problem(422, "Must supply a valid tree.mode")
    if "sha" in entry and entry["sha"] is None and "content" not in entry:
        files.pop(path, None)
        return
    if (entry.get("sha") is None) == (entry.get("content") is None):
        raise Problem(422, "Must supply either tree.sha or tree.content. Request will be rejected if both are present.")
    if mode == "040000":
        if repo.find(entry.get("sha") or "", Tree) is None:
            raise Problem(422, f"tree.sha {entry.get('sha')} is not a valid tree")
        files.update({f"{path}/{inner}": value for inner, value in repo.blobs(entry["sha"]).items()})
        return
    sha = entry.get("sha") or repo.add_blob(entry["content"].encode())
    if repo.find(sha, Blob) is None:
        raise Problem(422, f"tree.sha {sha} is not a valid blob")
    files[path] = (mode, sha)


@route("GET", BASE + "/trees/{sha}")
def get_tree(call: Call) -> Answer:
    repo = call.started(call.repo)
    name = call.args["sha"]
    tree = name if repo.find(name, Tree) else repo.tree_of(repo.resolve(name))
    return Answer(200, tree_json(call, repo, tree, recursive="recursive" in call.query))


def commit_json(call: Call, repo: Repository, sha: str) -> dict[str, Any]:
    """A commit of the Git database (a smaller thing than the `commits` resource)."""
    commit: Commit = repo.objects[sha]  # type: ignore[assignment]
    parents = [parent.decode() for parent in commit.parents]
    return {
        "sha": sha,
        "node_id": "C_1",
        "url": f"{call.api(repo)}/git/commits/{sha}",
        "html_url": f"{call.html(repo)}/commit/{sha}",
        "author": person_json(commit.author, commit.author_time, commit.author_timezone),
        "committer": person_json(commit.committer, commit.commit_time, commit.commit_timezone),
        "tree": {"sha": commit.tree.decode(), "url": f"{call.api(repo)}/git/trees/{commit.tree.decode()}"},
        "message": commit.message.decode(),
        "parents": [
            {"sha": parent, "url": f"{call.api(repo)}/git/commits/{parent}", "html_url": f"{call.html(repo)}/commit/{parent}"} for parent in parents
        ],
        "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None},
    }


def person_json(line: bytes, seconds: int, offset: int) -> dict[str, str]:
    name, _, email = line.decode().rpartition(" <")
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(seconds=offset))).astimezone(UTC)
    return {"name": name, "email": email.rstrip(">"), "date": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


@route("POST", f"{BASE}/commits")
def create_commit(call: Call) -> Answer:
    repo, body = call.started(call.writable), call.json
    tree, parents = body.get("tree") or "", body.get("parents") or []
    if not isinstance(body.get("message"), str):
        raise Problem(422, 'Invalid request.\n\n"message" wasn\'t supplied.')
    if repo.find(tree, Tree) is None:
        raise Problem(422, "Tree SHA does not exist")
    if any(repo.find(parent, Commit) is None for parent in parents):
        raise Problem(422, "Parent SHA does not exist or is not a commit object")
    if not call.emulator.workflow_scope:
        before = {item for parent in parents for item in repo.blobs(repo.tree_of(parent)).items()}
        if any(path.startswith(".github/workflows/") and (path, file) not in before for path, file in repo.blobs(tree).items()):
            raise Problem(404, "Not Found")
    author = call.person(body.get("author"))
    committer = call.person(body.get("committer")) if body.get("committer") else author
    return Answer(201, commit_json(call, repo, repo.make_commit(tree, parents, body["message"], author, committer)))


@route("GET", BASE + "/commits/{sha}")
def get_commit(call: Call) -> Answer:
    repo = call.started(call.repo)
    if repo.find(call.args["sha"], Commit) is None:
        raise Problem(404, "Not Found")
    return Answer(200, commit_json(call, repo, call.args["sha"]))


def ref_json(call: Call, repo: Repository, ref: str) -> dict[str, Any]:
    sha = repo.refs[ref]
    target = {"sha": sha, "type": "commit", "url": f"{call.api(repo)}/git/commits/{sha}"}
    return {"ref": f"refs/{ref}", "node_id": "R_1", "url": f"{call.api(repo)}/git/refs/{ref}", "object": target}


@route("GET", BASE + "/ref/{ref}")
def get_ref(call: Call) -> Answer:
    repo = call.started(call.repo)
    if call.args["ref"] not in repo.refs:
        raise Problem(404, "Not Found")
    return Answer(200, ref_json(call, repo, call.args["ref"]))


@route("POST", f"{BASE}/refs")
def create_ref(call: Call) -> Answer:
    repo, body = call.started(call.writable), call.json
    name, sha = str(body.get("ref", "")), str(body.get("sha", ""))
    if not name.startswith("refs/"):
        raise Problem(422, "Reference name must start with 'refs/'.")
    if name.count("/") < 2:
        raise Problem(422, "Reference name must contain at least three slash-separated components.")
    ref = name.removeprefix("refs/")
    if ref in repo.refs:
        raise Problem(422, "Reference already exists")
    if sha not in repo.objects:
        raise Problem(422, "Object does not exist")
    if repo.find(sha, Commit) is None:
        raise Problem(422, "Reference update failed")
    repo.move(ref, sha)
    return Answer(201, ref_json(call, repo, ref))


@route("PATCH", BASE + "/refs/{ref}")
def update_ref(call: Call) -> Answer:
    repo, body = call.started(call.writable), call.json
    ref, sha = call.args["ref"], str(body.get("sha", ""))
    if ref not in repo.refs:
        raise Problem(422, "Reference does not exist")
    if sha not in repo.objects:
        raise Problem(422, "Object does not exist")
    if repo.find(sha, Commit) is None:
        raise Problem(422, "Object is not a commit")
    if not body.get("force") and repo.refs[ref] not in repo.history(sha):
        raise Problem(422, "Update is not a fast forward")
    repo.move(ref, sha)
    return Answer(200, ref_json(call, repo, ref))
