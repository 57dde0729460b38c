"""Nothing that is asked again and again costs more because there is a long history."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ

from tasks import admission
from tasks.admin import base, filters
from tasks.benchmarks import cost, history
from tasks.benchmarks.surfaces import surfaces
from tasks.broker import WakeBroker

pytestmark = pytest.mark.django_db

FEW, MANY = 200, 6000  # rounds; thirty times as many
ALLOWED = 2_000  # instructions or rows that chance may add: a page splits, a tree gets a level deeper


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where so many newest rows are looked at and no more, that number is reached with the few; and what /ready counts once a second it counts
    each time."""
    monkeypatch.setattr(admission, "COUNT_SECONDS", 0.0)
    monkeypatch.setattr(base, "COUNTED", FEW)
    monkeypatch.setattr(filters, "LOOKED_AT", FEW)


def costs(asked: dict[str, Callable[[], object]]) -> dict[str, cost.Cost]:
    for ask in asked.values():
        ask()  # what is made once, such as a permission's cache, is not counted
    return {name: cost.of(ask) for name, ask in asked.items()}


def test_lists_status_and_worker_cost_the_same_with_thirty_times_the_history(steady: None, settings: LazySettings) -> None:
    history.fill(FEW)
    few = costs(surfaces(settings.STUDENT_SECRET))
    history.fill(MANY)
    many = costs(surfaces(settings.STUDENT_SECRET))
    assert {name: len(many[name].queries) for name in few} == {name: len(found.queries) for name, found in few.items()}
    grown = {name: (found.work, many[name].work) for name, found in few.items() if many[name].work > 2 * found.work + ALLOWED}
    assert not grown


def test_the_measure_sees_what_grows() -> None:
    from tasks.models import Round

    history.fill(FEW)
    few = cost.of(lambda: list(Round.objects.filter(brief__contains="nowhere")))
    history.fill(MANY)
    many = cost.of(lambda: list(Round.objects.filter(brief__contains="nowhere")))
    assert (len(few.queries), len(many.queries)) == (1, 1)
    assert many.work > 10 * few.work > 0


def test_the_next_message_is_found_however_long_the_queue_is() -> None:
    take = WakeBroker(Conf.CLUSTER_NAME)._take
    OrmQ.objects.bulk_create(OrmQ(key=Conf.CLUSTER_NAME, payload="x" * 300, lock=timezone.now()) for _ in range(20))
    short = cost.of(take)
    OrmQ.objects.bulk_create(OrmQ(key=Conf.CLUSTER_NAME, payload="x" * 300, lock=timezone.now()) for _ in range(3000))
    assert cost.of(take).work <= 2 * short.work + ALLOWED


def test_the_copies_are_whole_rounds_that_get_newer() -> None:
    from tasks.models import Round

    history.fill(3)
    rounds = list(Round.objects.order_by("pk"))
    assert [round_.received_at for round_ in rounds[1:]] == sorted(round_.received_at for round_ in rounds[1:])
    for round_ in rounds:
        assert round_.version is not None and round_.version.round_id == round_.pk
        assert {"index.html", "README.md", "LICENSE"} == set(round_.version.tree())
        assert (round_.stage_runs.count(), round_.deployments.count(), round_.notifications.count(), round_.check_results.count()) == (6, 1, 1, 2)
        assert round_.check_results.filter(deployment__round=round_).count() == 1
    assert len({round_.uuid for round_ in rounds}) == len({round_.task_request.email for round_ in rounds}) == 4
