"""git's smart HTTP, spoken by dulwich through our own door to the network: https://git-scm.com/docs/http-protocol

Time and bytes are counted over all requests of one clone. Only servers that speak the smart protocol are understood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from dulwich.client import AbstractHttpGitClient

from tasks import http
from tasks.classroom.evaluating.door import is_trusted_repo
from tasks.connections import TimeLimit
from tasks.errors import RateLimited, RemoteUnavailable, TooLarge

REDIRECTS = 3
MAX_BYTES = 100 * 1024 * 1024
REFUSED = {401: "it asks for a password", 403: "it is refused", 404: "there is nothing", 410: "it is gone", 451: "it is blocked"}


class Unreadable(Exception):
    """What the student reported is no repository that anybody can read, or not with that commit; the message is the reason."""


class Reply:
    """What dulwich wants to know of an answer."""

    def __init__(self, asked: str, response: http.Response) -> None:
        self.content_type = response.headers.get("content-type")
        self.redirect_location = response.url if response.url != asked else None

    def close(self) -> None:
        return


class Client(AbstractHttpGitClient):
    """`limit` is for the whole clone."""

    def __init__(self, url: str, limit: TimeLimit) -> None:
        super().__init__(url, quiet=True)
        self._limit, self._room = limit, MAX_BYTES

    def _http_request(
        self, url: str, headers: dict[str, str] | None = None, data: bytes | Iterator[bytes] | None = None, raise_for_status: bool = True
    ) -> tuple[Any, Callable[[int], bytes]]:
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        given = {name: value for name, value in (headers or {}).items() if name.lower() != "content-length"}
        self._in_time()
        seconds = max(0.01, self._limit.seconds - self._limit.elapsed)
        options: dict[str, Any] = {"seconds": seconds, "max_bytes": self._room, "redirects": 0 if body else REDIRECTS}
        try:
            answer = http.fetch(url, method="POST" if body else "GET", body=body, headers=given, trusted=is_trusted_repo(url), **options)
        except TooLarge as error:
            raise TooLarge(f"The repository is larger than {MAX_BYTES // 1024 // 1024} MB, more than is looked at.") from error
        except RemoteUnavailable:
            self._in_time()
            raise
        self._room -= len(answer.body)
        _judge(answer)
        if not (answer.headers.get("content-type") or "").startswith("application/x-git-"):
            raise Unreadable("It answers, but not as a git repository does.")
        return Reply(url, answer), BytesIO(answer.body).read

    def _in_time(self) -> None:
        if self._limit.over:
            raise RemoteUnavailable(f"The repository could not be read within {self._limit.seconds:g} s.")


def _judge(answer: http.Response) -> None:
    """Whose fault a refusal is: a limit or trouble of the server is nobody's who reported it."""
    status = answer.status
    limited = status == 429 or (status == 403 and ("retry-after" in answer.headers or "rate limit" in answer.text[:2000].lower()))
    if limited:
        raise RateLimited("The repository's host asks to slow down; evaluate it again later.", detail=f"HTTP {status}")
    if status >= 500 or status == 408:
        raise RemoteUnavailable(f"The repository's host answered {status}; evaluate it again later.")
    if status != 200:
        raise Unreadable(f"Anybody must be able to read it, but {REFUSED.get(status, 'it cannot be had')} (HTTP {status}).")
