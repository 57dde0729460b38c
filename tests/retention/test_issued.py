"""What was issued to students ages as rounds do; an open task, or one that is reported on, keeps its student."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.models import IssuedTask, IssueTry, RepoReport, Submission
from tests.admin.conftest import classroom
from tests.retention.conftest import pruned_after

pytestmark = pytest.mark.django_db

COUNTED = (Submission, IssuedTask, IssueTry, RepoReport)


def test_what_is_old_goes_with_both_rounds_and_then_the_submission_and_a_dry_run_says_so() -> None:
    classroom("ann", "https://example.org/x")
    assert pruned_after(364).counts["issued tasks"] == 0
    told = pruned_after(366, dry_run=True).counts
    assert [model._default_manager.count() for model in COUNTED] == [1, 2, 2, 2]
    pruned = pruned_after(366)
    assert (pruned.counts, pruned.problems) == (told, [])
    assert (pruned.counts["issued tasks"], pruned.counts["submissions"]) == (1, 1)
    assert [model._default_manager.count() for model in COUNTED] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (IssuedTask, {"status": "waiting"}),
        (IssuedTask, {"sent_at": timezone.now() + timedelta(days=300)}),
        (RepoReport, {"received_at": timezone.now() + timedelta(days=300)}),
        (RepoReport, {"evaluated_at": timezone.now() + timedelta(days=300)}),
    ],
)
def test_what_still_happens_to_the_second_round_keeps_all_of_it(model: Any, fields: dict[str, Any]) -> None:
    classroom("ann", "https://example.org/x")
    last = model._default_manager.order_by("-pk").first()
    model._default_manager.filter(pk=last.pk).update(**fields)
    pruned = pruned_after(400)
    assert (pruned.counts["issued tasks"], pruned.counts["submissions"], pruned.problems) == (0, 0, [])
    assert [model._default_manager.count() for model in COUNTED] == [1, 2, 2, 2]
