"""The images of screenshots."""

import pytest
from django.urls import reverse

from tasks.models import Screenshot
from tests.admin.conftest import PIXEL, make_screenshot
from tests.classroom.graded import make_class
from tests.factories import make_round


def image(client, pk: object, method: str = "get"):
    return getattr(client, method)(reverse("admin:tasks_screenshot_image", args=[pk]))


def test_an_image_comes_as_it_is_and_may_do_nothing(boss, story):
    answer = image(boss, story.screenshot.pk)

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, PIXEL, "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_an_image_is_kept_by_this_browser_only(boss, story):
    answer = image(boss, story.screenshot.pk)

    assert answer["Cache-Control"] == "private, max-age=3600"
    assert "Cookie" in answer["Vary"]


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_pictures_of_three_kinds_are_shown(boss, media_type):
    assert image(boss, make_screenshot(make_round(), media_type=media_type).pk)["Content-Type"] == media_type


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "", "image/png, text/html", "IMAGE/PNG", "image/gif"])
def test_no_other_kind_is_shown(boss, media_type):
    answer = image(boss, make_screenshot(make_round(), media_type=media_type, content=b"<script>1</script>").pk)

    assert answer.status_code == 415
    assert b"<script>" not in answer.content


@pytest.mark.parametrize("pk", [999_999, "x", "1;2", "9" * 40])
def test_an_unknown_image_is_not_found(boss, story, pk):
    assert image(boss, pk).status_code == 404


def test_an_image_is_only_read(boss, story):
    assert image(boss, story.screenshot.pk, "post").status_code == 405
    assert image(boss, story.screenshot.pk, "head").status_code == 200


def test_the_list_and_the_page_of_a_screenshot_show_it(boss, story):
    url = reverse("admin:tasks_screenshot_image", args=[story.screenshot.pk])

    assert url in boss.get(reverse("admin:tasks_screenshot_changelist")).content.decode()
    assert url in boss.get(reverse("admin:tasks_screenshot_change", args=[story.screenshot.pk])).content.decode()
    assert Screenshot.objects.count() == 5


def test_a_reports_picture_is_shown_on_its_page_and_in_no_list(boss, db):
    shot = make_class(1, shots=True).reports[0, "sales-total", 1].screenshots.first()
    url = reverse("admin:tasks_screenshot_image", args=[shot.pk])

    assert url not in boss.get(reverse("admin:tasks_screenshot_changelist")).content.decode()
    assert url in boss.get(reverse("admin:tasks_reporeport_change", args=[shot.report_id])).content.decode()
