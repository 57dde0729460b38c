"""An instructor's day in Chromium, with real workers: a class is imported, sent a brief, watched, looked at, graded, published and exported.

The students' services are this one. The account is in the group `instructor` and no superuser's.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tasks.demo import school
from tasks.demo.stack import Stack
from tests.security.chromium import chromium

__all__ = ["chromium"]

pytestmark = [pytest.mark.worker, pytest.mark.timeout(300)]

JOIN = """
import os
from django.contrib.auth.models import Group, User
user = User.objects.create_user("ida", "ida@example.com", os.environ["PASSWORD"], is_staff=True)
user.groups.add(Group.objects.get(name="instructor"))
"""
PATIENCE = 90_000  # milliseconds that a report with all of its checks may take here
PICTURES = os.environ.get("PICTURES")  # a folder: the pages as they are met on the way


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("day"), workers=3, env={"EVALUATE": "off"}) as running:
        running.manage("shell", "--no-imports", "--command", JOIN, PASSWORD=running.keep("password"))
        yield running


@pytest.fixture
def page(stack: Stack, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(15_000)
    opened = context.new_page()
    opened.on("dialog", lambda dialog: dialog.accept())
    yield opened
    context.close()


def shoot(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def total(page: Page, student: str) -> float:
    return float(page.get_by_role("row", name=re.compile(student)).locator("td.d-total").inner_text())


def test_an_instructors_day(stack: Stack, page: Page) -> None:
    page.goto("/admin/login/")
    page.fill("#id_username", "ida")
    page.fill("#id_password", stack.keep("password"))
    page.press("#id_password", "Enter")

    # The class comes in: looked through first, then imported.
    sheet = school.sheet(stack, dict.fromkeys(("ann", "bob"), f"{stack.url}/ready"))
    page.goto("/admin/tasks/submission/")
    page.get_by_role("link", name="Import a sheet").click()
    page.set_input_files("input[type=file]", sheet)
    page.get_by_role("button", name="Look through").click()
    expect(page.get_by_role("status").first).to_contain_text("2 new")
    expect(page.locator("body")).not_to_contain_text(stack.secret)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("body")).to_contain_text("Imported: 2 new")

    # What will they be asked? Then it is sent.
    page.goto("/admin/briefs/")
    page.get_by_role("link", name="sales-total").click()
    expect(page.locator("#brief-text")).to_contain_text("#total-sales")
    page.goto("/admin/tasks/issuedtask/")
    page.get_by_role("link", name="Issue a round").click()
    page.locator("[name=brief]").select_option("sales-total")
    page.get_by_role("button", name="Count whom it would go to").click()
    page.get_by_role("button", name="Send to 2").click()
    expect(page.locator("#issue-progress")).to_contain_text("2 of 2 tried")
    shoot(page, "progress")

    # Reports come in and are evaluated while one looks on.
    page.goto("/admin/tasks/reporeport/")
    link = page.locator("#result_list a", has_text="ann@example.com")
    for _ in range(60):
        if link.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    link.click()
    expect(page.locator("#report-sentence")).to_contain_text(re.compile("evaluated", re.I), timeout=PATIENCE)
    expect(page.locator("#report-live")).to_contain_text("LICENSE holds the MIT license", timeout=PATIENCE)
    expect(page.locator("#report-live .d-shot, #report-live img").first).to_be_visible()
    shoot(page, "report")
    page.goto("/admin/tasks/reporeport/?state__exact=done")
    for _ in range(60):
        if page.locator("#result_list tbody tr").count() == 2:
            break
        page.wait_for_timeout(500)
        page.reload()

    # The grade-book: a score set by hand is another sum over the same checks, and a weight another one yet.
    page.goto("/admin/tasks/gradebook/add/")
    page.fill("[name=name]", "Autumn")
    page.get_by_role("button", name="Make it").click()
    book, before = page.url, total(page, "ann@example.com")
    page.get_by_role("link", name="ann@example.com").click()
    page.get_by_role("link", name=re.compile("override")).first.click()
    page.fill("[name=score]", "0")
    page.fill("[name=note]", "It was agreed in class that this one is done by hand.")
    page.get_by_role("button", name="Set the score").click()
    page.goto(book)
    by_hand = total(page, "ann@example.com")
    assert by_hand < before == total(page, "bob@example.com")
    page.get_by_role("link", name="rules and weights").click()
    page.locator("input[name^=weight-]").first.fill("40")
    page.get_by_role("button", name="Save and score anew").click()
    page.goto(book)
    assert total(page, "ann@example.com") < by_hand
    shoot(page, "gradebook")

    # Locked, published, taken away.
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("button", name="Unlock")).to_be_visible()
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_role("button", name="Withdraw from students")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Grades", exact=True).click()
    with Path(waiting.value.path()).open(encoding="utf-8-sig", newline="") as file:
        lines = {row["email"]: row for row in csv.DictReader(file)}
    assert set(lines) == {"ann@example.com", "bob@example.com"}
    assert float(lines["ann@example.com"]["total"]) < float(lines["bob@example.com"]["total"])
    assert "agreed in class" in lines["ann@example.com"]["overrides"]
