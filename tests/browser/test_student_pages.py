"""What a student sees, with their eyes: start page, practice, own scores, and the page behind the link; in both themes, on a desk and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage

from deployer.unfold import UNFOLD
from tasks.classroom import links
from tasks.models import GradeBook, IssuedTask
from tests.admin.test_practice import evaluated
from tests.browser.test_admin_access import AXE, LOOKS, RULES
from tests.classroom.graded import make_class
from tests.factories import make_issued, make_submission
from tests.security.chromium import chromium

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EMAIL = "student0000@example.org"


@pytest.fixture
def addresses(settings: Any) -> list[str]:
    settings.UNFOLD = UNFOLD
    made = make_class(1, rounds=2, shots=True, checks=3)
    book = GradeBook.objects.create(name="Term 1", publish_at=timezone.now(), late_factor=0.5)
    practice = make_submission(email=EMAIL, is_practice=True)
    done, begun = (make_issued(practice, task=f"sales-total-{'x' * 60}-{number}") for number in (1, 2))
    evaluated(done)
    IssuedTask.objects.filter(pk=begun.pk).update(status="waiting", tries=1, sent_at=timezone.now(), error="The service answered 500.")
    begun.history.create(number=1, url="https://ann.example.org/ready", status_code=500, answer="boom" * 200, error="It answered 500.")
    inside = [reverse("admin:index"), reverse("admin:practices"), *(reverse("admin:practice", args=[row.pk]) for row in (done, begun))]
    return [*inside, reverse("admin:my_report"), reverse("student-report", args=[links.token(book, made.submissions[0])])]


def test_every_page_of_a_student_reads_well_fits_its_window_and_meets_its_own_policy(
    live_server: Any, chromium: Browser, addresses: list[str]
) -> None:
    student = User.objects.create_user("ann", EMAIL, is_staff=True)
    student.groups.add(Group.objects.get(name="student-reader"))
    client = Client()
    client.force_login(student)
    wrong: list[str] = []

    def refused(message: ConsoleMessage) -> None:
        wrong.extend([message.text] if message.type == "error" else [])

    for name, (theme, width) in LOOKS.items():
        look: dict[str, Any] = {"color_scheme": theme, "viewport": {"width": width, "height": 900}, "reduced_motion": "reduce"}
        context = chromium.new_context(base_url=live_server.url, **look)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.on("console", refused)
        for address in addresses:
            page.goto(address)
            page.evaluate(AXE)
            found = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
            wrong += [f"{name}: {address}: {item['id']} {item['nodes'][0]['html'][:150]}" for item in found]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{name}: {address} is wider than its window")
        context.close()
    assert wrong == []
