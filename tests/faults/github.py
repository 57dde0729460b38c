"""GitHub, at each call that publishing makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.emulators.github_faults import HTML
from tests.faults.cells import FOR_EVER, LIVE, TEN_MINUTES, Cell, Ends, Waits, failed
from tests.faults.world import ANSWER, World, says


@dataclass(frozen=True)
class Place:
    """One call. `first` are faults that lead to it, each of which makes the round wait once; `setup` is done before the round is posted."""

    name: str
    method: str
    path: str
    stage: str = "publish"
    first: tuple[tuple[str, str, str], ...] = ()
    number: int = 1
    setup: Callable[[World], None] = lambda world: None


LOST_CREATION = (("POST", r"^/user/repos$", "done-but-502"),)
LOST_PAGES = (("POST", r"/pages$", "done-but-502"),)


def old_branch(world: World) -> None:
    world.github.first_branch = "master"


CREATE = Place("create-repo", "POST", r"^/user/repos$")
RENAME = Place("rename-branch", "POST", r"/branches/master/rename$", setup=old_branch)
BLOB = Place("blob", "POST", r"/git/blobs$")
TREE = Place("tree", "POST", r"/git/trees$")
COMMIT = Place("commit", "POST", r"/git/commits$")
REF = Place("ref", "PATCH", r"/git/refs/heads/main$")
PAGES = Place("pages", "POST", r"/pages$")
WHO = Place("who-am-i", "GET", r"^/user$", first=LOST_CREATION)
GET_REPO = Place("get-repo", "GET", r"^/repos/[^/]+/[^/]+$", first=LOST_CREATION)
BRANCH = Place("branch", "GET", r"/branches/main$", first=LOST_CREATION)
LISTING = Place("listing", "GET", r"/git/trees/", first=LOST_CREATION)
GET_PAGES = Place("get-pages", "GET", r"^/repos/.*/pages$", first=LOST_PAGES)
HEAD = Place("head-of-round-2", "GET", r"/branches/main$", "generate", number=2)

WRITES = (CREATE, BLOB, TREE, COMMIT, REF, PAGES)
READS = (GET_REPO, BRANCH)
BELOW = (BLOB, TREE, COMMIT, REF, PAGES)
OTHERS = (RENAME, WHO, LISTING, GET_PAGES, HEAD)


@dataclass(frozen=True)
class Fault:
    """One trouble with a call. `seconds` None: the next try of the schedule, 1, 2, 4, … s."""

    name: str
    kind: str = "status"
    error: str = "remote-unavailable"
    seconds: float | None = None
    words: str = "GitHub"
    options: dict[str, Any] = field(default_factory=dict)
    quota: float = 0.0  # seconds to x-ratelimit-reset


def status(name: str, code: int, body: bytes, headers: dict[str, str] | None = None, **more: Any) -> Fault:
    return Fault(name, options={"status": code, "body": body, "headers": headers or {}}, **more)


REMOTE = "GitHub did not answer as it should"
SLOW_DOWN = "GitHub asks this token to slow down"
SECONDARY = says("You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
PRIMARY = says("API rate limit exceeded for user ID 1.")
LEFT = {"X-RateLimit-Remaining": "4000"}

SERVER = (
    status("500", 500, says("Server Error"), words=REMOTE),
    status("502", 502, HTML, words=REMOTE),
    status("503", 503, says("No server is currently available to service your request."), words=REMOTE),
)
LOST = (Fault("502-but-done", "done-but-502", words=REMOTE), Fault("reset-but-done", "done-but-reset"))
LIMITS = (
    status("403-retry-after", 403, says("Forbidden"), {"Retry-After": "30"}, error="rate-limited", seconds=30, words=SLOW_DOWN),
    status("403-quota", 403, PRIMARY, {"X-RateLimit-Remaining": "0"}, error="rate-limited", seconds=90, words=SLOW_DOWN, quota=90),
    status("403-secondary", 403, SECONDARY, LEFT, error="rate-limited", seconds=60, words=SLOW_DOWN),
    status("429-retry-after", 429, HTML, {"Retry-After": "30"}, error="rate-limited", seconds=30, words=SLOW_DOWN),
    status("429-quota", 429, PRIMARY, {"X-RateLimit-Remaining": "0"}, error="rate-limited", seconds=90, words=SLOW_DOWN, quota=90),
    status("429-bare", 429, says("Too many requests"), error="rate-limited", seconds=60, words=SLOW_DOWN),
)
REVOKED = status("401-revoked", 401, says("Bad credentials"), error="github-token", seconds=60, words="GITHUB_TOKEN")
BROKEN = (
    Fault("html-with-200", "html-200", words="is not JSON"),
    status("empty-with-200", 200, b"{}", words="GitHub's answer has no"),
    Fault("cut-body", "cut"),
    Fault("reset", "reset"),
)
DRIP = Fault("endless", "slow", options={"seconds": 10.0})
HANG = Fault("hang", "hang", options={"seconds": 10.0})


def at(place: Place, fault: Fault, *, lasts: float = 0.0, ends: Ends = LIVE, waits: bool = True, back: float = 60.0, limit: float = 2.0) -> Cell:
    """The fault at the place, once or for `lasts` seconds."""

    def start(world: World) -> None:
        place.setup(world)
        for method, path, kind in place.first:
            world.github.fault(method, path, 1, kind)
        options = fault.options
        if fault.quota:
            reset = {"X-RateLimit-Reset": str(int(world.now.timestamp() + fault.quota + sum((1.0, 2.0)[: len(place.first)])))}
            options = {**options, "headers": {**options["headers"], **reset}}
        world.github_trouble(place.method, place.path, fault.kind, **options)

    before = len(place.first)
    seconds = (1.0, 2.0, 4.0)[before] if fault.seconds is None else fault.seconds
    wait = Waits(place.stage, fault.error, seconds, fault.words) if waits else None
    ends = replace(ends, commits=2) if place.number == 2 and ends.commits == 1 else ends
    return Cell("github", place.name, fault.name, start, wait, ends, lasts, before, place.number, back, limit)


# -- refusals, conflicts and limits that only one call knows ----------------------------------------------------------------------------

SCOPES = {"X-OAuth-Scopes": "gist", "X-Accepted-OAuth-Scopes": "public_repo, repo"}
BYPASS = {"metadata": {"secret_scanning": {"bypass_placeholders": [{"placeholder_id": "x", "token_type": "google_api_key"}]}}}
MOVED = "The repository changed while we wrote to it"
MAKING = "GitHub is still setting up the new repository"

NOT_FOUND = status("404-just-made", 404, says("Not Found"), words=MAKING)
EMPTY = status("409-empty", 409, says("Git Repository is empty."), words=MAKING)
RIGHTS = status(
    "403-right-missing", 403, says("Resource not accessible by personal access token"), error="github-token", seconds=60, words="the right to"
)
SCOPE = status("404-scope-missing", 404, says("Not Found"), SCOPES, error="github-token", seconds=60, words="the right to")
FIREWALL = status("403-html", 403, b"<html>Access denied</html>")
ARCHIVED = status("403-archived", 403, says("Repository was archived so is read-only."))
BLOCKED = status("451-blocked", 451, says("Repository access blocked"))
INVALID = status("422-invalid", 422, says("Validation Failed", errors=[{"resource": "Repository", "code": "custom", "field": "description"}]))
TOO_QUICK = status(
    "422-too-quickly", 422, says("Validation Failed", errors=["was submitted too quickly"]), error="rate-limited", seconds=60, words=SLOW_DOWN
)
SECRET = status("409-secret", 409, says("Secret detected in content", **BYPASS))
RACE = status("409-conflict", 409, says("is at 1111111 but expected 2222222"), error="repository-conflict", words=MOVED)
NOT_FORWARD = status("422-not-a-fast-forward", 422, says("Update is not a fast forward"), error="repository-conflict", words=MOVED)
REF_EXISTS = status("422-reference-exists", 422, says("Reference already exists"), error="repository-conflict", words=MOVED)
NO_REF = status("422-no-such-reference", 422, says("Reference does not exist"), words=REMOTE)
NO_TREE = status("422-tree-unknown", 422, says("Tree SHA does not exist"), error="repository-conflict", words=MOVED)
NO_BLOB = status("422-blob-unknown", 422, says("tree.sha 1111111 is not a valid blob"))
BAD_PATH = status("422-malformed-path", 422, says("tree.path contains a malformed path component"))
NO_BRANCH = status("422-branch-must-exist", 422, says("The main branch must exist before GitHub Pages can be built."), words=REMOTE)
ENABLED = status("409-enabled-but-not-shown", 409, says("GitHub Pages is already enabled."), words=MAKING)
PATIENT = status("503-retry-after", 503, says("Unavailable"), {"Retry-After": "20"}, seconds=20, words=REMOTE)
SLOW = Fault("slow", "slow", options={"seconds": 0.3})

REFUSED = failed("github-refused")


def foreign(world: World) -> None:
    world.github.add_repository(world.github.owner, "sum-of-sales-7f3a2", description="somebody's own")


def edited(world: World) -> None:
    """The student pushes while the model is writing."""

    def reply(request: dict[str, Any]) -> str:
        if len(world.model.requests) == 1:
            world.github.student_edit("sum-of-sales-7f3a2", "notes.md", b"mine\n")
        return ANSWER.replace("Sales", "Best product")

    world.ask_gemini(reply)


TAKEN = Cell("github", "create-repo", "name-is-somebody-elses", foreign)
EDITED = Cell("github", "ref", "student-pushes-meanwhile", edited, None, Ends(commits=3), number=2)

CELLS: list[Cell] = [
    # once, at every place
    *(at(place, fault) for place in (*WRITES, *READS, *OTHERS) for fault in (*SERVER, REVOKED)),
    *(at(place, fault) for place in (*WRITES, *READS) for fault in (*LIMITS, *BROKEN)),
    *(at(place, fault) for place in WRITES for fault in LOST),
    *(at(place, fault, limit=1.5) for place in (CREATE, TREE, REF, PAGES) for fault in (HANG, DRIP)),
    *(at(place, SLOW, waits=False) for place in WRITES),
    *(at(place, RIGHTS) for place in WRITES),
    # a repository that was just made
    *(at(place, NOT_FOUND, waits=False) for place in BELOW),
    *(at(place, NOT_FOUND, lasts=20.0) for place in BELOW),
    *(at(place, EMPTY, waits=False) for place in (BLOB, TREE, COMMIT, REF)),
    at(BLOB, EMPTY, lasts=20.0),
    at(TREE, EMPTY, lasts=20.0),
    # what only one call answers
    at(CREATE, SCOPE),
    at(CREATE, INVALID, waits=False, ends=REFUSED),
    at(CREATE, TOO_QUICK),
    at(CREATE, BLOCKED, waits=False, ends=REFUSED),
    at(CREATE, FIREWALL),
    at(CREATE, PATIENT),
    at(CREATE, status("500-garbage", 500, b'{"message": "\\ud83d \\u0000", "errors": "none"}', words=REMOTE)),
    at(TREE, status("500-garbage", 500, b"\x00\xff", words=REMOTE)),
    at(TREE, status("garbage-with-200", 200, b'{"sha": "\\ud83d\\u0000"}', words="has no sha in sha")),
    TAKEN,
    at(BLOB, ARCHIVED, waits=False, ends=REFUSED),
    at(BLOB, SECRET, waits=False, ends=failed("github-secret-blocked")),
    at(TREE, SECRET, waits=False, ends=failed("github-secret-blocked")),
    at(TREE, BAD_PATH, waits=False, ends=REFUSED),
    at(replace(TREE, number=2), NO_BLOB, waits=False),
    at(TREE, PATIENT),
    at(COMMIT, NO_TREE),
    at(REF, RACE),
    at(REF, NOT_FORWARD),
    at(REF, REF_EXISTS),
    at(REF, NO_REF),
    EDITED,
    at(PAGES, NO_BRANCH),
    at(PAGES, ENABLED),
    # for ten minutes, which is past the deadline
    *(at(place, SERVER[2], lasts=TEN_MINUTES) for place in (*WRITES, *READS, HEAD)),
    *(at(place, LOST[0], lasts=TEN_MINUTES) for place in WRITES if place != REF),  # a ref that was moved is found moved
    *(at(place, REVOKED, lasts=TEN_MINUTES) for place in (CREATE, TREE)),
    *(at(place, LIMITS[0], lasts=TEN_MINUTES) for place in (CREATE, TREE)),
    at(TREE, LIMITS[2], lasts=TEN_MINUTES, back=480.0),
    at(CREATE, BROKEN[3], lasts=TEN_MINUTES),
    at(CREATE, HANG, lasts=TEN_MINUTES, limit=0.2),
    # for longer
    at(CREATE, SERVER[2], lasts=3600.0, back=1800.0),
    at(CREATE, SERVER[2], lasts=FOR_EVER, ends=failed("remote-unavailable")),
    at(REF, SERVER[2], lasts=FOR_EVER, ends=failed("remote-unavailable")),
    at(TREE, REVOKED, lasts=FOR_EVER, ends=failed("github-token")),
]
