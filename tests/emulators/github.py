"""A GitHub on loopback: the REST calls a publisher makes and the Pages sites that come of them, over real HTTP, by GitHub's rules.

    with GitHubEmulator() as github:
        settings.GITHUB_API_URL = github.url   # or github.django_settings()
        github.fault("POST", r"/git/trees$", 1, "done-but-502")

Every request is recorded. What is asked is checked against GitHub's OpenAPI description if that is at hand (`violations`)."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any

# These register their routes.
from tests.emulators import github_actions, github_clone, github_git, github_openapi, github_repos  # noqa: F401
from tests.emulators.github_call import ROUTES, Answer, Call
from tests.emulators.github_faults import Fault, Faults
from tests.emulators.github_server import Handler
from tests.emulators.github_store import Person, Problem, Repository


@dataclass(frozen=True)
class Recorded:
    """One request as it came, and the status it got (0: the connection was cut)."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    body: bytes
    at: float


class GitHubEmulator:
    """The server and its whole state. `pages_latency` is the seconds from push to live, `invisible` those for which a new repository
    answers 404, `latency` what every request takes; `fail_builds` makes Pages builds end as `errored`; `writes_per_minute` is the
    secondary limit (None: none); `first_branch` is the account's name for a first branch; `secrets` are byte strings that push protection finds;
    `workflow` gives what a workflow run publishes of a commit's files (None: it fails before that); `scopes` are those of a classic token (None: the
    token is a fine-grained one), `workflow_scope` says whether workflow files are taken."""

    def __init__(self, owner: str = "student", token: str = "emulator-token", pages_latency: float = 0.0) -> None:
        self.owner, self.token = owner, token
        self.tokens = {token: owner}
        self.pages_latency, self.invisible, self.latency = pages_latency, 0.0, 0.0
        self.fail_builds = self.workflow_scope = False
        self.scopes: str | None = None
        self.workflow: Callable[[dict[str, bytes]], dict[str, bytes] | None] = dict
        self.first_branch = "main"
        self.writes_per_minute: int | None = None
        self.secrets: list[bytes] = []
        self.requests: list[Recorded] = []
        self.faults = Faults()
        self.lock = threading.RLock()
        self._repositories: dict[str, Repository] = {}
        self._write_times: deque[float] = deque()
        self._checked = 0
        self._violations: list[str] = []
        self._server: ThreadingHTTPServer | None = None
        self.url = ""

    # -- life --------------------------------------------------------------------------------------------------------------------------

    def start(self) -> GitHubEmulator:
        emulator = self

        class Bound(Handler):
            github = emulator

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Bound)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> GitHubEmulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def django_settings(self) -> dict[str, str]:
        """The settings (also usable as environment) that point the service here."""
        return {
            "REPO_HOST": "github",
            "GITHUB_TOKEN": self.token,
            "GITHUB_API_URL": self.url,
            "GITHUB_PAGES_URL": f"{self.url}/pages/{{owner}}/{{repo}}/",
        }

    # -- answering ---------------------------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        """GitHub's answer to one API request."""
        try:
            login = self._login(method, headers)
            for verb, pattern, handler in ROUTES:
                matched = pattern.match(path)
                if matched and verb == method:
                    self._pace(method)
                    with self.lock:
                        return handler(Call(self, login, query, body, matched.groupdict()))
            raise Problem(404, "Not Found")
        except Problem as problem:
            extra = {"Retry-After": "60"} if "secondary rate limit" in problem.body["message"] else {}
            return Answer(problem.status, problem.body, extra)

    def _login(self, method: str, headers: dict[str, str]) -> str | None:
        if not headers.get("user-agent"):
            raise Problem(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
        given = headers.get("authorization", "")
        if not given:
            if method != "GET":
                raise Problem(401, "Requires authentication")
            return None
        login = self.tokens.get(given.partition(" ")[2])
        if login is None:
            raise Problem(401, "Bad credentials")
        return login

    def _pace(self, method: str) -> None:
        """The secondary limit on requests that make content."""
        if method == "GET" or self.writes_per_minute is None:
            return
        now = time.monotonic()
        while self._write_times and self._write_times[0] <= now - 60:
            self._write_times.popleft()
        if len(self._write_times) >= self.writes_per_minute:
            raise Problem(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
        self._write_times.append(now)

    def site(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """What a visitor of `/pages/{owner}/{repo}/…` gets."""
        owner, _, rest = path.removeprefix("/pages/").partition("/")
        name, slash, inside = rest.partition("/")
        with self.lock:
            repo = self.find(owner, name)
            if repo is None or repo.pages is None or not slash:
                from tests.emulators.github_pages import NOT_FOUND

                if repo is not None and not slash:
                    return 301, {"Location": f"{path}/"}, b""
                return 404, {"Content-Type": "text/html; charset=utf-8"}, NOT_FOUND
            return repo.pages.serve(inside)

    # -- faults and records ------------------------------------------------------------------------------------------------------------

    def fault(self, method: str, path: str, times: int, kind: str, **options: Any) -> None:
        """The next `times` requests of that method (`*`: any) whose path matches the expression meet trouble. Kinds: `status` (status,
        headers, body), `done-but-502`, `reset`, `done-but-reset`, `hang` and `slow` (seconds), `cut` (half the body), `html-200`; `skip` lets
        some pass first."""
        self.faults.add(Fault(method, re.compile(path), times, kind, **options))

    def record(self, method: str, path: str, query: dict[str, str], status: int, body: bytes) -> None:
        with self.lock:
            self.requests.append(Recorded(method, path, query, status, body, time.monotonic()))

    def api_requests(self) -> list[Recorded]:
        """Every call to the API, without the visits to Pages sites and without git's own."""
        return [request for request in list(self.requests) if not request.path.startswith("/pages/") and not github_clone.PATH.match(request.path)]

    def writes(self) -> list[Recorded]:
        return [request for request in self.api_requests() if request.method not in {"GET", "HEAD"}]

    @property
    def violations(self) -> list[str]:
        """Requests that GitHub's description does not allow; looked at only now, so that the calls themselves stay quick."""
        requests = self.api_requests()
        for request in requests[self._checked :]:
            found = github_openapi.violation(request.method, request.path, request.query, request.body)
            if found:
                self._violations.append(found)
        self._checked = len(requests)
        return self._violations

    # -- state -------------------------------------------------------------------------------------------------------------------------

    def add_repository(self, owner: str, name: str, **fields: Any) -> Repository:
        """A new, empty repository."""
        with self.lock:
            repo = Repository(owner, name, len(self._repositories) + 1, **fields)
            repo.visible_from = time.monotonic() + self.invisible
            repo.pushed = lambda pushed, sha: github_actions.push(self, pushed, sha)
            self._repositories[repo.full_name.lower()] = repo
            return repo

    def find(self, owner: str, name: str) -> Repository | None:
        return self._repositories.get(f"{owner}/{name}".lower())

    def visible(self, repo: Repository) -> bool:
        return time.monotonic() >= repo.visible_from

    def repositories(self) -> list[Repository]:
        return list(self._repositories.values())

    def repository(self, name: str, owner: str = "") -> Repository:
        """The repository of that name; KeyError when there is none."""
        return self._repositories[f"{owner or self.owner}/{name}".lower()]

    def finish_builds(self) -> None:
        """Every Pages build and workflow run under way is done now."""
        with self.lock:
            for repo in self._repositories.values():
                for item in (*(repo.pages.builds if repo.pages else ()), *repo.runs):
                    item.live_from = min(item.live_from, time.monotonic())

    def site_url(self, repo: Repository) -> str:
        return f"{self.url}/pages/{repo.full_name}/"

    def files(self, owner: str, repo: str, ref: str = "main") -> dict[str, bytes]:
        """path -> bytes at a branch or commit."""
        with self.lock:
            found = self.repository(repo, owner)
            return found.contents(found.resolve(ref))

    def commits(self, repo: str, ref: str = "main", owner: str = "") -> list[str]:
        """Commit shas of a branch, newest first."""
        with self.lock:
            found = self.repository(repo, owner)
            return found.history(found.resolve(ref))

    def student_edit(self, repo: str, path: str, content: bytes | None, owner: str = "") -> str:
        """A commit by somebody else, straight on the default branch (None deletes the file); its sha."""
        with self.lock:
            person = Person("A Student", "student@example.org", datetime.now(UTC).replace(microsecond=0))
            return self.repository(repo, owner).save_file(path, content, f"Edit {path}", person)
