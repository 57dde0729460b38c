"""A student's secret is nowhere but, encrypted, in its own column: after import, edit, probe and export it is in no row, page, statement or log."""

from __future__ import annotations

import logging
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tasks import jobs
from tasks.classroom.sealing import unseal
from tasks.logs import JsonFormatter, SharedFileHandler
from tasks.models import Submission
from tests.emulators.base import Emulator, Reply
from tests.security.admin_addresses import addresses

SECRETS = ("plain-s3cret-one", "plain-s3cret-two", "plain-s3cret-bad")
LIST, IMPORT = reverse("admin:tasks_submission_changelist"), reverse("admin:tasks_submission_import")


def work(client: Client, url: str, folder: Path) -> str:
    """All that is done with secrets; everything that came back."""
    said: list[str] = []

    def post(address: str, **data: Any) -> str:
        answer = client.post(address, data, follow=True)
        said.append((b"".join(answer.streaming_content) if answer.streaming else answer.content).decode())
        return said[-1]

    sheet = f"timestamp,email,endpoint,secret\n2025-10-05,ann@example.org,{url}/ready,{SECRETS[0]}\n,bob@example.org,{SECRETS[2]},{SECRETS[2]}\n"
    sheet += f",{SECRETS[2]},x,{SECRETS[2]}\n,eve@example.org,{url}/ready,{SECRETS[2]},x\n"
    page = post(IMPORT, file=SimpleUploadedFile("form.csv", sheet.encode()), zone="UTC")
    post(IMPORT, sheet=page.split('name="sheet" value="')[1].split('"')[0], good_rows="yes")
    post(IMPORT, file=SimpleUploadedFile("form.csv", f'{sheet}"{SECRETS[2]}'.encode()), zone="UTC")
    row = Submission.objects.get()
    change = reverse("admin:tasks_submission_change", args=[row.pk])
    fields = {"email": row.email, "endpoint": row.endpoint, "note": "", "is_active": "on"}
    post(change, **fields, secret=SECRETS[1])
    post(change, **fields | {"email": "ann"}, secret=SECRETS[2])
    post(LIST, action="probe_chosen", _selected_action=[row.pk], index=0)
    jobs.probe_endpoints(0)
    post(LIST, action="export_as_csv", _selected_action=[row.pk], index=0)
    for args in (["import", str(folder / "form.csv")], ["list", "--json"], ["probe", "--json"]):
        (folder / "form.csv").write_text(sheet)
        out = StringIO()
        with suppress(SystemExit):
            call_command("submissions", *args, stdout=out, stderr=out)
        said.append(out.getvalue())
    return "\n".join(said)


@pytest.mark.django_db
def test_no_secret_is_anywhere_in_clear_text_and_no_page_shows_even_the_sealed_one(settings: LazySettings, tmp_path: Path) -> None:
    settings.LOG_FILE = tmp_path / "app.log"
    handler = SharedFileHandler(str(settings.LOG_FILE))
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    try:
        with Emulator() as service, CaptureQueriesContext(connection) as statements:
            service.enqueue(Reply(500, f"{SECRETS[1]} is wrong".encode()), Reply(fault="reset"))
            said = work(client, service.url, tmp_path)
            logging.getLogger("tasks").error("the end")
        looked_at = [address for address in addresses() if "submission" in address or "django_q" in address]
        pages = [client.get(address) for address in [*looked_at, reverse("admin:index"), f"{reverse('logs')}?lines=1000"]]
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
    row = Submission.objects.get()
    assert unseal(row.sealed_secret, row.email) == SECRETS[1]
    assert len(service.requests) == 2
    assert b"s3cret" not in b"".join(request.body for request in service.requests)
    shown = said + "".join(b"".join(page).decode("utf-8", "replace") for page in pages)
    kept = " ".join(str(list(model._base_manager.values())) for model in apps.get_models())
    logged = settings.LOG_FILE.read_text()
    assert "the end" in logged
    assert len(looked_at) > 10
    for name, text in {"pages": shown, "rows": kept, "statements": str(statements.captured_queries), "log": logged}.items():
        assert not [secret for secret in SECRETS if secret in text], name
    assert row.sealed_secret not in shown + logged
