"""The site is answered by the rules of GitHub Pages."""

from __future__ import annotations

import pytest

from tasks.browser.site import File, Site

HTML = "text/html; charset=utf-8"
SITE = Site(
    "my-repo",
    {
        "index.html": File(HTML, b"home"),
        "about.html": File(HTML, b"about"),
        "docs/index.html": File(HTML, b"docs"),
        "a b/é.txt": File("text/plain; charset=utf-8", b"odd"),
        "Data.csv": File("text/csv; charset=utf-8", b"1,2"),
    },
)


def answer(resource: str, method: str = "GET", site: Site = SITE) -> tuple[int, dict[str, str], bytes]:
    head, _, body = site.answer(method, resource).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("resource", "status", "body"),
    [
        ("/my-repo/", 200, b"home"),
        ("/my-repo/?v=1", 200, b"home"),
        ("/my-repo/index.html", 200, b"home"),
        ("/my-repo/about", 200, b"about"),
        ("/my-repo/docs/", 200, b"docs"),
        ("/my-repo/a%20b/%C3%A9.txt", 200, b"odd"),
        ("/my-repo/Data.csv", 200, b"1,2"),
        ("/my-repo/data.csv", 404, None),
        ("/my-repo/none/", 404, None),
        ("/my-repo/../index.html", 404, None),
        ("/index.html", 404, None),
        ("/", 404, None),
        ("/other/index.html", 404, None),
    ],
)
def test_a_path_is_found_as_there(resource: str, status: int, body: bytes | None) -> None:
    got = answer(resource)
    assert got[0] == status
    assert body is None or got[2] == body


@pytest.mark.parametrize(("resource", "to"), [("/my-repo", "/my-repo/"), ("/my-repo/docs?x=1", "/my-repo/docs/?x=1")])
def test_a_folder_without_its_slash_is_redirected(resource: str, to: str) -> None:
    status, headers, _ = answer(resource)
    assert (status, headers["Location"]) == (301, to)


def test_the_sites_own_404_page_is_shown() -> None:
    site = Site("r", {"404.html": File(HTML, b"lost")})
    assert answer("/r/none", site=site)[::2] == (404, b"lost")


def test_head_has_the_length_and_no_body() -> None:
    status, headers, body = answer("/my-repo/", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "4", b"")


def test_a_page_cannot_be_posted_to() -> None:
    assert answer("/my-repo/", "POST")[0] == 405
