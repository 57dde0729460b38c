"""What a GitHub Actions workflow may do before it is committed under somebody's name.

In: the text of one file below `.github/workflows/`. Out: sentences, each naming the place and the cure. `problems` are the policy: none of them may
be published. `shortcomings` are why a permitted workflow would not do its work. The text is hostile; `workflow_document` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.workflows.document import Unreadable, jobs_of, listed, read, runs_on_main, texts, uses

FOLDER = ".github/workflows/"
MAX_JOBS = 10
MAX_STEPS = 40  # of one job
MAX_PROBLEMS = 20

TRIGGERS = frozenset({"push", "pull_request", "workflow_dispatch", "schedule"})
PERMISSIONS = {"contents": {"read", "none"}, "pages": {"write", "read", "none"}, "id-token": {"write", "none"}}
OWNERS = ("actions", "astral-sh")
TOP_KEYS = frozenset({"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"})
JOB_KEYS = frozenset(
    re.findall(
        r"\S+", "name needs if permissions runs-on environment concurrency outputs env defaults steps timeout-minutes strategy continue-on-error"
    )
)
STEP_KEYS = frozenset(re.findall(r"\S+", "id if name uses run with env shell working-directory continue-on-error timeout-minutes"))
SHELLS = frozenset({"bash", "sh", "pwsh", "python"})

_RUNNER = re.compile(r"(?:ubuntu|windows|macos)-[a-z0-9.]+")
_ACTION = re.compile(r"([\w-]+)(?:/[\w-][\w.-]*){1,5}@(.+)")
_VERSION = re.compile(r"v?\d+(?:\.\d+){0,3}|[0-9a-f]{40}")
_EXPRESSION = re.compile(r"\$\{\{(.*?)(?:\}\}|\Z)", re.S)
_SECRETS = re.compile(r"\bsecrets\b(?!\s*\.\s*GITHUB_TOKEN\b)", re.I)
_WHOLE_CONTEXT = re.compile(r"\btojson\s*\(\s*(?:secrets|github|env|job|runner)\s*\)", re.I)
_FOREIGN_TEXT = re.compile(
    r"\bgithub\s*\.\s*(?:head_ref|event\s*\.\s*(?:pull_request|issue|comment|review|head_commit|commits|pages|discussion))", re.I
)
_TOKEN = re.compile(r"\bsecrets\b|\bgithub\s*\.\s*token\b", re.I)
_SENDER = re.compile(
    r"\b(?:curl|wget|nc|ncat|netcat|socat|telnet|ssh|scp|sftp|rsync|ftp|sendmail|httpie|invoke-webrequest|invoke-restmethod|iwr|irm|aiohttp|httpx)\b"
    r"|/dev/(?:tcp|udp)/|\brequests\.\w+\(|\burllib\b|\bhttp\.client\b|\bsocket\b|\bfetch\(",
    re.I,
)
_CARRIED = re.compile(r"\$\{\{|\b(?:GITHUB_TOKEN|GH_TOKEN|ACTIONS_[A-Z_]+)\b|\bos\.environ\b|\bos\.getenv\b|\bprocess\.env\b|\$env:")
_DUMP = re.compile(
    r"\bprintenv\b|/proc/\w+/environ|(?:^|[\s;&|(`])env\s*(?:$|[|>;&)`])|\b(?:export|declare|compgen)\s+-[pxe]\b"
    r"|\b(?:dict\(|print\(|dumps\(|str\()\s*(?:dict\(\s*)?os\.environ\b|\bgci env:|\bget-childitem env:",
    re.I | re.M,
)


def problems(text: str) -> list[str]:
    """What keeps this workflow from being published; empty when nothing does."""
    try:
        workflow = read(text)
    except Unreadable as unreadable:
        return [str(unreadable)]
    return list(dict.fromkeys(_problems(workflow)))[:MAX_PROBLEMS]


def shortcomings(text: str) -> list[str]:
    """Why a deployment to Pages by this workflow would never run or would fail; empty for a workflow that deploys nothing."""
    try:
        workflow = read(text)
    except Unreadable:
        return []
    deploying = {name: job for name, job in jobs_of(workflow) if uses(job, "actions/deploy-pages")}
    if not deploying:
        return []
    found = []
    if not runs_on_main(workflow["on"]):
        found.append("on: it does not run on a push to the branch main; write `on: push`, or `branches: [main]` below push")
    if not any(uses(job, "actions/upload-pages-artifact") for _, job in jobs_of(workflow)):
        found.append("no step uploads what is to be published; add actions/upload-pages-artifact with the folder as its path before the deployment")
    for name, job in deploying.items():
        rights = job.get("permissions", workflow.get("permissions"))
        if not isinstance(rights, dict) or rights.get("pages") != "write" or rights.get("id-token") != "write":
            found.append(f"jobs.{name}: the deployment needs `permissions:` with pages: write, id-token: write and contents: read")
        environment = job.get("environment")
        if (environment.get("name") if isinstance(environment, dict) else environment) != "github-pages":
            found.append(f"jobs.{name}: the deployment needs `environment:` with the name github-pages")
    return found


def of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The workflow files among these, as text."""
    return {path: data.decode("utf-8", errors="replace") for path, data in sorted(files.items()) if path.startswith(FOLDER)}


def deploys_pages(files: Mapping[str, bytes]) -> bool:
    """Does a workflow among these files publish by GitHub Pages?"""
    for text in of(files).values():
        try:
            workflow = read(text)
        except Unreadable:
            continue
        if any(uses(job, "actions/deploy-pages") for _, job in jobs_of(workflow)):
            return True
    return False


# -- the policy ------------------------------------------------------------------------------------------------------------------------


def _problems(workflow: dict[str, Any]) -> Iterator[str]:
    yield from _unknown("the top level", workflow, TOP_KEYS)
    yield from _trigger_problems(workflow["on"])
    yield from _shell_problems("defaults", workflow.get("defaults"))
    if "permissions" in workflow:
        yield from _permission_problems("permissions", workflow["permissions"])
    elif not all("permissions" in job for _, job in jobs_of(workflow)):
        yield "permissions: they are missing; add `permissions:` with contents: read (and pages: write, id-token: write for a deployment to Pages)"
    if len(workflow["jobs"]) > MAX_JOBS:
        yield f"jobs: there are more than {MAX_JOBS}"
    for place, text in texts(workflow):
        yield from _expression_problems(place, text)
    for name, job in list(workflow["jobs"].items())[:MAX_JOBS]:
        if not isinstance(job, dict):
            yield f"jobs.{name}: it is no mapping"
            continue
        yield from _job_problems(f"jobs.{name}", job, _TOKEN.search(_joined(workflow.get("env"))) is not None)


def _unknown(place: str, value: dict[str, Any], known: frozenset[str]) -> Iterator[str]:
    extra = sorted(set(value) - known)
    if extra:
        yield f"{place}: {', '.join(extra)} is not allowed here; leave it out"


def _trigger_problems(on: Any) -> Iterator[str]:
    events = list(on) if isinstance(on, dict) else listed(on)
    wrong = sorted(set(events) - TRIGGERS)
    if wrong or not events:
        yield f"on: {', '.join(wrong) or 'nothing'} is not allowed as a trigger; use push, pull_request, workflow_dispatch or schedule"


def _permission_problems(place: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value or 'an empty value'} gives more than is needed; write contents: read, and pages: write, id-token: write for Pages"
        return
    for name, level in value.items():
        if level != "none" and level not in PERMISSIONS.get(name, ()):
            yield f"{place}: {name}: {level} is not allowed; only contents: read, pages: write and id-token: write are"


def _expression_problems(place: str, text: str) -> Iterator[str]:
    spoken = [text] if place.rpartition(".")[2] == "if" else _EXPRESSION.findall(text)
    if any(_SECRETS.search(expression) for expression in spoken):
        yield f"{place}: secrets are not allowed, only secrets.GITHUB_TOKEN is"
    if any(_WHOLE_CONTEXT.search(expression) for expression in spoken):
        yield f"{place}: a whole context is written out, with the token in it; name the one value that is needed"


def _job_problems(place: str, job: dict[str, Any], token: bool) -> Iterator[str]:
    yield from _unknown(place, job, JOB_KEYS)
    yield from _shell_problems(f"{place}.defaults", job.get("defaults"))
    if "permissions" in job:
        yield from _permission_problems(f"{place}.permissions", job["permissions"])
    runners = listed(job.get("runs-on"))
    if not runners or not all(_RUNNER.fullmatch(runner) for runner in runners):
        yield f"{place}.runs-on: name one of GitHub's own runners, as in `runs-on: ubuntu-latest`"
    steps = job.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS or not all(isinstance(step, dict) for step in steps):
        yield f"{place}.steps: a job has a list of 1 to {MAX_STEPS} steps"
        return
    token = token or _TOKEN.search(_joined(job.get("env"))) is not None
    for number, step in enumerate(steps, 1):
        yield from _step_problems(f"{place}.steps[{number}]", step, token)


def _step_problems(place: str, step: dict[str, Any], token: bool) -> Iterator[str]:
    yield from _unknown(place, step, STEP_KEYS)
    if ("uses" in step) == ("run" in step):
        yield f"{place}: a step has either `uses:` or `run:`"
    if "uses" in step:
        action = _ACTION.fullmatch(str(step["uses"]))
        if not action or action[1].lower() not in OWNERS:
            yield f"{place}.uses: {str(step['uses'])[:80]} is not allowed; only actions of {' and '.join(OWNERS)} are"
        elif not _VERSION.fullmatch(action[2]):
            yield f"{place}.uses: {str(step['uses'])[:80]} is not pinned; name a version, as in actions/checkout@v4"
    if step.get("shell", "bash") not in SHELLS:
        yield f"{place}.shell: only {', '.join(sorted(SHELLS))} are allowed"
    program = f"{step.get('run', '')}\n{_joined(step.get('with'))}"
    if any(_FOREIGN_TEXT.search(expression) for expression in _EXPRESSION.findall(program)):
        yield f"{place}: text that strangers write (a title, a message, a branch's name) is put into a program; leave it out"
    if _DUMP.search(program):
        yield f"{place}: it writes out the whole environment, which holds tokens; name the one value that is needed"
    if _SENDER.search(program) and (token or _CARRIED.search(program) or _TOKEN.search(_joined(step.get("env")))):
        yield f"{place}: values of the environment or of ${{{{ }}}} stand beside a program that sends data out; take one of the two away"


def _shell_problems(place: str, defaults: Any) -> Iterator[str]:
    run = defaults.get("run") if isinstance(defaults, dict) else None
    shell = run.get("shell", "bash") if isinstance(run, dict) else "bash"
    if shell not in SHELLS:
        yield f"{place}.run.shell: only {', '.join(sorted(SHELLS))} are allowed"


def _joined(value: Any) -> str:
    return "\n".join(_every(value))


def _every(value: Any) -> Iterable[str]:
    return (text for _, text in texts(value))
