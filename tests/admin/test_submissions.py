"""Submissions in the admin: listed, edited, imported after a preview, asked whether they answer, exported; a secret goes in and never comes out."""

from __future__ import annotations

import csv
import io
import re

from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from tasks.classroom import probe_queue
from tasks.classroom.sealing import unseal
from tasks.models import IssuedTask, Submission
from tests.admin.conftest import staff
from tests.factories import make_submission

LIST, IMPORT, PROBE = (reverse(f"admin:tasks_submission_{name}") for name in ("changelist", "import", "probe"))
SHEET = (
    "timestamp,email,endpoint,secret\n"
    "05/10/2025,ann@example.org,https://ann.example.org/ready,s3cret-ann\n"
    '06/10/2025,bob@example.org,=HYPERLINK(1),"s3cret-bob"\n'
    "07/10/2025,eve@example.org,https://eve.example.org,s3cret-eve\n"
)
RIGHTS = ("view_submission", "add_submission", "change_submission")


def change(row: Submission) -> str:
    return reverse("admin:tasks_submission_change", args=[row.pk])


def secret_of(row: Submission) -> str:
    row.refresh_from_db()
    return unseal(row.sealed_secret, row.email)


def uploaded(client: Client, text: str = SHEET, **more: str) -> tuple[str, str]:
    """The page that answers an upload, and the sealed sheet in it."""
    page = client.post(IMPORT, {"file": SimpleUploadedFile("form.csv", text.encode()), "zone": "UTC", **more})
    assert (page.status_code, "no-store" in page["Cache-Control"]) == (200, True)
    sealed = re.search(r'name="sheet" value="([^"]+)"', page.content.decode())
    return page.content.decode(), sealed[1] if sealed else ""


def test_a_sheet_is_previewed_then_its_good_rows_are_imported_and_nobody_sees_a_secret(db: None) -> None:
    client = staff(*RIGHTS)
    page, sealed = uploaded(client)
    read_as = "05/10/2025: read as day/month/year"
    for part in (read_as, "does not begin with https://", "does not end in /ready", "ann@example.org", "Import the 2 good rows"):
        assert part in page
    assert Submission.objects.count() == 0

    client.post(IMPORT, {"sheet": sealed})
    assert Submission.objects.count() == 0, "while a row is bad the good ones alone have to be asked for"
    done = client.post(IMPORT, {"sheet": sealed, "good_rows": "yes"}, follow=True)

    assert "Imported: 2 new, 0 changed, 0 unchanged, 0 skipped, 1 left out." in done.content.decode()
    assert secret_of(Submission.objects.get(email="ann@example.org")) == "s3cret-ann"
    assert LogEntry.objects.get().change_message == "Imported: 2 new, 0 changed, 0 unchanged, 0 skipped, 1 left out."
    again, _ = uploaded(client, SHEET.replace("s3cret-ann", "s3cret-new").replace("05/10", "08/10"))
    assert "<td>secret, timestamp</td>" in again
    assert "s3cret" not in page + done.content.decode() + again + sealed


def test_a_sheet_that_cannot_be_read_is_refused_in_the_form_and_one_of_somebody_else_is_not_taken(boss: Client) -> None:
    for text, words in (("", "is empty"), ("a,b\n1,2\n", "does not name"), ("PK\x03\x04", "workbook"), (SHEET * 20_000, "larger than")):
        page, sealed = uploaded(boss, text)
        assert (words in page, sealed) == (True, "")
    assert "no such time zone" in uploaded(boss, zone="Mars")[0]
    _, sealed = uploaded(boss)
    for sheet in (sealed, "x"):
        answer = staff(*RIGHTS).post(IMPORT, {"sheet": sheet, "good_rows": "yes"}, follow=True)
        assert "choose the file again" in answer.content.decode()
    assert Submission.objects.count() == 0


def test_a_secret_is_written_and_kept_but_never_read(boss: Client) -> None:
    form = {"email": "ann@example.org", "endpoint": "https://ann.example.org/ready", "secret": "", "note": "", "is_active": "on"}
    add = reverse("admin:tasks_submission_add")
    assert "The secret is empty" in boss.post(add, form).content.decode()
    assert boss.post(add, form | {"secret": "s3cret-1"}).status_code == 302
    row = Submission.objects.get()
    first, said = row.sealed_secret, row.submitted_at
    Submission.objects.update(probe="answers", probe_detail="HTTP 200.")

    boss.post(change(row), form | {"note": "late"})
    row.refresh_from_db()
    assert (row.sealed_secret, row.submitted_at, row.note, row.probe) == (first, said, "late", "answers")
    boss.post(change(row), form | {"email": "Ann.B@example.org"})
    assert (secret_of(row), row.email, row.submitted_at > said) == ("s3cret-1", "Ann.B@example.org", True)
    boss.post(change(row), form | {"endpoint": "https://new.example.org/ready", "secret": "s3cret-2"})
    assert (secret_of(row), row.probe, row.probe_detail) == ("s3cret-2", "", "")

    make_submission(email="bob@example.org")
    for field, value, words in (
        ("email", "BOB@example.org", "of this address already"),
        ("endpoint", "ann.example.org", "does not begin with https://"),
        ("secret", "x" * 201, "more than 200"),
    ):
        page = boss.post(change(row), form | {"secret": "s3cret-3", field: value}).content.decode()
        assert (words in page, "s3cret" in page, "x" * 201 in page) == (True, False, False)
    assert secret_of(row) == "s3cret-2"
    pages = "".join(boss.get(url).content.decode() for url in (LIST, change(row), reverse("admin:tasks_submission_history", args=[row.pk])))
    row.refresh_from_db()
    assert "ann@example.org" in pages
    assert not [word for word in ("s3cret", row.sealed_secret) if word in pages + str(list(LogEntry.objects.values()))]


def test_a_secret_that_cannot_be_read_any_more_has_to_be_typed_when_the_address_changes(boss: Client, settings) -> None:
    row = make_submission(email="ann@example.org")
    Submission.objects.update(sealed_secret="sealed-under-another-key")
    form = {"email": "ann.b@example.org", "endpoint": row.endpoint, "secret": "", "note": "", "is_active": "on"}
    assert "Or type the secret here" in boss.post(change(row), form).content.decode()
    boss.post(change(row), form | {"secret": "s3cret"})
    assert (secret_of(row), row.email) == ("s3cret", "ann.b@example.org")


def test_the_list_tells_who_answers_and_the_poll_ends_when_all_were_asked(boss: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert boss.get(LIST).status_code == 200
        return len(captured)

    first = make_submission(probe="broken", probe_detail="HTTP 500: <b>", probe_ms=1234)
    IssuedTask.objects.create(submission=first, brief_id="x", round=1, seed="s", task="x-1", nonce="n", brief="b", evaluation_url="https://e.org/n")
    few = queries()
    for state in ("answers", "wrong_place", "unreachable", ""):
        make_submission(probe=state)
    make_submission(probe="answers", is_active=False)
    assert queries() <= few
    page = boss.get(LIST).content.decode()
    for part in ("wrong address", "not asked yet", "HTTP 500: &lt;b&gt;", "1.2 s"):
        assert part in page
    for choice in Submission.Probe.values:
        assert len(boss.get(LIST, {"probe__exact": choice, "is_active__exact": 1}).context["cl"].result_list) == 1
    assert len(boss.get(LIST, {"q": "student"}).context["cl"].result_list) == 6

    live = reverse("admin:tasks_submission_probes")
    assert boss.get(live).status_code == 286
    assert "5 services will be asked by a worker" in boss.post(PROBE, follow=True).content.decode()
    assert (probe_queue.open_count(), OrmQ.objects.count()) == (5, 1)
    poll = boss.get(live)
    assert (poll.status_code, "5 still to be asked" in poll.content.decode()) == (200, True)
    assert "hx-get" in boss.get(LIST).content.decode().split('id="probes"')[1][:200]
    boss.post(LIST, {"action": "probe_chosen", "_selected_action": [Submission.objects.get(is_active=False).pk], "index": 0})
    assert probe_queue.open_count() == 6


def test_the_list_is_exported_without_secrets_and_without_formulas(boss: Client) -> None:
    row = make_submission("s3cret", email="ann@example.org", note="=1+1")
    answer = boss.post(LIST, {"action": "export_as_csv", "_selected_action": [row.pk], "index": 0})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (line["email"], line["note"], line["takes_part"], line["issued"]) == ("ann@example.org", "'=1+1", "yes", "0")
    assert not [word for word in ("s3cret", row.sealed_secret, "secret") if word in text]


def test_nobody_does_more_than_their_rights(db: None) -> None:
    row = make_submission("s3cret", email="ann@example.org")
    _, sealed = uploaded(staff(*RIGHTS))
    for rights, listed in (((), 403), (("view_submission",), 200), (("view_submission", "add_submission"), 200)):
        client = staff(*rights)
        assert client.get(LIST).status_code == listed
        assert client.get(reverse("admin:tasks_submission_probes")).status_code in (listed, 286)
        for url, data in ((IMPORT, {"sheet": sealed, "good_rows": "yes"}), (PROBE, {}), (change(row), {"email": "x@example.org"})):
            assert client.post(url, data).status_code == 403
        assert client.get(IMPORT).status_code == 403
        for action in ("probe_chosen", "export_as_csv", "delete_selected"):
            answer = client.post(LIST, {"action": action, "_selected_action": [row.pk], "index": 0, "post": "yes"})
            assert not answer.streaming
        if listed == 200:
            assert 'name="secret"' not in client.get(change(row)).content.decode()
            assert "Import a sheet" not in client.get(LIST).content.decode()
    assert (list(Submission.objects.values_list("email", flat=True)), OrmQ.objects.count()) == (["ann@example.org"], 0)
