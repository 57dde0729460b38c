"""POST /ready over the whole stack of views: every status, every odd but legal payload."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_q.models import OrmQ

from tasks.models import Attachment, Message, NotificationAttempt, Round, TaskRequest

pytestmark = pytest.mark.django_db


def post(client: Client, body: Any, **extra: Any) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post("/ready", data=data, content_type=extra.pop("content_type", "application/json"), **extra)


def test_a_task_is_stored_with_its_attachments_and_enqueued_before_the_200(client: Client, payload: dict[str, Any]) -> None:
    answer = post(client, payload)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["message"] == "Task sum-of-sales-7f3a2 received and processing started."
    round_ = Round.objects.get(uuid=answer.json()["id"])
    assert answer.json()["status_url"] == f"http://testserver/status/{round_.uuid}"
    assert (round_.number, round_.nonce, round_.stage, round_.status) == (1, "ab12-cdef-3456", "attachments", "queued")
    assert (round_.deadline_at - round_.received_at).total_seconds() == 600
    assert Attachment.objects.get(round=round_).name == "data.csv"
    assert OrmQ.objects.count() == 1


def test_the_secret_is_in_no_row(client: Client, payload: dict[str, Any]) -> None:
    post(
        client,
        payload | {"signature": "kept out", "note": "kept", "Secret": "test-secret-value", "again": [{"test-secret-value": "=test-secret-value"}]},
    )
    rows = [str(list(model.objects.values())) for model in (TaskRequest, Round, Attachment, Message, NotificationAttempt)]
    rows += [queued.payload for queued in OrmQ.objects.all()]
    assert "test-secret-value" not in "".join(rows)
    assert Round.objects.get().extra == {"note": "kept", "Secret": "[redacted]", "again": [{"[redacted]": "=[redacted]"}]}


@pytest.mark.parametrize("secret", ["", "x", "test-secret-valu", "test-secret-value ", "TEST-SECRET-VALUE", "é", None])
def test_a_wrong_or_missing_secret_is_401_and_stores_nothing(client: Client, payload: dict[str, Any], secret: str | None) -> None:
    body = {**payload, "secret": secret}
    if secret is None:
        del body["secret"]
    answer = post(client, body)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert Round.objects.count() == 0


@pytest.mark.parametrize("secret", [5, True, ["test-secret-value"], {}, 1.5])
def test_a_secret_that_is_no_string_is_422(client: Client, payload: dict[str, Any], secret: Any) -> None:
    assert post(client, payload | {"secret": secret}).status_code == 422


def test_a_lone_surrogate_in_the_secret_is_refused_without_a_500(client: Client, payload: dict[str, Any]) -> None:
    body = json.dumps(payload).replace("test-secret-value", "\\ud800")
    assert post(client, body).status_code in {400, 401, 422}


def test_repeated_wrong_secrets_are_429_with_retry_after_and_a_right_one_still_gets_in(client: Client, payload: dict[str, Any]) -> None:
    wrong = payload | {"secret": "nope"}
    statuses = [post(client, wrong).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert int(post(client, wrong)["Retry-After"]) > 0
    assert post(client, payload).status_code == 200


def test_without_a_student_secret_nobody_is_accepted(client: Client, payload: dict[str, Any], settings: Any) -> None:
    settings.STUDENT_SECRET = ""
    answer = post(client, payload | {"secret": ""})
    assert answer.status_code == 503
    assert "STUDENT_SECRET" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"{", b"nonsense", b"\xff\xfe{}", b'{"a": NaN}', b'{"a": 1e999}' + b"x", b"[" * 200_000, "{'a': 1}", b'{"email": "\xff"}']
)
def test_what_is_no_json_is_400_with_the_reason(client: Client, body: Any) -> None:
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("body", [[], "text", 5, None, True])
def test_json_that_is_no_object_is_422(client: Client, body: Any) -> None:
    assert post(client, json.dumps(body)).status_code == 422


@pytest.mark.parametrize("field", ["email", "task", "round", "nonce", "brief", "evaluation_url"])
def test_a_missing_field_is_422_and_named(client: Client, payload: dict[str, Any], field: str) -> None:
    del payload[field]
    answer = post(client, payload)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"), ("email", 5), ("email", "a b@c"), ("email", "x" * 250 + "@example.org"),
        ("task", ""), ("task", "   "), ("task", "t" * 201), ("task", []),
        ("round", 0), ("round", -1), ("round", "two"), ("round", 1.5), ("round", 2**31), ("round", 2**80), ("round", True), ("round", "٢"),
        ("nonce", ""), ("nonce", "n" * 201), ("nonce", None),
        ("brief", ""), ("brief", "b" * 100_001), ("brief", "nul \x00 byte"),
        ("evaluation_url", "ftp://example.org/x"), ("evaluation_url", "not a url"), ("evaluation_url", "//example.org"),
        ("evaluation_url", "http://user:pw@example.org/"), ("evaluation_url", "http://10.0.0.1/"), ("evaluation_url", "http://[::1]:8000/"),
        ("evaluation_url", "http://169.254.169.254/latest"), ("evaluation_url", "http://example.org\\@127.0.0.1/"),
        ("checks", 5), ("checks", [5]), ("checks", [None]), ("checks", ["x"] * 201),
        ("attachments", "file"), ("attachments", ["file"]), ("attachments", [{"name": "a"}]), ("attachments", [{"name": "a", "url": "file:///etc/passwd"}]),
        ("attachments", [{"name": "", "url": "data:,x"}]), ("attachments", [{"name": "a", "url": 5}]),
        ("attachments", [{"name": "a", "url": "data:,x"}] * 21),
        ("attachments", {"name": "a", "url": "data:,x"}),
        ("extra", "nul \x00 byte"), ("extra", 2**70),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_422_and_named(client: Client, payload: dict[str, Any], field: str, value: Any) -> None:
    answer = post(client, payload | {field: value})
    assert answer.status_code == 422, answer.content
    assert answer.json()["detail"]
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert Round.objects.count() == 0


def test_deep_nesting_in_an_unknown_key_is_refused(client: Client, payload: dict[str, Any]) -> None:
    body = json.dumps(payload)[:-1] + ', "deep": ' + "[" * 500 + "]" * 500 + "}"
    assert post(client, body).status_code in {400, 422}


@pytest.mark.parametrize(
    "change",
    [
        {"checks": None}, {"checks": []}, {"attachments": None}, {"attachments": []}, {"attachments": {}}, {"round": "2"}, {"round": 2},
        {"checks": ["js: document.title === 'x'"]}, {"checks": ["!!document.body"]}, {"checks": ["Repo has an MIT license"]},
        {"checks": {"js": "true"}},
        {"checks": "Page loads"}, {"signature": "old key", "usercode": "u", "anything": {"deep": [1, 2.5, None]}},
        {"attachments": [{"name": "../../etc/passwd", "url": "data:text/plain,x"}]}, {"attachments": [{"name": "a", "url": "https://example.org/a"}]},
        {"attachments": [{"name": "a", "url": "data:text/plain,x", "size": 1}]}, {"brief": "émoji 🎉 \u2028"}, {"nonce": "0190-uuid7"},
    ],
)  # fmt: skip
def test_odd_but_legal_payloads_are_accepted(client: Client, payload: dict[str, Any], change: dict[str, Any]) -> None:
    assert post(client, payload | change).status_code == 200


@pytest.mark.parametrize("field", ["checks", "attachments"])
def test_checks_and_attachments_may_be_missing(client: Client, payload: dict[str, Any], field: str) -> None:
    del payload[field]
    assert post(client, payload).status_code == 200


def test_a_body_with_a_byte_order_mark_is_read(client: Client, payload: dict[str, Any]) -> None:
    assert post(client, b"\xef\xbb\xbf" + json.dumps(payload).encode()).status_code == 200


def test_duplicate_keys_take_the_last_one(client: Client, payload: dict[str, Any]) -> None:
    body = '{"task": "first", ' + json.dumps(payload)[1:]
    assert post(client, body).status_code == 200
    assert TaskRequest.objects.get().task == "sum-of-sales-7f3a2"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"])
def test_another_media_type_is_415(client: Client, payload: dict[str, Any], content_type: str) -> None:
    assert post(client, payload, content_type=content_type).status_code == 415


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.course+json"])
def test_json_by_another_name_is_taken(client: Client, payload: dict[str, Any], content_type: str) -> None:
    assert post(client, payload, content_type=content_type).status_code == 200


def test_a_body_over_the_limit_is_413(client: Client, payload: dict[str, Any]) -> None:
    payload["attachments"][0]["url"] = "data:," + "x" * (25 * 1024 * 1024)
    answer = post(client, payload)
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


def test_a_body_of_fifteen_megabytes_is_taken(client: Client, payload: dict[str, Any]) -> None:
    payload["attachments"][0]["url"] = "data:," + "x" * (15 * 1024 * 1024)
    assert post(client, payload).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "image/png"])
def test_the_answer_is_json_whatever_the_caller_accepts(client: Client, payload: dict[str, Any], accept: str) -> None:
    answer = post(client, payload, headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_405_problem_json(client: Client, method: str) -> None:
    answer = getattr(client, method)("/ready")
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


def test_the_same_nonce_again_is_the_same_round_and_nothing_twice(client: Client, payload: dict[str, Any]) -> None:
    first, second = post(client, payload), post(client, payload)
    assert first.json()["id"] == second.json()["id"]
    assert (Round.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_the_same_nonce_with_another_brief_is_409(client: Client, payload: dict[str, Any]) -> None:
    post(client, payload)
    answer = post(client, payload | {"brief": "Something else."})
    assert answer.status_code == 409
    assert Round.objects.get().brief == payload["brief"]


def test_round_as_text_and_as_number_are_the_same_round(client: Client, payload: dict[str, Any]) -> None:
    assert post(client, payload).json()["id"] == post(client, payload | {"round": "1"}).json()["id"]


def test_a_new_nonce_and_a_second_round_belong_to_the_same_task(client: Client, payload: dict[str, Any]) -> None:
    post(client, payload)
    post(client, payload | {"nonce": "second"})
    post(client, payload | {"round": 2, "nonce": "third"})
    assert (TaskRequest.objects.count(), Round.objects.count()) == (1, 3)


def test_the_same_task_of_another_person_is_another_task(client: Client, payload: dict[str, Any]) -> None:
    post(client, payload)
    post(client, payload | {"email": "other@example.org"})
    assert TaskRequest.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_twins_posted_in_parallel_make_one_round(payload: dict[str, Any]) -> None:
    answers: list[tuple[int, str]] = []

    def send(body: dict[str, Any]) -> None:
        answer = post(Client(), body)
        answers.append((answer.status_code, answer.json().get("id")))
        connection.close()

    bodies = [copy.deepcopy(payload) for _ in range(12)] + [copy.deepcopy(payload) | {"nonce": f"other-{n}"} for n in range(4)]
    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {200}
    assert len({id for _, id in answers}) == 5
    assert (TaskRequest.objects.count(), Round.objects.count(), OrmQ.objects.count()) == (1, 5, 5)
