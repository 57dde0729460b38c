"""Tasks that ask for more than a page, carried through the pipeline against the emulators: a program to mend, a workbook to convert, a workflow that
publishes what it makes, data that the brief names by its address."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from django.conf import LazySettings

from tasks.models import Attachment, CheckResult, CodeVersion, Deployment, Message, Round
from tests.driver import carry, post, step
from tests.emulators.base import Emulator, Reply, Request
from tests.emulators.evaluator import Evaluator
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator
from tests.factories import data_uri

pytestmark = pytest.mark.django_db(transaction=True)

BRIEF = """Two files are attached: execute.py and data.xlsx.

- Commit execute.py after fixing the error in it. It has to run on Python 3.11 with Pandas 2.3.
- Convert data.xlsx to data.csv and commit it.
- Add a GitHub Actions workflow at .github/workflows/ci.yml that runs on push and:
  - runs ruff and shows what it finds
  - runs: python execute.py > result.json
  - publishes result.json via GitHub Pages
- Do not commit result.json; the run makes it.
"""
BROKEN = b"""import json

import pandas as pd

stock = pd.read_csv("data.csv")
per_shelf = stock.groupby("shelf")["boxxes"].sum()
print(json.dumps({shelf: int(boxes) for shelf, boxes in per_shelf.items()}))
"""
MENDED = BROKEN.replace(b"boxxes", b"boxes")
ROWS = [["shelf", "boxes"], ["A", 4], ["B", 7], ["A", 5]]
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
      url: ${{ steps.deployment.outputs.page_url }}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: pip install ruff "pandas==2.3.*"
      - run: ruff check --exit-zero .
      - run: mkdir -p site && python execute.py > site/result.json
      - uses: actions/upload-pages-artifact@v3
        with:
          path: site
      - id: deployment
        uses: actions/deploy-pages@v4
"""
README = """# Boxes per shelf

## Summary
Adds up the boxes of every shelf in data.csv and publishes the sums as result.json.

## Setup
Python 3.11 and Pandas 2.3 are needed: pip install "pandas==2.3.*".

## Usage
Run python execute.py; it prints the sums as JSON. The workflow does the same on each push.

## Code explanation
execute.py reads the table, groups its rows by shelf and prints one number for each of them.

## License
MIT, see LICENSE.
"""


def workbook() -> bytes:
    made = openpyxl.Workbook()
    assert made.active is not None
    for row in ROWS:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


WORKBOOK = workbook()


def file(path: str, content: str) -> str:
    return f'<file path="{path}">\n{content}</file>\n'


def answer(program: bytes = MENDED, flow: str = FLOW, more: str = "") -> str:
    copied = '<file path="data.csv" from="attachment:data.xlsx#csv"/>\n'
    return file("execute.py", program.decode()) + copied + file(".github/workflows/ci.yml", flow) + file("README.md", README) + more


def run_workflow(files: dict[str, bytes]) -> dict[str, bytes] | None:
    """What the run would do with the commit's files: the program's sums, from the committed table."""
    if b'"boxes"' not in files["execute.py"]:
        return None
    sums: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(files["data.csv"].decode())):
        sums[row["shelf"]] = sums.get(row["shelf"], 0) + int(row["boxes"])
    return {"result.json": json.dumps(sums).encode()}


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator(pages_latency=0.3) as running:
        running.workflow_scope = True
        running.workflow = run_workflow
        yield running


@pytest.fixture
def model() -> Iterator[GeminiEmulator]:
    with GeminiEmulator(reply=lambda _: answer()) as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: LazySettings, github: GitHubEmulator, model: GeminiEmulator) -> None:
    for name, value in github.django_settings().items():
        setattr(settings, name, value)
    settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", model.key, model.url


@pytest.fixture
def task(payload: dict[str, Any], evaluator: Evaluator) -> dict[str, Any]:
    files = [{"name": "execute.py", "url": data_uri(BROKEN, "text/x-python")}, {"name": "data.xlsx", "url": data_uri(WORKBOOK, "application/zip")}]
    return payload | {"task": "boxes-per-shelf", "brief": BRIEF, "checks": [], "evaluation_url": evaluator.url, "attachments": files}


def carry_slowly(round_: Round, seconds: float = 15.0) -> Round:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        round_ = step(round_)
        if not round_.is_open:
            return round_
        time.sleep(0.1)
    raise AssertionError(f"still {round_.status} in {round_.stage}: {round_.waiting_for}")


def page(github: GitHubEmulator, name: str, path: str) -> tuple[int, bytes]:
    status, _, body = github.site(f"/pages/{github.owner}/{name}/{path}")
    return status, body


# -- a program, a workbook and a workflow ----------------------------------------------------------------------------------------------


def test_a_right_answer_is_committed_run_and_published(task: dict[str, Any], github: GitHubEmulator, evaluator: Evaluator) -> None:
    round_ = carry_slowly(post(task))
    assert (round_.status, round_.error, round_.degraded) == ("succeeded", "", "")
    name = round_.task_request.repo_name
    files = github.files(github.owner, name)
    assert files["execute.py"] == MENDED
    assert files["data.xlsx"] == WORKBOOK
    assert list(csv.reader(io.StringIO(files["data.csv"].decode()))) == [[str(cell) for cell in row] for row in ROWS]
    assert files[".github/workflows/ci.yml"].decode() == FLOW
    assert "result.json" not in files
    assert page(github, name, "result.json") == (200, b'{"A": 9, "B": 7}')
    assert [body["commit_sha"] for body in evaluator.bodies] == github.commits(name)
    assert not CheckResult.objects.filter(status="fail").exists()
    assert github.violations == []


def test_pages_are_switched_to_workflow_before_the_commit_at_no_further_request(task: dict[str, Any], github: GitHubEmulator) -> None:
    carry_slowly(post(task))
    calls = [(call.method, call.path.rsplit("/", 1)[-1]) for call in github.api_requests()]
    assert calls[:6] == [("POST", "repos"), ("POST", "pages"), ("POST", "blobs"), ("POST", "trees"), ("POST", "commits"), ("PATCH", "main")]
    assert {path for method, path in calls[6:]} <= {"deployments", "statuses", "runs"}
    assert Deployment.objects.get().requests == 6


def test_nobody_is_told_before_the_run_has_published(task: dict[str, Any], github: GitHubEmulator, evaluator: Evaluator) -> None:
    github.pages_latency = 60
    round_ = step(post(task))
    assert (round_.stage, round_.status) == ("verify", "waiting")
    assert "has not published" in round_.waiting_for
    assert evaluator.bodies == []
    github.finish_builds()
    assert carry(round_).status == "succeeded"
    assert Deployment.objects.get().last_look == "published by the workflow: result.json"


def test_a_run_that_fails_is_told_at_once_and_not_waited_for(task: dict[str, Any], github: GitHubEmulator, evaluator: Evaluator) -> None:
    github.workflow = lambda files: None
    github.pages_latency = 0.0
    round_ = step(post(task))
    assert round_.degraded_id == "workflow-failed"
    assert "/actions" in round_.degraded
    assert len(evaluator.bodies) == 1


def test_a_second_round_keeps_the_workflow_and_asks_for_pages_no_more(task: dict[str, Any], github: GitHubEmulator, model: GeminiEmulator) -> None:
    first = carry_slowly(post(task))
    model.reply = lambda _: file("notes.md", "# Notes\n\nThe shelves were counted in May.\n")
    before = len(github.api_requests())
    brief = "Add a file notes.md that says when the shelves were counted. Leave the GitHub Actions workflow as it is."
    second = carry_slowly(post(task | {"round": 2, "nonce": "second", "brief": brief, "attachments": []}))
    assert second.status == "succeeded", second.error
    assert second.degraded_id == "", second.degraded
    published = [call.path.rsplit("/", 1)[-1] for call in github.api_requests()[before:] if call.method != "GET"]
    assert published == ["trees", "commits", "main"]
    assert ".github/workflows/ci.yml" in github.files(github.owner, first.task_request.repo_name)
    assert page(github, first.task_request.repo_name, "result.json")[0] == 200


def test_a_workflow_against_the_policy_is_repaired_before_it_is_published(
    task: dict[str, Any], github: GitHubEmulator, model: GeminiEmulator
) -> None:
    bad = FLOW.replace("permissions:\n  contents: read\n  pages: write\n  id-token: write\n", "permissions: write-all\n")
    replies = [answer(flow=bad), answer()]
    model.reply = lambda _: replies.pop(0)
    round_ = carry_slowly(post(task))
    assert round_.degraded_id == "", round_.degraded
    assert [version.kind for version in CodeVersion.objects.order_by("number")] == ["build", "repair"]
    assert "write-all gives more than is needed" in model.prompts()[1]
    assert all(b"write-all" not in call.body for call in github.requests)


def test_a_program_left_unmended_and_a_committed_result_are_repaired(task: dict[str, Any], model: GeminiEmulator, github: GitHubEmulator) -> None:
    replies = [answer(program=BROKEN, more=file("result.json", '{"A": 1}\n')), answer(more='<delete path="result.json"/>\n')]
    model.reply = lambda _: replies.pop(0)
    round_ = carry_slowly(post(task))
    assert round_.degraded_id == "", round_.degraded
    assert "execute.py is as it was posted" in model.prompts()[1]
    assert "result.json is among the files" in model.prompts()[1]
    assert "result.json" not in github.files(github.owner, round_.task_request.repo_name)


def test_a_workflow_that_nobody_asked_for_is_left_out(task: dict[str, Any], github: GitHubEmulator) -> None:
    brief = "Fix the error in execute.py. Convert data.xlsx to data.csv."
    round_ = carry_slowly(post(task | {"brief": brief}))
    assert round_.status == "succeeded", round_.error
    assert not any(path.startswith(".github/") for path in github.files(github.owner, round_.task_request.repo_name))
    pages = github.repository(round_.task_request.repo_name).pages
    assert pages is not None
    assert pages.build_type == "legacy"


@pytest.mark.parametrize("scopes", ["repo", None])
def test_a_token_without_the_workflow_right_is_named(task: dict[str, Any], github: GitHubEmulator, evaluator: Evaluator, scopes: str | None) -> None:
    github.workflow_scope, github.scopes = False, scopes
    round_ = carry(post(task))
    assert (round_.status, round_.error_id) == ("failed", "github-refused")
    assert "`workflow`" in round_.error
    assert "Workflows: write" in round_.error
    assert evaluator.bodies == []


def test_the_local_host_says_that_it_runs_no_workflow(task: dict[str, Any], settings: LazySettings) -> None:
    settings.REPO_HOST = "local"
    round_ = post(task)
    for _ in range(6):
        round_ = step(round_)
    assert Deployment.objects.get().pages_enabled
    assert "workflows are not run here" in round_.stage_runs.filter(stage="publish").get().summary
    assert Message.objects.filter(round=round_, kind="event", body__contains="runs no workflow").count() == 1


# -- data named by its address ---------------------------------------------------------------------------------------------------------


class Figures(Emulator):
    """An interface to somebody's figures."""

    def answer(self, request: Request) -> Reply:
        if request.path == "/api/boxes.json":
            return Reply(200, b'{"shelves": [{"shelf": "A", "boxes": 9}]}\n', {"Content-Type": "application/json"})
        return Reply(503, b"busy", {"Content-Type": "text/plain"})


@pytest.fixture
def figures() -> Iterator[Figures]:
    with Figures() as running:
        yield running


PAGE = (
    '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Boxes</title></head>\n<body>\n<h1>Boxes</h1><p id="total">9</p>\n'
    "<script>fetch('boxes.json').then((r) => r.json()).then((d) => console.log(d.shelves.length))</script>\n</body>\n</html>\n"
)


def test_data_at_an_address_is_shown_to_the_model_and_committed_only_where_it_copies_it(
    task: dict[str, Any], github: GitHubEmulator, model: GeminiEmulator, figures: Figures, settings: LazySettings
) -> None:
    def reply(request: dict[str, Any]) -> str:
        path = re.search(r'from="attachment:(fetched/[^"]+)"', model.prompts()[-1])
        assert path is not None
        return file("index.html", PAGE) + f'<file path="boxes.json" from="attachment:{path[1]}"/>\n' + file("README.md", README)

    model.reply = reply
    brief = f"Fetch {figures.url}/api/boxes.json, save its content as boxes.json and show the sum of the boxes in #total of index.html."
    round_ = carry_slowly(post(task | {"brief": brief, "attachments": []}))
    assert (round_.status, round_.degraded) == ("succeeded", "")
    files = github.files(github.owner, round_.task_request.repo_name)
    assert files["boxes.json"] == b'{"shelves": [{"shelf": "A", "boxes": 9}]}\n'
    assert not any(path.startswith("fetched/") for path in files)
    assert figures.requests[0].headers["user-agent"] == f"Deployer/1.0 (+{settings.PUBLIC_URL})"
    row = Attachment.objects.get()
    assert (row.fetched, row.media_type, row.url) == (True, "application/json", f"{figures.url}/api/boxes.json")


def test_data_that_cannot_be_read_is_an_event_and_no_more(task: dict[str, Any], model: GeminiEmulator, figures: Figures) -> None:
    model.reply = lambda _: (
        file("index.html", PAGE.replace("boxes.json", "data.json")) + file("data.json", '{"shelves": []}\n') + file("README.md", README)
    )
    brief = f"Show the sum of the boxes from {figures.url}/api/gone.json in #total of index.html."
    round_ = carry_slowly(post(task | {"brief": brief, "attachments": []}))
    assert (round_.status, round_.degraded, round_.error) == ("succeeded", "", "")
    assert Message.objects.filter(kind="event", body__contains="could not be read for the model", body__icontains="503").count() == 1
    assert not Attachment.objects.exists()


def test_the_fallback_page_does_not_link_to_what_was_only_fetched(task: dict[str, Any], figures: Figures, settings: LazySettings) -> None:
    settings.GENERATOR = "offline"
    brief = f"Fetch {figures.url}/api/boxes.json and show the sum of the boxes in #total."
    round_ = carry_slowly(post(task | {"brief": brief, "attachments": []}))
    assert round_.status == "succeeded", round_.error
    assert round_.version is not None
    assert b"fetched/" not in round_.version.tree()["index.html"]
