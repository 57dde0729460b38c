"""One call to the emulated API, the answer to it, and the table of routes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.emulators.github_store import Person, Problem, Repository

if TYPE_CHECKING:
    from tests.emulators.github import GitHubEmulator


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """A request after routing: who asks (None: nobody signed in), for which repository, with what."""

    emulator: GitHubEmulator
    login: str | None
    query: dict[str, str]
    raw: bytes
    args: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        try:
            body = json.loads(self.raw or b"{}")
        except ValueError:
            raise Problem(400, "Problems parsing JSON") from None
        if not isinstance(body, dict):
            raise Problem(422, "Invalid request.\n\nFor 'links/0/schema', data is not an object.")
        return body

    @property
    def repo(self) -> Repository:
        """The repository named by the path; 404 while it is not visible or not the caller's business."""
        repo = self.emulator.find(self.args["owner"], self.args["repo"])
        if repo is None or not self.emulator.visible(repo) or (repo.private and self.login != repo.owner):
            raise Problem(404, "Not Found")
        return repo

    @property
    def writable(self) -> Repository:
        """The repository, for somebody who may write to it."""
        repo = self.repo
        if self.login != repo.owner:
            raise Problem(403, "Must have admin rights to Repository.")
        if repo.archived:
            raise Problem(403, "Repository was archived so is read-only.")
        return repo

    def started(self, repo: Repository) -> Repository:
        """The git database of a repository without any commit refuses every call."""
        if not repo.refs:
            raise Problem(409, "Git Repository is empty.")
        return repo

    def api(self, repo: Repository) -> str:
        return f"{self.emulator.url}/repos/{repo.full_name}"

    def html(self, repo: Repository) -> str:
        return f"{self.emulator.url}/{repo.full_name}"

    def person(self, given: Any) -> Person:
        """Author or committer: what the body names, else the caller."""
        given = given if isinstance(given, dict) else {}
        date = given.get("date")
        login = self.login or "ghost"
        return Person(
            str(given.get("name") or login),
            str(given.get("email") or f"{login}@users.noreply.github.com"),
            datetime.fromisoformat(date.replace("Z", "+00:00")) if date else datetime.now(UTC).replace(microsecond=0),
        )


Handler = Callable[[Call], Answer]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []
MANY = {"ref", "path", "sha", "branch"}  # parameters that may hold slashes


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    """Registers a handler for a path template such as `/repos/{owner}/{repo}/pages`."""
    pattern = re.sub(r"\{(\w+)\}", lambda found: f"(?P<{found[1]}>{'.+' if found[1] in MANY else '[^/]+'})", template)

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile(f"^{pattern}$"), handler))
        return handler

    return register


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
