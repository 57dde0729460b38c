"""A SQLite database with every migration applied, made once for a test run. What starts a service of its own begins with a copy, which is three
seconds of a core less."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from django.conf import settings

NAME = "deployer.sqlite3"
folder: Path | None = None  # which the processes of the run share


def copy_to(data: Path) -> None:
    """Where there is no database yet."""
    assert folder is not None, "tests/conftest.py sets it"
    if (data / NAME).exists():
        return
    made = folder / "migrated"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            env = os.environ | {"DJANGO_SETTINGS_MODULE": "deployer.settings", "ENV_FILE": os.devnull, "DEBUG": "on", "DATA_DIR": str(folder / "new")}
            for name in ("DATABASE_URL", "TEST_DATABASE_URL", "REDIS_URL"):
                env.pop(name, None)
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=settings.BASE_DIR, env=env, check=True, timeout=120)
            (folder / "new").rename(made)
    data.mkdir(parents=True, exist_ok=True)
    shutil.copy(made / NAME, data / NAME)
