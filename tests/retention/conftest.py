"""Ages as they will be after some days: the rows of a test are young, so the clock of the prune is set ahead instead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tasks.retention.ages import Ages
from tasks.retention.batches import Batches
from tasks.retention.pruning import Pruned, prune


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """A data folder of the test's own, with its log."""
    settings.DATA_DIR = tmp_path
    settings.LOG_FILE = tmp_path / "logs" / "app.log"
    settings.LOG_FILE.parent.mkdir()
    return tmp_path


def after(days: float, **chosen: float) -> Ages:
    """The ages that hold in so many days from now."""
    return Ages.of_days(**chosen, now=timezone.now() + timedelta(days=days))


def pruned_after(days: float, *, dry_run: bool = False, **options: Any) -> Pruned:
    return prune(after(days), Batches(), by="a test", dry_run=dry_run, **options)
