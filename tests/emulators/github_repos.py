"""Users, repositories, their branches, commits, contents and Pages settings: https://docs.github.com/en/rest/repos and /rest/pages"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tests.emulators.github_call import Answer, Call, route, stamp
from tests.emulators.github_git import commit_json, refuse_secrets
from tests.emulators.github_pages import Site, build_json, page_json
from tests.emulators.github_store import Problem, Repository, check_path, fold_name

REPO = "/repos/{owner}/{repo}"


def user_json(call: Call, login: str) -> dict[str, Any]:
    return {"login": login, "id": 1, "type": "User", "url": f"{call.emulator.url}/users/{login}", "html_url": f"{call.emulator.url}/{login}"}


def repo_json(call: Call, repo: Repository) -> dict[str, Any]:
    return {
        "id": repo.number,
        "name": repo.name,
        "full_name": repo.full_name,
        "owner": user_json(call, repo.owner),
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "description": repo.description,
        "url": call.api(repo),
        "html_url": call.html(repo),
        "clone_url": f"{call.html(repo)}.git",
        "default_branch": repo.default_branch,
        "archived": repo.archived,
        "has_pages": repo.pages is not None,
        "fork": False,
        "created_at": stamp(repo.created_at),
        "updated_at": stamp(repo.created_at),
        "pushed_at": stamp(repo.created_at),
        "permissions": {"admin": repo.owner == call.login, "push": repo.owner == call.login, "pull": True},
    }


@route("GET", "/user")
def get_user(call: Call) -> Answer:
    if call.login is None:
        raise Problem(401, "Requires authentication")
    return Answer(200, user_json(call, call.login), {"X-OAuth-Scopes": "repo"})


def creation_failed(field: str, message: str) -> Problem:
    errors = [{"resource": "Repository", "code": "custom", "field": field, "message": message}]
    return Problem(422, "Repository creation failed.", errors)


def check_description(text: Any) -> str | None:
    if text is None:
        return None
    if len(str(text)) > 350:
        raise creation_failed("description", "description cannot be more than 350 characters")
    if any(ord(char) < 32 or ord(char) == 127 for char in str(text)):
        raise creation_failed("description", "description control characters are not allowed")
    return str(text)


@route("POST", "/user/repos")
def create_repo(call: Call) -> Answer:
    body, owner = call.json, call.login or ""
    name = fold_name(str(body.get("name") or ""))
    if not name or name in {".", ".."}:
        raise creation_failed("name", "name is reserved" if name else "name can't be blank")
    if len(name) > 100:
        raise creation_failed("name", "name cannot be more than 100 characters")
    description = check_description(body.get("description"))
    if call.emulator.find(owner, name):
        raise creation_failed("name", "name already exists on this account")
    repo = call.emulator.add_repository(
        owner, name, description=description, private=bool(body.get("private")), default_branch=call.emulator.first_branch
    )
    if body.get("auto_init"):
        readme = f"# {name}\n{description}\n" if description else f"# {name}\n"
        repo.save_file("README.md", readme.encode(), "Initial commit", call.person(None))
    return Answer(201, repo_json(call, repo))


@route("GET", REPO)
def get_repo(call: Call) -> Answer:
    return Answer(200, repo_json(call, call.repo))


@route("PATCH", REPO)
def update_repo(call: Call) -> Answer:
    repo, body = call.writable, call.json
    if "description" in body:
        repo.description = check_description(body["description"])
    repo.private = bool(body.get("private", repo.private))
    if body.get("default_branch"):
        if f"heads/{body['default_branch']}" not in repo.refs:
            raise Problem(422, "Validation Failed", [{"resource": "Repository", "code": "invalid", "field": "default_branch"}])
        repo.default_branch = body["default_branch"]
    return Answer(200, repo_json(call, repo))


def branch_json(call: Call, repo: Repository, branch: str) -> dict[str, Any]:
    sha = repo.refs[f"heads/{branch}"]
    return {"name": branch, "commit": full_commit_json(call, repo, sha), "protected": False}


def full_commit_json(call: Call, repo: Repository, sha: str) -> dict[str, Any]:
    inner = commit_json(call, repo, sha)
    parents = inner.pop("parents")
    url = f"{call.api(repo)}/commits/{sha}"
    return {"sha": sha, "node_id": "C_1", "url": url, "html_url": inner["html_url"], "commit": inner, "parents": parents, "author": None}


@route("GET", REPO + "/branches/{branch}")
def get_branch(call: Call) -> Answer:
    repo, branch = call.repo, call.args["branch"]
    if f"heads/{branch}" not in repo.refs:
        raise Problem(404, "Branch not found")
    return Answer(200, branch_json(call, repo, branch))


@route("POST", REPO + "/branches/{branch}/rename")
def rename_branch(call: Call) -> Answer:
    repo, old, new = call.writable, call.args["branch"], str(call.json.get("new_name") or "")
    if f"heads/{old}" not in repo.refs:
        raise Problem(404, "Branch not found")
    if not new or f"heads/{new}" in repo.refs:
        raise Problem(422, "Validation Failed", [{"resource": "Branch", "code": "already_exists", "field": "name"}])
    repo.refs[f"heads/{new}"] = repo.refs.pop(f"heads/{old}")
    if repo.default_branch == old:
        repo.default_branch = new
    return Answer(201, branch_json(call, repo, new))


@route("GET", REPO + "/commits")
def list_commits(call: Call) -> Answer:
    repo = call.started(call.repo)
    shas = repo.history(repo.resolve(call.query.get("sha", repo.default_branch)))
    return Answer(200, [full_commit_json(call, repo, sha) for sha in shas[: int(call.query.get("per_page", 30))]])


@route("GET", REPO + "/commits/{ref}")
def get_full_commit(call: Call) -> Answer:
    repo = call.started(call.repo)
    return Answer(200, full_commit_json(call, repo, repo.resolve(call.args["ref"])))


def file_json(call: Call, repo: Repository, path: str, data: bytes, sha: str) -> dict[str, Any]:
    url = f"{call.api(repo)}/contents/{path}"
    return {"type": "file", "name": path.rsplit("/", 1)[-1], "path": path, "sha": sha, "size": len(data), "url": url, "html_url": None}


@route("GET", REPO + "/contents/{path}")
def get_contents(call: Call) -> Answer:
    repo = call.repo
    if not repo.refs:
        raise Problem(404, "This repository is empty.")
    path = call.args["path"]
    commit = repo.resolve(call.query.get("ref", repo.default_branch))
    blobs, contents = repo.blobs(repo.tree_of(commit)), repo.contents(commit)
    if path in contents:
        data = contents[path]
        small = len(data) <= 1_000_000
        body = file_json(call, repo, path, data, blobs[path][1])
        body |= {"content": base64.encodebytes(data).decode() if small else "", "encoding": "base64" if small else "none"}
        return Answer(200, body)
    inside = {name for name in contents if name.startswith(f"{path}/") and "/" not in name[len(path) + 1 :]}
    if not inside:
        raise Problem(404, "Not Found")
    return Answer(200, [file_json(call, repo, name, contents[name], blobs[name][1]) for name in sorted(inside)])


@route("PUT", REPO + "/contents/{path}")
def put_contents(call: Call) -> Answer:
    repo, body, path = call.writable, call.json, check_path(call.args["path"])
    branch = body.get("branch") or repo.default_branch
    head = repo.refs.get(f"heads/{branch}")
    if repo.refs and head is None:
        raise Problem(404, f"Branch {branch} not found")
    old = repo.blobs(repo.tree_of(head)).get(path) if head else None
    if old and not body.get("sha"):
        raise Problem(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if old and body["sha"] != old[1]:
        raise Problem(409, f"{path} does not match {body['sha']}")
    try:
        data = base64.b64decode(body.get("content", ""))
    except binascii.Error:
        raise Problem(422, "content is not valid Base64") from None
    refuse_secrets(call, data)
    commit = repo.save_file(path, data, str(body.get("message")), call.person(body.get("author")), branch)
    answer = {"content": file_json(call, repo, path, data, repo.add_blob(data)), "commit": commit_json(call, repo, commit)}
    return Answer(200 if old else 201, answer)


def site_of(repo: Repository) -> Site:
    if repo.pages is None:
        raise Problem(404, "Not Found")
    return repo.pages


def source_of(repo: Repository, body: dict[str, Any]) -> tuple[str, str]:
    source = body.get("source")
    if not isinstance(source, dict) or not source.get("branch"):
        raise Problem(422, "Invalid request.\n\nInvalid input: object is missing required key: source.")
    if f"heads/{source['branch']}" not in repo.refs:
        raise Problem(422, f"The {source['branch']} branch must exist before GitHub Pages can be built.")
    return source["branch"], source.get("path") or "/"


@route("GET", f"{REPO}/pages")
def get_pages(call: Call) -> Answer:
    repo = call.repo
    return Answer(200, page_json(site_of(repo), call.api(repo), call.emulator.site_url(repo)))


@route("POST", f"{REPO}/pages")
def enable_pages(call: Call) -> Answer:
    repo = call.writable
    if repo.pages:
        raise Problem(409, "GitHub Pages is already enabled.")
    by_workflow = call.json.get("build_type") == "workflow"
    branch, path = (repo.default_branch, "/") if by_workflow and "source" not in call.json else source_of(repo, call.json)
    repo.pages = Site(branch, path, call.emulator.pages_latency, call.emulator.fail_builds)
    if by_workflow:  # nothing is published before the next run
        repo.pages.build_type = "workflow"
        return Answer(201, page_json(repo.pages, call.api(repo), call.emulator.site_url(repo)))
    answer = page_json(repo.pages, call.api(repo), call.emulator.site_url(repo))
    head = repo.refs[f"heads/{branch}"]
    repo.pages.build(head, repo.contents(head))
    return Answer(201, answer)


@route("PUT", f"{REPO}/pages")
def update_pages(call: Call) -> Answer:
    """A new source is not built by itself."""
    repo = call.writable
    site = site_of(repo)
    site.build_type = call.json.get("build_type", site.build_type)
    if "source" in call.json or site.build_type == "legacy":
        site.branch, site.path = source_of(repo, call.json)
    return Answer(204)


@route("POST", f"{REPO}/pages/builds")
def request_build(call: Call) -> Answer:
    repo = call.writable
    site = site_of(repo)
    site.latency, site.fail = call.emulator.pages_latency, call.emulator.fail_builds
    head = repo.refs[f"heads/{site.branch}"]
    site.build(head, repo.contents(head))
    return Answer(201, {"url": f"{call.api(repo)}/pages/builds/latest", "status": "queued"})


@route("GET", f"{REPO}/pages/builds/latest")
def latest_build(call: Call) -> Answer:
    repo = call.repo
    builds = site_of(repo).own_builds
    if not builds:
        raise Problem(404, "Not Found")
    return Answer(200, build_json(builds[-1], call.api(repo), len(builds), repo.owner))
