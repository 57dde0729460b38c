"""A round's page and the fragment that keeps it fresh."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.admin.gantt import gantt
from tasks.admin.state import explain
from tasks.models import CheckResult, Deployment, Message, Round, StageRun
from tests.admin.conftest import make_screenshot
from tests.factories import make_round, make_version


def page_of(client, round_, query: str = "") -> str:
    response = client.get(reverse("admin:tasks_round_change", args=[round_.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def live(client, round_, seen: str = ""):
    return client.get(reverse("admin:tasks_round_live", args=[round_.pk]), {"seen": seen})


def run(round_, stage, begin, end, outcome="done", **fields):
    zero = round_.received_at
    finished = None if end is None else zero + timedelta(seconds=end)
    return StageRun.objects.create(
        round=round_, stage=stage, outcome=outcome, started_at=zero + timedelta(seconds=begin), finished_at=finished, **fields
    )


def test_the_page_shows_every_part_of_the_story(boss, story):
    page = page_of(boss, story.round)

    for panel in ("timeline", "files", "checks", "deliveries", "preview", "request", "raw"):
        assert f'id="panel-{panel}"' in page
    for part in (
        "delivery 1",
        "HTTP 400",
        "Compared with version 1",
        "evidence",
        "Regressions",
        "1 of 6 pass",
        "fail ok",
        "new.md",
        "logo.png",
        "data.csv",
    ):
        assert part in page


def test_the_page_is_shown_with_a_constant_number_of_queries(boss, story, django_assert_max_num_queries):
    for number in range(20):
        Message.objects.create(task_request=story.round.task_request, round=story.round, sender="x", body=f"message {number}")
        run(story.round, "verify", number, number + 1)
        version = make_version(story.round)
        make_screenshot(story.round, version=version)
        CheckResult.objects.create(round=story.round, version=version, kind="page", title="t", status="fail", evidence={"a": [1]})

    with django_assert_max_num_queries(34):
        page_of(boss, story.round)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": "queued", "stage": "publish"}, "Queued for publish, a worker takes it next; 9 min 30 s left."),
        ({"status": "failed", "stage": "publish", "error": "GitHub refused the token."}, "Failed in publish: GitHub refused the token."),
        ({"status": "waiting", "stage": "verify", "waiting_for": "the page"}, "Waits in verify: the page; looks again in 20 s; 9 min 30 s left."),
        ({"status": "running", "stage": "generate"}, "The worker on generate went silent; the round is taken up again when another worker sees it."),
    ],
)
@pytest.mark.django_db
def test_one_sentence_explains_the_state(fields, sentence):
    now = timezone.now()
    round_ = make_round(received_at=now - timedelta(seconds=30), next_run_at=now + timedelta(seconds=20), **fields)

    assert explain(round_, now, alive=1, deployed=False).sentence.startswith(sentence)


@pytest.mark.django_db
def test_the_sentence_of_a_finished_round_says_what_was_reached_and_what_not():
    now = timezone.now()
    round_ = make_round(
        received_at=now,
        status="succeeded",
        live_at=now + timedelta(seconds=41),
        notified_at=now + timedelta(seconds=44),
        degraded_id="x",
        degraded="slow",
    )

    state = explain(round_, now, alive=1, deployed=True)

    assert state.sentence == "Done: page live after 41 s, evaluator told after 44 s. Less than asked: slow"
    assert state.tone == "orange"


@pytest.mark.django_db
def test_the_sentence_says_when_no_worker_is_there_to_go_on():
    assert "no worker is running" in explain(make_round(), timezone.now(), alive=0, deployed=False).sentence


def test_a_failed_round_has_its_way_out_beside_the_sentence(boss):
    page = page_of(boss, make_round(status="failed", stage="publish"))

    assert "Re-run from publish" in page
    assert "Re-run from generate" in page
    assert "Notify again" not in page


def test_a_deployed_round_can_be_notified_again(boss, story):
    assert "Notify again" in page_of(boss, story.round)


def test_a_held_round_has_no_buttons(boss):
    page = page_of(boss, make_round(status="running", lease_owner="w", lease_until=timezone.now() + timedelta(seconds=20)))

    assert "A worker holds it" in page
    assert "Re-run from" not in page


def test_the_bars_stand_where_the_time_went():
    class Row:
        received_at = timezone.now() - timedelta(seconds=100)
        deadline_at = received_at + timedelta(seconds=600)
        is_open = False

    def bar(stage, begin, end, attempt=1):
        moments = {"started_at": Row.received_at + timedelta(seconds=begin), "finished_at": Row.received_at + timedelta(seconds=end)}
        return StageRun(stage=stage, attempt=attempt, outcome="done", **moments)

    lines = {
        line.stage: line for line in gantt(Row, [bar("generate", 0, 50), bar("publish", 50, 60), bar("generate", 60, 100, 2)], timezone.now()).lines
    }

    assert [(one.left, one.width) for one in lines["generate"].bars] == [("0.00", "50.00"), ("60.00", "40.00")]
    assert (lines["generate"].took, lines["generate"].attempts) == ("1 min 30 s", 2)
    assert lines["notify"].bars == []


@pytest.mark.django_db
def test_a_rerun_long_after_is_drawn_on_an_axis_of_its_own():
    round_ = make_round(received_at=timezone.now() - timedelta(hours=5), status="succeeded")
    runs = [run(round_, "generate", 0, 40), run(round_, "generate", 7200, 7230)]

    chart = gantt(round_, runs, timezone.now())

    assert chart.earlier == 1
    assert chart.ticks[-1][1] == "30 s"


@pytest.mark.django_db
def test_a_delivery_tried_for_days_does_not_squeeze_the_other_bars():
    round_ = make_round(received_at=timezone.now() - timedelta(days=2), status="waiting", stage="notify")
    runs = [run(round_, "generate", 0, 60), run(round_, "notify", 61, None, "waiting")]

    lines = {line.stage: line for line in gantt(round_, runs, timezone.now()).lines}

    assert float(lines["generate"].bars[0].width) == pytest.approx(5.0)
    assert lines["notify"].bars[0].open


def test_an_open_round_polls_every_two_seconds_while_it_is_looked_at(boss):
    round_ = make_round()

    page = page_of(boss, round_)

    assert f'hx-get="{reverse("admin:tasks_round_live", args=[round_.pk])}"' in page
    assert "every 2s [document.visibilityState === 'visible']" in page


def test_a_finished_round_does_not_poll(boss, story):
    assert "every 2s" not in page_of(boss, story.round)


def test_the_fragment_is_no_whole_page_and_says_what_is_new(boss):
    round_ = make_round(status="running", stage="generate")
    run(round_, "generate", 0, None, "running")

    answer = live(boss, round_)

    assert answer.status_code == 200
    assert b"<html" not in answer.content
    assert b'id="panel-timeline" hx-swap-oob' in answer.content


def test_the_fragment_leaves_buttons_and_lists_alone_while_nothing_happens(boss):
    round_ = make_round()
    first = live(boss, round_)
    signature = first.context["signature"]

    again = live(boss, round_, signature)
    assert b'id="round-state"' not in again.content
    assert b'id="round-sentence"' in again.content

    run(round_, "attachments", 0, 1)
    assert b'id="round-state"' in live(boss, round_, signature).content


def test_the_poll_stops_at_a_final_state_and_loads_the_page_once_more(boss):
    answer = live(boss, make_round(status="failed"))

    assert answer.status_code == 286
    assert answer["HX-Refresh"] == "true"


def test_the_page_is_framed_in_a_sandbox_only_from_the_web(boss, story):
    assert 'sandbox="allow-scripts"' in page_of(boss, story.round)
    Deployment.objects.filter(pk=story.deployment.pk).update(pages_url="javascript:alert(1)")
    assert "<iframe" not in page_of(boss, story.round)


def test_the_preview_shows_live_and_chosen_pages_on_desktop_and_phone(boss, story):
    page = page_of(boss, story.round)

    assert 'alt="Screenshot of live page, desktop, 1280 by 800 pixels"' in page
    assert 'alt="Screenshot of live page, phone, 390 by 844 pixels"' in page
    assert page.index("Screenshot of live page") < page.index("Screenshot of version 2") < page.index("Screenshot of version 1")
    images = re.findall(r"<img [^>]*>", page.split('class="d-page"')[1])
    assert len(images) == 5
    assert all('loading="lazy"' in image for image in images)


def test_the_checks_that_count_now_stand_beside_the_clock_and_move_with_the_poll(boss):
    round_ = make_round(status="running", stage="evaluate")
    version = make_version(round_)
    Round.objects.filter(pk=round_.pk).update(version=version)
    first = live(boss, round_)
    assert b"d-nowchecks" not in first.content

    CheckResult.objects.create(round=round_, version=version, kind="page", title="t", status="undecided")
    second = live(boss, round_, first.context["signature"])
    assert "0 of 1 pass · 1 undecided" in second.content.decode()
    assert b'id="panel-checks" hx-swap-oob' in second.content

    third = live(boss, round_, second.context["signature"])
    assert "0 of 1 pass · 1 undecided" in third.content.decode()
    assert b'id="panel-checks"' not in third.content


def test_results_that_took_the_place_of_others_are_new_to_an_open_page(boss):
    round_ = make_round(status="running", stage="verify")
    version = make_version(round_)
    Round.objects.filter(pk=round_.pk).update(version=version)
    old = CheckResult.objects.create(round=round_, version=version, kind="page", title="t", status="fail")
    seen = live(boss, round_).context["signature"]

    old.delete()
    CheckResult.objects.create(round=round_, version=version, kind="page", title="t", status="pass")

    assert b'id="panel-checks" hx-swap-oob' in live(boss, round_, seen).content


def test_a_quiet_poll_reads_no_evidence(boss, story):
    Round.objects.filter(pk=story.round.pk).update(status="waiting", stage="verify")
    seen = live(boss, story.round).context["signature"]

    with CaptureQueriesContext(connection) as captured:
        live(boss, story.round, seen)

    assert not any('"evidence"' in query["sql"] for query in captured)


def test_another_version_can_be_looked_at(boss, story):
    page = page_of(boss, story.round, f"?version={story.first.pk}")

    assert "The first version of this task" in page


def test_a_version_of_another_task_is_not_shown(boss, story):
    other = make_version(make_round(), {"secret-of-others.txt": b"x"})

    assert "secret-of-others.txt" not in page_of(boss, story.round, f"?version={other.pk}")


def test_an_unknown_round_leads_back_to_the_index(boss):
    assert boss.get(reverse("admin:tasks_round_change", args=[999_999])).status_code == 302
    assert boss.get(reverse("admin:tasks_round_live", args=[999_999])).status_code == 404


def test_the_secret_of_the_installation_is_nowhere_on_the_page(boss, story, settings):
    assert settings.STUDENT_SECRET not in page_of(boss, story.round)
