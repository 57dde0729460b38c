"""What the evaluators get to see of a report: the files at its commit, and what was asked of the student."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.db.models import Q

from tasks.classroom.evaluating.clone import clone_url
from tasks.errors import AttachmentUnusable
from tasks.evaluators import Subject
from tasks.files import data_uri
from tasks.files.paths import fold
from tasks.files.wording import asks_to_change
from tasks.models import IssuedTask, RepoReport
from tasks.workflows.policy import FOLDER

SECONDS = 60.0  # for one evaluator's work


def subject_of(report: RepoReport, files: Mapping[str, bytes]) -> Subject:
    """An attachment is exempt from being as it was sent when a brief of the task asks to change it. Workflows are the student's own affair."""
    issued = report.issued
    given = attachments(issued)
    briefs = [row.brief for row in rounds(issued)]
    return Subject(
        files=dict(files),
        brief=issued.brief,
        checks=tuple(issued.checks),
        attachments=given,
        revised=frozenset(path for path in given if any(asks_to_change(brief, path) for brief in briefs)),
        kept=frozenset(path for path in files if path.startswith(FOLDER)),
        task=issued.task,
        repo=urlsplit(clone_url(report.repo_url)).path.rstrip("/").rpartition("/")[2].removesuffix(".git"),
        seconds=SECONDS,
    )


def first_of(issued: IssuedTask) -> IssuedTask:
    """Round 1 of the same task."""
    return issued.first or issued


def rounds(issued: IssuedTask) -> list[IssuedTask]:
    """This round and the earlier ones of the task, oldest first."""
    first = first_of(issued)
    earlier = IssuedTask.objects.filter(Q(pk=first.pk) | Q(first=first), round__lt=issued.round).order_by("round", "pk")
    return [*earlier, issued]


def attachments(issued: IssuedTask) -> dict[str, bytes]:
    """Path to the bytes that were sent, in this round or before. The same name sent again replaces the former."""
    newest: dict[str, tuple[str, bytes]] = {}
    for row in rounds(issued):
        for item in row.attachments:
            try:
                newest[fold(item["name"])] = (item["name"], data_uri.decode(item["url"])[1])
            except (AttachmentUnusable, KeyError, TypeError):
                continue  # nobody could have published it
    return dict(newest.values())
