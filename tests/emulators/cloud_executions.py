"""One execution of an emulated Cloud Run job: its container in a thread, and how the service shows it and its only task."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.emulators.cloud_container import Container

if TYPE_CHECKING:
    from tests.emulators.cloud_run import CloudRunEmulator


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Execution:
    def __init__(self, name: str, task: dict[str, Any], emulator: CloudRunEmulator) -> None:
        self.name, self.emulator = name, emulator
        self.created, self.completed = stamp(), ""
        self.cancelled = False
        described = task["containers"][0]
        mounts = {}
        for mount in described["volumeMounts"]:
            gcs = next(volume["gcs"] for volume in task["volumes"] if volume["name"] == mount["name"])
            assert gcs["bucket"] == emulator.bucket.name
            only = next(option.removeprefix("only-dir=") for option in gcs["mountOptions"] if option.startswith("only-dir="))
            mounts[mount["mountPath"]] = emulator.bucket.folder / only
        self.container = Container(
            [*described["command"], *described["args"]],
            mounts,
            int(described["resources"]["limits"]["memory"].removesuffix("Mi")) << 20,
            float(task["timeout"].removesuffix("s")),
            {"CLOUD_RUN_JOB": name.split("/")[5], "CLOUD_RUN_EXECUTION": name.split("/")[-1]},
        )
        self.container.user, self.container.rights = emulator.image_user, emulator.rights
        self._begin = threading.Event()  # set: no waiting for the cold start any more

    @property
    def over(self) -> bool:
        return bool(self.completed)

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def cancel(self) -> None:
        if not self.over:
            self.cancelled = True
            self.container.tell()
            self._begin.set()

    def _run(self) -> None:
        self._begin.wait(self.emulator.cold_start)
        if not self.cancelled:
            self.container.run()
        time.sleep(0.05)  # the service takes a moment to notice
        self.completed = stamp()

    def shown(self) -> dict[str, Any]:
        succeeded = self.over and self.container.exit_code == 0 and not self.cancelled
        state = "CONDITION_RECONCILING" if not self.over else "CONDITION_SUCCEEDED" if succeeded else "CONDITION_FAILED"
        condition = {"type": "Completed", "state": state, **({"message": self._message()} if self.over else {})}
        shown: dict[str, Any] = {"name": self.name, "createTime": self.created, "conditions": [condition], "reconciling": not self.over}
        if not self.over:
            return {**shown, "runningCount": 1}
        count = "succeededCount" if succeeded else "cancelledCount" if self.cancelled else "failedCount"
        return {**shown, "completionTime": self.completed, count: 1}

    def task(self) -> dict[str, Any]:
        container = self.container
        result: dict[str, Any] = {"status": {"code": 0 if container.exit_code == 0 else 2, "message": self._message()}}
        if container.term_signal:
            result["termSignal"] = container.term_signal
        elif container.exit_code:
            result["exitCode"] = container.exit_code
        return {"name": f"{self.name}/tasks/{self.name.split('/')[-1]}-0", "index": 0, "lastAttemptResult": result}

    def _message(self) -> str:
        if self.cancelled:
            return "The execution was cancelled."
        if self.container.message:
            return self.container.message
        if self.container.exit_code == 0:
            return "Execution completed successfully."
        return f"The container exited with an error: exit({self.container.exit_code})."
