"""Requests for POST /ready, as many as are wanted, each a new task of another person."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
from collections.abc import Callable
from typing import Any

TABLE = "product,region,sales\nKettle,North,249.90\nToaster,South,189.45\nLamp,East,75.00\nDesk,West,640.00\nChair,North,1000.00\n"
# The same for everybody, so that figures can be compared, and nothing that needs the internet; templates/benchmark/answer.txt is the answer to it.
ASKED: dict[str, Any] = {
    "round": 1,
    "brief": "Publish a page that adds up the sales column of data.csv and shows the total inside #total-sales.",
    "checks": [
        {"js": "!!document.querySelector('#total-sales')"},
        {"js": "Math.abs(parseFloat(document.querySelector('#total-sales').textContent) - 2154.35) < 0.01"},
        "The repository has an MIT license",
    ],
    "attachments": [{"name": "data.csv", "url": f"data:text/csv;base64,{base64.b64encode(TABLE.encode()).decode()}"}],
}


class Bodies:
    """`next()` gives the next body, None after `limit` of them; `sent` says which nonces there are."""

    def __init__(self, secret: str, evaluation_url: str, *, limit: int = 0) -> None:
        name = f"load-{secrets.token_hex(3)}-NUMBER"
        own = {"email": f"{name}@example.com", "task": name, "nonce": "nonce-NUMBER", "secret": secret, "evaluation_url": evaluation_url}
        self._template = json.dumps(ASKED | own)
        self._numbers = itertools.count(1)
        self._limit = limit
        self.sent: list[str] = []

    def next(self) -> bytes | None:
        number = next(self._numbers)
        if self._limit and number > self._limit:
            return None
        self.sent.append(f"nonce-{number}")
        return self._template.replace("NUMBER", str(number)).encode()

    def timed(self, clock: Callable[[], float], into: dict[str, float]) -> Callable[[], bytes | None]:
        """`next`, noting when each body was asked for."""

        def body() -> bytes | None:
            data = self.next()
            if data is not None:
                into[self.sent[-1]] = clock()
            return data

        return body
