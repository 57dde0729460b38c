"""A generated page, and every other address that gives out bytes from outside, in a browser that is logged in to the admin: they get nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Error, Page, Route

from tasks.models import Attachment, CodeVersion, GeneratedFile, Round, Screenshot
from tests.admin.conftest import Story, tell
from tests.hosts.sites import publish
from tests.security.chromium import needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium, pytest.mark.django_db(transaction=True)]

EVIL = (Path(__file__).parent / "evil.html").read_text(encoding="utf-8")
ATTEMPTS = 30
# What a page of the admin's own origin gets: the proof that the attempts work. The rest needs a frame, an opener, or is counted in the database.
OPEN_TO_ITS_OWN = {"set cookie", "localStorage", "sessionStorage", "indexedDB", "caches", "service worker"}
OPEN_TO_ITS_OWN |= {"fetch", "fetch with cookies", "xhr", "script", "picture", "status with cookies", "logs with cookies"}
MARKUP = b"<!doctype html><script>document.title = 'ran'; fetch('/admin/').then(() => { document.title = 'fetched'; })</script><h1>markup</h1>"
DRAWING = b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.documentElement.setAttribute('ran', 1)</script></svg>"


@pytest.fixture
def story(settings, tmp_path, live_server) -> Story:
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = live_server.url
    told = tell()
    Round.objects.update(status="failed")
    return told


@pytest.fixture
def evil(story) -> str:
    """The page, published by the local host under `/pages/evil/`."""
    words = {
        "round": reverse("admin:tasks_round_change", args=[story.round.pk]).removesuffix("change/"),
        "picture": reverse("admin:tasks_screenshot_image", args=[story.screenshot.pk]),
        "download": reverse("admin:tasks_attachment_download", args=[story.attachment.pk]),
    }
    page = EVIL
    for word, value in words.items():
        page = page.replace("{{" + word + "}}", value)
    publish("evil", {"index.html": page.encode(), "worker.js": b"onconnect = (e) => e.ports[0].postMessage('hello')", "stolen.html": b"stolen"})
    return page


@pytest.fixture
def boss(chromium, live_server, story) -> Iterator[BrowserContext]:
    """A browser profile that is logged in to the admin."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    cookie = client.cookies[project.SESSION_COOKIE_NAME]
    context = chromium.new_context()
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url, "httpOnly": True, "sameSite": "Lax"}])
    assert context.request.get(f"{live_server.url}{reverse('admin:index')}", max_redirects=0).status == 200
    yield context
    context.close()


def got(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate("window.finished")
    assert page.evaluate("window.tried.length") == ATTEMPTS
    return found


def test_a_published_page_gets_nothing_of_the_admin(boss, live_server, evil):
    page = boss.new_page()
    page.goto(f"{live_server.url}/pages/evil/")

    assert got(page) == {}
    assert [cookie["value"] for cookie in boss.cookies() if cookie["name"] == "sessionid"] != ["fixed"]
    assert Round.objects.get().status == "failed"


def test_nor_does_it_from_the_preview_on_its_rounds_page(boss, live_server, evil, story):
    for row in (story.round.task_request, story.deployment):
        type(row).objects.filter(pk=row.pk).update(pages_url=f"{live_server.url}/pages/evil/")
    page = boss.new_page()
    page.goto(f"{live_server.url}{reverse('admin:tasks_round_change', args=[story.round.pk])}#preview")
    page.wait_for_selector("iframe.d-preview")
    frame = page.query_selector("iframe.d-preview").content_frame()
    frame.wait_for_function("window.finished")

    assert got(frame) == {}
    assert "/admin/tasks/round/" in page.url
    assert Round.objects.get().status == "failed"


def test_the_same_page_on_the_admins_own_origin_would_get_it(boss, live_server, evil):
    """Without the headers that published pages have: what the attempts are worth."""

    def unguarded(route: Route) -> None:
        route.fulfill(body=evil, content_type="text/html")

    page = boss.new_page()
    page.route("**/control/", unguarded)
    page.goto(f"{live_server.url}/control/")

    assert set(got(page)) >= OPEN_TO_ITS_OWN


# -- other addresses that give out what somebody sent or a model wrote -----------------------------------------------------------------


@pytest.mark.parametrize("content", [MARKUP, DRAWING], ids=["html", "svg"])
@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "page.xhtml", "page", "page.png", "page.html.txt"])
def test_a_file_is_kept_and_not_shown(boss, live_server, story, name, content):
    GeneratedFile.objects.filter(version=story.version, path="index.html").update(content=content, path=name)
    Attachment.objects.filter(pk=story.attachment.pk).update(content=content, path=name, media_type="text/html", declared_type="image/svg+xml")
    page = boss.new_page()
    for row in (GeneratedFile.objects.get(version=story.version, path=name), story.attachment):
        url = reverse(f"admin:tasks_{row._meta.model_name}_download", args=[row.pk])
        with page.expect_download() as kept:
            page.evaluate("url => { location.href = url }", f"{live_server.url}{url}")
        assert Path(kept.value.path()).read_bytes() == content
        assert page.url == "about:blank"


@pytest.mark.parametrize(
    ("media_type", "content", "status"),
    [
        ("text/html", MARKUP, 415),
        ("image/svg+xml", DRAWING, 415),
        ("image/png; text/html", MARKUP, 415),
        ("image/png", MARKUP, 200),
        ("image/png", DRAWING, 200),
    ],
)
def test_a_picture_is_a_picture_or_nothing(boss, live_server, story, media_type, content, status):
    Screenshot.objects.filter(pk=story.screenshot.pk).update(media_type=media_type, content=content)
    page = boss.new_page()

    answer = page.goto(f"{live_server.url}{reverse('admin:tasks_screenshot_image', args=[story.screenshot.pk])}")
    page.wait_for_timeout(100)

    assert answer.status == status
    assert page.title() not in ("ran", "fetched")
    assert page.query_selector("h1, [ran]") is None


def test_a_raw_answer_a_prompt_and_a_file_are_shown_as_text(boss, live_server, story):
    CodeVersion.objects.filter(pk=story.version.pk).update(raw_answer=MARKUP.decode(), prompt=MARKUP.decode())
    GeneratedFile.objects.filter(version=story.version, path="index.html").update(content=MARKUP)
    page = boss.new_page()

    page.goto(f"{live_server.url}{reverse('admin:tasks_codeversion_change', args=[story.version.pk])}")

    assert page.title() not in ("ran", "fetched")
    assert page.text_content("#text-answer") == page.text_content("#text-prompt") == MARKUP.decode()
    assert page.query_selector("h1:text('markup')") is None


@pytest.mark.parametrize("file", ["index.html", "drawing.svg", "404"])
def test_a_published_file_of_any_kind_has_an_origin_of_its_own(boss, live_server, story, file):
    publish("kinds", {"index.html": MARKUP, "drawing.svg": DRAWING, "404.html": MARKUP})
    page = boss.new_page()

    page.goto(f"{live_server.url}/pages/kinds/{file}")

    assert page.evaluate("self.origin") == "null"
    with pytest.raises(Error, match="sandboxed"):
        page.evaluate("document.cookie")
