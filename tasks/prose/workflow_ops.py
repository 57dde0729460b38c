"""What can be said of a GitHub Actions workflow: which tools and programs its steps run, and whether it publishes with Pages.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tasks.prose import formats
from tasks.prose.language import Look, Op, Predicate, Settled, Verdict, a_flag, a_path, a_text, failed, passed, shown, some, undecided

FOLDER = ".github/workflows/"
PAGES_ACTIONS = ("actions/deploy-pages@", "peaceiris/actions-gh-pages@", "jamesives/github-pages-deploy-action@")
MAX_JOBS = 100
MAX_STEPS = 300  # of one job
_BEFORE = r"(?:^|[\s;&|(`/\"'])"
_AFTER = r"(?=$|[\s;&|)`\"'])"


def workflow(predicate: Predicate, look: Look) -> Verdict:
    """`tools`: commands or actions by name; `scripts`: programs that are executed; `pages`: a step that deploys to GitHub Pages."""
    path = predicate.get("path") or _only(look)
    runs, uses = _steps(path, look)
    commands = "\n".join(runs).replace("\\\n", " ")
    missing = [f"a step that runs {tool}" for tool in predicate.get("tools", ()) if not _runs_tool(tool, commands, uses)]
    missing += [f"a step that executes {script}" for script in predicate.get("scripts", ()) if not _executes(script, commands)]
    if predicate.get("pages") and not any(used.lower().startswith(PAGES_ACTIONS) for used in uses) and "gh-pages" not in commands:
        missing.append("a step that deploys to GitHub Pages (actions/deploy-pages)")
    if missing:
        return failed(
            f"{path} has no {', no '.join(part.removeprefix('a ') for part in missing)}.", runs=[shown(run) for run in runs[:20]], uses=uses[:20]
        )
    return passed("By the steps as they are written; whether they succeed the CI's log tells.", path=path)


def _only(look: Look) -> str:
    found = sorted(path for path in look.subject.files if path.startswith(FOLDER) and path.endswith((".yml", ".yaml")))
    if len(found) != 1:
        raise Settled(undecided(f"There are {len(found)} workflows.", files=found) if found else failed(f"There is no workflow in {FOLDER}."))
    return found[0]


def _steps(path: str, look: Look) -> tuple[list[str], list[str]]:
    """What the steps run and use. References (`*name`) are not followed further than jobs and their steps, so that they cannot multiply."""
    text = look.text(path)
    if too_much := formats.too_much("yaml", text):
        raise Settled(undecided(f"{path} {too_much}"))
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Settled(failed(f"{path} is not valid YAML: {' '.join(str(error).split())[:300]}.")) from None
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        raise Settled(failed(f"{path} cannot be read as YAML.")) from None
    jobs = document.get("jobs") if isinstance(document, dict) else None
    if not isinstance(jobs, dict) or not jobs:
        raise Settled(failed(f"{path} has no jobs."))
    runs, uses = [], []
    for part in _parts(jobs):
        if isinstance(part.get("run"), str):
            runs.append(part["run"][:20_000])
        if isinstance(part.get("uses"), str):
            uses.append(part["uses"][:300])
    return runs, uses


def _parts(jobs: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    for job in list(jobs.values())[:MAX_JOBS]:
        if isinstance(job, dict):
            steps = job.get("steps")
            yield {"uses": job.get("uses")}  # a reusable workflow
            yield from (step for step in (steps[:MAX_STEPS] if isinstance(steps, list) else ()) if isinstance(step, dict))


def _runs_tool(tool: str, commands: str, uses: list[str]) -> bool:
    """A word at the start of a command (`ruff check`, `uvx ruff`, `python -m ruff`), or an action of that name; installing it is not running it."""
    name = re.escape(tool)
    action = re.compile(rf"(?:^|[/-]){name}(?=[@/-])", re.I)
    if any(action.search(used) for used in uses):
        return True
    return any(re.search(rf"{_BEFORE}{name}{_AFTER}", line, re.I) for line in _lines(commands) if not re.search(r"\b(?:install|add|echo)\b", line))


def _executes(script: str, commands: str) -> bool:
    name = re.escape(script.removeprefix("./"))
    runner = r"(?:python[\d.]*|py|pypy[\d.]*|uv\s+run|node|bash|sh)"
    pattern = re.compile(rf"(?:{_BEFORE}{runner}\s+(?:-\S+\s+|python[\d.]*\s+)*(?:\./)?|^\s*\./){name}{_AFTER}")
    return any(pattern.search(line) for line in _lines(commands))


def _lines(commands: str) -> list[str]:
    """One command each, without comments."""
    parts = re.split(r"\n|&&|\|\||;", commands)
    return [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]


WORKFLOW_OPS: dict[str, Op] = {
    "workflow": Op(
        workflow, {}, {"path": a_path, "tools": some(a_text), "scripts": some(a_path), "pages": a_flag}, at_least=("tools", "scripts", "pages")
    ),
}
