"""Every attachment is there, byte for byte, under its own path, unless the brief asks to change it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tasks.evaluators import base


class Evaluator(base.Evaluator):
    name = "attachments"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        for path, posted in subject.attachments.items():
            published = subject.files.get(path)
            if path in subject.revised:
                title = f"The attachment {path} is published in its revised form"
                if published is None:
                    yield base.Finding(title, "fail", f"{path} is missing.", guards=True)
                else:
                    yield base.Finding(title, "pass", guards=True, evidence={"changed": published != posted})
                continue
            title = f"The attachment {path} is published byte for byte"
            if published is None:
                yield base.Finding(title, "fail", f"{path} is missing.", guards=True)
            elif published != posted:
                reason = f"{path} has {len(published)} bytes that differ from the {len(posted)} bytes attached."
                yield base.Finding(title, "fail", reason, guards=True, evidence={"posted": _sha(posted), "published": _sha(published)})
            else:
                yield base.Finding(title, "pass", guards=True)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
