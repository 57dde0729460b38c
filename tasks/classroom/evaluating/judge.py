"""README and code, judged by the configured model: a score, a sentence, and quotes that are looked up.

The student's text is hostile: it stands between lines with a code that it cannot know, and the prompt says that nothing there is an instruction.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from tasks.errors import TaskError
from tasks.evaluators import Finding, Subject
from tasks.files.sniff import text_of
from tasks.generators import get_generator
from tasks.generators.base import Answer, Inputs, Prompt
from tasks.prices import cost
from tasks.prompts import BAR
from tasks.redaction import redact

SECONDS = 40.0  # for one judgement
MIN_SECONDS = 2.0
PASSES = 0.5  # a score from which on the check passes
MAX_README, MAX_CODE, MAX_BRIEF = 20_000, 60_000, 12_000  # characters that the model sees
MAX_ANSWER, MAX_REASON, MAX_QUOTES, MAX_QUOTE = 20_000, 400, 5, 300
README, CODE = "The README explains the work (judged by a model)", "The code is sound and clear (judged by a model)"
NO_MODEL = "No model is configured, so nobody judged it: set GEMINI_API_KEY or OPENAI_BASE_URL, then evaluate it again."
CODE_SUFFIXES = frozenset((".html", ".htm", ".js", ".mjs", ".ts", ".css", ".py", ".yml", ".yaml"))


@dataclass(frozen=True)
class Judgement:
    score: float
    reason: str
    quotes: tuple[str, ...]
    made_up: int  # quotes that stand nowhere in the text


def judge(subject: Subject, unreadable: str = "") -> Iterator[Finding]:
    """A finding on the README and one on the code."""
    own = {path: data for path, data in subject.files.items() if subject.attachments.get(path) != data}
    for title, what, text in ((README, "README", readme_of(own)), (CODE, "code", code_of(own))):
        if unreadable or not text.strip():
            yield Finding(title, "fail", unreadable or f"There is no {what}.", score=0.0)
        elif settings.GENERATOR == "offline":
            yield Finding(title, "skipped", NO_MODEL, score=0.0)
        else:
            yield ask(title, what, text, subject)


def ask(title: str, what: str, text: str, subject: Subject) -> Finding:
    """The verdict of the first model of the chain that gives one."""
    generator = get_generator(settings.GENERATOR)
    asked = prompt(what, text, subject.brief, secrets.token_hex(8))
    known = {"prompt_sha256": hashlib.sha256("\0".join(vars(prompt(what, "", "", ""))[part] for part in ("system", "user")).encode()).hexdigest()}
    until, problem = time.monotonic() + SECONDS, ""
    for model in generator.models():
        left = until - time.monotonic()
        if left < MIN_SECONDS:
            break
        try:
            answer = generator.ask(asked, model, left)
        except TaskError as error:
            problem = f"{model}: {error.message}"
            continue
        found = read(answer, text)
        evidence = {**known, **_paid(answer)}
        if found is None:
            problem = f"{model} gave no answer that can be read."
            continue
        return _finding(title, found, evidence)
    reason = redact(f"The model did not judge it: {problem or 'the time was over.'} Evaluate it again later.")
    return Finding(title, "error", reason, evidence=known, score=0.0)


def prompt(what: str, text: str, brief: str, code: str) -> Prompt:
    shown = {"what": what, "text": _sound(text), "brief": _sound(brief[:MAX_BRIEF]), "bar": BAR, "code": code}
    return Prompt(
        system=render_to_string("prompts/judge.txt", {**shown, "part": "system"}),
        user=render_to_string("prompts/judge.txt", {**shown, "part": "user"}),
        inputs=Inputs(kind="judge", task="", round=0, brief=brief),
    )


def read(answer: Answer, text: str) -> Judgement | None:
    """The first JSON object with a score, in a fence or among words. Quotes that do not stand in the text are dropped and counted."""
    if answer.finish not in {"stop", "length"}:
        return None
    for value in _objects(answer.text[:MAX_ANSWER]):
        score = _score(value.get("score"))
        if score is None:
            continue
        given = value.get("quotes") or []
        quotes = [str(quote)[:MAX_QUOTE] for quote in (given if isinstance(given, list) else [given])[:MAX_QUOTES] if str(quote).strip()]
        true = tuple(quote for quote in quotes if _folded(quote) in _folded(text))
        reason = " ".join(str(value.get("reason") or "").split())[:MAX_REASON]
        return Judgement(score, reason, true, len(quotes) - len(true))
    return None


def readme_of(files: Mapping[str, bytes]) -> str:
    path = next((path for path in ("README.md", ".github/README.md") if path in files), "")
    decoded = text_of(files[path]) if path else None
    return decoded.text[:MAX_README] if decoded else ""


def code_of(files: Mapping[str, bytes]) -> str:
    """The student's own programs and pages, one after another, short ones first so that a library leaves room for the rest."""
    shown, room = [], MAX_CODE
    for path, data in sorted(files.items(), key=lambda item: (len(item[1]), item[0])):
        decoded = text_of(data) if PurePosixPath(path.lower()).suffix in CODE_SUFFIXES else None
        if decoded and room > 0:
            shown.append(f"--- {path}\n{decoded.text[:room]}")
            room -= len(shown[-1])
    return "\n".join(shown)


def _finding(title: str, found: Judgement, evidence: dict[str, Any]) -> Finding:
    evidence |= {"quotes": list(found.quotes)}
    reason = found.reason or "The model gave no reason."
    if found.made_up:
        reason += f" ({found.made_up} quoted passage(s) left out, which the text does not have.)"
        evidence["quotes_left_out"] = found.made_up
    return Finding(title, "pass" if found.score >= PASSES else "fail", redact(reason), evidence=evidence, score=found.score)


def _paid(answer: Answer) -> dict[str, Any]:
    price = cost(answer.model, answer.tokens_in, answer.tokens_out)
    return {
        "model": answer.model,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "cost_usd": float(price) if price is not None else None,
        "seconds": round(answer.seconds, 2),
    }


def _score(value: object) -> float | None:
    """0 to 1; also `0.8` in quotes, `8/10` and `80 %`."""
    match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*(?:(%)|/\s*(\d{1,3}))?\s*", str(value)) if not isinstance(value, bool) else None
    if match is None:
        return None
    number = float(match[1])
    whole = 100.0 if match[2] else float(match[3] or 1) or 1.0
    return round(number / whole, 3) if number <= whole else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(strict=False)
    for begin in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()


def _sound(text: str) -> str:
    """Without half characters, which no model's service takes, and without secrets of ours."""
    return redact(text)
