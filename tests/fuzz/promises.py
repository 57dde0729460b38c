"""What must hold of the rows, the notifications and the repositories, whatever happened to the service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Q
from dulwich.repo import Repo

from tasks.models import Deployment, Round, StageRun, TaskRequest
from tasks.stages.notify import notification

Key = tuple[str, str, int, str]

REFUSED = {"notification-refused", "notification-given-up"}  # how a round may end while the evaluator does not take its notification


@dataclass
class Known:
    """What the outside knows of an accepted round."""

    key: Key
    id: str
    content: dict[str, Any]
    asked: list[int] = field(default_factory=list)
    """For each notification that is due, how many had been taken by the evaluator when it was asked for."""
    spare: int = 0
    """Notifications that were taken but whose sender did not live to write it down: each may come once more."""
    deaths: int = 0

    @property
    def row(self) -> Round:
        return Round.objects.select_related("task_request").get(uuid=self.id)


def each_accepted_request_is_one_round(known: Iterable[Known]) -> None:
    rows = [
        (str(row.uuid), row.task_request.email, row.task_request.task, row.number, row.nonce) for row in Round.objects.select_related("task_request")
    ]
    assert sorted(rows) == sorted((item.id, *item.key) for item in known)
    assert TaskRequest.objects.count() == len({item.key[:2] for item in known})


def each_row_is_in_a_state_that_there_is() -> None:
    for row in Round.objects.prefetch_related("stage_runs", "deployments"):
        runs = list(row.stage_runs.all())
        assert bool(row.lease_owner) == bool(row.lease_until)
        if row.is_open:
            assert row.finished_at is None
            assert (row.status == Round.Status.RUNNING) == bool(row.lease_owner)
            assert sum(run.outcome == StageRun.Outcome.RUNNING for run in runs) <= 1
        else:
            assert row.finished_at is not None
            assert not row.lease_owner
            assert all(run.finished_at and run.outcome != StageRun.Outcome.RUNNING for run in runs)
        if row.status == Round.Status.WAITING:
            assert row.waiting_for
        if row.status == Round.Status.SUCCEEDED:
            assert (row.stage, row.error_id) == ("notify", "")
            assert row.notified_at
            assert row.deployments.all()
        if row.status == Round.Status.FAILED:
            assert row.error_id in REFUSED, (row.error, list(row.check_results.filter(status="fail", guards=True).values("kind", "title", "reason")))


class History:
    """Stage runs are added and ended, never changed or taken away; but one that waits for a page or its turn is one row for all its looks."""

    def __init__(self) -> None:
        self.ended: dict[int, tuple[Any, ...]] = {}

    def only_grows(self) -> None:
        runs = {run.pk: (run.round_id, run.stage, run.attempt, run.outcome, run.summary, run.finished_at) for run in StageRun.objects.all()}
        for pk, run in self.ended.items():
            assert runs.get(pk) == run
        self.ended = {pk: run for pk, run in runs.items() if run[3] not in {StageRun.Outcome.RUNNING, StageRun.Outcome.WAITING}}


@contextmanager
def in_its_turn(pk: int) -> Iterator[None]:
    """The block works on this round. Nothing is written or published while an earlier round of the task still has its own to publish."""
    row = Round.objects.get(pk=pk)
    earlier = Q(number__lt=row.number) | Q(number=row.number, pk__lt=pk)
    ahead = (
        Round.objects.open().filter(earlier, task_request=row.task_request_id, stage__in=["attachments", "generate", "evaluate", "publish"]).exists()
    )
    runs = StageRun.objects.filter(round=pk, stage__in=["generate", "publish"])
    before = runs.count()
    yield
    assert not ahead or runs.count() == before


def each_round_ended_notified(known: Iterable[Known], taken: list[dict[str, Any]]) -> None:
    """Once for each time it was asked for, and once more where a worker died over it; each tells what is deployed."""
    for item in known:
        row = item.row
        assert row.status == Round.Status.SUCCEEDED, (row.status, row.stage, row.error)
        mine = [(at, body) for at, body in enumerate(taken) if (body["email"], body["task"], body["round"], body["nonce"]) == item.key]
        assert mine
        assert mine[-1][0] >= item.asked[-1], "the last one that was asked for did not come"
        assert len(mine) <= len(item.asked) + item.spare, f"{len(mine)} notifications for {item}"
        possible = [notification(row, deployment) for deployment in row.deployments.all()]
        assert all(body in possible for _, body in mine)
        assert mine[-1][1] == possible[0]


def each_task_has_one_repository_and_each_content_one_commit() -> None:
    tasks = list(TaskRequest.objects.all())
    folder = settings.DATA_DIR / "repos"
    assert sorted(path.name for path in folder.glob("*.git")) == sorted(f"{task.repo_name}.git" for task in tasks)
    for task in tasks:
        with Repo(str(folder / f"{task.repo_name}.git")) as repo:
            commits = [entry.commit for entry in repo.get_walker()]
        assert all(newer.tree != older.tree for newer, older in pairwise(commits)), "two commits of one content"
        told = set(Deployment.objects.filter(round__task_request=task).values_list("commit_sha", flat=True))
        assert {commit.id.decode() for commit in commits} == told
