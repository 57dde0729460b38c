"""Who answers: what a GET of the endpoint tells, many at a time without pressing a host, by a worker that may die."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import OrmQ

from tasks import jobs
from tasks.classroom import probe_queue, probing
from tasks.classroom.probing import Probed, look
from tasks.classroom.submissions import probe
from tasks.models import Submission
from tests.emulators.base import Emulator, Reply
from tests.factories import make_submission

State = Submission.Probe


def test_what_an_endpoint_answers_says_in_which_state_it_is(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.4)
    said = {
        State.ANSWERS: (200, 204, 400, 401, 403, 405, 415, 422),
        State.WRONG_PLACE: (404, 410),
        State.BROKEN: (301, 307, 402, 429, 500, 503),
    }
    with Emulator() as service:
        for state, statuses in said.items():
            for status in statuses:
                service.enqueue(Reply(status, b"{}", {"Location": "http://127.0.0.1:9/"}))
                probed = look(f"{service.url}/ready")
                assert (probed.state, f"HTTP {status}" in probed.detail) == (state, True)
        assert {(request.method, request.path, request.body) for request in service.requests} == {("GET", "/ready", b"")}
        for reply, state in (
            (Reply(200, b"x" * (probing.MAX_BYTES + 1)), State.ANSWERS),
            (Reply(200, b"x" * 50, fault="drip"), State.ANSWERS),
            (Reply(503, b"x" * 50, fault="cut"), State.BROKEN),
            (Reply(fault="reset"), State.UNREACHABLE),
            (Reply(fault="hang"), State.UNREACHABLE),
        ):
            service.enqueue(reply)
            assert look(f"{service.url}/ready?token=s3cret").state == state
        unsecured = look(service.url.replace("http:", "https:"))
        assert (unsecured.state, "TLS" in unsecured.detail) == (State.UNREACHABLE, True)
        asked = len(service.requests)
        settings.ALLOWED_PRIVATE_HOSTS = []
        private = look(f"{service.url}/ready?token=s3cret")
        assert (private.state, "ALLOWED_PRIVATE_HOSTS" in private.detail, len(service.requests)) == (State.WRONG_PLACE, True, asked)
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    gone = look(f"{service.url}/ready?token=s3cret")
    assert (gone.state, "refused the connection" in gone.detail, "s3cret" in gone.detail) == (State.UNREACHABLE, True, False)


def test_ten_are_asked_at_a_time_and_two_of_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def slow(endpoint: str) -> Probed:
        with lock:
            busy.update((probing.host(endpoint), "all"))
            for name, number in busy.items():
                most[name] = max(most[name], number)
        threading.Event().wait(0.02)
        with lock:
            busy.subtract((probing.host(endpoint), "all"))
        return Probed(State.ANSWERS, endpoint, 1)

    monkeypatch.setattr(probing, "look", slow)
    shared = {key: f"http://shared.example.org:80{key}/ready" for key in range(12)}
    others = {100 + key: f"http://h{key}.example.org/ready" for key in range(20)}
    endpoints = {**shared, **others, 999: "http://[::1/ready"}
    answers = dict(probing.ask_many(endpoints))
    assert {key: answer.detail for key, answer in answers.items()} == endpoints
    assert (most["shared.example.org"], most["all"]) == (2, 10)
    assert dict(probing.ask_many(endpoints, seconds=0)) == {}
    assert len(dict(probing.ask_many(endpoints, go_on=iter([True, False]).__next__))) == 10


def states(rows: QuerySet[Submission]) -> set[tuple[str, str]]:
    return set(rows.values_list("probe", "probe_detail"))


@pytest.mark.django_db
def test_a_worker_asks_those_who_wait_and_what_is_left_gets_the_next_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_queue, "BATCH", 3)
    with Emulator() as service:
        for number in range(5):
            make_submission(endpoint=f"{service.url}/ready", is_active=number > 0)
        rows = Submission.objects.all()
        assert (probe_queue.ask_later(rows), probe_queue.ask_later(rows), OrmQ.objects.count()) == (5, 0, 2)
        OrmQ.objects.all().delete()

        jobs.probe_endpoints(0)
        assert (probe_queue.open_count(), OrmQ.objects.count(), len(service.requests)) == (2, 1, 3)
        jobs.probe_endpoints(0)
        jobs.probe_endpoints(0)

    assert (probe_queue.open_count(), OrmQ.objects.count(), len(service.requests)) == (0, 1, 5)
    assert {state for state, _ in states(rows)} == {"wrong_place"}
    assert not rows.filter(probed_at=None).exists()


@pytest.mark.django_db
def test_one_worker_asks_at_a_time_and_what_a_dead_one_was_asking_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    row = make_submission()
    probe_queue.ask_later([row.pk])
    assert probe_queue.claim() == {row.pk: row.endpoint}
    other = make_submission()
    probe_queue.ask_later([other.pk])
    assert probe_queue.claim() == {}
    Submission.objects.filter(pk=row.pk).update(probed_at=timezone.now() - timedelta(seconds=probe_queue.LOST_SECONDS + 1))
    assert set(probe_queue.claim()) == {row.pk, other.pk}

    monkeypatch.setattr(probe_queue, "stopping", lambda: True)
    Submission.objects.update(probe_detail=probe_queue.WAITS)
    jobs.probe_endpoints(0)
    assert states(Submission.objects.all()) == {("", probe_queue.WAITS)}, "a worker that stops gives back what it did not begin"


@pytest.mark.django_db
def test_an_answer_of_an_address_that_was_changed_meanwhile_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    row = make_submission()

    def changing(endpoint: str) -> Probed:
        Submission.objects.update(endpoint="https://new.example.org/ready")
        return Probed(State.BROKEN, "HTTP 500.", 3)

    monkeypatch.setattr(probing, "look", changing)
    assert probe(row).state == State.BROKEN
    assert states(Submission.objects.all()) == {("", "")}
    monkeypatch.setattr(probing, "look", lambda endpoint: Probed(State.BROKEN, "HTTP 500.", 3))
    row.refresh_from_db()
    probe(row)
    assert (row.probe, row.probe_detail, row.probe_ms) == ("broken", "HTTP 500.", 3)
