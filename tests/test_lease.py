"""Who may work on a round, and who may not write any more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tasks.errors import LeaseLost
from tasks.lease import Lease
from tasks.models import Message, Round
from tests.factories import make_round, make_task

pytestmark = pytest.mark.django_db


def test_one_of_two_claims_wins() -> None:
    round_ = make_round()
    assert Lease.claim(round_.pk) is not None
    assert Lease.claim(round_.pk) is None
    assert Round.objects.get().status == "running"


@pytest.mark.parametrize("fields", [{"status": "succeeded"}, {"status": "failed"}, {"next_run_at": timezone.now() + timedelta(hours=1)}])
def test_a_round_that_is_not_due_cannot_be_claimed(fields: dict[str, object]) -> None:
    assert Lease.claim(make_round(**fields).pk) is None


def test_an_expired_lease_can_be_taken_over_and_the_late_writer_is_fenced_off() -> None:
    round_ = make_round()
    late = Lease.claim(round_.pk)
    assert late is not None
    Round.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert Lease.claim(round_.pk) is not None
    with pytest.raises(LeaseLost), late.fenced():
        Message.objects.create(task_request=round_.task_request, body="too late")
    assert Message.objects.count() == 0


def test_an_expired_lease_fences_off_its_holder_even_when_nobody_took_over() -> None:
    lease = Lease.claim(make_round().pk)
    assert lease is not None
    Round.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LeaseLost), lease.fenced():
        pass


def test_a_write_renews_the_lease() -> None:
    lease = Lease.claim(make_round().pk)
    assert lease is not None
    Round.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
    with lease.fenced():
        pass
    assert Round.objects.get().lease_until > timezone.now() + timedelta(seconds=10)  # type: ignore[operator]


def test_a_released_round_is_due_at_once() -> None:
    round_ = make_round()
    lease = Lease.claim(round_.pk)
    assert lease is not None
    lease.release()
    assert Round.objects.get().status == "queued"
    assert Lease.claim(round_.pk) is not None


@pytest.mark.parametrize(
    ("other", "blocks"),
    [
        ({"number": 1}, True),
        ({"number": 1, "stage": "verify"}, True),
        ({"number": 1, "stage": "notify"}, False),
        ({"number": 1, "stage": "verify", "notified_at": timezone.now()}, False),
        ({"number": 1, "status": "failed"}, False),
        ({"number": 1, "status": "succeeded"}, False),
        ({"number": 3}, False),
    ],
)
def test_a_round_waits_for_earlier_rounds_that_still_change_the_repository(other: dict[str, object], blocks: bool) -> None:
    task = make_task()
    make_round(task, **other)
    assert Round.objects.before(make_round(task, number=2)).exists() is blocks


def test_another_task_blocks_nothing() -> None:
    make_round()
    assert not Round.objects.before(make_round(number=2)).exists()
