"""The corpus: tasks in the shapes that were really sent, each with a right and a flawed answer of a model, and how one is played through the service.

A folder of `corpus/` is a task. `task.yaml` holds its rounds: brief, checks in all their wire forms, attachments (files beside it), the `files` that
have to be published, what a model makes of English checks that no rule reads (`compiled`), those that nobody can decide (`undecided`), attachments
that the brief asks to change (`revised`), whether it takes back what an earlier round asked for (`superseded`), and the `flaw`: what is wrong with
the flawed answer, `names` that the feedback must say, `repairs` (1; 0 where the service mends it by itself) and `answers` (how many are asked for).
`right.txt` and `flawed.txt` are answers to round 1, `right-2.txt` and `flawed-2.txt` to round 2; `repair.txt` answers the repair prompt where the
right answer would not do; `hopeless.txt` is all that ever comes after the flawed one.

    python -m pytest tests/acceptance/test_corpus.py -q -n 2       # plays everything and prints the figures
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from django.conf import settings

from tasks.models import CheckResult, CodeVersion, Round
from tests.driver import post, step
from tests.emulators.evaluator import Evaluator
from tests.emulators.gemini import prompt_of
from tests.emulators.github import GitHubEmulator

FOLDER = Path(__file__).with_name("corpus")
PLANTED = ("GITHUB_TOKEN", "GEMINI_API_KEY", "STUDENT_SECRET", "SECRET_KEY")  # `@NAME@` in an answer stands for the value in the settings
ASKED = re.compile(r"^Task: .+, round (\d+)$", re.MULTILINE)
STEPS = 60
PAUSE = 0.05  # seconds between looks, while Pages is building


@dataclass(frozen=True)
class Flaw:
    what: str
    names: tuple[str, ...] = ()
    repairs: int = 1
    answers: int | None = None


@dataclass(frozen=True)
class RoundCase:
    """One round of a task. `attached` maps a name to its bytes, `urls` to the data URI in which they are posted."""

    number: int
    brief: str
    checks: list[Any]
    flaw: Flaw
    attached: dict[str, bytes]
    urls: dict[str, str]
    files: tuple[str, ...]
    undecided: tuple[str, ...]
    revised: tuple[str, ...]
    superseded: bool
    compiled: dict[str, Any]
    right: str
    flawed: str
    repair: str
    hopeless: str


@dataclass(frozen=True)
class Case:
    name: str
    task: str
    rounds: tuple[RoundCase, ...]

    @property
    def hopeless(self) -> bool:
        return any(item.hopeless for item in self.rounds)


def names() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/task.yaml"))


@lru_cache
def load(name: str) -> Case:
    folder = FOLDER / name
    value = yaml.safe_load((folder / "task.yaml").read_text(encoding="utf-8"))
    return Case(name, value["task"], tuple(_round(folder, number, item) for number, item in enumerate(value["rounds"], 1)))


def _round(folder: Path, number: int, item: dict[str, Any]) -> RoundCase:
    files = {entry["name"]: (folder / entry.get("file", entry["name"])).read_bytes() for entry in item.get("attachments") or ()}
    urls = {entry["name"]: _data_uri(files[entry["name"]], entry["media_type"], entry.get("as", "base64")) for entry in item.get("attachments") or ()}
    end = "" if number == 1 else f"-{number}"
    right = _text(folder / f"right{end}.txt")
    return RoundCase(
        number=number,
        brief=item["brief"],
        checks=item["checks"],
        flaw=Flaw(**{key: tuple(value) if isinstance(value, list) else value for key, value in item["flaw"].items()}),
        attached=files,
        urls=urls,
        files=tuple(item.get("files", ["index.html"])),
        undecided=tuple(item.get("undecided", ())),
        revised=tuple(item.get("revised", ())),
        superseded=item.get("superseded", False),
        compiled=item.get("compiled", {}),
        right=right,
        flawed=_text(folder / f"flawed{end}.txt"),
        repair=_text(folder / f"repair{end}.txt") or right,
        hopeless=_text(folder / f"hopeless{end}.txt"),
    )


def _text(path: Path) -> str:
    return path.read_bytes().decode() if path.exists() else ""


def _data_uri(content: bytes, media_type: str, form: str) -> str:
    """In one of the forms that are met: `base64`, `unpadded`, `spaced` (line breaks inside) or `percent`."""
    coded = base64.b64encode(content).decode()
    match form:
        case "percent":
            return f"data:{media_type},{quote(content)}"
        case "unpadded":
            coded = coded.rstrip("=")
        case "spaced":
            coded = "\n".join(coded[start : start + 76] for start in range(0, len(coded), 76))
    return f"data:{media_type};base64,{coded}"


# -- the model -------------------------------------------------------------------------------------------------------------------------


class Answers:
    """Plays the model for one task, by the rules of a mode: `right`, `flawed` (then mended) or `hopeless` (never mended)."""

    def __init__(self, case: Case, mode: str) -> None:
        self.case, self.mode = case, mode
        self.prompts: dict[int, list[str]] = {item.number: [] for item in case.rounds}

    def __call__(self, request: dict[str, Any]) -> str:
        prompt = prompt_of(request)
        asked = ASKED.search(prompt)
        if asked is None:
            return self.predicate(prompt)
        item = self.case.rounds[int(asked[1]) - 1]
        told = self.prompts[item.number]
        told.append(prompt)
        answer = item.right
        if self.mode != "right":
            answer = item.flawed if len(told) == 1 else item.hopeless if self.mode == "hopeless" else item.repair if repairs(prompt) else item.right
        for name in PLANTED:
            answer = answer.replace(f"@{name}@", getattr(settings, name))
        return answer

    def predicate(self, prompt: str) -> str:
        """The answer to being asked to turn an English check into a predicate."""
        check = prompt.partition("The check to turn into a predicate:")[2]
        found = (made for item in self.case.rounds for text, made in item.compiled.items() if text in check)
        return json.dumps(next(found, {"op": "undecided"}))


def repairs(prompt: str) -> bool:
    return prompt.startswith("Your last version")


# -- playing ---------------------------------------------------------------------------------------------------------------------------


@dataclass
class Played:
    """One round as it went: the row, the files of the commit that was reported, the prompts of the model, and the evaluations."""

    item: RoundCase
    round: Round
    files: dict[str, bytes]
    told: dict[str, Any]
    prompts: list[str]
    versions: list[CodeVersion] = field(default_factory=list)

    def results(self, version: CodeVersion | None = None) -> list[CheckResult]:
        """What was found out about a version before publishing; without one, about that which was published."""
        return list(CheckResult.objects.filter(round=self.round, version=version or self.round.version, deployment=None))

    def live_results(self) -> list[CheckResult]:
        """What was found out on the public page."""
        return list(CheckResult.objects.filter(round=self.round, deployment__isnull=False))

    def feedback(self) -> str:
        """What the model was told to repair."""
        return "\n".join(prompt.partition(" WHAT FAILED ")[2].partition(" END OF WHAT FAILED ")[0] for prompt in self.prompts)

    @property
    def repairs(self) -> int:
        return sum(1 for version in self.versions if version.kind == CodeVersion.Kind.REPAIR)


def play(case: Case, answers: Answers, github: GitHubEmulator, evaluator: Evaluator) -> list[Played]:
    """All rounds of the task, one after the other, from /ready to the notification; in hopeless mode those that have a hopeless answer."""
    played = []
    for item in (item for item in case.rounds if item.hopeless or answers.mode != "hopeless"):
        nonce = f"{case.name}-{item.number}"
        body = {
            "email": "student@example.org",
            "secret": settings.STUDENT_SECRET,
            "task": case.task,
            "round": item.number,
            "nonce": nonce,
            "brief": item.brief,
            "checks": item.checks,
            "evaluation_url": evaluator.url,
            "attachments": [{"name": name, "url": url} for name, url in item.urls.items()],
        }
        round_ = _carry(post(body))
        notifications = evaluator.by_nonce(nonce)
        assert len(notifications) == 1, f"{len(notifications)} notifications; the round {round_.status}: {round_.error_id} {round_.error}"
        files = github.files(github.owner, round_.task_request.repo_name, notifications[0]["commit_sha"])
        versions = list(round_.versions.order_by("number"))
        played.append(Played(item, round_, files, notifications[0], answers.prompts[item.number], versions))
    return played


def _carry(round_: Round) -> Round:
    for _ in range(STEPS):
        round_ = step(round_)
        if not round_.is_open:
            return round_
        time.sleep(PAUSE)
    raise AssertionError(f"still {round_.status} in {round_.stage}: {round_.waiting_for}")


def workflow_run(files: dict[str, bytes]) -> dict[str, bytes] | None:
    """What the corpus's workflows publish: the output of execute.py. None when the program fails, as the run then does."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("execute.py", "data.csv"):
            Path(folder, name).write_bytes(files.get(name, b""))
        done = subprocess.run([sys.executable, "execute.py"], cwd=folder, capture_output=True, timeout=20, check=False)
    return {"result.json": done.stdout} if done.returncode == 0 and done.stdout else None


# -- figures ---------------------------------------------------------------------------------------------------------------------------


def figures(played: Played) -> dict[str, float]:
    """Of one round: decided checks and passed ones, of the first version that was looked at and of the published one; evaluations with seconds,
    browser CPU seconds and memory (10⁶ bytes)."""
    seen = [version for version in played.versions if played.results(version)]
    row: dict[str, float] = {"repairs": played.repairs, "evaluations": len(seen)}
    for moment, version in (("first", seen[0] if seen else None), ("last", played.round.version)):
        status = [result.status for result in played.results(version)] if version else []
        row[f"{moment}_passed"], row[f"{moment}_failed"] = status.count("pass"), status.count("fail")
    loads = [result for result in CheckResult.objects.filter(round=played.round, kind="page") if "cpu_seconds" in result.evidence]
    row["looks"] = len(loads)
    for name in ("seconds", "cpu_seconds", "memory_peak_mb"):
        row[name] = [float(result.evidence[name]) for result in loads]  # type: ignore[assignment]
    return row
