"""The deadline governor as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.deadline import Deadline

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("stage", "after", "left"),
    [
        ("generate", 0, 300), ("generate", 100, 200), ("generate", 300, 0), ("generate", 500, 0),
        ("verify", 0, 540), ("verify", 530, 10), ("verify", 540, 0), ("verify", 599, 0),
        ("publish", 100, 500),
    ],
)  # fmt: skip
def test_each_stage_has_its_share_of_ten_minutes(stage: str, after: float, left: float) -> None:
    assert Deadline(START, 600).budget(stage, at(after)) == pytest.approx(left)


def test_the_notification_leaves_a_minute_before_the_end() -> None:
    assert Deadline(START, 600).share_ends("verify") == at(540)


def test_the_shares_follow_the_setting() -> None:
    assert Deadline(START, 100).budget("generate", at(0)) == pytest.approx(50)


@pytest.mark.parametrize(("stage", "left"), [("generate", 240.0), ("verify", 600.0), ("publish", 60.0)])
def test_a_round_that_is_late_already_gets_a_full_budget_from_the_stages_start(stage: str, left: float) -> None:
    late = Deadline(START, 600, resumed_at=at(5000))
    assert late.budget(stage, at(5000)) == pytest.approx(left)
    assert late.budget(stage, at(5000 + left + 1)) == 0


def test_what_is_left_goes_negative_after_the_deadline() -> None:
    deadline = Deadline(START, 600)
    assert deadline.left(at(590)) == pytest.approx(10)
    assert deadline.left(at(601)) == pytest.approx(-1)
    assert not deadline.passed(at(599))
    assert deadline.passed(at(600))
