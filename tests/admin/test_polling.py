"""The rules of every poll in the templates: it rests while nobody looks, and ends where there is an end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from tasks import runs
from tasks.admin.rounds import STOP_POLLING
from tasks.models import ContainerRun, Round
from tests.factories import make_round, make_task

TEMPLATES = Path(settings.BASE_DIR) / "templates"
SEEN = "[document.visibilityState === 'visible']"
POLLS = [
    (path.relative_to(TEMPLATES).as_posix(), trigger)
    for path in sorted(TEMPLATES.rglob("*.html"))
    for trigger in re.findall(r'hx-trigger="([^"]*\bevery\b[^"]*)"', path.read_text(encoding="utf-8"))
]


def test_every_poll_rests_while_its_tab_is_hidden() -> None:
    assert len(POLLS) >= 5
    polls = [(path, part) for path, trigger in POLLS for part in trigger.split(",") if "every" in part]
    assert [poll for poll in polls if not re.fullmatch(rf"\s*every (\d+|{{{{ \w+ }}}})s {re.escape(SEEN)}", poll[1])] == []


@pytest.mark.parametrize("name", ["round", "containerrun"])
def test_a_poll_stops_at_a_final_state_and_the_page_then_has_none(boss, name) -> None:
    row = make_round() if name == "round" else runs.submit(task=make_task(), files={"main.py": b""})
    live, page = (reverse(f"admin:tasks_{name}_{view}", args=[row.pk]) for view in ("live", "change"))
    assert boss.get(live).status_code == 200
    assert f'hx-get="{live}"' in boss.get(page).content.decode()

    for status in (*Round.Status, *ContainerRun.Status):
        if status in type(row).Status.values and status not in type(row).OPEN:
            type(row).objects.filter(pk=row.pk).update(status=status, finished_at=timezone.now())
            assert boss.get(live).status_code == STOP_POLLING, status
    assert f'hx-get="{live}"' not in boss.get(page).content.decode()
