"""Python programs can be read, one that the brief wants mended is not as it was, and one that is to run does (in the sandbox: `programs.py`)."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable

from tasks.evaluators import base, programs
from tasks.files.sniff import text_of
from tasks.files.wording import asks_to_change

MAX_BYTES = 500_000
_RUFF = re.compile(r"\bruff\b", re.I)
_RUNNING = re.compile(r"\brun(?:s|ning|nable)?\b|\bexecut(?:e|es|ed|ing)\b|\bpython3?\s+[\w./-]+\.py\b", re.I)


class Evaluator(base.Evaluator):
    name = "python"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        # One that is published as it was posted is nobody's to mend, unless the brief says so.
        ours = [path for path in sorted(subject.files) if path.lower().endswith(".py") and (not _as_posted(subject, path) or _to_mend(subject, path))]
        for path in ours:
            problem = _problem(subject.files[path])
            if problem:
                yield base.Finding(f"{path} is valid Python", "fail", f"{path}: {problem}")
            else:
                yield base.Finding(f"{path} is valid Python", "pass")
        yield from (_mended(subject, path) for path in ours if path in subject.attachments and _to_mend(subject, path))
        if subject.url:
            return  # the files of a live page were tried before they were published
        readable = [path for path in ours if not _problem(subject.files[path])]
        yield from (programs.run(path, subject) for path in readable if _to_run(subject, path))
        yield from (programs.lint(path, subject) for path in readable if _RUFF.search(_asked(subject)))


def _as_posted(subject: base.Subject, path: str) -> bool:
    return subject.attachments.get(path) == subject.files[path]


def _to_mend(subject: base.Subject, path: str) -> bool:
    return asks_to_change(subject.brief, path)


def _mended(subject: base.Subject, path: str) -> base.Finding:
    title = f"{path} is changed as the brief asks"
    if _as_posted(subject, path):
        return base.Finding(title, "fail", f"{path} is as it was posted, but the brief asks to change it; give the whole corrected file.")
    return base.Finding(title, "pass")


def _to_run(subject: base.Subject, path: str) -> bool:
    return any(path in text and _RUNNING.search(text.replace(path, "")) for text in (subject.brief, *map(str, subject.checks)))


def _asked(subject: base.Subject) -> str:
    return "\n".join((subject.brief, *map(str, subject.checks)))


def _problem(data: bytes) -> str:
    decoded = text_of(data)
    if decoded is None:
        return "it is not text."
    if not decoded.text.strip():
        return "it is empty."
    if len(data) > MAX_BYTES:
        return f"it is longer than {MAX_BYTES:,} bytes."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is no error
            ast.parse(decoded.text)
    except SyntaxError as error:
        line = (error.text or "").strip()[:120]
        return f"line {error.lineno}: {error.msg}" + (f" in `{line}`." if line else ".")
    except (ValueError, RecursionError, MemoryError) as error:
        return f"it cannot be read as Python ({type(error).__name__})."
    return ""
