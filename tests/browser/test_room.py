"""A task's page in Chromium: a program is started, watched to its end and cancelled, code is copied and compared, people and agents speak."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from tasks import runs
from tasks.models import ContainerRun, TaskRequest
from tasks.orchestrator import assignments, reports, uploads
from tasks.runners import get_runner
from tests.admin.conftest import skin
from tests.security.chromium import chromium

__all__ = ["chromium", "skin"]

REFUSED = get_runner("sandbox").unavailable()
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
needs_sandbox = pytest.mark.skipif(bool(REFUSED) and os.environ.get("REQUIRE_SERVICES") != "1", reason=REFUSED)

SLOW = b"import time\nprint('first', flush=True)\ntime.sleep(2)\nopen('out/made.txt', 'w').write('made')\nprint('second')\n"


@pytest.fixture
def task() -> TaskRequest:
    made = assignments.create(name="Digits", agent="gen", coder="carla")
    assignments.set_status(made, "running", "gen")
    uploads.upload(made, "", {"main.py": b"print('one')\n"}, "carla")
    uploads.upload(made, "", {"main.py": SLOW}, "carla")
    return made


@pytest.fixture
def page(request: pytest.FixtureRequest, live_server: Any, task: TaskRequest) -> Iterator[Page]:
    """The task's page on a superuser's screen. Whatever the browser complains of fails the test."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    context = request.getfixturevalue("chromium").new_context()
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    context.set_default_timeout(15_000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{live_server.url}{reverse('admin:tasks_taskrequest_change', args=[task.pk])}")
    opened.evaluate("window.loadedOnce = true")
    yield opened
    context.close()
    assert complaints == []


@contextmanager
def working() -> Iterator[None]:
    """A worker that carries out the oldest run that waits."""

    def work() -> None:
        runs.run_next()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(30)
    assert not thread.is_alive()


def asked_while(page: Page, milliseconds: int, part: str) -> int:
    """How often the page asks for an address with that part while nothing else happens."""
    asked: list[str] = []

    def note(request: Any) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.wait_for_timeout(milliseconds)
    page.remove_listener("request", note)
    return sum(part in address for address in asked)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="sections").get_by_role("link", name=re.compile(name)).press("Enter")


@needs_sandbox
def test_a_program_is_started_watched_to_its_end_and_another_is_cancelled_without_a_reload(page: Page, task: TaskRequest) -> None:
    open_tab(page, "Containers")
    page.get_by_role("button", name="Run").click()
    run = row_of(page, lambda: task.runs.get())
    expect(run).to_contain_text("queued")
    expect(page.locator("#room-said")).to_have_text(re.compile(r"Run \d+ is queued"))
    with working():
        expect(run).to_contain_text("running")
        expect(run.get_by_role("region")).to_contain_text("first")
        expect(run).to_contain_text("succeeded")
    expect(run.get_by_role("region")).to_contain_text("second")
    expect(run.get_by_role("button")).to_have_count(0)
    expect(page.locator("#room-said")).to_have_text(re.compile(r"Run \d+: succeeded"))

    page.get_by_label("command").fill("python3 -c 'import time; print(7, flush=True); time.sleep(60)'")
    page.get_by_text("limits", exact=True).click()
    page.get_by_label("wall time").fill("100000")
    page.locator("#spawn").evaluate("form => form.noValidate = true")  # the server's own answer
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#spawn .errorlist")).to_contain_text("at most 240")
    page.get_by_label("wall time").fill("60")
    page.get_by_role("button", name="Run", exact=True).click()
    run = row_of(page, lambda: task.runs.get(status="queued"))
    with working():
        expect(run.get_by_role("region")).to_contain_text("7")
        run.get_by_role("button", name="Cancel run").click()
        expect(run).to_contain_text("cancelled")
    expect(run.get_by_role("button")).to_have_count(0)
    assert asked_while(page, 1_600, "containerrun") == 0
    assert page.locator("#runs > li").count() == 2
    assert page.evaluate("window.loadedOnce")


def row_of(page: Page, find: Callable[[], ContainerRun]) -> Any:
    """The line of a run, once it is stored."""
    expect(page.locator("#runs > li .d-badge", has_text="queued")).to_have_count(1)
    return page.locator(f"#run-{find().pk}")


def test_a_version_is_copied_and_compared(page: Page) -> None:
    open_tab(page, "Code versions")
    page.get_by_role("link", name=re.compile("v2 upload")).click()
    page.get_by_role("button", name="copy").click()
    expect(page.get_by_role("button", name="copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == SLOW.decode().strip()
    page.get_by_role("button", name="whole file").click()
    page.locator(".d-ln").nth(2).click()
    expect(page).to_have_url(re.compile(r"#file-\d+-L3$"))
    page.reload()
    expect(page.locator(".d-line:target")).to_be_in_viewport()
    expect(page.locator(".d-line:target")).to_have_text("time.sleep(2)")

    page.get_by_role("button", name="Compare left with right").click()

    expect(page.locator(".d-diff .d-del")).to_have_text(["-print('one')"])
    expect(page.locator(".d-diff .d-add").first).to_have_text("+import time")


def test_a_message_is_sent_and_an_agents_answer_and_results_come_by_themselves(page: Page, task: TaskRequest) -> None:
    open_tab(page, "Conversation")
    page.get_by_label("text").fill("Shuffle the rows. <b>")
    page.get_by_label("to", exact=True).select_option(label="the coder")
    page.get_by_label("text").press("Tab")
    page.keyboard.press("Enter")
    newest = page.get_by_role("log").get_by_role("listitem").first
    expect(newest).to_contain_text("boss")
    expect(newest).to_contain_text("to carla")
    expect(newest).to_contain_text("Shuffle the rows. <b>")
    expect(page.get_by_label("text")).to_have_value("")

    reports.say(task, "carla", "They are shuffled now.")
    reports.report(task, "eva", version=task.versions.first(), accuracy=0.9)

    expect(newest).to_contain_text("They are shuffled now.")
    expect(page.get_by_role("log").get_by_text("Shuffle the rows.")).to_have_count(1)  # the form's answer and the poll both brought it
    open_tab(page, "Logs and metrics")
    expect(page.get_by_role("img", name=re.compile("accuracy"))).to_be_visible()
    open_tab(page, "Conversation")
    expect(page.locator("#senders option[value=boss]")).to_have_count(1)
    page.get_by_label("by", exact=True).fill("boss")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_role("listitem")).to_have_count(1)
    page.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })")
    assert asked_while(page, 2_600, "/live/") == 0
    page.evaluate("delete document.visibilityState")
    assignments.set_status(task, "completed", "gen")
    open_tab(page, "Overview")
    expect(page.locator("#room-sentence")).to_contain_text("The work is done")
    assert asked_while(page, 2_600, "/live/") == 0
    assert page.evaluate("window.loadedOnce")
