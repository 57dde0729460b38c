"""Does a student's service answer? One GET of the endpoint, which starts nothing there, and what the answer says about the address.

`look` asks one and stores nothing; `ask_many` asks many at a time, a few of each host; `probe` asks one and writes it down. Rows that wait to be
asked by a worker say so in `probe_detail`: `tasks/classroom/probe_queue.py`.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from tasks import http
from tasks.errors import AddressRefused, TaskError
from tasks.models import Submission
from tasks.redaction import redact

State = Submission.Probe
SECONDS = 10.0  # for one endpoint, all in all
MAX_BYTES = 64 * 1024  # of an answer that nobody reads
AT_ONCE = 10
OF_A_HOST = 2  # at a time: several students may share a machine
MAX_DETAIL = 300
ANSWERS = frozenset((400, 401, 403, 405, 415, 422))  # what a service says to a GET that is made for a POST
NOT_ASKED: dict[str, Any] = {"probe": "", "probe_detail": "", "probe_ms": None, "probed_at": None}  # of an address that is new

_STATUS = re.compile(r"HTTP (\d{3})\b")


@dataclass(frozen=True)
class Probed:
    state: State
    detail: str
    ms: int


def probe(submission: Submission) -> Probed:
    """Ask now, and write down what came of it. Never raises for what a student's service does."""
    probed = look(submission.endpoint)
    write_down(submission.pk, submission.endpoint, probed)
    submission.refresh_from_db(fields=list(NOT_ASKED))
    return probed


def write_down(pk: int, endpoint: str, probed: Probed) -> bool:
    """False when the row is gone or has another address by now."""
    fields = {"probe": probed.state, "probe_detail": probed.detail, "probe_ms": probed.ms, "probed_at": timezone.now()}
    return bool(Submission.objects.filter(pk=pk, endpoint=endpoint).update(**fields))


def look(endpoint: str) -> Probed:
    """GET it, without following redirects: a task is posted to this very address."""
    started = time.monotonic()
    try:
        status = http.fetch(endpoint, headers={"Accept": "application/json"}, seconds=SECONDS, max_bytes=MAX_BYTES).status
    except AddressRefused as error:
        return _probed(State.WRONG_PLACE, f"Not asked. {error.message}", started)
    except TaskError as error:
        said = _STATUS.match(error.detail)  # the answer began, and more than its status is not needed
        if said is None:
            return _probed(State.UNREACHABLE, error.message, started)
        status = int(said[1])
    return _probed(*judged(status), started)


def judged(status: int) -> tuple[State, str]:
    """What a status says about the address."""
    if 200 <= status < 300:
        return State.ANSWERS, f"HTTP {status}."
    if status in ANSWERS:
        return State.ANSWERS, f"HTTP {status}, as a service may say that only takes posts."
    if status in (404, 410):
        return State.WRONG_PLACE, f"HTTP {status}: there is a server, but nothing at this path. Is the path complete?"
    if status in http.REDIRECTS:
        return State.BROKEN, f"HTTP {status}: it sends on to another address, where a post does not follow. Give that one."
    if status == 429:
        return State.BROKEN, "HTTP 429: it wants to be asked less often. Ask again later."
    if status >= 500:
        return State.BROKEN, f"HTTP {status}: the service fails, or is asleep. Its log says why; ask again later."
    return State.BROKEN, f"HTTP {status}: not what a service says that takes tasks."


def _probed(state: State, detail: str, started: float) -> Probed:
    return Probed(state, redact(detail)[:MAX_DETAIL], round((time.monotonic() - started) * 1000))


def ask_many(endpoints: Mapping[int, str], *, seconds: float | None = None, go_on: Callable[[], bool] = lambda: True) -> Iterator[tuple[int, Probed]]:
    """Answers as they come, by the endpoints' keys: `AT_ONCE` in flight, `OF_A_HOST` of a host, hosts in turn.

    After `seconds`, or once `go_on` says no, nothing more is begun: keys that are left have no answer. What is under way ends within `SECONDS`."""
    until = time.monotonic() + (float("inf") if seconds is None else seconds)
    waiting = dict(endpoints)
    busy: Counter[str] = Counter()
    running: dict[Future[Probed], int] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe") as pool:
        while waiting or running:
            if waiting and (time.monotonic() >= until or not go_on()):
                waiting.clear()
            for key, endpoint in list(waiting.items()):
                if len(running) >= AT_ONCE:
                    break
                if busy[host(endpoint)] < OF_A_HOST:
                    busy[host(endpoint)] += 1
                    running[pool.submit(look, waiting.pop(key))] = key
            for done in wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done:
                key = running.pop(done)
                busy[host(endpoints[key])] -= 1
                yield key, done.result()


def host(endpoint: str) -> str:
    try:
        return urlsplit(endpoint).netloc.rpartition("@")[2].partition(":")[0].lower()
    except ValueError:  # half an IPv6 address
        return ""
