"""GitHub Pages: late, stale, failing, lying. Whoever is told before the page is there is told so, and the page is watched on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.models import Deployment, Round
from tasks.stages.verify import REBUILDS
from tests.emulators.github_faults import HTML
from tests.faults.cells import FOR_EVER, LIVE, Cell, Ends, Waits, degraded
from tests.faults.world import ANSWER, World, says

NEVER = 10.0**9
NOT_LIVE = degraded("page-not-live")
SITE = r"^/pages/"
FLOW = """name: ci
on:
  push:
    branches: [main]
permissions:
  contents: read
  pages: write
  id-token: write
jobs:
  result:
    runs-on: ubuntu-latest
    environment:
      name: github-pages
    steps:
      - uses: actions/checkout@v4
      - run: mkdir -p site && cp data.csv site/result.csv
      - uses: actions/upload-pages-artifact@v3
        with:
          path: site
      - uses: actions/deploy-pages@v4
"""
BY_WORKFLOW = "Add a GitHub Actions workflow at .github/workflows/ci.yml that runs on push and publishes result.csv via GitHub Pages."


def page(fault: str, start: Callable[[World], None], words: str, *, place: str = "new-page", seconds: float = 2.0, **more: Any) -> Cell:
    return Cell("pages", place, fault, start, Waits("verify", "", seconds, words), **more)


def answers(
    fault: str, kind: str, words: str, *, path: str = SITE, lasts: float = 0.0, ends: Ends = LIVE, limit: float = 2.0, **options: Any
) -> Cell:
    """The page answers so, once or for `lasts` seconds."""
    return page(fault, lambda world: world.github_trouble("GET", path, kind, **options), words, lasts=lasts, ends=ends, back=10.0, limit=limit)


def status(code: int, name: str = "", *, body: bytes = HTML, headers: dict[str, str] | None = None, words: str = "", **more: Any) -> Cell:
    return answers(name or str(code), "status", words or f"answered {code}", status=code, body=body, headers=headers or {}, **more)


# -- builds ----------------------------------------------------------------------------------------------------------------------------


def late(world: World) -> None:
    world.github.pages_latency = NEVER
    for repo in world.github.repositories():
        assert repo.pages is not None
        repo.pages.latency = NEVER
    world.until_lifted(world.github.finish_builds)


def errored(world: World) -> None:
    """Every build fails until it is lifted."""
    world.github.fail_builds = True
    world.until_lifted(lambda: setattr(world.github, "fail_builds", False))


def slow(world: World) -> None:
    world.patch.setattr("tasks.stages.verify.LOOK_SECONDS", 0.5)
    world.github_trouble("GET", SITE, "slow", seconds=0.3)


def builds_asked_for(world: World) -> int:
    return sum(1 for request in world.github.writes() if request.path.endswith("/pages/builds"))


def one_build_more(world: World, round_: Round) -> None:
    assert builds_asked_for(world) == 1
    assert round_.messages.filter(body__startswith="The page is built again").count() == 1


def no_more_builds_than_allowed(world: World, round_: Round) -> None:
    assert builds_asked_for(world) == REBUILDS


def none_asked_for(world: World, round_: Round) -> None:
    assert builds_asked_for(world) == 0


def live_in_the_end(world: World, round_: Round) -> None:
    """Told in time that it is not live, and watched until it was."""
    deployment = Deployment.objects.get(round=round_)
    assert deployment.live_at is not None
    assert round_.notified_at is not None
    assert round_.notified_at < deployment.live_at


# -- what a workflow publishes ---------------------------------------------------------------------------------------------------------


def by_workflow(trouble: Callable[[World], None]) -> Callable[[World], None]:
    def start(world: World) -> None:
        world.brief = BY_WORKFLOW
        world.github.workflow_scope = True
        world.github.workflow = lambda files: {"result.csv": files["data.csv"]}
        world.ask_gemini(lambda _: f'{ANSWER}<file path=".github/workflows/ci.yml">\n{FLOW}</file>\n')
        trouble(world)

    return start


def asked(method: str, path: str, kind: str, **options: Any) -> Callable[[World], None]:
    return by_workflow(lambda world: world.github_trouble(method, path, kind, **options))


def run_fails(world: World) -> None:
    world.github.workflow = lambda files: None


CANNOT = "the workflow's deployment cannot be asked for: GitHub"
SECONDARY = says("You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
DEPLOYMENTS = r"/deployments$"
limited = asked("GET", DEPLOYMENTS, "status", status=403, body=SECONDARY)
revoked = asked("GET", DEPLOYMENTS, "status", status=401, body=says("Bad credentials"))

CELLS: list[Cell] = [
    # builds
    page("late", late, "index.html answered 404", lasts=30.0, back=10.0, also=none_asked_for),
    page("late", late, "index.html answered 404", lasts=240.0, back=10.0),
    page("late", late, "index.html answered 404", lasts=780.0, ends=NOT_LIVE, back=60.0, also=live_in_the_end),
    page("late", late, "index.html answered 404", lasts=FOR_EVER, ends=NOT_LIVE),
    page("stale", late, "is served with other content", place="page-of-round-2", lasts=120.0, number=2, ends=Ends(commits=2), back=10.0),
    page("stale", late, "is served with other content", place="page-of-round-2", lasts=FOR_EVER, number=2, ends=degraded("page-not-live", commits=2)),
    page("build-errored", errored, "index.html answered 404", lasts=20.0, back=60.0, also=one_build_more),
    page("build-errored", errored, "index.html answered 404", lasts=60.0, back=60.0),
    page("build-errored", errored, "index.html answered 404", lasts=FOR_EVER, ends=NOT_LIVE, also=no_more_builds_than_allowed),
    # answers of the page
    *(status(code) for code in (404, 500, 502, 503)),
    *(status(code, lasts=120.0) for code in (404, 500, 503)),
    status(500, lasts=FOR_EVER, ends=NOT_LIVE),
    status(429, "429-html"),
    status(429, "429-html", headers={"Retry-After": "60"}, lasts=120.0),
    status(403, "403-html", lasts=120.0),
    status(301, "redirect-elsewhere", headers={"Location": "http://10.0.0.1/"}, words="index.html", lasts=120.0),
    status(200, "empty-with-200", body=b"", words="other content (0 bytes", lasts=120.0),
    answers("html-with-200", "html-200", "is served with other content", lasts=120.0),
    answers("one-file-missing", "status", "data.csv answered 404", path=r"^/pages/.*/data\.csv$", status=404, lasts=60.0),
    answers("one-file-stale", "status", "data.csv is served with other content", path=r"^/pages/.*/data\.csv$", status=200, body=b"old", lasts=60.0),
    answers("reset", "reset", "broke off"),
    answers("reset", "reset", "broke off", lasts=120.0),
    answers("cut-body", "cut", "broke off"),
    answers("hang", "hang", "did not answer in full", seconds=10.0, limit=1.0),
    answers("hang", "hang", "did not answer in full", seconds=10.0, lasts=30.0, limit=0.2),
    page("every-file-slow", slow, "answers so slowly that", lasts=20.0, back=10.0),
    answers("endless", "slow", "did not answer in full", seconds=10.0, limit=1.0),
    # a workflow's deployment
    page("late", by_workflow(late), "the workflow has not published", place="workflow", lasts=120.0, back=10.0),
    page("late", by_workflow(late), "the workflow has not published", place="workflow", lasts=FOR_EVER, ends=NOT_LIVE),
    page("run-fails", by_workflow(run_fails), "the evaluator is told already", seconds=5.0, place="workflow", ends=degraded("workflow-failed")),
    page("500", asked("GET", DEPLOYMENTS, "status", status=500, body=says("Server Error")), CANNOT, place="workflow", lasts=60.0, back=10.0),
    page("html-with-200", asked("GET", DEPLOYMENTS, "html-200"), CANNOT, place="workflow"),
    page("reset", asked("GET", DEPLOYMENTS, "reset"), CANNOT, place="workflow"),
    page("secondary-limit", limited, CANNOT, place="workflow", seconds=60.0, lasts=90.0, back=120.0),
    page("401", revoked, CANNOT, place="workflow", seconds=60.0, lasts=90.0, back=60.0),
]
