"""Taking rounds up again, one by one and in bulk."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from tasks.models import Round
from tests.factories import make_round

LIST = reverse("admin:tasks_round_changelist")


def hold(round_: Round) -> Round:
    Round.objects.filter(pk=round_.pk).update(status="running", lease_owner="w", lease_until=timezone.now() + timedelta(minutes=1))
    return round_


def post(client, round_, action: str, **data: str):
    return client.post(reverse(f"admin:tasks_round_{action}", args=[round_.pk]), data)


def told(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def bulk(client, action: str, *rounds: Round):
    return client.post(LIST, {"action": action, "_selected_action": [round_.pk for round_ in rounds], "index": 0})


def test_a_failed_round_is_taken_up_where_it_stopped(boss):
    round_ = make_round(status="failed", stage="publish", error_id="github-token", error="refused")

    response = post(boss, round_, "rerun", stage="publish")

    round_.refresh_from_db()
    assert (round_.status, round_.stage, round_.error) == ("queued", "publish", "")
    assert response.url == reverse("admin:tasks_round_change", args=[round_.pk])
    assert "1 taken: run again from publish" in told(response)
    assert OrmQ.objects.count() == 1


def test_it_is_on_record_who_took_a_round_up_again(boss):
    post(boss, make_round(status="failed"), "rerun", stage="generate")

    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.get_change_message()) == ("boss", "run again from generate")


def test_a_held_round_is_left_alone_and_the_message_says_so(boss):
    round_ = hold(make_round())

    response = post(boss, round_, "rerun", stage="generate")

    assert Round.objects.get(pk=round_.pk).status == "running"
    assert "1 skipped because a worker holds them" in told(response)
    assert not OrmQ.objects.exists()


def test_an_unknown_stage_is_refused(boss):
    assert post(boss, make_round(status="failed"), "rerun", stage="nonsense").status_code == 400


def test_a_deployed_round_is_notified_again(boss, story):
    response = post(boss, story.round, "renotify")

    story.round.refresh_from_db()
    assert (story.round.status, story.round.stage) == ("queued", "notify")
    assert "1 taken: notify again" in told(response)


def test_a_round_without_a_deployment_cannot_be_notified(boss):
    assert "nothing is deployed yet" in told(post(boss, make_round(status="failed"), "renotify"))


def test_a_round_with_code_is_evaluated_again_and_stays_as_it_is(boss, story):
    response = post(boss, story.round, "reevaluate")

    before = story.round.status
    story.round.refresh_from_db()
    assert story.round.status == before == "succeeded"
    assert OrmQ.objects.get().func() == "tasks.jobs.evaluate"
    assert "1 taken: evaluate again, publish nothing" in told(response)
    assert LogEntry.objects.get().get_change_message() == "evaluate again, publish nothing"


def test_a_round_without_code_cannot_be_evaluated(boss):
    round_ = make_round(status="failed")

    assert "there is no code yet" in told(post(boss, round_, "reevaluate"))
    assert "Evaluate again" not in boss.get(reverse("admin:tasks_round_change", args=[round_.pk])).content.decode()


def test_a_held_round_is_not_evaluated_beside_its_worker(boss, story):
    response = post(boss, hold(story.round), "reevaluate")

    assert "1 skipped because a worker holds them" in told(response)
    assert not OrmQ.objects.exists()


def test_many_are_evaluated_again_at_once(boss, story):
    response = bulk(boss, "reevaluate_rounds", story.round, make_round(status="failed"))

    assert "1 taken: evaluate again, publish nothing. 1 skipped because there is no code yet." in told(response)


@pytest.mark.parametrize("action", ["rerun", "renotify", "reevaluate"])
def test_a_button_works_by_post_only(boss, action):
    assert boss.get(reverse(f"admin:tasks_round_{action}", args=[make_round().pk])).status_code == 405


@pytest.mark.parametrize(("action", "stage"), [("rerun_rounds", "publish"), ("rerun_from_generate", "generate")])
def test_a_bulk_action_counts_what_it_took_and_what_it_left(boss, action, stage):
    free = [make_round(status="failed", stage="publish") for _ in range(2)]
    held = hold(make_round(stage="publish"))

    response = bulk(boss, action, *free, held)

    assert "2 taken" in told(response)
    assert "1 skipped because a worker holds them" in told(response)
    assert set(Round.objects.filter(status="queued").values_list("stage", flat=True)) == {stage}


def test_many_are_notified_again_at_once(boss, story):
    response = bulk(boss, "renotify_rounds", story.round, make_round(status="failed"))

    assert "1 taken: notify again. 1 skipped because nothing is deployed yet." in told(response)


def test_every_action_needs_the_right_to_change_and_names_the_states_it_touches():
    from django.contrib import admin

    page = admin.site._registry[Round]
    assert page.export_as_csv.allowed_permissions == ["export"]  # for the same people, but it touches nothing
    for name in set(page.actions) - {"export_as_csv"}:
        method = getattr(page, name)
        assert method.allowed_permissions == ["change"], name
        assert "worker holds" in method.short_description, name
