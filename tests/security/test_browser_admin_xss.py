"""Every page of the admin in Chromium, with an attack in every text of every record: nothing runs, nothing becomes markup.

An ordinary run opens the pages of one row of each model and whole lists; ADMIN=all of two, whose texts hold other attacks, and every filter's part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, Route

from tasks.content_policy import ADMIN
from tasks.models import Round
from tests.security.admin_addresses import addresses
from tests.security.chromium import needs_chromium
from tests.security.crawl import Crawl, kind
from tests.security.hostile_records import PAYLOADS, WHOLE, fill_everything, texts

pytestmark = [pytest.mark.browser, needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

PASSWORD = "correct-horse-battery"
ALL = os.environ.get("ADMIN") == "all"
MARKUP = [text for text in PAYLOADS if text.lstrip("\"'>").startswith("<")]


@pytest.fixture
def watched(chromium, live_server) -> Iterator[Crawl]:
    context = chromium.new_context()
    yield Crawl(context.new_page(), live_server.url, filters=ALL)
    context.close()


def test_no_page_of_the_admin_runs_what_was_posted_or_generated(watched):
    fill_everything()
    user = User.objects.create_superuser("boss", "boss@example.org", PASSWORD, first_name=WHOLE[:150], last_name=PAYLOADS[0])
    LogEntry.objects.log_actions(user.pk, Round.objects.all(), CHANGE, WHOLE)

    log_in(watched.page, watched.origin)
    watched.everything([reverse("admin:index"), *addresses(rows=2 if ALL else 1), *hostile_parameters()])

    assert watched.found == []
    assert unseen(watched) == []


def log_in(page: Page, origin: str) -> None:
    page.goto(f"{origin}{reverse('admin:login')}")
    page.fill("[name=username]", "boss")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{origin}{reverse('admin:index')}")


def hostile_parameters() -> Iterator[str]:
    """Lists and pages asked for with attacks in what they take from the address."""
    for parameter in ("q", "o", "p", "show", "status__exact", "task_request__task__startswith", "_changelist_filters", "_popup", "_to_field"):
        yield f"{reverse('admin:tasks_round_changelist')}?{urlencode({parameter: WHOLE})}"
    for parameter in ("version", "seen", "_changelist_filters"):
        yield f"{reverse('admin:tasks_round_change', args=[Round.objects.latest('pk').pk])}?{urlencode({parameter: WHOLE})}"
    yield f"{reverse('admin:login')}?{urlencode({'next': WHOLE})}"
    yield f"{reverse('admin:search')}?{urlencode({'s': WHOLE})}"


def unseen(crawl: Crawl) -> list[str]:
    """Models whose list and page were not both opened, or showed no attack, so that nothing was tried."""
    missing = []
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        pages = {kind(reverse(f"admin:{name}_{page}", args=args)) for page, args in (("changelist", []), ("change", [1]))}
        if not pages <= crawl.seen or (texts(model()) and not pages & crawl.attacked):
            missing.append(name)
    return missing


def test_the_crawl_sees_every_kind_of_attack(watched):
    """Written into a page as they are, with the admin's own policy and scripts, each is found."""
    headers = {"Content-Type": "text/html", "Content-Security-Policy": ADMIN}
    body = "<!doctype html><title></title><script src=/static/unfold/js/alpine/alpine.js defer></script><p title='{0}'>{0}"
    for number, payload in enumerate(MARKUP):
        watched.page.route(f"**/admin/{number}", partial(answer, body=body.format(payload), headers=headers))
        watched.found.clear()

        watched.visit(f"/admin/{number}")

        assert watched.found, payload


def answer(route: Route, *, body: str, headers: dict[str, str]) -> None:
    route.fulfill(body=body, headers=headers)


@pytest.mark.parametrize("address", ["/", "/api/docs/", "/nowhere", "/repos/nothing.git"])
def test_no_other_page_of_ours_breaks_its_own_policy(watched, address):
    watched.visit(address)
    watched.page.wait_for_load_state("networkidle")

    assert watched.found == []
