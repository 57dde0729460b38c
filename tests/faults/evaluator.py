"""The evaluator: away, busy, refusing, redirecting, lying. Exactly 200 is success, and nobody is asked twice who has said it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from tasks.models import NotificationAttempt, Round
from tasks.retry import REFUSED_TRIES
from tests.emulators.base import Reply, json_reply
from tests.faults.cells import FOR_EVER, TEN_MINUTES, Cell, Ends, Waits
from tests.faults.world import NOON, World

OK = b'{"status": "ok"}'
HTML = Reply(503, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})
REFUSED = Ends("failed", "notification-refused", told=False)
GIVEN_UP = Ends("failed", "notification-given-up", told=False)


def says(status: int, reason: str = "", **headers: str) -> Reply:
    return json_reply({"reason": reason or f"scripted {status}"}, status, {name.replace("_", "-"): value for name, value in headers.items()})


def cell(fault: str, start: Callable[[World], None], words: str, *, place: str = "notify", seconds: float = 1.0, **more: Any) -> Cell:
    return Cell("evaluator", place, fault, start, Waits("notify", "", seconds, words) if words else None, **more)


def answers(fault: str, *replies: Reply, words: str = "", **more: Any) -> Cell:
    """These answers, and 200 afterwards (or when it is lifted)."""
    return cell(fault, lambda world: world.trouble(world.judge, *replies), words or f"answered {replies[0].status}", **more)


def taken(fault: str, reply: Reply) -> Cell:
    """An answer 200, whatever is wrong with the rest of it: delivered, and not sent again."""
    return cell(fault, lambda world: world.trouble(world.judge, reply), "", place="answer-200", also=sent_once, limit=1.0)


def sent_once(world: World, round_: Round) -> None:
    assert len(world.judge.bodies) == 1


def never_sent(world: World, round_: Round) -> None:
    assert world.judge.requests == []


def sent_twice(world: World, round_: Round) -> None:
    """The same notification, with the same id, so that the evaluator can tell."""
    first, second = (request for request in world.judge.requests if request.method == "POST")
    assert first.json() == second.json()
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(round_.uuid)


def tried(times: int) -> Callable[[World, Round], None]:
    def also(world: World, round_: Round) -> None:
        assert len(world.judge.bodies) == times
        attempts = NotificationAttempt.objects.filter(round=round_).order_by("id")
        assert [attempt.number for attempt in attempts] == list(range(1, times + 1))
        assert "scripted" in round_.error or round_.status == "succeeded"

    return also


def not_followed(world: World, round_: Round) -> None:
    assert {request.path for request in world.judge.requests} == {"/notify"}


# -- away ------------------------------------------------------------------------------------------------------------------------------


def down(world: World) -> None:
    """Its port refuses connections until it is started."""
    world.judge_is_away = True
    world.until_lifted(world.wake_judge)


def unknown(world: World) -> None:
    """Its name is found nowhere, and later it is."""
    resolve(world, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))


def no_resolver(world: World) -> None:
    resolve(world, socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))


def private(world: World) -> None:
    """Its name leads into the operator's network: nothing is sent there."""
    world.settings.ALLOWED_PRIVATE_HOSTS = []
    resolve(world, None)


def resolve(world: World, failure: OSError | None) -> None:
    """A name for the evaluator, which cannot be resolved until it is lifted."""
    real, failures = socket.getaddrinfo, [failure]

    def getaddrinfo(host: str, *rest: Any, **more: Any) -> list[Any]:
        if host == "evaluator.test" and failures and failures[0]:
            raise failures[0]
        return real("127.0.0.1" if host == "evaluator.test" else host, *rest, **more)

    world.patch.setattr(socket, "getaddrinfo", getaddrinfo)
    world.until_lifted(failures.clear)
    world.evaluation_url = world.evaluation_url.replace("127.0.0.1", "evaluator.test")


def in_seconds(seconds: float) -> str:
    return format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)


REDIRECT = {"Location": "/elsewhere", "Content-Type": "text/html"}

CELLS: list[Cell] = [
    # away, and back
    cell("refuses-connections", down, "refused the connection", lasts=30.0),
    cell("refuses-connections", down, "refused the connection", lasts=TEN_MINUTES),
    cell("refuses-connections", down, "refused the connection", lasts=6 * 3600.0, back=4 * 3600.0),
    cell("refuses-connections", down, "refused the connection", lasts=FOR_EVER, ends=GIVEN_UP),
    cell("unknown-name", unknown, "could not be found (DNS)", lasts=30.0),
    cell("unknown-name", unknown, "could not be found (DNS)", lasts=TEN_MINUTES),
    cell("no-resolver", no_resolver, "could not be found (DNS)", lasts=TEN_MINUTES),
    answers("reset-after-body", Reply(fault="reset"), words="broke off", also=sent_twice),
    answers("reset-after-body", Reply(fault="reset"), words="broke off", lasts=TEN_MINUTES),
    answers("hang", Reply(fault="hang"), words="did not answer in full", limit=1.0, also=sent_twice),
    answers("hang", Reply(fault="hang"), words="did not answer in full", lasts=TEN_MINUTES, limit=0.2),
    # busy
    *(answers(str(status), says(status)) for status in (500, 502, 503, 504)),
    *(answers(str(status), says(status), lasts=TEN_MINUTES) for status in (500, 503)),
    answers("500", says(500), lasts=FOR_EVER, ends=GIVEN_UP),
    answers("500-garbage", Reply(500, b"\x00\xff\xed\xa0\x80 not text")),
    answers("503-html", HTML, lasts=TEN_MINUTES),
    answers("503-retry-after", says(503, Retry_After="45"), seconds=45.0),
    *(answers(f"{status}-retry-after", says(status, Retry_After="30"), seconds=30.0) for status in (408, 425, 429)),
    answers("429-retry-after-date", says(429, Retry_After=in_seconds(90)), seconds=90.0),
    answers("429-retry-after", says(429, Retry_After="120"), seconds=120.0, lasts=TEN_MINUTES, back=120.0),
    answers("429-retry-after-days", says(429, Retry_After="864000"), seconds=3600.0),
    answers("429-retry-after-nonsense", says(429, Retry_After="soon")),
    *(answers(f"{status}-bare", says(status), lasts=TEN_MINUTES) for status in (408, 425, 429)),
    # refusing
    *(
        answers(str(status), says(status), lasts=FOR_EVER, ends=REFUSED, also=tried(REFUSED_TRIES))
        for status in (400, 401, 403, 404, 405, 409, 410, 413, 422)
    ),
    answers("400-then-known", *[says(400, "scripted: unknown nonce")] * 3, also=tried(4)),
    answers("404-then-there", *[says(404)] * (REFUSED_TRIES - 1), also=tried(REFUSED_TRIES)),
    cell("private-address", private, "", ends=REFUSED, also=never_sent),
    # not success
    *(answers(str(status), Reply(status)) for status in (201, 202, 204, 206)),
    answers("201", Reply(201, OK), lasts=TEN_MINUTES),
    *(answers(f"{status}-redirect", Reply(status, b"", REDIRECT), also=not_followed) for status in (301, 302, 303, 307, 308)),
    answers("301-redirect", Reply(301, b"", REDIRECT), lasts=TEN_MINUTES, also=not_followed),
    # 200, and something else is wrong
    taken("slow", Reply(200, OK, delay=0.3)),
    taken("garbage", Reply(200, b"\x00\xff not json {{{")),
    taken("html", Reply(200, b"<html>thanks</html>", {"Content-Type": "text/html"})),
    taken("empty", Reply(200, b"")),
    taken("cut-body", Reply(200, OK, fault="cut")),
    taken("endless", Reply(200, OK * 40, fault="drip")),
    taken("huge", Reply(200, b"x" * 300_000)),
    taken("gzip", Reply(200, b"\x1f\x8b not really", {"Content-Encoding": "gzip"})),
]
