"""What Cloud Run and the container get for a run: the job as the service takes it, the program with its files, and what watches it there."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from tasks.runners import base, course

END_SECONDS = 30.0  # beyond the wall limit, for what it leaves
SPARE_MB = 256  # for the Python that watches and the bucket's driver, which takes 64 MB a file
COPIES = 8  # of the largest file, on its way through two processes
MOUNT = "/job"
LABELS = {"deployer": "run"}


def body_of(name: str, limits: base.Limits, size: int) -> dict[str, Any]:
    """The job as Cloud Run takes it. `size`: bytes of the program's own files, which are in memory there like all others."""
    folder = size + (limits.artefacts_mb + 64) * 1_000_000
    last = COPIES * min(limits.file_mb, limits.artefacts_mb)  # when what it leaves is sent, the program has ended
    memory = (max(limits.memory_mb, last) + 64 + limits.artefacts_mb) * 1_000_000 + folder
    within = json.dumps({**asdict(limits), "folder_bytes": folder})
    container = {
        "image": settings.CLOUD_RUN_IMAGE,
        "command": ["python3"],
        "args": ["-I", "-S", f"{MOUNT}/supervisor.pyz", MOUNT, within],
        "resources": {"limits": {"cpu": "1", "memory": f"{max(512, memory // 2**20 + SPARE_MB)}Mi"}},
        "volumeMounts": [{"name": "job", "mountPath": MOUNT}],
    }
    task = {
        "containers": [container],
        "volumes": [{"name": "job", "gcs": {"bucket": settings.CLOUD_RUN_BUCKET, "mountOptions": ["implicit-dirs", f"only-dir={name}"]}}],
        "maxRetries": 0,
        "timeout": f"{round(limits.wall_seconds + END_SECONDS)}s",
        "serviceAccount": settings.CLOUD_RUN_SERVICE_ACCOUNT,
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
    }
    return {"labels": LABELS, "template": {"taskCount": 1, "parallelism": 1, "template": task}}


def packed(job: base.Job) -> bytes:
    """What `inside.py` reads there: as in the sandbox."""
    limits = job.limits
    return course.packed(job, {"RLIMIT_NPROC": limits.processes, "RLIMIT_AS": max(4 * limits.memory_mb, 2048) * 1_000_000}, {})


@cache
def supervisor() -> bytes:
    """`inside.py` with what it needs, as one file that Python runs."""
    here, tasks = Path(__file__).parent, Path(__file__).parents[2]
    shared = ("frames.py", "runners/inside.py", "runners/usage.py", "runners/seccomp.py")
    needed = [*(tasks / name for name in shared), here / "letters.py", here / "walls.py"]
    content = {f"tasks/{path.relative_to(tasks)}": path.read_text(encoding="utf-8") for path in needed}
    content |= dict.fromkeys(("tasks/__init__.py", "tasks/runners/__init__.py", "tasks/runners/cloud/__init__.py"), "")
    content["__main__.py"] = (here / "inside.py").read_text(encoding="utf-8")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # not compressed: not every Python has zlib
        for name, text in content.items():
            archive.writestr(name, text)
    return file.getvalue()
