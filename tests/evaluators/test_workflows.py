"""What is said of workflow files before they are published."""

from __future__ import annotations

from tasks.evaluators.base import Finding, Subject
from tasks.evaluators.workflows import Evaluator
from tests.workflows.test_policy import FLOW, PATH

BRIEF = "Add a GitHub Actions workflow at .github/workflows/ci.yml that publishes out.json via GitHub Pages. Do not commit out.json."


def findings(files: dict[str, bytes], brief: str = BRIEF) -> dict[str, Finding]:
    return {finding.title: finding for finding in Evaluator().evaluate(Subject(files=files, brief=brief))}


def test_a_right_workflow_passes_everything() -> None:
    found = findings({PATH: FLOW.encode()})
    assert {finding.status for finding in found.values()} == {"pass"}
    assert found[f"{PATH} keeps the policy for workflows"].guards
    assert not found[f"{PATH} can publish by GitHub Pages"].guards


def test_a_problem_guards_publishing_and_names_the_place() -> None:
    found = findings({PATH: FLOW.replace("ubuntu-latest", "self-hosted").encode()})
    finding = found[f"{PATH} keeps the policy for workflows"]
    assert (finding.status, finding.guards) == ("fail", True)
    assert "jobs.build.runs-on" in finding.reason


def test_every_workflow_file_is_looked_at() -> None:
    found = findings({PATH: FLOW.encode(), ".github/workflows/b.yaml": b"\xff\xfe"})
    assert found[".github/workflows/b.yaml keeps the policy for workflows"].status == "fail"


def test_nothing_is_said_where_there_is_no_workflow_and_none_is_asked_for() -> None:
    assert findings({"index.html": b"<p>x</p>"}, "Publish a page.") == {}


def test_a_missing_workflow_fails_without_guarding() -> None:
    finding = findings({"index.html": b"<p>x</p>"})["A workflow file exists"]
    assert (finding.status, finding.guards) == ("fail", False)


def test_a_workflow_that_publishes_nothing_fails_where_it_should() -> None:
    flow = FLOW.replace("actions/deploy-pages@v4", "actions/checkout@v4").encode()
    assert findings({PATH: flow})["The workflow publishes by GitHub Pages"].status == "fail"
    assert "The workflow publishes by GitHub Pages" not in findings({PATH: flow}, "Add a GitHub Actions workflow that runs ruff.")


def test_a_deployment_that_would_fail_is_told() -> None:
    finding = findings({PATH: FLOW.replace("branches: [main]", "branches: [dev]").encode()})[f"{PATH} can publish by GitHub Pages"]
    assert (finding.status, finding.guards) == ("fail", False)
    assert "branch main" in finding.reason


def test_a_committed_result_of_the_run_fails() -> None:
    found = findings({PATH: FLOW.encode(), "out.json": b"{}"})
    assert found["out.json is made by the run and not committed"].status == "fail"
    allowed = BRIEF.replace(" Do not commit out.json.", "")
    assert "out.json is made by the run and not committed" not in findings({PATH: FLOW.encode(), "out.json": b"{}"}, allowed)
