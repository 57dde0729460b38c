"""A README that tells a stranger what this is, how to set it up and use it, how the code works, and its license."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.evaluators import base
from tasks.files import readme
from tasks.files.sniff import text_of

MIN_WORDS = 60
LONG_BRIEF = 25  # words; a shorter brief may well be the best summary of itself


class Evaluator(base.Evaluator):
    name = "readme"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        path = next((path for path in (".github/README.md", "README.md") if path in subject.files), None)
        decoded = text_of(subject.files[path]) if path else None
        if path is None or decoded is None:
            reason = "There is no README.md at the root." if path is None else f"{path} is not text."
            yield base.Finding("README.md has all its sections", "fail", reason)
            yield base.Finding("README.md says enough", "fail", reason)
            return
        text = decoded.text
        lacking = readme.missing(text)
        if lacking:
            reason = f"{path} has no section for {', '.join(lacking)}."
            yield base.Finding("README.md has all its sections", "fail", reason, evidence={"missing": list(lacking)})
        else:
            yield base.Finding("README.md has all its sections", "pass")
        words = len(text.split())
        if words < MIN_WORDS:
            yield base.Finding("README.md says enough", "fail", f"{path} has {words} words; a reader needs at least {MIN_WORDS}.")
        else:
            yield base.Finding("README.md says enough", "pass", evidence={"words": words})
        brief = " ".join(subject.brief.split())
        if len(brief.split()) >= LONG_BRIEF and readme.MARK not in text:  # one that we wrote quotes at most a sentence, which may be all there is
            copied = brief.lower() in " ".join(text.split()).lower()
            reason = f"{path} repeats the whole brief; describe the result in words of its own." if copied else ""
            yield base.Finding("README.md is written in its own words", "fail" if copied else "pass", reason)
