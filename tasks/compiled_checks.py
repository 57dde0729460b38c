"""English checks that a model turned into predicates, each once: looked up, and made where one is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings

from tasks.evaluators import Subject, prose
from tasks.generators import get_generator
from tasks.models import CompiledCheck
from tasks.prose.compiler import compile_with_model, key

COMPILE_SECONDS = 20.0  # for one check
MIN_SECONDS = 5.0


def stored_predicate(text: str, brief: str) -> dict[str, Any] | None:
    """The predicate that a model made of this check before."""
    return CompiledCheck.objects.filter(key=key(text, brief)).values_list("predicate", flat=True).first()


def compile_missing(subject: Subject, seconds: float, fence: Callable[[], AbstractContextManager[None]]) -> int:
    """Ask the configured model, if there is one, for the predicates of those checks that neither a rule nor a stored one decides; how many were
    asked for. `fence` is the transaction in which one is stored."""
    if settings.GENERATOR == "offline":
        return 0
    end = time.monotonic() + seconds
    generator = get_generator(settings.GENERATOR)
    asked = 0
    for text in prose.sentences(subject.checks):
        left = end - time.monotonic()
        if left < MIN_SECONDS or prose.predicate_for(text, subject, stored_predicate)[0] is not None:
            continue
        model = generator.models()[0]
        predicate = compile_with_model(text, subject.brief, sorted(subject.files), generator, model, min(COMPILE_SECONDS, left))
        asked += 1
        if predicate is not None:
            with fence():
                CompiledCheck.objects.get_or_create(key=key(text, subject.brief), defaults={"text": text, "predicate": predicate, "model": model})
    return asked
