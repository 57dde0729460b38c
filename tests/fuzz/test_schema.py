"""Every operation of the published OpenAPI schema, with requests that fit it and others: the answers are those that it names."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tasks.models import CheckResult, Deployment, NotificationAttempt, Round, StageRun, Worker
from tests.factories import make_round, make_task, make_version
from tests.fuzz.budget import CASES, Tally, cases
from tests.fuzz.rows import rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

KEY = "the-key-of-the-fuzz-run"
SHARE = 0.28  # of a run's cases, for all operations together
QUICK_CASES = 100
QUICK_BOUNDARIES = 4  # of an operation and kind, in an ordinary run
BODY_WEIGHT = 8  # an operation that takes a body has so much more to get wrong


@pytest.fixture
def schema(settings: LazySettings, application: Any) -> Any:
    """The schema as it is served, called in this process."""
    import schemathesis

    settings.DEMO_API_KEY = KEY
    return schemathesis.openapi.from_wsgi("/api/schema/", application, config=schemathesis.Config())


@pytest.fixture
def history() -> Round:
    """A round with a row of everything that an answer may show."""
    Worker.objects.create(name="w", host="h", pid=1)
    round_ = make_round(
        make_task(), status="failed", stage="notify", error_id="notification-refused", error="no", degraded_id="checks-failed", degraded="1"
    )
    round_.version = make_version(round_)
    round_.save(update_fields=["version"])
    Deployment.objects.create(round=round_, version=round_.version, host="local", commit_sha="a" * 40, tree_sha="b" * 40)
    CheckResult.objects.create(round=round_, version=round_.version, kind="files", title="index.html exists", status="fail")
    StageRun.objects.create(round=round_, stage="generate", outcome="done", finished_at=timezone.now())
    NotificationAttempt.objects.create(round=round_, number=1, url=round_.evaluation_url, payload={})
    make_round(status="waiting", stage="verify", waiting_for="the page")
    return round_


def test_the_boundaries_of_every_operation_answer_as_documented(schema: Any, history: Round, settings: LazySettings, tally: Tally) -> None:
    """Smallest and largest values, each field missing, each of another type, each other method: the same cases in every big run."""
    import schemathesis

    for operation in operations(schema):
        generation = schema.config.generation_for(operation=operation)
        for mode in schemathesis.GenerationMode:
            found = schema.iter_coverage_cases(operation, generation_modes=[mode], generation_config=generation)
            for case in islice(found, None if CASES or operation.path == "/ready" else QUICK_BOUNDARIES):
                with rolled_back():
                    send(case, {"key": True, "right": True, "known": False}, history, settings, tally)


def test_every_operation_answers_as_documented_whatever_is_sent(
    schema: Any, history: Round, settings: LazySettings, tally: Tally, subtests: pytest.Subtests
) -> None:
    import schemathesis

    found = operations(schema)
    whole = sum(BODY_WEIGHT if operation.body else 1 for operation in found)
    hints = st.fixed_dictionaries({"key": st.booleans(), "right": st.integers(0, 4).map(bool), "known": st.booleans()})
    for operation in found:
        weight = BODY_WEIGHT if operation.body else 1
        strategies = st.one_of([operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode])

        @cases(SHARE * weight / whole, quick=max(3, QUICK_CASES * weight // whole))
        @given(case=strategies, hints=hints)
        def answers_as_documented(case: Any, hints: dict[str, bool]) -> None:
            with rolled_back():
                send(case, hints, history, settings, tally)

        with subtests.test(operation.label):
            answers_as_documented()


def operations(schema: Any) -> list[Any]:
    return [result.ok() for result in schema.get_all_operations()]


def send(case: Any, hints: dict[str, bool], history: Round, settings: LazySettings, tally: Tally) -> None:
    """One request; `hints` lead some of them past the doors: the key, the right secret, a round that there is."""
    from schemathesis import checks
    from schemathesis.specs.openapi import checks as conformance

    cache.clear()
    Worker.objects.update(seen_at=timezone.now())
    if hints["right"] and isinstance(case.body, dict) and isinstance(case.body.get("secret"), str):
        case.body["secret"] = settings.STUDENT_SECRET
    if hints["known"] and isinstance(case.path_parameters.get("id"), str):
        case.path_parameters["id"] = str(history.uuid)
    with tally.case(f"{case.method} {case.path}"):
        answer = case.call(headers={"X-API-KEY": KEY} if hints["key"] else {})
    tally.answer(answer.status_code)
    if answer.status_code < 400:
        assert str(answer.status_code) in case.operation.responses.status_codes
    else:
        assert "json" in answer.headers["content-type"][0]
        assert answer.json()
    looked_at = [
        checks.not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_headers_conformance,
        conformance.response_schema_conformance,
        conformance.unsupported_method,
        conformance.allow_header_conformance,
    ]
    if case.path == "/ready":  # elsewhere a number may stand for a text
        looked_at.append(conformance.negative_data_rejection)
    case.validate_response(answer, checks=looked_at)
