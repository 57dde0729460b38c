"""What this service and this machine are asked: settings, keys, database, workers, queue, Chromium, the runner, disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Q
from django.utils import timezone

from tasks.browser import find_chromium, judge
from tasks.browser.chromium import CURE
from tasks.doctor import kernel
from tasks.doctor.finding import Finding
from tasks.models import AgentKey, Round, Worker
from tasks.redaction import redact
from tasks.runners import get_runner
from tasks.worker import clock

SECONDS = 10.0  # for one program that is tried
BROWSER_SECONDS = 20.0
DISK_BYTES = 1024 * 2**20
CLOCK_SECONDS = 5.0
WORKER_SECONDS = 15.0  # a heartbeat older than this is none
QUEUE_SECONDS = 60.0
EXPIRY_DAYS = 7
PAGE = b"<!doctype html><html lang=en><title>trial</title><script>document.title = 'works'</script>"


def configuration() -> Iterator[Finding]:
    """Django's own system checks, ours among them."""
    messages = [message for message in checks.run_checks() if not message.is_silenced()]
    for message in messages:
        yield Finding(message.id or "check", "error" if message.is_serious() else "warning", str(message.msg), str(message.hint or ""))
    if not messages:
        yield Finding("settings", "ok", f"generator {settings.GENERATOR}, host {settings.REPO_HOST}, runner {settings.RUNNER}")


def keys() -> Iterator[Finding]:
    """The evaluator's secret, and the keys of agents. What is missing of the others is said by those who need them."""
    if settings.STUDENT_SECRET:
        yield Finding("STUDENT_SECRET", "ok", "set: evaluators who send it are let in")
    try:
        soon = timezone.now() + timedelta(days=EXPIRY_DAYS)
        now = timezone.now()
        valid = AgentKey.objects.filter(Q(expiry_date=None) | Q(expiry_date__gt=now), revoked=False)
        roles = dict(valid.order_by("role").values_list("role").annotate(Count("pk")))
        ending = list(valid.filter(expiry_date__lt=soon).order_by("expiry_date").values_list("name", flat=True)[:5])
    except DatabaseError:
        return
    if not roles:
        yield Finding("agent keys", "off", "none but DEMO_API_KEY" if settings.DEMO_API_KEY else "none is valid: no agent takes part")
        return
    detail = f"{sum(roles.values())} valid: {', '.join(f'{number} {role}' for role, number in roles.items())}"
    if ending:
        yield Finding("agent keys", "warning", f"{detail}; {', '.join(ending)} ends within {EXPIRY_DAYS} days", "Make a new key in the admin.")
    else:
        yield Finding("agent keys", "ok", detail)


def database() -> Iterator[Finding]:
    engine = connection.vendor
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("database", "error", redact(str(error).strip())[:300], "Start the database, or correct DATABASE_URL.")
        return
    if missing:
        yield Finding("database", "error", f"{engine}, {len(missing)} migrations are missing", "Run: python manage.py migrate")
    else:
        yield Finding("database", "ok", f"{engine}, all migrations are applied")
    seconds = clock.ahead()
    if abs(seconds) > CLOCK_SECONDS:
        yield Finding("database's clock", "error", f"{abs(seconds):.0f} s apart from this machine's", "Let NTP set both clocks.")


def worker() -> Iterator[Finding]:
    try:
        seen = Worker.objects.filter(stopped_at=None, seen_at__gte=timezone.now() - timedelta(seconds=WORKER_SECONDS)).count()
    except DatabaseError:
        return
    if seen:
        yield Finding("worker", "ok", f"{seen} running")
    else:
        yield Finding("worker", "warning", "none is running", "Start: python manage.py worker")


def queue() -> Iterator[Finding]:
    """Whether somebody takes what is due."""
    now = timezone.now()
    try:
        due = Round.objects.due(now)
        oldest = due.order_by("next_run_at").values_list("next_run_at", flat=True).first()
        number = due.count() if oldest else 0
    except DatabaseError:
        return
    waited = (now - oldest).total_seconds() if oldest else 0.0
    if waited > QUEUE_SECONDS:
        yield Finding("queue", "warning", f"{number} due, the oldest for {waited:.0f} s", "Start a worker, or more of them: WORKERS.")
    else:
        yield Finding("queue", "ok", f"{number} due, none for long")


def chromium() -> Iterator[Finding]:
    """It does not only start: it opens a page of ours as it opens the pages that are checked."""
    if not settings.EVALUATE:
        yield Finding("Chromium", "off", "EVALUATE is off")
        return
    path = find_chromium()
    if path is None:
        yield Finding("Chromium", "error", "not found; JavaScript checks are skipped", CURE)
        return
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - the operator's own program  # nosec B603
    if done.returncode:
        yield Finding("Chromium", "error", f"{path} does not start: {done.stderr.strip()[:200]}", CURE)
        return
    version = f"{done.stdout.strip()} ({path})"
    seen = judge(files={"index.html": PAGE}, repo="doctor", seconds=BROWSER_SECONDS, screenshots=False, axe=False)
    if seen.title != "works":
        reason = redact(seen.reason or seen.stopped or "; ".join(seen.errors) or "it gave no reason")[:300]
        yield Finding("Chromium", "error", f"{version} starts but opens no page: {reason}", "Look for its missing libraries: ldd, or reinstall it.")
    elif "sandbox" not in seen.isolation:
        detail = f"{version} opened a page in {seen.seconds:.1f} s, but without its own sandbox"
        yield Finding("Chromium", "warning", detail, _userns("Allow unprivileged user namespaces."))
    else:
        yield Finding("Chromium", "ok", f"{version} opened a page in {seen.seconds:.1f} s, kept in by {', '.join(seen.isolation)}")


def runner() -> Iterator[Finding]:
    chosen = get_runner()
    chosen.forget()
    reason = chosen.unavailable()
    if not reason:
        yield Finding("runner", "ok", f"{chosen.name} runs programs")
        return
    yield Finding("runner", "warning", f"{chosen.name}: programs are not run", reason)
    if chosen.name == "sandbox" and shutil.which("bwrap"):
        for detail, cure in kernel.refusals():
            yield Finding("kernel", "warning", detail, f"{cure} Then restart the workers.")


def _userns(otherwise: str) -> str:
    return next((cure for _, cure in kernel.refusals()), otherwise)


def disk() -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.DATA_DIR)
    detail = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.0f} at {settings.DATA_DIR}"
    if usage.free < DISK_BYTES:
        yield Finding("disk", "error", detail, "Free some space, or run: python manage.py prune")
    elif not os.access(settings.DATA_DIR, os.W_OK):
        yield Finding("disk", "error", f"{settings.DATA_DIR} may not be written to", "Give DATA_DIR to the user that the service runs as.")
    else:
        yield Finding("disk", "ok", detail)
