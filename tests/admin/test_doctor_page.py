"""The doctor's page: asked for, answered piece by piece in the background, and shown to superusers only."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.urls import reverse

from tasks import doctor
from tasks.doctor import Finding, Question, examination
from tests.admin.conftest import staff

PAGE, FINDINGS = reverse("admin:doctor"), reverse("admin:doctor_findings")


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """Two questions: the first is answered at once, the second when the gate is opened."""
    opened = threading.Event()

    def quick():
        yield Finding("quick", "warning", "<b>bold</b>", "Mend it.")

    def slow():
        assert opened.wait(20)
        yield Finding("slow", "ok", "it came")

    questions = (Question("This service", quick), Question("Other services", slow, apart=True))
    for module in (doctor, examination, __import__("tasks.admin.doctor", fromlist=["doctor"])):
        monkeypatch.setattr(module, "QUESTIONS", questions)
    monkeypatch.setattr(examination, "_latest", None)
    monkeypatch.setattr(examination.connections, "close_all", lambda: None)
    return opened


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_findings_come_while_others_are_still_asked_for_and_the_poll_ends(boss, gate) -> None:
    page = boss.get(PAGE).content.decode()
    assert 'hx-trigger="load, submit"' in page
    assert examination.latest() is None  # nothing is asked before somebody looks

    begun = boss.post(FINDINGS, headers={"HX-Request": "true"}).content.decode()
    found = examination.latest()
    assert found is not None
    assert f"{FINDINGS}?of={found.mark}" in begun
    until(lambda: found.answers)
    part = boss.get(FINDINGS, {"of": found.mark})
    assert part.status_code == 200
    assert "&lt;b&gt;bold" in part.content.decode()
    assert "still asking: slow" in part.content.decode()
    assert boss.post(FINDINGS).status_code == 302  # without a script; the one under way is kept
    assert examination.latest() is found

    gate.set()
    until(lambda: found.finished_at)
    whole = boss.get(FINDINGS, {"of": found.mark})
    assert whole.status_code == 286
    for text in ("1 warning; each names its cure.", "Mend it.", "!!  quick  &lt;b&gt;bold&lt;/b&gt;", "it came"):
        assert text in whole.content.decode()
    page = boss.get(PAGE).content.decode()
    assert "every 1s" not in page
    assert 'hx-trigger="submit"' in page
    found.finished_at -= timedelta(minutes=6)
    assert 'hx-trigger="load, submit"' in boss.get(PAGE).content.decode()


def test_a_process_that_did_not_ask_leaves_the_page_as_it_is(boss, gate) -> None:
    assert boss.get(FINDINGS, {"of": f"{time.time():.6f}"}).status_code == 204
    assert boss.get(FINDINGS, {"of": f"{time.time() - 100:.6f}"}).status_code == 286
    assert boss.get(FINDINGS, {"of": "x"}).status_code == 286


@pytest.mark.parametrize("url", [PAGE, FINDINGS])
def test_only_superusers_see_it(url, viewer, client) -> None:
    assert client.get(url).status_code == 302
    assert viewer.get(url).status_code == 403
    assert staff("change_round").post(FINDINGS).status_code == 403
    assert examination.latest() is None or not examination.latest().unanswered
