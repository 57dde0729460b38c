"""The corpus in real Chromium against the emulators of Gemini and GitHub: what is right passes at once, what is flawed after one repair, and what
cannot be mended is shipped in time with a word about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings

from tasks.browser import find_chromium
from tasks.models import CheckResult
from tests.acceptance import corpus
from tests.acceptance.corpus import Answers, Played
from tests.emulators.evaluator import Evaluator
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator

pytestmark = pytest.mark.timeout(300)  # a check that fails is tried for 15 seconds, and a busy machine has more than one at a time

NAMES = corpus.names()
HOPELESS = [name for name in NAMES if corpus.load(name).hopeless]
# `make corpus` plays them all (some minutes); the test run takes one of each kind.
SAMPLE = ["analyze", "greeting"]
PLAYED = NAMES if os.environ.get("CORPUS") == "all" else [name for name in SAMPLE if name in NAMES]
OPEN = {CheckResult.Status.UNDECIDED, CheckResult.Status.SKIPPED}
Play = Callable[[str, str], list[Played]]


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator(pages_latency=0.05) as running:
        running.workflow_scope, running.workflow = True, corpus.workflow_run
        yield running


@pytest.fixture
def play(
    github: GitHubEmulator, evaluator: Evaluator, settings: LazySettings, record_property: Callable[[str, object], None], transactional_db: None
) -> Iterator[Play]:
    """Play a task of the corpus in one of the modes `right`, `flawed` and `hopeless`; what was measured is kept for the summary."""
    for name, value in github.django_settings().items():
        setattr(settings, name, value)
    with GeminiEmulator() as model:
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", model.key, model.url

        def run(name: str, mode: str) -> list[Played]:
            case = corpus.load(name)
            answers = Answers(case, mode)
            model.reply = answers
            played = corpus.play(case, answers, github, evaluator)
            for item in played:
                record_property("corpus", {"task": name, "round": item.item.number, "mode": mode, **corpus.figures(item)})
                assert_sound(item, played, github, settings)
            return played

        yield run


def assert_sound(played: Played, all_played: list[Played], github: GitHubEmulator, settings: LazySettings) -> None:
    """Whatever the model did: told in time and truthfully, nothing leaked, nothing attached altered, nothing missing without a word."""
    round_, files = played.round, played.files
    assert round_.status == "succeeded", (round_.error_id, round_.error)
    assert round_.notified_at is not None
    assert round_.notified_at <= round_.deadline_at
    repo = round_.task_request.repo_name
    history = github.commits(repo)
    assert played.told["commit_sha"] in history
    assert played.told["round"] == played.item.number
    leaked = [getattr(settings, name).encode() for name in corpus.PLANTED]
    assert not any(secret.decode() in prompt for secret in leaked for prompt in played.prompts), "a secret went back to the model"
    for sha in history:
        for path, content in github.files(github.owner, repo, sha).items():
            assert not any(secret in content for secret in leaked), path
    earlier = [other.item for other in all_played if other.item.number <= played.item.number]
    revised = {name for item in earlier for name in item.revised}
    for item in earlier:
        for name, content in item.attached.items():
            shown = files.get(name)
            assert shown == content or (name in revised and shown), f"{name} is not published as it was attached"
    assert b"is hereby granted" in files["LICENSE"]
    assert ".nojekyll" in files
    assert {"README.md", ".github/README.md"} & set(files)
    missing = [name for name in played.item.files if name not in files]
    assert not missing or round_.degraded_id, f"{missing} are missing, and the round does not say so"


def assert_all_pass(played: Played) -> None:
    """Every check that can be decided, before publishing and on the public page. What an earlier round asked counts unless this one took it back."""
    results, live = played.results(), played.live_results()
    counting = [result for result in results + live if not (played.item.superseded and result.source == CheckResult.Source.REGRESSION)]
    assert not [(result.title, result.status, result.reason) for result in counting if result.status in {"fail", "error"}]
    own = [result for result in results if result.source == CheckResult.Source.TASK]
    assert {result.title for result in own if result.status in OPEN} == set(played.item.undecided)
    assert len(own) == len(played.item.checks)
    assert live or "index.html" not in played.files, "the public page was not looked at"


@pytest.mark.browser
@pytest.mark.parametrize("name", PLAYED)
def test_a_right_answer_passes_at_once(name: str, play: Play) -> None:
    for played in play(name, "right"):
        assert played.round.degraded_id == "", played.round.degraded
        assert played.repairs <= played.item.superseded, played.feedback()  # asked once whether the change is meant, and no more
        assert len(played.prompts) == 1 + played.repairs
        assert_all_pass(played)


@pytest.mark.browser
@pytest.mark.parametrize("name", PLAYED)
def test_a_flawed_answer_passes_after_the_repair_it_needs(name: str, play: Play) -> None:
    for played in play(name, "flawed"):
        flaw = played.item.flaw
        assert played.round.degraded_id == "", played.round.degraded
        assert flaw.repairs <= played.repairs <= flaw.repairs + played.item.superseded, played.feedback()
        assert len(played.prompts) == (flaw.answers or 1 + played.repairs)
        assert [word for word in flaw.names if word not in played.feedback()] == [], played.feedback()
        assert_all_pass(played)


@pytest.mark.browser
@pytest.mark.parametrize("name", HOPELESS if PLAYED == NAMES else HOPELESS[:1])
def test_a_hopeless_answer_ships_the_best_version_and_says_so(name: str, play: Play, settings: LazySettings) -> None:
    for played in play(name, "hopeless"):
        assert played.round.degraded_id, "nothing was wrong after all"
        assert 1 <= played.repairs <= settings.MAX_REPAIRS
        chosen = played.round.version
        assert chosen is not None
        open_to_choice = [version.score for version in played.versions if version.status == "ready" and version.score is not None]
        assert chosen.score == max(open_to_choice)


def test_the_corpus_has_the_shapes_that_were_really_sent() -> None:
    rounds = [item for name in NAMES for item in corpus.load(name).rounds]
    assert len(NAMES) >= 22
    assert sum(1 for item in rounds if item.number == 2) >= 6
    assert all(item.right and item.flawed and item.right != item.flawed for item in rounds)
    assert len({item.flaw.what for item in rounds}) == len(rounds)
    assert sum(1 for item in rounds if "<<<<<<< SEARCH" in item.right) >= 2
    assert sum(1 for item in rounds if "<<<<<<< SEARCH" in item.repair) >= 3
    forms = [
        type(check).__name__ if not isinstance(check, str) else "js:" if check.startswith("js:") else "bare"
        for item in rounds
        for check in item.checks
    ]
    assert {"dict", "js:", "bare"} <= set(forms)
    assert len(HOPELESS) >= 3


@pytest.mark.browser
def test_there_is_a_browser_to_prove_pages_in() -> None:
    assert find_chromium() is not None
