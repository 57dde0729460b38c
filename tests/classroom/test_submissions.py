"""The sheet into rows: the last word of each address counts, all or nothing, and what is in the database is not readable."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import LazySettings

from tasks.classroom import upload
from tasks.classroom.sealing import unseal
from tasks.classroom.submissions import import_csv
from tasks.errors import SheetRefused
from tasks.models import Submission

pytestmark = pytest.mark.django_db

HEAD = "timestamp,email,endpoint,secret\n"
ANN = "2025-10-05 14:30:00,ann@example.org,https://ann.example.org/ready,s3cret-ann\n"
BOB = "2025-10-05 15:00:00,bob@example.org,https://bob.example.org/ready,s3cret-bob\n"


def stored() -> dict[str, tuple[str, str]]:
    """Endpoint and secret of each address."""
    return {row.email: (row.endpoint, unseal(row.sealed_secret, row.email)) for row in Submission.objects.all()}


def test_a_sheet_is_taken_over_and_the_same_one_again_changes_nothing() -> None:
    first = import_csv(HEAD + ANN + BOB)
    before = list(Submission.objects.values())
    again = import_csv(HEAD + BOB + ANN.replace("ann@example.org", "ANN@Example.org"))
    assert (first.stored, first.new, first.changed, first.unchanged, first.skipped) == (True, 2, 0, 0, 0)
    assert (again.new, again.changed, again.unchanged, again.skipped, again.changes) == (0, 0, 2, 0, ())
    assert list(Submission.objects.values()) == before
    assert stored()["ann@example.org"] == ("https://ann.example.org/ready", "s3cret-ann")
    assert "s3cret" not in str(before)


def test_only_changed_rows_are_written_who_is_missing_stays_and_an_older_row_does_not_come_back() -> None:
    import_csv(HEAD + ANN + BOB)
    Submission.objects.update(probe="answers", probe_detail="HTTP 200.", probe_ms=5, probed_at=datetime(2025, 10, 6, tzinfo=UTC), note="kept")
    moved = "2025-10-06,ann@example.org,https://new.example.org/ready,s3cret-new\n"
    done = import_csv(HEAD + moved + ANN + "2025-10-07,eve@example.org,https://eve.example.org/ready,s3cret-eve\n")
    assert [(change.line, change.what, change.why) for change in done.changes] == [
        (2, "changed", "endpoint, secret, timestamp"),
        (3, "skipped", "line 2 of the same address is later"),
        (4, "new", ""),
    ]
    assert stored() == {
        "ann@example.org": ("https://new.example.org/ready", "s3cret-new"),
        "bob@example.org": ("https://bob.example.org/ready", "s3cret-bob"),
        "eve@example.org": ("https://eve.example.org/ready", "s3cret-eve"),
    }
    ann, bob = (Submission.objects.get(email=f"{name}@example.org") for name in ("ann", "bob"))
    assert (ann.probe, ann.probe_detail, ann.probed_at, ann.note) == ("", "", None, "kept")
    assert (bob.probe, bob.probe_ms) == ("answers", 5)
    old = import_csv(HEAD + ANN)
    assert (old.changed, old.skipped, old.changes[0].why) == (0, 1, "what is stored is of 2025-10-06 00:00 UTC, later than this row")
    assert stored()["ann@example.org"][1] == "s3cret-new"


def test_the_lowest_line_counts_where_timestamps_are_equal_or_cannot_be_read() -> None:
    for moments in (("2025-10-05", "2025-10-05"), ("2026-01-01", "soon"), ("", "")):
        rows = (f"{moment},ann@example.org,https://ann.example.org/ready,s3cret-{number}\n" for number, moment in enumerate(moments, start=1))
        done = import_csv(HEAD + "".join(rows))
        assert (done.new, done.skipped, stored()["ann@example.org"][1]) == (1, 1, "s3cret-2")
        Submission.objects.all().delete()
    without = import_csv(HEAD.replace("timestamp", "no") + ANN)
    assert (without.stored, without.notes) == (True, ("There is no column timestamp: of several rows of an address the lowest counts.",))


def test_nothing_is_imported_while_a_row_is_bad_unless_the_good_ones_are_asked_for() -> None:
    text = HEAD + ANN + ",carl@example.org,carl.example.org/ready,s3cret-carl\n\n" + BOB.replace("s3cret-bob", "s3cret,bob")
    for options in ({}, {"dry_run": True}, {"dry_run": True, "good_rows": True}):
        found = import_csv(text, **options)
        assert (found.stored, found.new, Submission.objects.count()) == (False, 1, 0)
        assert [(row.line, row.email) for row in found.bad] == [(3, "carl@example.org"), (5, "bob@example.org")]
        assert "s3cret" not in repr(found)
    assert import_csv(text, good_rows=True).stored
    assert list(stored()) == ["ann@example.org"]


def test_the_sheets_time_zone_counts_and_an_unknown_one_is_refused() -> None:
    import_csv(HEAD + ANN, zone="Asia/Kolkata")
    assert Submission.objects.get().submitted_at == datetime(2025, 10, 5, 9, 0, tzinfo=UTC)
    for zone in ("Mars/Olympus", "../etc/passwd", "America", "\0"):
        with pytest.raises(SheetRefused, match="no such time zone"):
            import_csv(HEAD + ANN, zone=zone)


def test_secrets_that_cannot_be_read_any_more_are_sealed_anew_even_by_an_older_row(settings: LazySettings) -> None:
    import_csv(HEAD + ANN.replace("2025", "2026"))
    settings.SECRET_KEY = "another-" + "y" * 50
    done = import_csv(HEAD + ANN)
    assert (done.changed, done.changes[0].why) == (1, "secret (it could not be read any more)")
    assert stored()["ann@example.org"][1] == "s3cret-ann"


def test_a_sheet_that_waits_for_confirmation_is_sealed_for_its_owner_and_for_half_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = upload.pack(HEAD + ANN, "UTC", 7)
    assert "s3cret" not in packed
    assert upload.unpack(packed, 7) == (HEAD + ANN, "UTC")
    for text, owner, word in ((packed, 8, "somebody else"), (packed[:-4] + "AAA=", 7, "choose the file"), ("é", 7, "choose the file")):
        with pytest.raises(SheetRefused, match=word):
            upload.unpack(text, owner)
    monkeypatch.setattr(upload, "SECONDS", -1)
    with pytest.raises(SheetRefused, match="older than half an hour"):
        upload.unpack(packed, 7)


def test_a_large_class_is_imported_in_a_few_statements(django_assert_max_num_queries: object) -> None:
    rows = [f"2025-10-05,s{n}@example.org,https://s{n}.example.org/ready,s3cret-{n}\n" for n in range(1_200)]
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        assert import_csv(HEAD + "".join(rows)).new == 1_200
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        assert import_csv(HEAD + "".join(row.replace("/ready", "/task") for row in rows)).changed == 1_200
