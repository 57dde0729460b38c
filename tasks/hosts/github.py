"""GitHub: repositories through the Git database (one tree, one commit), Pages from the branch's root.

A first round takes five requests and one for each binary file: create, tree, commit, ref, Pages. A later one takes four (head, tree,
commit, ref): unchanged files are named by their sha, new text travels inside the tree. Every call may be repeated: an answer 502 does not
mean that nothing was done, so each step finds what it did before. https://docs.github.com/en/rest/git
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.utils import timezone

from tasks.errors import GitHubRefused, GitHubTokenRefused, Misconfigured, RemoteUnavailable, RepositoryConflict, TaskError
from tasks.hosts import base, github_pages
from tasks.hosts.base import Commit, Head, NewFile, Repo, blob_sha, clean_description
from tasks.hosts.github_client import SETTING_UP, Answer, Client, is_missing_object, unexpected
from tasks.hosts.github_errors import name_taken
from tasks.hosts.github_tree import MODE, plan, tree_sha
from tasks.workflows import policy as workflows

AUTHOR, EMAIL = "Deployer", "noreply@deployer.invalid"  # never the student's address; .invalid belongs to nobody (RFC 2606)
BRANCH = "main"
MAX_READ_FILES = 50
MAX_READ_BYTES = 5 * 1024 * 1024
WORKFLOW_RIGHT = (
    "GITHUB_TOKEN may not write workflow files: give it the scope `workflow` (classic token) or the permission Workflows: write (fine-grained), "
    "then re-run from publish."
)
YOUNG = timedelta(seconds=150)  # for so long after its creation a repository may be invisible to some of GitHub's servers


class Entry(NamedTuple):
    """A file of a commit as GitHub lists it. Links and submodules are not `plain`."""

    sha: str
    size: int
    plain: bool


class Host(base.Host):
    name: ClassVar[str] = "github"
    supports_workflows: ClassVar[bool] = True

    def __init__(self) -> None:
        self.client = Client()
        self._young: set[str] = set()  # owner/name of repositories made moments ago
        self._listings: dict[str, dict[str, Entry]] = {}  # commit sha -> path -> file, as far as read or written by this object

    @property
    def requests(self) -> int:  # type: ignore[override]
        return self.client.requests

    # -- repository --------------------------------------------------------------------------------------------------------------------

    def ensure_repo(self, name: str, *, description: str, marker: str, known: bool) -> Repo | None:
        if known:
            found = self._look(name)
            if found is not None:
                return self._adopt(found, marker)
        text = description if tag(marker) in description else clean_description(description, marker)
        self.client.reserve(1)
        # https://docs.github.com/en/rest/repos/repos#create-a-repository-for-the-authenticated-user
        body = {"name": name, "description": text, "private": False, "auto_init": True, "has_wiki": False, "has_projects": False}
        answer = self.client.call("POST", "/user/repos", body, allow=(422,))
        if answer.status != 422:
            repo = self._repo(answer, fresh=True)
            if answer.get("default_branch") != BRANCH:  # the account's own setting
                self._rename_branch(repo, answer.get("default_branch"))
            return repo
        if not name_taken(answer.status, answer.text):
            raise self.client.error(answer)
        found = self._look(name, young=True)
        if found is None:
            raise RemoteUnavailable("GitHub says that the repository exists but does not show it yet; the round tries again by itself.")
        return self._adopt(found, marker)

    def _look(self, name: str, *, young: bool = False) -> Answer | None:
        """The account's repository of that name, None when there is none."""
        owner = settings.GITHUB_USERNAME or self._login()
        answer = self.client.call("GET", f"/repos/{owner}/{name}", allow=(404,), young=young)
        if answer.status != 404:  # a repository given to somebody else is redirected to, and its name is free again
            return answer if answer.get("owner", "login").lower() == owner.lower() else None
        if settings.GITHUB_USERNAME and self._login().lower() != owner.lower():
            raise Misconfigured(f"GITHUB_USERNAME is {owner}, but GITHUB_TOKEN belongs to {self._login()}; correct one of them.")
        return None

    def _login(self) -> str:
        login: str = self.client.call("GET", "/user").get("login")
        return login

    def _adopt(self, found: Answer, marker: str) -> Repo | None:
        """The repository if it carries our marker. It is fresh while its branch holds nothing but GitHub's own first commit."""
        if tag(marker) not in str(found.find("description") or ""):
            return None
        if found.find("private") is True:
            raise GitHubRefused("The repository is private; make it public on GitHub, then re-run.", detail=found.get("full_name"))
        repo = self._repo(found, fresh=False)
        branch = self._branch(repo)
        if branch is None and found.get("default_branch") != BRANCH:
            self._rename_branch(repo, found.get("default_branch"))
            branch = self._branch(repo)
        if branch is None:
            if self._is_young(repo):
                raise RemoteUnavailable(SETTING_UP)
            return repo
        first = not branch.get("commit", "parents", kind=list) and branch.get("commit", "commit", "message").strip() == "Initial commit"
        if first and set(self._listing(repo, branch.sha("commit", "sha"))) == {"README.md"}:
            return replace(repo, fresh=True)
        return repo

    def _repo(self, answer: Answer, *, fresh: bool) -> Repo:
        owner, name = answer.get("owner", "login"), answer.get("name")
        if answer.get("full_name") != f"{owner}/{name}":
            raise unexpected(answer, "names two repositories")
        if self._age(answer) < YOUNG:
            self._young.add(f"{owner}/{name}")
        answer.get("default_branch")
        return Repo(owner, name, answer.get("html_url"), pages_url(owner, name), BRANCH, fresh)

    def _rename_branch(self, repo: Repo, name: str) -> None:
        """https://docs.github.com/en/rest/branches/branches#rename-a-branch"""
        self._call("POST", repo, f"/branches/{name}/rename", {"new_name": BRANCH})

    def _age(self, answer: Answer) -> timedelta:
        try:
            return timezone.now() - datetime.fromisoformat(answer.get("created_at").replace("Z", "+00:00"))
        except (ValueError, TypeError):
            raise unexpected(answer, "has no date in created_at") from None

    def _is_young(self, repo: Repo) -> bool:
        return repo.fresh or f"{repo.owner}/{repo.name}" in self._young

    def _call(self, verb: str, repo: Repo, tail: str, body: dict[str, Any] | None = None, *, allow: tuple[int, ...] = ()) -> Answer:
        """One call below the repository. 404 is final only for a repository that is not just being set up."""
        address, young = f"/repos/{repo.owner}/{repo.name}", self._is_young(repo)
        try:
            return self.client.call(verb, address + tail, body, allow=allow, young=young)
        except GitHubRefused as refused:
            if young or not refused.detail.startswith("404"):
                raise
            found = self.client.call("GET", address, allow=(404,))  # the round may have waited since it was made
            if found.status == 404 or self._age(found) >= YOUNG:
                raise
            raise RemoteUnavailable(SETTING_UP, detail=refused.detail) from refused

    # -- reading -----------------------------------------------------------------------------------------------------------------------

    def head(self, repo: Repo) -> Head | None:
        branch = self._branch(repo)
        return Head(branch.sha("commit", "sha"), branch.sha("commit", "commit", "tree", "sha")) if branch else None

    def _branch(self, repo: Repo) -> Answer | None:
        """The branch with its commit and tree in one answer: https://docs.github.com/en/rest/branches/branches#get-a-branch"""
        answer = self._call("GET", repo, f"/branches/{repo.branch}", allow=(404,))
        return None if answer.status == 404 else answer

    def _listing(self, repo: Repo, commit_sha: str) -> dict[str, Entry]:
        """path -> file of a whole commit: https://docs.github.com/en/rest/git/trees#get-a-tree"""
        if commit_sha not in self._listings:
            answer = self._call("GET", repo, f"/git/trees/{commit_sha}?recursive=1")
            entries = [entry for entry in answer.get("tree", kind=list) if isinstance(entry, dict) and entry.get("type") != "tree"]
            self._listings[commit_sha] = {
                str(entry.get("path")): Entry(str(entry.get("sha")), int(entry.get("size") or 0), entry.get("mode") in {MODE, "100755"})
                for entry in entries
            }
        return self._listings[commit_sha]

    def read(self, repo: Repo, commit_sha: str, known: dict[str, bytes]) -> dict[str, bytes]:
        """Files of more than 5 MB and links are left out, and no more than 50 blobs are fetched."""
        listing = {name: entry.sha for name, entry in self._listing(repo, commit_sha).items() if entry.plain and entry.size <= MAX_READ_BYTES}
        have = dict(known)
        wanted = list(dict.fromkeys(sha for sha in listing.values() if sha not in have))
        for sha in wanted[:MAX_READ_FILES]:
            have[sha] = self._blob(repo, sha)
        return {name: have[sha] for name, sha in listing.items() if sha in have}

    def _blob(self, repo: Repo, sha: str) -> bytes:
        answer = self._call("GET", repo, f"/git/blobs/{sha}")
        try:
            data = base64.b64decode(str(answer.find("content") or ""))
        except binascii.Error:
            data = b""
        if blob_sha(data) != sha:
            raise unexpected(answer, "does not hold the blob that was asked for")
        return data

    # -- writing -----------------------------------------------------------------------------------------------------------------------

    def commit(
        self, repo: Repo, files: Sequence[NewFile], *, message: str, when: datetime, parent: Head | None, known_blobs: frozenset[str]
    ) -> Commit:
        tree = tree_sha({file.path: file.blob_sha for file in files})
        if parent is not None and parent.tree_sha == tree:
            return Commit(parent.commit_sha, tree, created=False, changed=())
        with self._naming_the_workflow_right(repo, files):
            try:
                self._write_tree(repo, files, tree, known_blobs)
            except GitHubRefused as refused:
                if not known_blobs or not is_missing_object(refused):
                    raise
                self._write_tree(repo, files, tree, frozenset())  # a blob that should be there is not: send everything
            sha = self._write_commit(repo, tree, message, when, parent)
        if self.fence:  # GitHub compares nothing when it is forced, so a worker that slept here would turn the branch back
            self.fence()
        self._move_branch(repo, sha, parent)
        changed, removed = self._difference(files, parent, known_blobs)
        self._listings[sha] = {file.path: Entry(file.blob_sha, file.size, plain=True) for file in files}
        return Commit(sha, tree, created=True, changed=changed, removed=removed)

    def _write_tree(self, repo: Repo, files: Sequence[NewFile], expected: str, known: frozenset[str]) -> None:
        """Make the whole tree in one call (no base tree, so what is not named is gone), after one call for each new binary file."""
        wanted = plan(files, known)
        self.client.reserve(3 + len(wanted.binaries))  # with the commit and the ref
        for sha, data in wanted.binaries.items():
            # https://docs.github.com/en/rest/git/blobs#create-a-blob
            body = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
            answer = self._call("POST", repo, "/git/blobs", body)
            if answer.sha("sha") != sha:
                raise unexpected(answer, "names another content than was sent")
        # https://docs.github.com/en/rest/git/trees#create-a-tree
        answer = self._call("POST", repo, "/git/trees", {"tree": wanted.entries})
        if answer.sha("sha") != expected:
            raise unexpected(answer, "names another tree than was sent")

    def _write_commit(self, repo: Repo, tree: str, message: str, when: datetime, parent: Head | None) -> str:
        """https://docs.github.com/en/rest/git/commits#create-a-commit; author and date are fixed, so a repeat makes the same sha."""
        person = {"name": AUTHOR, "email": EMAIL, "date": when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        parents = [parent.commit_sha] if parent else []
        body = {"message": message, "tree": tree, "parents": parents, "author": person, "committer": person}
        answer = self._call("POST", repo, "/git/commits", body)
        if answer.sha("tree", "sha") != tree:
            raise unexpected(answer, "names another tree than was sent")
        return answer.sha("sha")

    @contextmanager
    def _naming_the_workflow_right(self, repo: Repo, files: Sequence[NewFile]) -> Iterator[None]:
        """A token that may not write workflow files is answered 404 (403 if it is a fine-grained one), as if the repository were not there."""
        try:
            yield
        except (GitHubRefused, GitHubTokenRefused, RemoteUnavailable) as refused:
            if any(file.path.startswith(workflows.FOLDER) for file in files) and self._lacks_workflow_right(repo, refused):
                raise GitHubRefused(WORKFLOW_RIGHT, detail=refused.detail) from refused
            raise

    def _lacks_workflow_right(self, repo: Repo, refused: TaskError) -> bool:
        if isinstance(refused, GitHubTokenRefused):
            return "workflow" in refused.detail.lower()
        if not refused.detail.startswith("404"):
            return False
        branch = self.client.call("GET", f"/repos/{repo.owner}/{repo.name}/branches/{repo.branch}", allow=(404,))
        scopes = branch.headers.get("x-oauth-scopes")  # only classic tokens have it
        return branch.status != 404 and (not scopes or "workflow" not in scopes)

    def _move_branch(self, repo: Repo, sha: str, parent: Head | None) -> None:
        """https://docs.github.com/en/rest/git/refs#update-a-reference; forced only to replace GitHub's own first commit."""
        try:
            if parent is None and not repo.fresh:
                answer = self._call("POST", repo, "/git/refs", {"ref": f"refs/heads/{repo.branch}", "sha": sha})
            else:
                body = {"sha": sha, "force": parent is None}
                answer = self._call("PATCH", repo, f"/git/refs/heads/{repo.branch}", body)
        except RepositoryConflict:
            answer = self._call("GET", repo, f"/git/ref/heads/{repo.branch}")
            if answer.sha("object", "sha") != sha:
                raise
        if answer.sha("object", "sha") != sha:
            raise unexpected(answer, "does not show the branch where it was put")

    def _difference(self, files: Sequence[NewFile], parent: Head | None, known: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Paths changed and removed. Exact when the parent was read in this run; else the new contents, and all files if none is new (too many
        to look at is safe, too few is not)."""
        if parent is None:
            return tuple(file.path for file in files), ()
        before = self._listings.get(parent.commit_sha)
        if before is None:
            new = tuple(file.path for file in files if file.blob_sha not in known)
            return new or tuple(file.path for file in files), ()
        same = {name for name, entry in before.items() if entry.plain}
        changed = tuple(file.path for file in files if file.path not in same or before[file.path].sha != file.blob_sha)
        return changed, tuple(sorted(before.keys() - {file.path for file in files}))

    # -- Pages -------------------------------------------------------------------------------------------------------------------------

    def enable_pages(self, repo: Repo, *, workflow: bool = False) -> str:
        github_pages.enable(self._call, self.client, repo, workflow=workflow)
        return pages_url(repo.owner, repo.name)

    def rebuild(self, repo: Repo, sha: str) -> str:
        return github_pages.rebuild(self._call, self.client, repo, sha)

    def published(self, repo: Repo, sha: str) -> bool | None:
        return github_pages.published(self._call, repo, sha)


def pages_url(owner: str, name: str) -> str:
    url: str = settings.GITHUB_PAGES_URL.format(owner=owner, repo=name)
    return url


def tag(marker: str) -> str:
    """How the marker stands in a description."""
    return f"[deployer:{marker}]"
