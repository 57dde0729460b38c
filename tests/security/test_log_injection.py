"""Whatever a request or another service says, the log is one JSON object a line, as many as there were events, without secrets."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tasks.logs import MAX_LINE, JsonFormatter, SharedFileHandler
from tasks.models import Round
from tasks.stages.attachments import Stage
from tests.driver import step
from tests.emulators import gemini
from tests.emulators.base import Emulator, Reply, Request
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator
from tests.security.conftest import ask, work_on

FORGED = '{"time": "2027-01-01T00:00:00.000Z", "level": "INFO", "logger": "tasks", "message": "FORGED"}'
HOSTILE = {
    "line breaks": f"a\r\n{FORGED}\n{FORGED}\u2028{FORGED}\u0085{FORGED}",
    "escape sequences": "a\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b31m\b\b\x7f",
    "format strings": "%s%s%n %(secret)s {0.__class__} ${jndi:ldap://127.0.0.1/x} {{7*7}}",
    "directions": "a\u202egnol\u2066\u200b\ufeff",
    "a megabyte": "x\n" * 500_000,
    "JSON": '","level":"CRITICAL","message":"FORGED',
}
EMAIL = "victim.person@example.org"
TOKEN, KEY, SECRET = "canary-Gh7Tk42Zq9xW", "canary-Gm5Kx81Vw3pL", "canary-St9Rv63Yb2nM"


class Log:
    """The log's file, and the count of records that should be in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = 0

    def lines(self) -> list[dict[str, Any]]:
        """Every line, each one looked at."""
        text = self.path.read_bytes().decode("ascii") if self.path.exists() else ""
        raw = text.split("\n")
        assert raw[-1] == ""
        for line in raw[:-1]:
            assert line.isprintable()
            assert len(line) < MAX_LINE
        said = [json.loads(line) for line in raw[:-1]]
        assert len(said) == self.records
        assert all(set(line) <= {"time", "level", "logger", "message", "exception", "round", "stage"} for line in said)
        assert not any(line["message"] == "FORGED" for line in said)
        for secret in (TOKEN, KEY, SECRET):
            assert secret not in text
        return said


@pytest.fixture
def log(tmp_path: Path, settings: LazySettings) -> Iterator[Log]:
    settings.STUDENT_SECRET = SECRET
    found = Log(tmp_path / "app.log")
    handler = SharedFileHandler(str(found.path))
    handler.setFormatter(JsonFormatter())

    class Counter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.records += 1

    root, counter = logging.getLogger(), Counter()
    before = root.level
    root.setLevel("DEBUG")
    root.addHandler(handler)
    root.addHandler(counter)
    yield found
    root.setLevel(before)
    root.removeHandler(handler)
    root.removeHandler(counter)
    handler.close()


def send(payload: dict[str, Any], **headers: str) -> Any:
    return ask("post", "/ready", data=json.dumps(payload), content_type="application/json", headers=headers)


FIELDS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "task": lambda body, evil: body | {"task": evil},
    "nonce": lambda body, evil: body | {"nonce": evil},
    "email": lambda body, evil: body | {"email": evil + EMAIL},
    "secret": lambda body, evil: body | {"secret": evil},
    "round": lambda body, evil: body | {"round": evil},
    "brief": lambda body, evil: body | {"brief": evil},
    "evaluation_url": lambda body, evil: body | {"evaluation_url": f"http://127.0.0.1:9/{evil}"},
    "checks": lambda body, evil: body | {"checks": [evil, {"js": evil}]},
    "attachment's name": lambda body, evil: body | {"attachments": [{"name": evil, "url": "data:,x"}, {"name": evil, "url": "http://10.0.0.1/"}]},
    "attachment's url": lambda body, evil: (
        body | {"attachments": [{"name": "a", "url": f"data:{evil},{evil}"}, {"name": "b", "url": f"http://{evil}"}]}
    ),
    "unknown key": lambda body, evil: body | {evil: evil},
}


@pytest.mark.django_db
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_of_a_request_breaks_the_log(field: str, log: Log, payload: dict[str, Any]) -> None:
    body = {**payload, "secret": SECRET, "email": EMAIL, "evaluation_url": "http://127.0.0.1:9/notify"}
    for number, evil in enumerate(HOSTILE.values()):
        for value in dict.fromkeys((evil, evil[:150])):  # the second is short enough to be taken
            answer = send(FIELDS[field](body | {"nonce": f"n{number}"}, value))
            assert answer.status_code in {200, 401, 409, 413, 422, 429}
            assert answer.json()
    rounds = list(Round.objects.all())
    for round_ in rounds:
        Stage().run(work_on(round_))
    assert len(rounds) > 2 or field in {"round", "secret", "evaluation_url"}
    assert EMAIL not in json.dumps(log.lines())


@pytest.mark.django_db
def test_no_header_and_no_path_breaks_the_log(log: Log) -> None:
    for evil in (text for name, text in HOSTILE.items() if name != "a megabyte"):
        value = evil.encode("utf-8").decode("latin-1")
        for name in ("User-Agent", "Host", "X-Forwarded-For", "X-API-KEY", "Content-Type", "Accept", "Cookie", "Referer", "Authorization", "Origin"):
            ask("get", "/status", headers={name: value})
            ask("post", "/ready", data=b"{", content_type="application/json", headers={name: value})
        for path in ("/", "/status/", "/pages/", "/repos/", "/admin/", "/logs?lines="):
            assert ask("get", path + evil.replace("\n", "%0A").replace("\r", "%0D")).status_code < 500
    assert any("HTTP_HOST" in line["message"] for line in log.lines())  # Django's own complaint, so that there is something to look at


class Teapot(Emulator):
    """An evaluator that refuses with a text of its own, which repeats what it was sent."""

    text = ""

    def answer(self, request: Request) -> Reply:
        return Reply(400, f"{self.text} {request.body.decode()}".encode(), {"Content-Type": "text/plain"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("text", ["".join(HOSTILE.values())[:2000], HOSTILE["a megabyte"]], ids=["everything", "a megabyte"])
def test_no_answer_of_another_service_breaks_the_log(text: str, log: Log, payload: dict[str, Any], settings: LazySettings) -> None:
    with GitHubEmulator(token=TOKEN) as github, GeminiEmulator(key=KEY) as model, Teapot() as evaluator:
        for name, value in github.django_settings().items():
            setattr(settings, name, value)
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT, settings.EVALUATE = "gemini", KEY, model.url, False
        model.enqueue(gemini.error(400, text[:5000], f"{text} {KEY} key={KEY}"), gemini.error(403, "PERMISSION_DENIED", f"{text} {KEY}"))
        model.reply = lambda _: f'<file path="index.html">\n<title>{text[:200]}</title>\n</file>\n<file path="{text[:500]}.txt">\n{text}\n</file>\n'
        refusal = json.dumps({"message": f"{text} Bearer {TOKEN} {TOKEN}", "errors": [{"message": text}]}).encode()
        github.fault("POST", r"/user/repos", 1, "status", status=422, body=refusal)
        evaluator.text = text
        answer = send({**payload, "secret": SECRET, "email": EMAIL, "evaluation_url": f"{evaluator.url}/notify", "attachments": []})
        round_ = Round.objects.get(uuid=answer.json()["id"])
        ends = time.monotonic() + 60
        while round_.is_open and time.monotonic() < ends:
            round_ = step(round_)
        assert round_.status == "failed"
        if round_.stage == "publish":  # once more, as far as the evaluator
            Round.objects.filter(pk=round_.pk).update(status="queued", error="", error_id="", stage="publish")
            round_ = step(round_)
            while round_.is_open and time.monotonic() < ends:
                round_ = step(round_)
    assert (round_.stage, round_.error_id) == ("notify", "notification-refused")
    lines = log.lines()
    assert [line["round"] for line in lines if line["level"] == "ERROR" and "failed in notify" in line["message"]] == [round_.pk]


@pytest.mark.django_db(transaction=True)
def test_a_failure_of_our_own_is_one_line_too(log: Log, payload: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    evil = f"{HOSTILE['line breaks']}{HOSTILE['escape sequences']} {SECRET}"

    def broken(*args: Any) -> None:
        raise ValueError(evil)

    monkeypatch.setattr("tasks.stages.attachments.Stage.run", broken)
    answer = send({**payload, "secret": SECRET})
    step(Round.objects.get(uuid=answer.json()["id"]))
    (line,) = [line for line in log.lines() if "exception" in line]
    assert line["exception"].count("FORGED") >= 1
    assert "\n" in line["exception"]
