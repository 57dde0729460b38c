"""Repositories of the local host can be seen in a browser and cloned with git, and written by nobody."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.test import Client

from tasks.hosts import get_host
from tests.hosts.sites import GIT, git, publish

pytestmark = pytest.mark.urls("tests.api.pages_urls")
needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")
REQUEST = "application/x-git-upload-pack-request"
SITE = {"index.html": b"<h1>Hello</h1>", "data/sales.csv": b"a,1\n" * 500, "a<b>.txt": b"1"}


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.PUBLIC_URL = "http://host.example"
    return settings.DATA_DIR


def packet(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


def wants(sha: str, rest: bytes = b"") -> bytes:
    return packet(f"want {sha} side-band-64k thin-pack ofs-delta no-progress\n".encode()) + rest + b"0000" + packet(b"done\n")


# -- for people ------------------------------------------------------------------------------------------------------------------------


def test_a_browser_sees_how_to_clone_the_files_and_the_commits(client: Client) -> None:
    publish("demo", SITE, "Build the page")
    _, second = publish("demo", {**SITE, "new.txt": b"new"}, "Add <new> file\n\nMore words.")
    response = client.get("/repos/demo.git")
    page = response.content.decode()
    assert response.status_code == 200
    assert "git clone http://host.example/repos/demo.git" in page
    assert '<a href="/pages/demo/">Open the page</a>' in page
    assert '<a href="/pages/demo/data/sales.csv">data/sales.csv</a>' in page
    assert "a&lt;b&gt;.txt" in page
    assert second.sha[:10] in page
    assert page.index("Add &lt;new&gt; file") < page.index("Build the page")
    assert "More words" not in page
    assert "deployer:" not in page


def test_the_page_shows_the_last_twenty_commits(client: Client) -> None:
    for number in range(22):
        publish("demo", {"n.txt": str(number).encode()}, f"Commit {number}.")
    page = client.get("/repos/demo.git/").content.decode()
    assert [f"Commit {number}." in page for number in (0, 1, 2, 21)] == [False, False, True, True]


def test_a_repository_without_a_commit_says_what_comes_next(client: Client) -> None:
    get_host("local").ensure_repo("fresh", description="d", marker="m", known=False)
    response = client.get("/repos/fresh.git")
    assert response.status_code == 200
    assert b"No file yet" in response.content


def test_the_page_runs_no_script_and_sets_no_cookie(client: Client) -> None:
    publish("demo", SITE)
    response = client.get("/repos/demo.git")
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert b"<script" not in response.content
    assert not response.cookies


@pytest.mark.parametrize("path", ["/repos/none.git", "/repos/...git", "/repos/%2e%2e.git", "/repos/demo%00.git", "/repos/demo.git.git"])
def test_an_unknown_repository_is_a_404_page(client: Client, path: str) -> None:
    publish("demo", SITE)
    response = client.get(path)
    assert response.status_code == 404
    assert b"No such repository" in response.content


def test_the_page_can_only_be_read() -> None:
    publish("demo", SITE)
    response = Client(enforce_csrf_checks=True).post("/repos/demo.git")
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")


# -- for git ---------------------------------------------------------------------------------------------------------------------------


@needs_git
def test_git_clones_the_last_commit_byte_for_byte(live_server, tmp_path: Path) -> None:
    _, made = publish("demo", SITE)
    git("clone", f"{live_server.url}/repos/demo.git", "copy", cwd=tmp_path)
    copy = tmp_path / "copy"
    assert git("rev-parse", "HEAD", cwd=copy).stdout.strip() == made.sha
    assert git("branch", "--show-current", cwd=copy).stdout.strip() == "main"
    assert {path: (copy / path).read_bytes() for path in SITE} == SITE
    git("fsck", "--strict", "--full", cwd=copy)


@needs_git
def test_git_fetches_what_was_committed_since(live_server, tmp_path: Path) -> None:
    publish("demo", SITE)
    git("clone", f"{live_server.url}/repos/demo.git", "copy", cwd=tmp_path)
    _, second = publish("demo", {"index.html": b"2"}, "Second")
    git("pull", "--ff-only", cwd=tmp_path / "copy")
    assert git("rev-parse", "HEAD", cwd=tmp_path / "copy").stdout.strip() == second.sha
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == [".git", "index.html"]


@needs_git
def test_git_compresses_a_long_request_and_is_understood(live_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("demo", SITE)
    git("clone", f"{live_server.url}/repos/demo.git", "copy", cwd=tmp_path)
    copy = tmp_path / "copy"
    newer = range(1_900_000_000, 1_900_000_060)  # git offers the newest commits first, so it asks often before it names one that we know
    mine = "".join(f"commit refs/heads/mine\ncommitter T <t@example.org> {when} +0000\ndata 1\nx\n" for when in newer)
    git("fast-import", "--quiet", cwd=copy, stdin=mine)
    _, second = publish("demo", {"index.html": b"2"}, "Second")
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    done = git("fetch", "origin", cwd=copy)
    assert "content-encoding: gzip" in done.stderr.lower()
    assert git("rev-parse", "origin/main", cwd=copy).stdout.strip() == second.sha


@needs_git
def test_git_clones_a_part_of_the_history_and_deepens_it(live_server, tmp_path: Path) -> None:
    for number in range(6):
        publish("demo", {"n.txt": str(number).encode()}, f"Commit {number}")
    git("clone", "--depth", "2", f"{live_server.url}/repos/demo.git", "copy", cwd=tmp_path)
    counts = [git("rev-list", "--count", "HEAD", cwd=tmp_path / "copy").stdout.strip()]
    for depth in (["--depth", "4"], ["--unshallow"]):
        git("fetch", *depth, cwd=tmp_path / "copy")
        counts.append(git("rev-list", "--count", "HEAD", cwd=tmp_path / "copy").stdout.strip())
    assert counts == ["2", "4", "6"]


@needs_git
def test_a_partial_clone_gets_everything(live_server, tmp_path: Path) -> None:
    publish("demo", SITE)
    git("clone", "--filter=blob:none", f"{live_server.url}/repos/demo.git", "copy", cwd=tmp_path)
    assert (tmp_path / "copy" / "index.html").read_bytes() == SITE["index.html"]


@needs_git
def test_an_empty_repository_can_be_cloned(live_server, tmp_path: Path) -> None:
    get_host("local").ensure_repo("fresh", description="d", marker="m", known=False)
    assert "empty repository" in git("clone", f"{live_server.url}/repos/fresh.git", "copy", cwd=tmp_path).stderr


@needs_git
def test_git_cannot_push_and_reads_why(live_server, tmp_path: Path) -> None:
    _, made = publish("demo", SITE)
    git("clone", f"{live_server.url}/repos/demo.git", "copy", cwd=tmp_path)
    done = git("push", "origin", "HEAD:refs/heads/other", cwd=tmp_path / "copy", check=False)
    assert done.returncode != 0
    assert "read-only" in done.stderr
    assert git("ls-remote", f"{live_server.url}/repos/demo.git", cwd=tmp_path).stdout == f"{made.sha}\tHEAD\n{made.sha}\trefs/heads/main\n"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/repos/demo.git/info/refs?service=git-receive-pack", 403),
        ("post", "/repos/demo.git/git-receive-pack", 403),
        ("get", "/repos/demo.git/info/refs", 403),
        ("get", "/repos/demo.git/info/refs?service=git-upload-archive", 403),
        ("post", "/repos/demo.git/info/refs?service=git-upload-pack", 404),
        ("get", "/repos/demo.git/git-upload-pack", 404),
        ("get", "/repos/demo.git/HEAD", 404),
        ("get", "/repos/demo.git/deployer.lock", 404),
        ("get", "/repos/demo.git/objects/info/packs", 404),
        ("get", "/repos/demo.git/../../secret_key", 404),
        ("get", "/repos/none.git/info/refs?service=git-upload-pack", 404),
        ("post", "/repos/none.git/git-upload-pack", 404),
    ],
)
def test_only_a_clone_or_a_fetch_is_answered(method: str, path: str, status: int) -> None:
    publish("demo", SITE)
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert (response.status_code, response["Content-Type"]) == (status, "text/plain; charset=utf-8")


def test_a_compressed_request_is_answered_like_a_plain_one(client: Client) -> None:
    _, made = publish("demo", SITE)
    plain = client.post("/repos/demo.git/git-upload-pack", wants(made.sha), content_type=REQUEST)
    packed = client.post(
        "/repos/demo.git/git-upload-pack", gzip.compress(wants(made.sha)), content_type=REQUEST, headers={"content-encoding": "gzip"}
    )
    assert b"PACK" in plain.content
    assert (packed.status_code, packed.content, packed["Content-Type"]) == (200, plain.content, "application/x-git-upload-pack-result")


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(b"\0" * 50_000_000), "gzip", 413),
        (b"0" * (4 * 1024 * 1024 + 1), "identity", 413),
        (b"zzzz", "identity", 400),
        (b"0000", "identity", 200),
        (wants("0" * 40), "identity", 400),
        (wants("not-a-sha"), "identity", 400),
        (packet(b"want "), "identity", 400),
    ],
)
def test_a_strange_request_is_refused_or_has_an_empty_answer(client: Client, body: bytes, encoding: str, status: int) -> None:
    publish("demo", SITE)
    response = client.generic("POST", "/repos/demo.git/git-upload-pack", body, content_type=REQUEST, headers={"content-encoding": encoding})
    assert response.status_code == status


def test_a_request_of_another_type_is_refused(client: Client) -> None:
    _, made = publish("demo", SITE)
    assert client.post("/repos/demo.git/git-upload-pack", wants(made.sha), content_type="text/plain").status_code == 415
