"""The emulators of GitHub and Gemini that the tests use: real HTTP servers on loopback that keep the vendors' rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.template.loader import render_to_string

from tasks.benchmarks import Missing, Options


@contextmanager
def peers(options: Options) -> Iterator[tuple[Any, dict[str, str]]]:
    """(the GitHub emulator, the settings that lead a service to it and to a model that answers well but late)."""
    try:
        from tests.emulators.gemini import GeminiEmulator
        from tests.emulators.github import GitHubEmulator
    except ImportError as error:
        raise Missing("not measured: it needs the emulators in tests/, which this installation does not have") from error
    answer = render_to_string("benchmark/answer.txt")
    model = GeminiEmulator(reply=lambda request: answer, latency=options.model_latency)
    github = GitHubEmulator(pages_latency=options.pages_latency)
    own = {"GENERATOR": "gemini", "GEMINI_API_KEY": model.key, "GITHUB_WRITES_PER_MINUTE": "0", "GITHUB_WRITES_PER_HOUR": "0"}
    with model, github:
        yield github, {**github.django_settings(), **own, "GEMINI_API_ENDPOINT": model.url}
