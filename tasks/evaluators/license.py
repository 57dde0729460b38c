"""The MIT license, whole, in a file called LICENSE."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.evaluators import base
from tasks.files import mit

TITLE = "LICENSE holds the MIT license"


class Evaluator(base.Evaluator):
    name = "license"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        data = subject.files.get("LICENSE")
        if data is None:
            yield base.Finding(TITLE, "fail", "There is no file LICENSE at the root.", guards=True)
        elif mit.is_mit(data.decode("utf-8", errors="replace")):
            yield base.Finding(TITLE, "pass", guards=True)
        else:
            reason = f"LICENSE ({len(data)} bytes) is not the whole text of the MIT license."
            yield base.Finding(TITLE, "fail", reason, guards=True, evidence={"head": data[:200].decode("utf-8", errors="replace")})
