"""What goes with age, what stays, and that what stays is enough to revise."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tasks.models import Attachment, CodeVersion, Deployment, GeneratedFile, Message, Round, Screenshot, TaskRequest
from tasks.retention import history
from tests.admin.conftest import make_screenshot, tell
from tests.driver import carry, post
from tests.emulators.evaluator import Evaluator
from tests.factories import make_round, make_task, make_version
from tests.retention.conftest import after, pruned_after

pytestmark = pytest.mark.django_db

OWN = (*{relation.related_model for relation in Round._meta.related_objects}, CodeVersion, Round, TaskRequest)


def ended(task: TaskRequest | None = None, **fields: Any) -> Round:
    now = timezone.now()
    return make_round(task, **{"status": "succeeded", "stage": "notify", "finished_at": now, "notified_at": now, **fields})


def deployed(round_: Round, version: CodeVersion | None = None) -> Deployment:
    version = version or make_version(round_)
    Round.objects.filter(pk=round_.pk).update(version=version)
    url = {"repo_url": "http://x/r.git", "pages_url": "http://x/p/"}
    return Deployment.objects.create(round=round_, version=version, host="local", commit_sha="a" * 40, tree_sha="b" * 40, **url)


# -- tasks -------------------------------------------------------------------------------------------------------------------------------


def test_a_task_at_rest_goes_whole_when_it_is_old() -> None:
    tell()
    pruned = pruned_after(366)
    assert {model._meta.label: model._default_manager.count() for model in OWN} == dict.fromkeys((model._meta.label for model in OWN), 0)
    assert (pruned.counts["tasks"], pruned.counts["rounds"]) == (1, 1)


def test_a_young_task_keeps_every_row() -> None:
    tell()
    before = {model: model._default_manager.count() for model in OWN if model is not Screenshot}
    pruned_after(364)
    assert {model: model._default_manager.count() for model in before} == before


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_an_open_round_keeps_its_task_and_all_its_bulk_however_old(status: str) -> None:
    story = tell()
    Round.objects.filter(pk=story.round.pk).update(status=status)
    pruned_after(5000)
    assert TaskRequest.objects.count() == 1
    assert Screenshot.objects.count() == 5
    assert not CodeVersion.objects.filter(raw_answer__startswith=history.PRUNED).exists()


def test_an_open_round_keeps_the_ended_ones_of_its_task() -> None:
    task = make_task()
    first = ended(task)
    make_round(task, number=2)
    pruned_after(5000)
    assert Round.objects.filter(pk=first.pk).exists()


@pytest.mark.parametrize("what", ["round", "version", "message", "notified again"])
def test_a_task_is_as_old_as_the_last_thing_that_happened_with_it(what: str) -> None:
    task = make_task(created_at=timezone.now() - timedelta(days=900))
    round_ = ended(task, **dict.fromkeys(("received_at", "finished_at", "notified_at", "next_run_at"), timezone.now() - timedelta(days=800)))
    assert history.quiet_tasks(timezone.now() - timedelta(days=365)).get() == task
    if what == "round":
        ended(task, number=2)
    elif what == "version":
        make_version(round_)
    elif what == "message":
        Message.objects.create(task_request=task, body="hello", sender="an agent")
    else:
        Round.objects.update(notified_at=timezone.now())
    pruned_after(0)
    assert TaskRequest.objects.count() == 1


def test_a_task_without_any_round_ages_too() -> None:
    make_task(email="", task="", name="posted by an agent")
    pruned_after(364)
    assert TaskRequest.objects.count() == 1
    pruned_after(366)
    assert TaskRequest.objects.count() == 0


def test_what_came_after_the_choice_is_looked_at_again_before_it_is_deleted() -> None:
    task = make_task()
    ended(task)
    since = timezone.now() + timedelta(days=1)
    chosen = list(history.quiet_tasks(since).values_list("pk", flat=True))
    make_round(task, number=2)
    assert history.delete_tasks(chosen, since, Counter()) == 0
    assert Round.objects.count() == 2


# -- rounds that were posted again ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def twice() -> tuple[Round, Round]:
    """Round 1 of a year ago, and the same round posted and published again; the task is in use."""
    task = make_task()
    old = ended(task, received_at=timezone.now() - timedelta(days=400), finished_at=timezone.now() - timedelta(days=400))
    new = ended(task)
    deployed(old)
    deployed(new)
    return old, new


def test_a_round_that_was_posted_again_goes_before_its_task(twice: tuple[Round, Round]) -> None:
    pruned = pruned_after(0)
    assert list(Round.objects.all()) == [twice[1]]
    assert (pruned.counts["replaced rounds"], pruned.counts["rounds"], pruned.counts["tasks"]) == (1, 1, 0)


def test_not_while_a_later_round_publishes_its_version(twice: tuple[Round, Round]) -> None:
    old, new = twice
    Deployment.objects.filter(round=new).update(version=old.versions.get())
    pruned_after(0)
    assert Round.objects.count() == 2


def test_not_while_a_later_version_holds_its_attachment(twice: tuple[Round, Round]) -> None:
    old, new = twice
    attachment = Attachment.objects.create(round=old, name="a.csv", path="a.csv", url="", content=b"1", size=1)
    GeneratedFile.objects.create(version=new.versions.get(), path="a.csv", origin="attachment", attachment=attachment, size=1, blob_sha="c" * 40)
    pruned_after(0)
    assert Round.objects.count() == 2


def test_not_while_the_later_one_has_no_result(twice: tuple[Round, Round]) -> None:
    Deployment.objects.filter(round=twice[1]).delete()
    pruned_after(0)
    assert Round.objects.count() == 2


def test_not_when_the_later_one_has_another_number(twice: tuple[Round, Round]) -> None:
    Round.objects.filter(pk=twice[1].pk).update(number=2)
    pruned_after(0)
    assert Round.objects.count() == 2


# -- raw answers and screenshots -----------------------------------------------------------------------------------------------------------


def test_a_raw_answer_leaves_a_line_that_says_when_it_went_and_by_whom() -> None:
    version = make_version(ended(), prompt="p" * 1000, raw_answer="r" * 2000)
    pruned = pruned_after(31)
    version.refresh_from_db()
    day = f"{timezone.now() + timedelta(days=31):%d %b %Y}"
    assert version.raw_answer == f"[pruned on {day} by a test: it had 2000 characters]"
    assert version.prompt == f"[pruned on {day} by a test: it had 1000 characters]"
    assert version.files.count() == 1
    assert pruned.counts["raw answers"] == 1
    assert pruned_after(60).counts["raw answers"] == 0


def test_an_answer_that_was_paid_for_but_not_parsed_yet_stays() -> None:
    version = make_version(ended(), raw_answer="r", status="answered")
    pruned_after(31)
    version.refresh_from_db()
    assert version.raw_answer == "r"


def test_screenshots_go_with_age() -> None:
    old = make_screenshot(ended(), created_at=timezone.now() - timedelta(days=31))
    young = make_screenshot(old.round)
    pruned_after(0)
    assert list(Screenshot.objects.all()) == [young]


@pytest.mark.parametrize("days", [0, 31, 366])
def test_a_dry_run_says_what_the_run_then_does(days: float) -> None:
    tell()
    tell("two")
    Round.objects.filter(task_request__name="two").update(received_at=timezone.now() + timedelta(days=100))
    said = pruned_after(days, dry_run=True).counts
    assert Round.objects.count() == 2
    assert pruned_after(days).counts == said


@pytest.mark.django_db(transaction=True)
def test_round_two_revises_what_the_prune_left_of_round_one(
    live_server: Any, settings: LazySettings, payload: dict[str, Any], evaluator: Evaluator
) -> None:
    settings.PUBLIC_URL, settings.CHROMIUM_PATH = live_server.url, "no-browser-here"
    payload |= {"evaluation_url": evaluator.url}
    carry(post(payload))
    assert pruned_after(200, repos=True).counts["raw answers"] == 1
    second = carry(post(payload | {"round": 2, "nonce": "later", "brief": "Add a table with id product-sales.", "attachments": []}))
    assert (second.status, second.version and second.version.kind) == ("succeeded", "revise")
    assert len({body["repo_url"] for body in evaluator.bodies}) == 1
    assert second.version is not None
    assert second.version.tree()["data.csv"] == b"product,sales\npen,2\nink,3\n"


def test_the_questions_are_answered_from_indexes() -> None:
    """No table but the one asked about is read from end to end, so a long history costs no more than its own length."""
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("reads SQLite's plans")
    ages = after(0)
    for rows in (history.quiet_tasks(ages.rounds), history.replaced_rounds(ages.rounds)):
        own = rows.model._meta.db_table
        plan = rows.order_by("pk").values_list("pk", flat=True).explain()
        scanned = [line for line in plan.splitlines() if "SCAN" in line and own not in line and "CONSTANT" not in line]
        assert scanned == []
