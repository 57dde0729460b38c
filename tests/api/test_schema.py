"""The published description of the API: whole, and its examples are true."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tasks.api import notify
from tests.api.test_orchestrator import KEY, Client
from tests.factories import make_issued, make_submission

WRITES = ("post", "put", "patch")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return document


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, what) for path, methods in schema["paths"].items() for method, what in methods.items()]


def example(what: dict[str, Any]) -> Any:
    media = what["requestBody"]["content"]["application/json"]
    return next(iter(media["examples"].values()))["value"]


def test_it_is_a_valid_openapi_3_1_document_that_types_every_answer(schema) -> None:
    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")
    for path, _, what in operations(schema):
        for code, answer in what["responses"].items():
            for kind, media in answer.get("content", {}).items():
                assert media.get("schema"), (path, code, kind)
                assert media["schema"].get("type") != "object" or media["schema"].get("properties"), (path, code, kind)


@pytest.mark.django_db(transaction=True, reset_sequences=True)  # the examples say task 1
def test_every_body_has_an_example_and_each_example_works(schema, live_server, settings) -> None:
    """In the order of an agent's work: a task, its code, a run, what is said of it, its status."""
    settings.DEMO_API_KEY = settings.STUDENT_SECRET = KEY
    sent = {name: notify.EXAMPLE[name] for name in ("task", "round", "nonce")}
    make_issued(make_submission(email=notify.EXAMPLE["email"]), **sent)
    call = Client(live_server.url)
    bodies = [(path, method, example(what)) for path, method, what in operations(schema) if method in WRITES and "requestBody" in what]
    steps = ("/upload_task", "/api/v1/tasks", "/upload_code", "/api/v1/tasks/{task_id}/versions")
    begin = [next(item for item in bodies if item[:2] == (path, "post")) for path in steps]
    assert len(bodies) >= 14
    for path, method, body in begin + [item for item in bodies if item not in begin]:
        if path == "/ready":
            body = {**body, "secret": KEY}
        status = 201 if path.startswith("/api/v1") and method == "post" else 200
        call(method.upper(), path.replace("{task_id}", "1"), 202 if path == "/api/v1/containers" else status, json=body)
