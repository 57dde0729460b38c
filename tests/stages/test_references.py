"""Data that a brief names by its address, as the attachments stage reads it."""

from __future__ import annotations

import pytest

from tasks.files import fileset
from tasks.models import Attachment, Message, Round
from tasks.stages import attachments as stage_module
from tests.factories import data_uri, make_round, make_task
from tests.stages.test_attachments import FileServer, attach, run, server

__all__ = ["server"]

pytestmark = pytest.mark.django_db(transaction=True)

JSON = {"Content-Type": "application/json"}


def events(round_: Round) -> list[str]:
    return [message.body for message in Message.objects.filter(round=round_, kind="event")]


def test_the_answer_is_kept_as_a_fetched_row_with_what_the_model_is_told(server: FileServer) -> None:
    url = server.answer("/api/boxes", (200, JSON, b'{"boxes": [4, 5]}'))
    round_ = make_round(brief=f"Fetch {url} and show the sum of the boxes.")
    (row,) = run(round_).values()
    assert row.fetched
    assert (row.name, row.path, row.url) == ("fetched/127.0.0.1-boxes.json", "fetched/127.0.0.1-boxes.json", url)
    assert (row.media_type, row.size) == ("application/json", 17)
    assert row.profile.startswith(f"[The service has read this from {url} just now")
    assert 'from="attachment:fetched/127.0.0.1-boxes.json"' in row.profile
    assert "boxes" in row.profile.splitlines()[-1]


def test_a_redirect_is_followed_and_a_refused_target_is_not(server: FileServer) -> None:
    server.answer("/real", (200, JSON, b"[1]"))
    good = server.answer("/api/good", (302, {"Location": "/real"}, b""))
    bad = server.answer("/api/bad", (302, {"Location": "http://169.254.169.254/x.json"}, b""))
    round_ = make_round(brief=f"Fetch {good} and show it. Fetch {bad} as well.")
    assert [row.url for row in run(round_).values()] == [good]
    assert len(events(round_)) == 1


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, JSON, b"{}"),
        (503, JSON, b"{}"),
        (200, JSON, b""),
        (200, {}, b"<!doctype html><title>Sign in</title>"),
        (200, {}, b"\x89PNG\r\n\x1a\n\0"),
        (0, {}, b""),
    ],
)
def test_what_cannot_be_used_is_an_event_that_names_the_host_and_no_more(
    server: FileServer, status: int, headers: dict[str, str], body: bytes
) -> None:
    url = server.answer("/api/boxes?key=hidden", (status, headers, body))
    round_ = make_round(brief=f"Fetch {url} and show it.")
    assert run(round_) == {}
    (event,) = events(round_)
    assert event.startswith("The data at 127.0.0.1 could not be read for the model: ")
    assert "hidden" not in event
    round_.refresh_from_db()
    assert (round_.degraded_id, round_.error_id) == ("", "")


def test_a_megabyte_is_enough(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "REFERENCE_BYTES", 100)
    url = server.answer("/api/boxes", (200, JSON, b"[" + b"1," * 100 + b"1]"))
    assert run(make_round(brief=f"Fetch {url} and show it.")) == {}


def test_a_second_run_asks_for_nothing_again(server: FileServer) -> None:
    url = server.answer("/api/boxes", (200, JSON, b"[1]"))
    round_ = make_round(brief=f"Fetch {url} and show it.")
    run(round_)
    run(round_)
    assert server.asked == ["/api/boxes"]
    assert Attachment.objects.count() == 1


def test_two_answers_of_one_name_do_not_collide(server: FileServer) -> None:
    one, two = server.answer("/api/a/boxes.json", (200, JSON, b"[1]")), server.answer("/api/b/boxes.json", (200, JSON, b"[2]"))
    round_ = make_round(brief=f"Fetch {one} first. Fetch {two} then.")
    run(round_)
    assert sorted(fileset.references(round_)) == ["fetched/127.0.0.1-boxes-2.json", "fetched/127.0.0.1-boxes.json"]


def test_no_time_is_spent_when_the_time_for_all_is_up(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "REFERENCES_SECONDS", 0.0)
    url = server.answer("/api/boxes", (200, JSON, b"[1]"))
    round_ = make_round(brief=f"Fetch {url} and show it.")
    assert run(round_) == {}
    assert server.asked == []


def test_the_evaluators_address_is_not_asked(server: FileServer) -> None:
    url = server.answer("/api/notify", (200, JSON, b"[1]"))
    assert run(make_round(brief=f"Fetch data from {url} now.", evaluation_url=url)) == {}
    assert server.asked == []


# -- kept apart from what was posted ---------------------------------------------------------------------------------------------------


def test_what_was_fetched_is_no_attachment(server: FileServer) -> None:
    task = make_task()
    url = server.answer("/api/boxes", (200, JSON, b"[1]"))
    first = make_round(task, brief=f"Fetch {url} and show it.")
    attach(first, ("data.csv", data_uri(b"a\n1\n")))
    run(first)
    assert list(fileset.all_attachments(first)) == ["data.csv"]
    assert list(fileset.references(first)) == ["fetched/127.0.0.1-boxes.json"]
    assert list(fileset.references(make_round(task, number=2))) == ["fetched/127.0.0.1-boxes.json"]


@pytest.mark.parametrize(("copies", "published"), [({}, False), ({"boxes.json": "fetched/127.0.0.1-boxes.json"}, True)])
def test_it_is_published_only_where_it_is_copied(server: FileServer, copies: dict[str, str], published: bool) -> None:
    url = server.answer("/api/boxes", (200, JSON, b"[1]"))
    round_ = make_round(brief=f"Fetch {url} and show it.")
    run(round_)
    made = fileset.assemble(
        task="boxes",
        brief=round_.brief,
        checks=(),
        model_files={"index.html": b"<!doctype html><title>x</title>"},
        copies=copies,
        deleted=(),
        base={},
        attachments=fileset.all_attachments(round_),
        references=fileset.references(round_),
    )
    assert (made.tree().get("boxes.json") == b"[1]") is published
    assert not any(path.startswith("fetched/") for path in made.files)
    assert made.revised == frozenset()
