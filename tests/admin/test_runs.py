"""A run's page: watched while it runs, cancelled, and what it left."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tasks import runs
from tasks.models import Artefact, ContainerRun
from tests.factories import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> ContainerRun:
    made = runs.submit(task=make_task(name="Digits"), files={"main.py": b"print(1)"}, agent="eve")
    ContainerRun.objects.filter(pk=made.pk).update(status="running", stdout="<b>line</b>\n")
    made.refresh_from_db()
    return made


def url(name: str, run: ContainerRun) -> str:
    return reverse(f"admin:tasks_containerrun_{name}", args=[run.pk])


def test_an_open_run_is_polled_until_it_has_ended(boss, run) -> None:
    page = boss.get(url("change", run)).content.decode()
    assert f'hx-get="{url("live", run)}"' in page
    assert "&lt;b&gt;line" in page
    assert "Cancel this run" in page
    assert boss.get(url("live", run)).status_code == 200

    ContainerRun.objects.filter(pk=run.pk).update(
        status="oom_killed", reason="It used more than 512 MB of memory.", wall_ms=1500, memory_peak_kb=600_000
    )
    Artefact.objects.create(run=run, path="made.html", content=b"x", size=1, sha256="0" * 64)
    answer = boss.get(url("live", run), {"seen": "running"})
    assert (answer.status_code, answer.has_header("HX-Refresh")) == (286, False)
    said = f'id="run-said" hx-swap-oob="innerHTML">Run {run.pk}: out of memory.'
    end = answer.content.decode()
    page = boss.get(url("change", run)).content.decode()
    assert url("live", run) not in page
    for part in ("out of memory", "It used more than 512 MB of memory.", "1.5 s", "614.4 MB", "made.html"):
        assert part in page
        assert part in end
    for part in (said, f'id="cancel-{run.pk}" hx-swap-oob="delete"'):
        assert part in end
        assert part not in page
    assert said not in boss.get(url("live", run), {"seen": "oom_killed"}).content.decode()
    gone = url("live", ContainerRun(pk=999_999))
    assert [boss.get(gone, headers=headers).status_code for headers in ({}, {"HX-Request": "true"})] == [404, 286]


def test_cancel_asks_for_the_end_and_needs_the_right(boss, client, run, django_user_model) -> None:
    viewer = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    client.force_login(viewer)
    assert client.post(url("cancel", run)).status_code == 403
    assert boss.get(url("cancel", run)).status_code == 405
    assert boss.post(url("cancel", run)).status_code == 302
    run.refresh_from_db()
    assert run.cancel_asked_at is not None
    assert boss.post(url("cancel", run), headers={"HX-Request": "true"}).status_code == 204


def test_files_that_a_run_left_can_be_downloaded(boss, run) -> None:
    file = Artefact.objects.create(run=run, path="deep/made.html", content=b"<script>", size=8, sha256="0" * 64)
    link = reverse("admin:tasks_artefact_download", args=[file.pk])
    assert link in boss.get(url("change", run)).content.decode()
    answer = boss.get(link)
    assert (answer.content, answer["Content-Type"]) == (b"<script>", "application/octet-stream")
    assert answer["Content-Disposition"].startswith("attachment")
