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

from tasks import frames
from tasks.runners import base

END_SECONDS = 30.0  # beyond the wall limit, for what it leaves
SPARE_MB = 256  # for the Python that watches and the bucket's driver, which takes 64 MB a file
COPIES = 8  # of the largest file, on its way through two processes
MOUNT = "/job"
PATH = "/usr/local/bin:/usr/bin:/bin"
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
    """What `inside.py` reads: the order with stdin, then the files."""
    limits = job.limits
    order = {
        "command": list(job.command),
        "env": {"PATH": PATH, "HOME": "/work", "LANG": "C.UTF-8", "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1", **job.env},  # noqa: S108 - inside the container  # nosec B108
        "files": len(job.files),
        "out": base.OUT,
        "artefacts": limits.artefacts_mb * 1_000_000,
        "rlimits": {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": round(limits.cpu_seconds) + 1,
            "RLIMIT_FSIZE": limits.file_mb * 1_000_000,
            "RLIMIT_NOFILE": 512,
            "RLIMIT_NPROC": limits.processes,
            "RLIMIT_AS": max(4 * limits.memory_mb, 2048) * 1_000_000,
        },
    }
    return b"".join([frames.pack(order, job.stdin), *(frames.pack({"path": path}, content) for path, content in job.files.items())])


@cache
def supervisor() -> bytes:
    """`cloud_inside.py` with what it needs, as one file that Python runs."""
    here = Path(__file__).parent
    content = {"tasks/__init__.py": "", "tasks/runners/__init__.py": "", "tasks/frames.py": (here.parent / "frames.py").read_text(encoding="utf-8")}
    for name in ("inside", "usage", "seccomp", "cloud_letters", "cloud_walls"):
        content[f"tasks/runners/{name}.py"] = (here / f"{name}.py").read_text(encoding="utf-8")
    content["__main__.py"] = (here / "cloud_inside.py").read_text(encoding="utf-8")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # not compressed: not every Python has zlib
        for name, text in content.items():
            archive.writestr(name, text)
    return file.getvalue()
