import pytest
from django.utils import timezone

from tasks.admin.badges import LOOKS, badge, look, round_badges
from tasks.admin.comparison import CHANGES
from tasks.classroom.gradebook.standing import NOT_ACCEPTED, NOT_ISSUED, NOT_REPORTED
from tasks.classroom.gradebook.standing import STATES as STATES_OF_REPORTS
from tasks.models import CheckResult, CodeVersion, ContainerRun, IssuedTask, NotificationAttempt, RepoReport, Round, StageRun, Submission
from tests.factories import make_round

STATES = [
    *Round.Status.values,
    *StageRun.Outcome.values,
    *NotificationAttempt.Outcome.values,
    *CheckResult.Status.values,
    *CodeVersion.Status.values,
    *ContainerRun.Status.values,
    *(f"issue {status}" for status in IssuedTask.Status.values),
    *(f"report {state}" for state in RepoReport.State.values),
    *filter(None, Submission.Probe.values),
    *(f"score {state}" for state in [NOT_ISSUED, NOT_ACCEPTED, NOT_REPORTED, *STATES_OF_REPORTS.values()]),
    *("override", "absent", "our error", "report late", "report awaited"),
    *(f"book {state}" for state in ("open", "locked", "published", "planned", "unpublished")),
    "not asked",
    "to be asked",
]


@pytest.mark.parametrize("state", sorted({*STATES, *CHANGES, "degraded", "overdue"}))
def test_every_state_has_icon_word_and_colour(state):
    shown = LOOKS[state]

    assert shown.icon and shown.word
    assert shown.tone in {"green", "red", "orange", "blue", "grey"}


def test_an_unknown_state_is_shown_as_it_is():
    assert look("odd").word == "odd"


def test_a_badge_escapes_what_it_is_given():
    assert "<img" not in badge("<img src=x>", title='"><img src=x>')


@pytest.mark.django_db
def test_a_round_past_its_deadline_is_marked_overdue_until_somebody_was_told():
    now = timezone.now()
    late = make_round(received_at=now - timezone.timedelta(minutes=20))

    assert "overdue" in round_badges(late, now)
    late.notified_at = now
    assert "overdue" not in round_badges(late, now)
