"""A round that was accepted, and what must hold once it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dulwich.object_store import iter_tree_contents
from dulwich.repo import Repo

if TYPE_CHECKING:
    from tests.crashes.service import Service

CSV = b"product,sales\npen,2\nink,3\n"  # of every round's attachment


@dataclass
class Posted:
    """A round that was accepted with 200."""

    id: str
    body: dict[str, Any]
    name: str = ""
    held_by: int = 0  # the process that works on it

    @property
    def task(self) -> str:
        return str(self.body["task"])


def story(state: dict[str, Any] | OSError) -> str:
    """A round in one line, for a failing test."""
    if isinstance(state, OSError):
        return str(state)
    runs = ", ".join(f"{run['stage']} {run['outcome']} {run['seconds']:.0f} s" for run in state["stage_runs"])
    return f"{state['task']} is {state['status']} in {state['stage']} (waiting for {state['waiting_for']}, error {state['error']}): {runs}"


def outcome(service: Service, posted: Posted, *, commits: int = 1, host: str = "github") -> dict[str, int]:
    """Assert what must hold for a round that has ended; the counts for the table."""
    state = service.status(posted)
    assert (state["status"], state["error"], state["degraded"]) == ("succeeded", None, None), state
    assert state["live_at"]
    assert state["notified_at"]
    assert not [run for run in state["stage_runs"] if run["outcome"] == "running"], state["stage_runs"]
    repos = repositories(service, posted.task, host)
    assert list(repos) == [posted.task]
    history, files = repos[posted.task]
    assert len(history) == commits
    bodies = service.evaluator.by_nonce(posted.body["nonce"])
    assert 1 <= len(bodies) <= 2, bodies
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["commit_sha"] == state["commit_sha"]
    assert bodies[0]["commit_sha"] in history
    assert {key: bodies[0][key] for key in ("email", "task", "round")} == {key: posted.body[key] for key in ("email", "task", "round")}
    assert files["data.csv"] == CSV
    return {"repos": len(repos), "commits": len(history), "notifications": len(bodies), "asks": asks(service, posted)}


def repositories(service: Service, task: str, host: str) -> dict[str, tuple[list[str], dict[str, bytes]]]:
    """Name, commits (newest first) and files of every repository whose name begins with the task's."""
    if host == "github":
        found = [repo.name for repo in service.github.repositories() if repo.name.startswith(task)]
        return {name: (service.github.commits(name), service.github.files(service.github.owner, name)) for name in found}
    repos = {}
    for folder in (service.stack.folder / "repos").glob(f"{task}*"):
        with Repo(str(folder)) as repo:
            history = [entry.commit for entry in repo.get_walker()]
            entries = iter_tree_contents(repo.object_store, history[0].tree)
            files = {entry.path.decode(): repo.object_store[entry.sha].as_raw_string() for entry in entries}
            repos[folder.name.removesuffix(".git")] = ([commit.id.decode() for commit in history], files)
    return repos


def asks(service: Service, posted: Posted) -> int:
    """How often the model was asked for this task; the prompt names it."""
    return sum(posted.task in prompt for prompt in service.model.prompts())
