"""A stranger who asks every address in every way finds no e-mail, no brief, no secret and nothing else of a request.

What is published (the page, the README, the repository) is public by its nature; what a model was asked and who asked for it is not.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import LazySettings, settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from dulwich.repo import Repo

from tasks.hosts import local_store
from tasks.models import CheckResult, Message, Round, Worker
from tests.driver import post, step
from tests.emulators import gemini
from tests.emulators.base import Emulator, Reply, Request
from tests.emulators.gemini import GeminiEmulator
from tests.factories import make_round, make_task, make_version
from tests.security.conftest import ask

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "PRIVATE"
PERSON = "private.person@example.org"
PRIVATE = (MARK, "private.person", "private-host", "test-secret-value", "emulated-gemini-key", "only-for-tests")
PAGE = '<!doctype html>\n<html lang="en">\n<title>Total</title>\n<p id="total-sales">5</p>\n</html>\n'
SECTIONS = {
    "Summary": "Shows a total of the sales that are in the table.",
    "Setup": "None.",
    "Usage": "Open it.",
    "Code": "One page.",
    "License": "MIT.",
}
README = "# Total\n" + "".join(f"\n## {name}\n\n{text}\n" for name, text in SECTIONS.items())
ANSWER = f'<file path="index.html">\n{PAGE}</file>\n<file path="README.md">\n{README}</file>\n'
ACCEPTS = ("application/json", "text/html,application/xhtml+xml", "*/*")
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")


class Echo(Emulator):
    """An evaluator that refuses, and says to whom."""

    def answer(self, request: Request) -> Reply:
        said = request.json()
        return Reply(400, f"no row for {said['email']}, {said['nonce']}".encode(), {"Content-Type": "text/plain"})


def brief(task: str) -> str:
    return f"{MARK} make a page for {PERSON} about {task}, and nobody may know of this sentence."


@pytest.fixture
def told(payload: dict[str, Any], settings: LazySettings, live_server: Any) -> Iterator[dict[str, Round]]:
    """Rounds in every state that a stranger may meet, carried through the real pipeline to the local host where it can bring them there."""
    settings.PUBLIC_URL = live_server.url
    settings.EVALUATE, settings.CHROMIUM_PATH, settings.MAX_REPAIRS = True, "no-browser-here", 0
    checks = [{"js": f"!!document.querySelector('#{MARK}')"}, f"{MARK}.txt exists", f"The README names {MARK}"]
    body = payload | {"email": PERSON, "checks": checks, "extra": {MARK: MARK}}
    rounds: dict[str, Round] = {}
    with GeminiEmulator(reply=lambda _: ANSWER) as model, Echo() as evaluator:
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", model.key, model.url

        def carry(name: str, until: str, **change: Any) -> None:
            round_ = post(
                body | {"task": name, "brief": brief(name), "nonce": f"{MARK}-{name}", "evaluation_url": f"{evaluator.url}/private-host"} | change
            )
            ends = time.monotonic() + 60
            while round_.is_open and not (round_.stage == until and round_.status == "waiting"):
                assert time.monotonic() < ends
                round_ = step(round_)
            rounds[name] = round_

        carry("waits-for-its-evaluator", "notify")
        carry("refused", "")
        carry("lacks-an-attachment", "notify", attachments=[{"name": f"{MARK}.csv", "url": "http://private-host.localhost/x"}])
        model.enqueue(*[gemini.error(400, "INVALID_ARGUMENT", f"{MARK} {PERSON}")] * 3)
        carry("has-a-fallback", "notify", brief="A page.", checks=[])
        model.enqueue(*[gemini.rate_limited("30s")] * 3)
        carry("waits-for-the-model", "generate")
    for stage, error in (("attachments", "internal"), ("publish", "github-refused"), ("evaluate", "secret-leak")):
        task = make_task(email=PERSON, task=f"failed-in-{stage}")
        fields = {"brief": brief(stage), "nonce": MARK, "evaluation_url": f"https://private-host.dev/{MARK}", "extra": {"k": MARK}}
        round_ = make_round(
            task, status="failed", stage=stage, error_id=error, error=f"{MARK} {PERSON}", degraded_id="checks-failed", degraded=MARK, **fields
        )
        round_.version = make_version(round_, raw_answer=MARK, prompt=MARK, notes=MARK)
        round_.save(update_fields=["version"])
        CheckResult.objects.create(round=round_, version=round_.version, kind="page", title=MARK, status="fail", reason=MARK, expression=MARK)
        Message.objects.create(task_request=task, round=round_, sender="x", body=MARK)
        rounds[stage] = round_
    make_round(make_task(email=PERSON, task="overdue"), brief=brief("overdue"), waiting_for=MARK, received_at=timezone.now() - timedelta(hours=1))
    Worker.objects.create(name="w", host="private-host", pid=1)
    settings.GENERATOR = "offline"
    yield rounds


def routes(patterns: list[Any], above: str = "") -> Iterator[str]:
    """Every address of the resolver with its arguments as `<kind:name>`; regular expressions only as far as they are plain."""
    for pattern in patterns:
        route = above + str(pattern.pattern).lstrip("^").removesuffix("\\Z").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "(" not in route:
            yield "/" + route


def filled(route: str, rounds: dict[str, Round]) -> list[str]:
    """The route's addresses: with what is there, and with what is not."""
    choices = {
        "uuid": [str(round_.uuid) for round_ in rounds.values()] + ["00000000-0000-4000-8000-000000000000"],
        "int": [str(next(iter(rounds.values())).pk), "999999"],
    }
    found = [route]
    for argument in re.findall(r"<[^>]+>", route):
        values = choices.get(argument.strip("<>").split(":")[0], [rounds["refused"].task_request.repo_name, "index.html", "nothing"])
        found = [address.replace(argument, value, 1) for address in found for value in values]
    return found


class Stranger:
    """Asks without a session or a key, and looks at everything that comes back."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.answers = 0
        self.found: list[str] = []

    def ask(self, path: str, method: str = "get", accept: str = "*/*", **more: Any) -> Any:
        answer = ask(method, path, headers={"Accept": accept}, **more)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        said = f"{answer.headers}\n{body.decode('utf-8', 'replace')}"
        self.found += [f"{method} {path}: {word} in {said[max(0, said.find(word) - 60) :][:160]!r}" for word in PRIVATE if word in said]
        self.answers += 1
        self.seen[path] = answer.status_code
        return answer, body.decode("utf-8", "replace")

    def crawl(self, begin: list[str], limit: int = 1000) -> None:
        """Every address in `begin` and what its answers lead to, as JSON and as a page."""
        waiting = list(dict.fromkeys(begin))
        while waiting and len(self.seen) < limit:
            path = waiting.pop(0)
            if path in self.seen:
                continue
            for accept in ACCEPTS[:2]:
                _, body = self.ask(path, accept=accept)
                links = re.findall(r"""(?:href|src)=["']([^"'#]+)""", body) + re.findall(rf'"({settings.PUBLIC_URL}[^"\s]*|/[a-z][^"\s<]*)"', body)
                for link in links:
                    parts = urlsplit(urljoin(f"{settings.PUBLIC_URL}{path}", link.replace("&amp;", "&")))
                    if parts.netloc == urlsplit(settings.PUBLIC_URL).netloc and not parts.path.startswith("/static/"):
                        waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))


def test_a_stranger_finds_nothing_of_a_request(told: dict[str, Round]) -> None:
    assert {round_.status for round_ in told.values()} == {"waiting", "failed"}
    assert {round_.stage for round_ in told.values()} >= {"notify", "generate", "publish"}
    everywhere = list(routes(get_resolver().url_patterns))
    addresses = [address for route in everywhere if not route.startswith("/admin/") for address in filled(route, told)]
    repos = [round_.task_request.repo_name for round_ in told.values() if round_.task_request.repo_created]
    addresses += [
        f"/repos/{name}.git{rest}" for name in repos for rest in ("", "/", "/info/refs?service=git-upload-pack", "/HEAD", "/config", "/description")
    ]
    addresses += [f"/status/{round_.uuid}" for round_ in told.values()]
    addresses += [filled(route, told)[0] for route in everywhere if route.startswith("/admin/")]  # it is shut, whatever the record
    assert len(repos) >= 3
    stranger = Stranger()

    stranger.crawl(addresses)

    assert stranger.found == []
    opened = {path for path, status in stranger.seen.items() if status == 200}
    assert {f"/status/{round_.uuid}" for round_ in told.values()} <= opened
    assert {f"/repos/{name}.git" for name in repos} | {f"/pages/{name}/" for name in repos} <= opened
    assert all(status < 500 or path.startswith("/health") for path, status in stranger.seen.items())
    assert [path for path in opened if path.startswith("/admin/") and "login" not in path and "jsi18n" not in path] == []
    assert len(opened) > 30
    assert len([path for path in stranger.seen if path.startswith("/admin/")]) > 50


def test_what_anybody_may_clone_names_nobody(told: dict[str, Round]) -> None:
    for round_ in told.values():
        folder = local_store.locate(round_.task_request.repo_name) if round_.task_request.repo_created else None
        if folder is None:
            continue
        with Repo(str(folder)) as git:
            everything = b"".join(git.object_store[sha].as_raw_string() for sha in git.object_store)
        everything += b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
        assert len(everything) > 1000
        assert [word for word in PRIVATE if word.encode() in everything] == []


def test_no_method_says_more(told: dict[str, Round]) -> None:
    uuid, repo = told["refused"].uuid, told["refused"].task_request.repo_name
    stranger = Stranger()
    for path in (
        "/",
        "/ready",
        "/status",
        f"/status/{uuid}",
        "/health",
        "/logs",
        f"/pages/{repo}/",
        f"/repos/{repo}.git",
        "/nothing",
    ):
        for method in METHODS:
            for accept in ACCEPTS:
                stranger.ask(path, method, accept)
    for parameters in (f"?email={PERSON.replace('private', 'public')}", "?lines=5", "?format=json", "?task=refused", "?key=x", "?_method=PUT"):
        stranger.ask(f"/status{parameters}")
        stranger.ask(f"/logs{parameters}")
    assert stranger.found == []


def test_no_refusal_of_ready_repeats_what_was_sent(payload: dict[str, Any], settings: LazySettings) -> None:
    body = payload | {"email": PERSON, "brief": brief("x"), "nonce": MARK, "checks": [MARK], "extra": MARK, "task": "own"}
    post(body)
    stranger = Stranger()
    bodies: list[Any] = [body | {"secret": "nope"}, body | {"brief": f"{MARK} changed"}, body | {"email": MARK}, body | {"round": MARK}]
    bodies += [{name: value for name, value in body.items() if name != left_out} for left_out in body]
    bodies += [body | {name: [MARK]} for name in body] + [body | {"attachments": [{"name": MARK, "url": MARK}]}, body | {"nonce": MARK * 100}, [MARK]]
    codes = [stranger.ask("/ready", "post", data=json.dumps(item), content_type="application/json")[0].status_code for item in bodies]
    codes += [stranger.ask("/ready", "post", data=f"{{{MARK}", content_type="application/json")[0].status_code]
    codes += [stranger.ask("/ready", "post", data=MARK, content_type="text/plain")[0].status_code]
    assert set(codes) >= {400, 401, 409, 415, 422}
    assert stranger.found == []
    settings.STUDENT_SECRET = ""
    assert stranger.ask("/ready", "post", data=json.dumps(body), content_type="application/json")[0].status_code == 503
    assert stranger.found == []


def test_no_error_page_tells_what_went_wrong(monkeypatch: pytest.MonkeyPatch, payload: dict[str, Any]) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ValueError(f"{MARK} {PERSON} test-secret-value")

    stranger = Stranger()
    for name in ("tasks.api.status.counts", "tasks.hosts.local_store.locate", "tasks.api.ready.accept"):
        monkeypatch.setattr(name, broken)
    for accept in ACCEPTS:
        for path in ("/status", "/", "/pages/x/", "/repos/x.git", "/repos/x.git/info/refs"):
            stranger.ask(path, accept=accept)
        stranger.ask("/ready", "post", accept, data=json.dumps(payload), content_type="application/json")
    assert {status for path, status in stranger.seen.items() if path != "/"} == {500}
    for path, more in (("/nothing/here", {}), ("/status", {"HTTP_HOST": "evil.example"}), (f"/{'x' * 3000}", {}), ("/%ff%00", {})):
        for accept in ACCEPTS:
            assert stranger.ask(path, accept=accept, **more)[0].status_code in {400, 404}
    assert stranger.found == []
