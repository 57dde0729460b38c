"""Published pages are served as GitHub Pages would, and can reach nothing but their own files."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tasks.browser import find_chromium
from tasks.browser.chromium import CURE
from tasks.hosts import get_host
from tasks.hosts.base import blob_sha
from tests.hosts.sites import publish

pytestmark = pytest.mark.urls("tests.api.pages_urls")

SANDBOX = "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads"
SITE = {
    "index.html": "<!doctype html><title>Été</title>".encode(),
    "style.css": b"h1 {}",
    "app.js": b"1",
    "mod.mjs": b"export {}",
    "data.json": b"{}",
    "data.csv": b"a,1\n",
    "README.md": b"# Site",
    "uid.txt": b"42",
    "icon.svg": b"<svg/>",
    "engine.wasm": b"\0asm",
    "photo.PNG": b"\x89PNG",
    "LICENSE": b"MIT",
    "blob": b"\0\1",
    "about.html": b"about",
    "docs/index.html": b"docs",
    "docs/page two.html": b"two",
    ".nojekyll": b"",
}
CHROMIUM = find_chromium()


@pytest.fixture(autouse=True)
def site(settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    publish("demo", SITE)


# -- what is served --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("", "index.html"),
        ("index.html", "index.html"),
        ("docs/", "docs/index.html"),
        ("docs/page%20two.html", "docs/page two.html"),
        ("about", "about.html"),
        ("docs/page%20two", "docs/page two.html"),
        (".nojekyll", ".nojekyll"),
        ("uid.txt?v=123", "uid.txt"),
    ],
)
def test_an_address_is_answered_with_the_file_that_github_pages_would_choose(client: Client, path: str, file: str) -> None:
    response = client.get(f"/pages/demo/{path}")
    assert response.status_code == 200
    assert response.content == SITE[file]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("mod.mjs", "text/javascript; charset=utf-8"),
        ("data.json", "application/json; charset=utf-8"),
        ("data.csv", "text/csv; charset=utf-8"),
        ("README.md", "text/markdown; charset=utf-8"),
        ("uid.txt", "text/plain; charset=utf-8"),
        ("icon.svg", "image/svg+xml; charset=utf-8"),
        ("engine.wasm", "application/wasm"),
        ("photo.PNG", "image/png"),
        ("LICENSE", "text/plain; charset=utf-8"),
        ("blob", "application/octet-stream"),
    ],
)
def test_a_file_has_the_type_of_its_ending(client: Client, file: str, kind: str) -> None:
    assert client.get(f"/pages/demo/{file}")["Content-Type"] == kind


@pytest.mark.parametrize(
    ("path", "location"),
    [("/pages/demo", "/pages/demo/"), ("/pages/demo?a=1&b=%2F", "/pages/demo/?a=1&b=%2F"), ("/pages/demo/docs", "/pages/demo/docs/")],
)
def test_a_folder_without_its_slash_is_redirected(client: Client, path: str, location: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (301, location)


def test_a_new_commit_is_served_at_once(client: Client) -> None:
    publish("demo", {"index.html": b"second"})
    assert client.get("/pages/demo/").content == b"second"
    assert client.get("/pages/demo/style.css").status_code == 404


# -- what is not ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/pages/none/",
        "/pages/none",
        "/pages/demo/missing",
        "/pages/demo/docs/missing/",
        "/pages/demo/index.html/",
        "/pages/demo//",
        "/pages/demo//index.html",
        "/pages/demo/./index.html",
        "/pages/demo/../demo.git/HEAD",
        "/pages/demo/..%2fdemo.git%2fHEAD",
        "/pages/demo/%2e%2e/demo.git/HEAD",
        "/pages/demo/%252e%252e/demo.git/HEAD",
        "/pages/demo/%252e%252e%252fHEAD",
        "/pages/demo/index.html%00",
        "/pages/demo/%00",
        "/pages/demo/%ff",
        "/pages/demo/..%5c..%5cHEAD",
        "/pages/demo/HEAD",
        "/pages/demo/.git/HEAD",
        "/pages/demo.git/HEAD",
        "/pages/../",
        "/pages/..%2frepos%2fdemo/",
        "/pages/%2e/index.html",
        "/pages/demo%00/",
        "/pages/DEMO%20/",
        "/pages//demo/index.html",
        "/pages/C:%5cWindows/",
    ],
)
def test_nothing_outside_the_commit_is_served(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert b"ref: refs" not in response.content
    assert SITE["index.html"] not in response.content


def test_dots_sent_raw_over_the_wire_stay_inside(live_server, settings) -> None:
    address = urlsplit(live_server.url)
    for path in (
        "/pages/demo/../../repos/demo.git/HEAD",
        "/pages/../deployer.sqlite3",
        "/pages/demo/%2e%2e/%2e%2e/secret_key",
        "/pages/demo/\\..\\x",
    ):
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()


def test_an_unknown_site_is_a_page_that_repeats_its_name_harmlessly(client: Client) -> None:
    response = client.get("/pages/%3Cscript%3Ealert(1)%3C/")
    assert response.status_code == 404
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert b"<script" not in response.content
    assert b"&lt;script" in response.content


def test_a_site_without_a_commit_is_not_there_yet(client: Client) -> None:
    get_host("local").ensure_repo("fresh", description="d", marker="m", known=False)
    response = client.get("/pages/fresh/")
    assert response.status_code == 404
    assert b"Nothing published yet" in response.content


def test_a_site_may_bring_its_own_404_page(client: Client) -> None:
    publish("demo", {**SITE, "404.html": b"<h1>lost</h1>"})
    response = client.get("/pages/demo/missing")
    assert (response.status_code, response.content, response["Content-Type"]) == (404, b"<h1>lost</h1>", "text/html; charset=utf-8")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_are_refused_as_a_problem(method: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)("/pages/demo/")
    assert (response.status_code, response["Allow"], response["Content-Type"]) == (405, "GET, HEAD", "application/problem+json")
    assert response.json()["status"] == 405


# -- headers ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/pages/demo/", 200),
        ("head", "/pages/demo/data.csv", 200),
        ("get", "/pages/demo", 301),
        ("get", "/pages/demo/missing", 404),
        ("get", "/pages/none/", 404),
        ("post", "/pages/demo/", 405),
    ],
)
def test_every_answer_is_sandboxed_open_to_its_own_scripts_and_free_of_cookies(client: Client, method: str, path: str, status: int) -> None:
    client.cookies["sessionid"] = "somebody"
    response = getattr(client, method)(path)
    assert response.status_code == status
    assert response["Content-Security-Policy"] == SANDBOX
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "no-cache"
    assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert "X-Frame-Options" not in response
    assert "Vary" not in response
    assert not response.cookies


def test_an_unchanged_file_is_not_sent_again(client: Client) -> None:
    etag = f'"{blob_sha(SITE["data.csv"])}"'
    assert client.get("/pages/demo/data.csv")["ETag"] == etag
    response = client.get("/pages/demo/data.csv", headers={"if-none-match": f'"other", W/{etag}'})
    assert (response.status_code, response.content, response["ETag"], response["Content-Security-Policy"]) == (304, b"", etag, SANDBOX)
    assert client.get("/pages/demo/data.csv", headers={"if-none-match": '"other"'}).status_code == 200


def test_head_tells_the_length_and_sends_nothing(client: Client) -> None:
    response = client.head("/pages/demo/data.csv")
    assert (response.status_code, response.content, response["Content-Length"]) == (200, b"", "4")
    assert response["ETag"] == f'"{blob_sha(SITE["data.csv"])}"'


# -- in a browser ------------------------------------------------------------------------------------------------------------------------

PAGE = b"""<!doctype html><title>waiting</title><link rel="stylesheet" href="style.css"><h1 id="data"></h1><p id="cookie"></p><p id="storage"></p>
<script type="module" src="mod.mjs"></script>
<script>
const show = (id, text) => { document.getElementById(id).textContent = text }
const attempt = (id, action) => { try { show(id, "read " + action()) } catch (error) { show(id, error.name) } }
attempt("cookie", () => document.cookie)
attempt("storage", () => localStorage.length)
fetch("data.csv").then(answer => answer.text()).then(text => show("data", text))
</script>"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=CURE)
def test_a_page_runs_its_module_and_reads_its_data_but_no_cookie(live_server) -> None:
    publish("demo", {"index.html": PAGE, "mod.mjs": b"document.title = 'module ran'", "data.csv": b"a,1", "style.css": b""})
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=4000", "--dump-dom"]
    done = subprocess.run([str(CHROMIUM), *flags, f"{live_server.url}/pages/demo/"], capture_output=True, text=True, timeout=60)
    assert "<title>module ran</title>" in done.stdout
    assert '<h1 id="data">a,1</h1>' in done.stdout
    assert '<p id="cookie">SecurityError</p>' in done.stdout
    assert '<p id="storage">SecurityError</p>' in done.stdout
