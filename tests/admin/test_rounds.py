"""The list of rounds."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.models import Deployment, Round, Worker
from tests.admin.conftest import make_screenshot
from tests.factories import make_round, make_task, make_version

LIST = reverse("admin:tasks_round_changelist")


def found(client, query: str) -> set[int]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def test_a_row_answers_who_what_where_how_long_and_what_is_wrong(boss):
    task = make_task(email="ann@example.org", task="sum-of-sales", repo_url="https://github.com/ann/sales", pages_url="https://ann.github.io/sales/")
    make_round(task, number=2, stage="verify", status="waiting", error_id="page-not-live", error="The page answers 404")

    page = boss.get(LIST).content.decode()

    for part in ("ann@example.org", "sum-of-sales", "round 2", "verify", "waiting", " left", "page-not-live: The page answers 404"):
        assert part in page
    assert 'href="https://github.com/ann/sales"' in page
    assert 'href="https://ann.github.io/sales/"' in page


def test_more_rows_ask_no_more_of_the_database(boss):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert boss.get(LIST).status_code == 200
        return len(captured)

    make_screenshot(make_round())
    one = queries()
    for _ in range(24):
        round_ = make_round(make_task(), degraded_id="deadline")
        make_screenshot(round_, "phone", version=make_version(round_))

    assert queries() == one


def test_a_row_shows_the_picture_that_says_most(boss):
    round_ = make_round()
    first, second = make_version(round_), make_version(round_)
    Round.objects.filter(pk=round_.pk).update(version=first)
    live = Deployment.objects.create(round=round_, version=first, host="local", repo_url="", pages_url="", commit_sha="1" * 40, tree_sha="2" * 40)

    def shown() -> int:
        return int(re.findall(r'<img src="/admin/tasks/screenshot/(\d+)/image/"', boss.get(LIST).content.decode())[0])

    make_screenshot(round_, "desktop", version=second)
    phone = make_screenshot(round_, "phone", version=first)
    assert shown() == phone.pk
    desktop = make_screenshot(round_, "desktop", version=first)
    make_screenshot(round_, "phone", version=first)
    assert shown() == desktop.pk
    of_the_live_page = make_screenshot(round_, "phone", version=first, deployment=live)
    assert shown() == of_the_live_page.pk


def test_the_list_leaves_the_images_in_the_database(boss):
    make_screenshot(make_round())

    with CaptureQueriesContext(connection) as captured:
        page = boss.get(LIST).content.decode()

    assert 'loading="lazy"' in page
    assert not any('"content"' in query["sql"] for query in captured)


def test_the_list_does_not_load_briefs(boss):
    make_round(brief="a long brief")

    with CaptureQueriesContext(connection) as captured:
        boss.get(LIST)

    assert not any('"brief"' in query["sql"] for query in captured)


def test_needs_attention_shows_failed_degraded_and_overdue_rounds_and_refused_tokens_only(boss):
    now = timezone.now()
    failed = make_round(status="failed")
    degraded = make_round(status="succeeded", degraded_id="deadline")
    overdue = make_round(received_at=now - timedelta(minutes=11))
    token = make_round(status="waiting", error_id="github-token")
    make_round(status="waiting", error_id="remote-unavailable")
    make_round(status="succeeded")
    make_round()

    assert found(boss, "show=attention") == {failed.pk, degraded.pk, overdue.pk, token.pk}
    assert found(boss, "show=overdue") == {overdue.pk}
    assert found(boss, "show=degraded") == {degraded.pk}


def test_due_shows_what_waits_for_a_worker(boss):
    now = timezone.now()
    due = make_round(next_run_at=now - timedelta(seconds=5))
    make_round(next_run_at=now + timedelta(minutes=5), status="waiting")
    make_round(status="running", lease_owner="w", lease_until=now + timedelta(seconds=20))

    assert found(boss, "show=due") == {due.pk}
    assert len(found(boss, "show=open")) == 3


def test_rounds_are_filtered_by_status_stage_number_and_date(boss):
    old = make_round(received_at=timezone.now() - timedelta(days=40), status="failed", stage="publish", number=2)
    new = make_round(stage="generate")

    assert found(boss, "status__exact=failed") == {old.pk}
    assert found(boss, "stage=generate") == {new.pk}
    assert found(boss, "round=2") == {old.pk}
    assert found(boss, f"received_at__gte={(timezone.now() - timedelta(days=1)).date()}%2000:00:00%2B00:00") == {new.pk}


@pytest.mark.parametrize("term", ["ann@example.org", "captcha", "nonce-x", "abcdef1", "sales-repo"])
def test_a_round_is_found_by_person_task_nonce_commit_and_repository(boss, term):
    task = make_task(email="ann@example.org", task="captcha-solver", repo_name="sales-repo")
    wanted = make_round(task, nonce="nonce-x")
    Deployment.objects.create(
        round=wanted, version=make_version(wanted), host="local", repo_url="", pages_url="", commit_sha="abcdef1" + "0" * 33, tree_sha="1" * 40
    )
    make_round()

    assert found(boss, f"q={term}") == {wanted.pk}


def test_a_round_is_found_by_its_public_id(boss):
    wanted = make_round()
    make_round()

    assert found(boss, f"q={wanted.uuid}") == {wanted.pk}


def test_the_filters_can_show_their_counts(boss):
    make_round(status="failed")

    assert "needs attention (1)" in boss.get(LIST, {"_facets": "True"}).content.decode()


def test_an_empty_list_says_how_to_begin(boss):
    page = boss.get(LIST).content.decode()

    assert "make demo" in page
    assert "curl -X POST http://testserver/ready" in page


def test_the_list_says_when_no_worker_is_running(boss):
    assert "No worker is running" in boss.get(LIST).content.decode()
    Worker.objects.create(name="w", host="h", pid=1)
    assert "No worker is running" not in boss.get(LIST).content.decode()
