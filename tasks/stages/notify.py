"""Tell the evaluator what is there: one delivery attempt per run.

In: the round's newest deployment. Out: a NotificationAttempt row, written before the request is sent, so that a crash in between shows and is
repeated. Exactly 200 is success. The schedule is `retry.py`; nothing is invented and no redirect is followed.
"""

from __future__ import annotations

import json
from datetime import timedelta

from django.utils import timezone

from tasks import http, retry
from tasks.errors import NotificationGivenUp, NotificationRefused, TaskError, VersionRefused
from tasks.model_errors import retry_after
from tasks.models import Deployment, NotificationAttempt, Round
from tasks.redaction import redact
from tasks.stages import base

SECONDS = 20.0
ANSWER_BYTES = 64 * 1024
OUTCOMES = {200: NotificationAttempt.Outcome.DELIVERED, None: NotificationAttempt.Outcome.UNREACHABLE}  # the others are refusals
WATCH_SECONDS = 3600.0  # a page that was not live when it was reported is watched this long


class Stage(base.Stage):
    name = "notify"

    def run(self, work: base.Work) -> base.Outcome:
        round_ = work.round
        deployment = round_.deployments.first()
        if deployment is None:
            raise VersionRefused("There is nothing to report: no commit was made. Re-run the round from generate.")
        if not round_.evaluation_url:
            return self.after(work, deployment, "nobody is to be told")
        tries = round_.notifications.order_by("id")
        if round_.notify_asked_at:
            tries = tries.filter(sent_at__gte=round_.notify_asked_at)
        made = list(tries)
        if not any(attempt.outcome == NotificationAttempt.Outcome.DELIVERED for attempt in made):
            attempt, asked = self.deliver(work, deployment, len(made) + 1)
            made.append(attempt)
            if attempt.outcome != NotificationAttempt.Outcome.DELIVERED:
                return self.again(made, asked)
        return self.after(work, deployment, f"delivered at try {len(made)}")

    def deliver(self, work: base.Work, deployment: Deployment, number: int) -> tuple[NotificationAttempt, float]:
        """One POST, and the seconds that a refusal asks us to wait.

        https://github.com/sanand0/tools-in-data-science-public: project-llm-code-deployment, "Evaluation URL"."""
        round_ = work.round
        payload = notification(round_, deployment)
        with work.commit():
            attempt = NotificationAttempt.objects.create(round_id=round_.pk, number=number, url=round_.evaluation_url, payload=payload)
        started, asked = timezone.now(), 0.0
        try:
            answer = http.fetch(
                round_.evaluation_url,
                method="POST",
                body=json.dumps(payload).encode(),
                headers={"Content-Type": "application/json", "webhook-id": str(round_.uuid)},
                seconds=SECONDS,
                max_bytes=ANSWER_BYTES,
            )
            attempt.status_code = answer.status
            attempt.answer = redact(answer.text[:2000])
            attempt.outcome = NotificationAttempt.Outcome.DELIVERED if answer.status == 200 else NotificationAttempt.Outcome.REJECTED
            if answer.status != 200:
                attempt.error = f"The evaluator answered {answer.status}; only 200 counts."
                asked = retry_after(answer.headers.get("retry-after", "")) or 0.0
        except TaskError as error:
            # A status whose body is too long, compressed or cut off is that status all the same.
            attempt.status_code = int(error.detail[5:8]) if error.detail.startswith("HTTP ") else None
            attempt.outcome = OUTCOMES.get(attempt.status_code, NotificationAttempt.Outcome.REJECTED)
            attempt.error_id, attempt.error = error.id, redact(error.message)[:500]
        attempt.seconds = (timezone.now() - started).total_seconds()
        with work.commit():
            attempt.save(update_fields=["status_code", "answer", "outcome", "error", "error_id", "seconds"])
            if attempt.outcome == NotificationAttempt.Outcome.DELIVERED:
                Round.objects.filter(pk=round_.pk).update(notified_at=timezone.now())
                round_.notified_at = timezone.now()
        return attempt, asked

    def again(self, made: list[NotificationAttempt], asked: float) -> base.Outcome:
        """When the next try is due, or the error that ends them. The evaluator may ask for a longer pause than the schedule's, within reason."""
        last = made[-1]
        if last.error_id == "address-refused":
            raise NotificationRefused(f"The evaluation_url was refused: {last.error}")
        final = [attempt for attempt in made if attempt.status_code and retry.is_final(attempt.status_code)]
        if len(final) >= retry.REFUSED_TRIES and final[-1] is last:
            raise NotificationRefused(f"The evaluator answered {last.status_code} {len(final)} times: {last.answer[:200]}")
        now = timezone.now()
        pause = retry.delay(len(made), (now - made[0].sent_at).total_seconds())
        if pause is None:
            raise NotificationGivenUp()
        pause = max(pause, min(asked, retry.ASKED_SECONDS))
        return base.Wait(now + timedelta(seconds=pause), f"the evaluator, try {len(made) + 1}: {last.error}")

    def after(self, work: base.Work, deployment: Deployment, summary: str) -> base.Outcome:
        """Done, but a page that was not live yet is watched on."""
        age = (timezone.now() - deployment.created_at).total_seconds()
        if deployment.live_at is None and age < WATCH_SECONDS:
            return base.Back(
                "verify", "the page to go live (the evaluator is told already)", until=timezone.now() + timedelta(seconds=retry.poll_delay(5))
            )
        return base.Done(summary)


def notification(round_: Round, deployment: Deployment) -> dict[str, object]:
    """The seven fields of the protocol."""
    return {
        "email": round_.task_request.email,
        "task": round_.task_request.task,
        "round": round_.number,
        "nonce": round_.nonce,
        "repo_url": deployment.repo_url,
        "commit_sha": deployment.commit_sha,
        "pages_url": deployment.pages_url,
    }
