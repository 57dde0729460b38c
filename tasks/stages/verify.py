"""Is the page really there? Live means: every file that the commit changed is served byte for byte, asked past every cache.

Where a workflow run publishes, live means: its deployment of our very commit succeeded, and the page (or the file that the brief names) answers.

In: the round's deployment. Out: `Deployment.live_at`. A page of an earlier commit does not count, whatever its status. When the governor's time is
up the round goes on to notify, marked as degraded; after the notification the page is watched on (see notify).
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from tasks import evaluation, http, pace, retry
from tasks.browser import slots
from tasks.errors import TaskError
from tasks.hosts import Host, get_host
from tasks.models import CheckResult, Deployment, Round
from tasks.stages import base
from tasks.stages.evaluate import PATIENCE_SECONDS, failures, unseen
from tasks.stages.generate import repo_of
from tasks.stages.notify import WATCH_SECONDS
from tasks.stages.publish import briefs, published_by_run
from tasks.workflows.wishes import published_files

SECONDS = 8.0  # for one file
LOOK_SECONDS = 60.0  # after which a look asks for no further file
JUDGE_SECONDS = 60.0  # for the checks on the live page
JUDGE_LEAST_SECONDS = 15.0  # with less time than this left they are not started
REBUILDS = 3  # that are asked for one commit
REBUILD_FROM, REBUILD_EVERY = 12, 6  # looks: after three quarters of a minute, then half a minute apart
MAX_PUBLISHED_BYTES = 25 * 1024 * 1024  # of a file that a run made


class Look(NamedTuple):
    """What one look at the page found; it is live when nothing is missing."""

    missing: str = ""
    seen: str = ""
    lost: bool = False  # it will not come by itself
    not_before: datetime | None = None  # the host asked not to be asked again sooner


class Stage(base.Stage):
    name = "verify"

    def run(self, work: base.Work) -> base.Outcome:
        round_ = work.round
        deployment = round_.deployments.select_related("version", "round__task_request").first()
        if deployment is None:
            return base.Back("publish", "nothing is published yet")
        if deployment.live_at is None:
            look = self.look(deployment)
            now = timezone.now()
            if look.missing:
                with work.commit():
                    Deployment.objects.filter(pk=deployment.pk).update(last_look=look.missing[:300])
                return self.not_yet(work, deployment, look)
            with work.commit():
                Deployment.objects.filter(pk=deployment.pk).update(live_at=now, last_look=look.seen)
                Round.objects.filter(pk=round_.pk).update(live_at=now)
        return base.Done(f"live at {deployment.pages_url}{self.judge(work, deployment)}")

    def judge(self, work: base.Work, deployment: Deployment) -> str:
        """Run the checks on the live page, once and while there is time; a word on what came of it, for the stage's summary."""
        round_, version = work.round, deployment.version
        left = work.deadline.budget(self.name, timezone.now())
        if not settings.EVALUATE or left < JUDGE_LEAST_SECONDS or not version.files.filter(path="index.html").exists():
            return ""
        if deployment.check_results.exists():
            return ""
        patience = slots.patience(min(PATIENCE_SECONDS, left / 4), standing_back=pace.is_behind())
        said = evaluation.evaluate(round_, version, url=deployment.pages_url, seconds=min(JUDGE_SECONDS, left * 3 / 4 - 5), patience=patience)
        results = evaluation.record(said, round_, version, deployment, work.commit())
        failed = failures(results)
        if failed:
            work.degrade("live-checks-failed", f"{len(failed)} of {len(results)} checks fail on the live page: {failed[0].title}: {failed[0].reason}")
        passed = sum(1 for result in results if result.status == CheckResult.Status.PASS)
        return f", {passed} of {len(results)} checks pass there{unseen(results)}" if results else ""

    def not_yet(self, work: base.Work, deployment: Deployment, look: Look) -> base.Outcome:
        """Look again later, or tell the evaluator now if the page is lost or the time is up."""
        now = timezone.now()
        run = work.round.stage_runs.filter(stage=self.name).last()
        missing = look.missing
        pause = max(timedelta(seconds=retry.poll_delay(run.polls if run else 1)), (look.not_before or now) - now)
        if work.round.notified_at and not work.round.notify_asked_at:
            over = (now - deployment.created_at).total_seconds() >= WATCH_SECONDS
        else:
            over = look.lost or work.deadline.budget(self.name, now) <= 0
            pause = min(pause, timedelta(seconds=max(work.deadline.budget(self.name, now), 0.5)))
        if not over:
            if run and run.polls >= REBUILD_FROM and run.polls % REBUILD_EVERY == 0:
                missing = f"{missing}{self.rebuild(work, deployment)}"
            return base.Wait(now + pause, f"the page: {missing}")
        work.degrade("workflow-failed" if look.lost else "page-not-live", f"The page was not live in time: {missing}")
        return base.Done(f"not live yet: {missing}")

    def rebuild(self, work: base.Work, deployment: Deployment) -> str:
        """Ask the host whether its build went wrong, and for another one if so; what to add to the reason of the wait."""
        asked = work.round.messages.filter(data__rebuild=deployment.commit_sha).count()
        if asked >= REBUILDS or published_by_run(deployment.round, deployment.version):
            return ""
        try:
            why = get_host(deployment.host).rebuild(repo_of(deployment.round), deployment.commit_sha)
        except TaskError as error:
            return f"; its build cannot be asked for: {error.message}"
        if not why:
            return ""
        work.say("event", f"The page is built again: {why}", data={"rebuild": deployment.commit_sha})
        return f"; built again, for {why}"

    def look(self, deployment: Deployment) -> Look:
        if published_by_run(deployment.round, deployment.version):
            host = get_host(deployment.host)
            if host.supports_workflows:
                return self.look_at_run(deployment, host)
        return Look(self.look_at_files(deployment), f"all of {len(served(deployment))} files as committed")

    def look_at_run(self, deployment: Deployment, host: Host) -> Look:
        """What a run publishes is in no commit, so its deployment is asked for, and then the page only whether it is there."""
        actions = f"{deployment.repo_url}/actions"
        try:
            done = host.published(repo_of(deployment.round), deployment.commit_sha)
        except TaskError as error:
            return Look(f"the workflow's deployment cannot be asked for: {error.message}", not_before=error.retry_at)
        if done is None:
            return Look(f"the workflow has not published {deployment.commit_sha[:10]} yet, see {actions}")
        if not done:
            return Look(f"the workflow's run or its deployment failed, see {actions}", lost=True)
        names = next((found for brief in briefs(deployment.round) if (found := published_files(brief))), ("",))
        for name in names:
            wrong, _ = self.answer(deployment, name, MAX_PUBLISHED_BYTES)
            if wrong:
                return Look(wrong)
        return Look(seen=f"published by the workflow: {', '.join(name or 'the page' for name in names)}")

    def look_at_files(self, deployment: Deployment) -> str:
        """Empty when all is served as committed, else what the first wrong file answered."""
        tree, paths, ends = deployment.version.tree(), served(deployment), time.monotonic() + LOOK_SECONDS
        for seen, path in enumerate(paths):
            if time.monotonic() > ends:
                return f"it answers so slowly that {seen} of {len(paths)} files were seen in {LOOK_SECONDS:g} s"
            wrong, body = self.answer(deployment, path, len(tree[path]) + 65_536)
            if wrong:
                return wrong
            if body != tree[path]:
                return f"{path} is served with other content ({len(body)} bytes instead of {len(tree[path])})"
        return ""

    def answer(self, deployment: Deployment, path: str, max_bytes: int) -> tuple[str, bytes]:
        """(what is wrong, the body) of one path of the page, past every cache."""
        url = f"{deployment.pages_url}{quote(path)}?v={deployment.commit_sha[:12]}-{int(timezone.now().timestamp())}"
        name = path or "the page"
        try:
            answer = http.fetch(url, seconds=SECONDS, max_bytes=max_bytes, redirects=2, trusted=True)
        except TaskError as error:
            return f"{name}: {error.message}", b""
        return ("", answer.body) if answer.status == 200 else (f"{name} answered {answer.status}", b"")


def served(deployment: Deployment) -> list[str]:
    """The changed paths that a page host serves: dot files and dot folders are not among them. The home page comes first."""
    paths = [path for path in deployment.changed if not any(part.startswith(".") for part in path.split("/"))]
    return sorted(paths, key=lambda path: (path != "index.html", path))
