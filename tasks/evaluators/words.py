"""What the brief says in words of a file: how many words it has, and the fields of a JSON file with their types.

Graders count and compare these whether or not a check says so. A file that is missing is the files evaluator's business.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.evaluators import base
from tasks.prose.language import Predicate
from tasks.prose.predicates import compact, decide
from tasks.prose.wants import shapes, word_counts


class Evaluator(base.Evaluator):
    name = "words"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        for path, limits in word_counts(subject.brief).items():
            yield from _finding(f"{path} is as long as the brief asks", {"op": "words", "path": path, **limits}, path, subject)
        for path, wanted in shapes(subject.brief).items():
            yield from _finding(f"{path} has the fields that the brief shows", {"op": "all", "of": wanted}, path, subject)


def _finding(title: str, predicate: Predicate, path: str, subject: base.Subject) -> Iterable[base.Finding]:
    if path in subject.files and (path not in subject.attachments or path in subject.revised):
        verdict = decide(predicate, subject)
        yield base.Finding(title, verdict.status, verdict.reason, evidence=verdict.evidence, expression=compact(predicate))
