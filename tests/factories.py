"""Rows for tests, with every required field filled in. Only what a test is about needs to be named."""

from __future__ import annotations

import base64
import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tasks.classroom.sealing import seal
from tasks.models import CodeVersion, GeneratedFile, IssuedTask, Round, Submission, TaskRequest

_numbers = itertools.count(1)


def data_uri(content: bytes, media_type: str = "text/plain") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def make_task(**fields: Any) -> TaskRequest:
    n = next(_numbers)
    return TaskRequest.objects.create(**{"email": f"student{n}@example.org", "task": f"sum-of-sales-{n}", **fields})


def make_round(task_request: TaskRequest | None = None, **fields: Any) -> Round:
    n = next(_numbers)
    received = fields.pop("received_at", timezone.now())
    defaults: dict[str, Any] = {
        "number": 1,
        "nonce": f"nonce-{n}",
        "brief": "Publish a page that shows the total of data.csv inside #total-sales.",
        "checks": [{"js": "!!document.querySelector('#total-sales')"}],
        "evaluation_url": "http://127.0.0.1:9/notify",
        "fingerprint": f"{n:064x}",
        "received_at": received,
        "deadline_at": received + timedelta(seconds=600),
    }
    return Round.objects.create(task_request=task_request or make_task(), **{**defaults, **fields})


def make_version(round_: Round, files: dict[str, bytes] | None = None, **fields: Any) -> CodeVersion:
    from tasks.hosts.base import blob_sha

    number = CodeVersion.objects.filter(task_request=round_.task_request).count() + 1
    defaults: dict[str, Any] = {"number": number, "kind": "build", "status": "ready", "generator": "offline", "model": "offline"}
    version = CodeVersion.objects.create(task_request=round_.task_request, round=round_, **{**defaults, **fields})
    for path, content in (files or {"index.html": b"<!doctype html><title>x</title>"}).items():
        GeneratedFile.objects.create(version=version, path=path, origin="model", content=content, size=len(content), blob_sha=blob_sha(content))
    return version


def make_submission(secret: str = "a-students-secret", **fields: Any) -> Submission:
    n = next(_numbers)
    email = fields.pop("email", f"student{n}@example.org")
    defaults: dict[str, Any] = {
        "endpoint": f"https://student{n}.example.org/ready",
        "submitted_at": timezone.now(),
        "sealed_secret": seal(secret, email),
    }
    return Submission.objects.create(email=email, **{**defaults, **fields})


def make_issued(submission: Submission | None = None, **fields: Any) -> IssuedTask:
    n = next(_numbers)
    defaults: dict[str, Any] = {
        "brief_id": "sum-of-sales",
        "round": 1,
        "seed": "2026-10-03-12",
        "task": f"sum-of-sales-{n:05x}",
        "nonce": f"nonce-{n}",
        "brief": "Publish a page that sums the sales column of data.csv inside #total-sales.",
        "checks": [{"js": "!!document.querySelector('#total-sales')"}],
        "evaluation_url": "http://127.0.0.1:9/notify",
    }
    return IssuedTask.objects.create(submission=submission or make_submission(), **{**defaults, **fields})
