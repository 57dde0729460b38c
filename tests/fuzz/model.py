"""The protocol as a state machine: what an evaluator, workers that die, a clock and an operator do to the service, in any order.

Every step is real: posts go through the views, rounds through the pipeline, repositories to the disk, notifications over HTTP. What must hold
stands in `promises.py`.
"""

from __future__ import annotations

import json
import random
import shutil
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import time_machine
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tasks.lease import LEASE_SECONDS
from tasks.models import Round, TaskRequest
from tasks.pipeline import STAGES, run_round
from tests.emulators.evaluator import Evaluator
from tests.fuzz import promises
from tests.fuzz.budget import Tally
from tests.fuzz.deaths import Killed, interrupted, moments
from tests.fuzz.promises import Key, Known

PEOPLE = ["a@example.org", "b@example.org"]
TASKS = ["sum of sales", "sum-of-sales", "📈"]  # two of them want the same repository
BRIEFS = ["Publish a page that shows a table.", 'Publish a page with the title "Other".']
FILES: list[list[dict[str, str]]] = [[], [{"name": "data.csv", "url": "data:text/csv,a,b%0A1,2"}]]
REFUSALS = [500, 503, 400, 404, 429, 204, "reset", "redirect"]
MAX_DEATHS = 3  # of one round: after six of one stage it is given up, which is right, but not what is looked at here
MOMENT = 0.001  # seconds that a step takes
CLIENT = Client(raise_request_exception=False)
anyone = st.integers(0, 99)


class Protocol(RuleBasedStateMachine):
    def __init__(self, evaluator: Evaluator, tally: Tally) -> None:
        super().__init__()
        self.evaluator, self.tally = evaluator, tally
        self.known: dict[Key, Known] = {}
        self.history = promises.History()
        self.ends = ExitStack()
        self.ends.enter_context(tally.case("a story"))
        self.clock = self.ends.enter_context(time_machine.travel(datetime.now(UTC), tick=False))  # on any machine the same story

    # -- the evaluator -----------------------------------------------------------------------------------------------------------------

    @initialize(task=st.sampled_from(TASKS), number=st.sampled_from([1, 2]))
    def begin(self, task: str, number: int) -> None:
        self.post(PEOPLE[0], task, number, "x", BRIEFS[0], FILES[1])

    @rule(
        email=st.sampled_from(PEOPLE),
        task=st.sampled_from(TASKS),
        number=st.sampled_from([1, 1, 2]),
        nonce=st.sampled_from(["x", "y"]),
        brief=st.sampled_from(BRIEFS),
        attachments=st.sampled_from(FILES),
    )
    def post(self, email: str, task: str, number: int, nonce: str, brief: str, attachments: list[dict[str, str]]) -> None:
        """A new round, the same one again, or another one under the same nonce."""
        key = (email, task, number, nonce)
        content = {"brief": brief, "attachments": attachments}
        known = self.known.get(key)
        ended = known is not None and not known.row.is_open
        status, answer = self.send(key, content, settings.STUDENT_SECRET)
        if known is None:
            assert status == 200, answer
            assert answer["id"] not in {other.id for other in self.known.values()}
            self.known[key] = Known(key, answer["id"], content, asked=[len(self.taken())])
        elif known.content != content:
            assert (status, answer["code"]) == (409, "nonce-reused")
        else:
            assert (status, answer["id"]) == (200, known.id)
            if ended:
                known.asked.append(len(self.taken()))

    @precondition(lambda self: self.known)
    @rule(which=anyone)
    def post_again(self, which: int) -> None:
        known = self.pick(which)
        self.post(*known.key, known.content["brief"], known.content["attachments"])

    @rule(email=st.sampled_from(PEOPLE), task=st.sampled_from(TASKS), secret=st.sampled_from(["", "wrong", None]))
    def post_with_a_wrong_secret(self, email: str, task: str, secret: str | None) -> None:
        status, _ = self.send((email, task, 1, "x"), {"brief": BRIEFS[0]}, secret)
        assert status == 401

    @rule(answers=st.lists(st.sampled_from(REFUSALS), min_size=1, max_size=7))
    def refuse_notifications(self, answers: list[int | str]) -> None:
        self.evaluator.script.extend(answers)

    # -- the workers -------------------------------------------------------------------------------------------------------------------

    @rule(order=st.randoms(use_true_random=False))
    def work(self, order: random.Random) -> None:
        """Workers take up everything that is due, in any order."""
        due = list(Round.objects.due().values_list("pk", flat=True))
        order.shuffle(due)
        for pk in due:
            self.run(pk)

    @precondition(lambda self: self.known)
    @rule(which=anyone, at=moments)
    def work_and_die(self, which: int, at: int | str) -> None:
        """A worker takes one round and is killed on the way."""
        known = self.pick(which)
        if not self.make_due(known):
            return

        def die() -> None:
            known.deaths += 1
            raise Killed

        taken = len(self.taken())
        try:
            with interrupted(at, die):
                self.run(known.row.pk)
        except Killed:
            known.spare += len(self.taken()) - taken

    @precondition(lambda self: self.known)
    @rule(which=anyone, at=moments)
    def work_and_stall(self, which: int, at: int | str) -> None:
        """A worker stops for longer than its lease; another one does its work; then the first one goes on."""
        known = self.pick(which)
        if not self.make_due(known):
            return
        pk = known.row.pk

        def stall() -> None:
            if not connection.in_atomic_block:  # else nobody could write meanwhile
                known.deaths += 1
                self.clock.shift(LEASE_SECONDS + 1)
                run_round(pk)

        taken = len(self.taken())
        with interrupted(at, stall):
            self.run(pk)
        known.spare += max(0, len(self.taken()) - taken - 1)

    @rule(seconds=st.sampled_from([1, 5, LEASE_SECONDS + 1, 60, 300, 900, 86_400]))
    def wait(self, seconds: float) -> None:
        self.clock.shift(seconds)

    # -- the operator ------------------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.known)
    @rule(which=anyone, stage=st.sampled_from(["", *STAGES]))
    def rerun(self, which: int, stage: str) -> None:
        """From the stage where it is, or an earlier one."""
        row = self.pick(which).row
        if STAGES.index(stage or row.stage) <= STAGES.index(row.stage):
            self.command(which, "rerun", str(row.pk), *(["--from-stage", stage] if stage else []))

    @precondition(lambda self: self.known)
    @rule(which=anyone)
    def renotify(self, which: int) -> None:
        self.command(which, "renotify", str(self.pick(which).row.pk))

    def command(self, which: int, *args: str) -> None:
        out = StringIO()
        self.clock.shift(MOMENT)
        with suppress(SystemExit):
            call_command(*args, "--json", stdout=out)
        if json.loads(out.getvalue())[0]["queued"]:
            self.pick(which).asked.append(len(self.taken()))

    # -- what must hold ----------------------------------------------------------------------------------------------------------------

    @invariant()
    def promises_hold(self) -> None:
        promises.each_accepted_request_is_one_round(self.known.values())
        promises.each_row_is_in_a_state_that_there_is()
        self.history.only_grows()

    def teardown(self) -> None:
        """The evaluator takes everything from now on, and workers live; a round that was given up is posted once more."""
        try:
            self.evaluator.script.clear()
            self.settle()
            for known in self.known.values():
                if known.row.status == Round.Status.FAILED:
                    self.post(*known.key, known.content["brief"], known.content["attachments"])
            self.settle()
            promises.each_round_ended_notified(self.known.values(), self.taken())
            promises.each_task_has_one_repository_and_each_content_one_commit()
        finally:
            self.ends.close()
            self.evaluator.script.clear()
            self.evaluator.received.clear()
            TaskRequest.objects.all().delete()
            OrmQ.objects.all().delete()
            shutil.rmtree(settings.DATA_DIR / "repos", ignore_errors=True)

    def settle(self) -> None:
        """Workers go on until nothing is open; the clock jumps to whatever is next."""
        for _ in range(300):
            rows = list(Round.objects.open())
            if not rows:
                return
            ready = min(max(row.next_run_at, row.lease_until or row.next_run_at) for row in rows)
            self.clock.shift(max(0.0, (ready - timezone.now()).total_seconds() + 0.1))
            for row in rows:
                self.run(row.pk)
            self.promises_hold()
        raise AssertionError(f"still open: {[(row.pk, row.status, row.stage, row.waiting_for, row.error) for row in rows]}")

    # -- helpers -----------------------------------------------------------------------------------------------------------------------

    def run(self, pk: int) -> None:
        self.clock.shift(MOMENT)
        with promises.in_its_turn(pk):
            run_round(pk)

    def send(self, key: Key, content: dict[str, Any], secret: str | None) -> tuple[int, dict[str, Any]]:
        cache.clear()  # the throttle of wrong secrets is looked at elsewhere
        body = {**dict(zip(("email", "task", "round", "nonce"), key, strict=True)), "secret": secret, "evaluation_url": self.evaluator.url, **content}
        self.clock.shift(MOMENT)
        answer = CLIENT.generic("POST", "/ready", json.dumps(body), content_type="application/json")
        self.tally.answer(answer.status_code)
        return answer.status_code, answer.json()

    def taken(self) -> list[dict[str, Any]]:
        """The notifications that the evaluator answered with 200."""
        return [body for _, body, answer in self.evaluator.received if answer == 200]

    def pick(self, which: int) -> Known:
        return list(self.known.values())[which % len(self.known)]

    def make_due(self, known: Known) -> bool:
        """Its time has come, unless it has ended or lost its share of workers. A lease that is on it stays."""
        row = known.row
        if known.deaths >= MAX_DEATHS or not row.is_open:
            return False
        Round.objects.filter(pk=row.pk, next_run_at__gt=timezone.now()).update(next_run_at=timezone.now() - timedelta(seconds=1))
        return True
