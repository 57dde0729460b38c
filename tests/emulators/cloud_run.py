"""Cloud Run's jobs and the bucket beside it, over real HTTP; a job's container really runs (cloud_container.py).

Wants a token that it gave out for a key of the right service account, refuses what Google's own description does not hold, makes jobs and starts
containers after a while, keeps the rules on names, memory and time limits, and tells how executions ended as the service does.
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs, https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.emulators import google_discovery
from tests.emulators.base import Emulator, Reply, Request, json_reply
from tests.emulators.cloud_executions import Execution, stamp
from tests.emulators.cloud_storage import Bucket, refusal
from tests.emulators.github_faults import Fault, Faults

JOB_ID = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
PARENT = r"(projects/[^/]+/locations/[^/]+)"
JOB = PARENT + r"/jobs/([^/:]+)"


class CloudRunEmulator(Emulator):
    """Point both endpoints to `url`, and GOOGLE_APPLICATION_CREDENTIALS to `key_file`."""

    def __init__(self, folder: Path, *, bucket: str = "runs", images: tuple[str, ...] = ("python:3.11-slim",)) -> None:
        super().__init__()
        self.denied: set[str] = set()
        self.bucket = Bucket(bucket, folder / "bucket", self.denied)
        self.images = images
        self.faults = Faults()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, Execution] = {}
        self.made: list[str] = []  # all executions that ever were
        self.making_seconds = 0.05  # until a job is ready
        self.cold_start = 0.05
        self.image_user, self.rights = 0, "ALL"  # whom the image starts as, with what capabilities
        self.tokens: set[str] = set()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_file = folder / "key.json"
        self._lock = threading.RLock()

    def start(self) -> CloudRunEmulator:
        super().start()
        pem = self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        key = {"type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": pem, "client_email": "runner@emulated"}
        self.key_file.write_text(json.dumps({**key, "client_id": "1", "token_uri": f"{self.url}/token"}))
        return self

    def stop(self) -> None:
        for execution in self.executions.values():
            execution.container.kill()
        super().stop()

    def fault(self, method: str, path: str, kind: str = "status", *, times: int = 1, status: int = 503, skip: int = 0) -> None:
        headers = {"Retry-After": "0"} if status == 429 else {}
        self.faults.add(Fault(method, re.compile(path), times, kind, status, headers, b'{"error": {"code": 0, "message": "on purpose"}}', skip=skip))

    def asked(self, method: str, ending: str) -> int:
        """How many requests there were."""
        return sum(request.method == method and request.path.endswith(ending) for request in self.requests)

    # -- one request -------------------------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._token(request)
        fault = self.faults.take(request.method, request.path)
        if fault and fault.kind == "status":
            return Reply(fault.status, fault.body, {"Content-Type": "application/json", **fault.headers})
        if fault and fault.kind in {"reset", "hang"}:
            return Reply(fault=fault.kind)
        reply = self._true_answer(request)
        return Reply(fault="reset") if fault else reply  # done, but the answer gets lost

    def _token(self, request: Request) -> Reply:
        assertion = parse_qs(request.body.decode())["assertion"][0]
        try:
            claims = jwt.decode(assertion, self._key.public_key(), algorithms=["RS256"], audience="https://oauth2.googleapis.com/token")
        except jwt.PyJWTError as error:
            return json_reply({"error": "invalid_grant", "error_description": str(error)}, 400)
        if claims["iss"] != "runner@emulated" or "https://www.googleapis.com/auth/cloud-platform" not in claims["scope"].split():
            return json_reply({"error": "invalid_scope"}, 400)
        token = f"ya29.{len(self.requests)}"
        self.tokens.add(token)
        return json_reply({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def _true_answer(self, request: Request) -> Reply:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refusal(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        ours = not request.path.startswith("/v2/")
        try:
            body = None if ours or not request.body else json.loads(request.body)
        except ValueError:
            return refusal(400, "Invalid JSON payload received. Unexpected token.", "INVALID_ARGUMENT")
        status, text = google_discovery.problem("storage.v1" if ours else "run.v2", request.method, request.path, request.query, body)
        if status:
            return refusal(status, text, "INVALID_ARGUMENT" if status == 400 else "NOT_FOUND")
        if ours:
            return self.bucket.answer(request)
        with self._lock:
            for verb, pattern, right, act in ROUTES:
                match = re.fullmatch(f"/v2/{pattern}", request.path)
                if match and verb == request.method:
                    if right in self.denied:
                        said = f"Permission '{right}' denied on resource '{request.path[4:]}' (or resource may not exist)."
                        return refusal(403, said, "PERMISSION_DENIED")
                    return act(self, request, match, body or {})
        return refusal(404, "Requested entity was not found.", "NOT_FOUND")

    # -- jobs --------------------------------------------------------------------------------------------------------------------------

    def create(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        id = request.query.get("jobId", [""])[0]
        name = f"{match[1]}/jobs/{id}"
        if not JOB_ID.fullmatch(id):
            return refusal(400, f"Violation in CreateJobRequest.job_id: {id!r}.", "INVALID_ARGUMENT")
        if text := unfit(body):
            return refusal(400, f"Violation in CreateJobRequest.job: {text}", "INVALID_ARGUMENT")
        if "iam.serviceAccounts.actAs" in self.denied:
            account = body["template"]["template"]["serviceAccount"]
            return refusal(403, f"Permission 'iam.serviceAccounts.actAs' denied on service account {account}.", "PERMISSION_DENIED")
        if request.query.get("validateOnly") == ["true"]:
            return json_reply({"name": f"{match[1]}/operations/0", "done": True, "response": body})
        if name in self.jobs:
            return refusal(409, f"Resource '{id}' already exists.", "ALREADY_EXISTS")
        self.jobs[name] = {**body, "name": name, "createTime": stamp(), "executionCount": 0, "ready_at": time.monotonic() + self.making_seconds}
        return self._operation(match[1], self._job(name))

    def list_jobs(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        return json_reply({"jobs": [self._job(name) for name in self.jobs]} if self.jobs else {})

    def get(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        name = match[0].removeprefix("/v2/")
        return json_reply(self._job(name)) if name in self.jobs else refusal(404, f"Resource '{match[2]}' was not found.", "NOT_FOUND")

    def delete(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        name = match[0].removeprefix("/v2/")
        if name not in self.jobs:
            return refusal(404, f"Resource '{match[2]}' was not found.", "NOT_FOUND")
        if any(not execution.over for execution in self._of(name)):
            return refusal(400, "The job has executions that are running.", "FAILED_PRECONDITION")
        for execution in self._of(name):
            del self.executions[execution.name]
        return self._operation(match[1], self.jobs.pop(name))

    def run(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        name = f"{match[1]}/jobs/{match[2]}"
        if name not in self.jobs:
            return refusal(404, f"Resource '{match[2]}' was not found.", "NOT_FOUND")
        if self._job(name)["terminalCondition"]["state"] != "CONDITION_SUCCEEDED":
            return refusal(400, "The job is not ready.", "FAILED_PRECONDITION")
        self.jobs[name]["executionCount"] += 1
        execution = Execution(f"{name}/executions/{match[2]}-{len(self.made):05}", self.jobs[name]["template"]["template"], self)
        self.executions[execution.name] = execution
        self.made.append(execution.name)
        execution.start()
        return self._operation(match[1], execution.shown())

    def list_executions(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        name = f"{match[1]}/jobs/{match[2]}"
        if name not in self.jobs:
            return refusal(404, f"Resource '{match[2]}' was not found.", "NOT_FOUND")
        shown = [execution.shown() for execution in reversed(self._of(name))]  # the newest first
        return json_reply({"executions": shown} if shown else {})

    def one_execution(self, request: Request, match: re.Match[str], body: dict[str, Any]) -> Reply:
        execution = self.executions.get(f"{match[1]}/jobs/{match[2]}/executions/{match[3]}")
        if execution is None:
            return refusal(404, f"Resource '{match[3]}' was not found.", "NOT_FOUND")
        if request.path.endswith("/tasks"):
            return json_reply({"tasks": [execution.task()]})
        if request.method == "POST":
            if execution.over:
                return refusal(400, "The execution has completed.", "FAILED_PRECONDITION")
            execution.cancel()
            return self._operation(match[1], execution.shown())
        return json_reply(execution.shown())

    def _job(self, name: str) -> dict[str, Any]:
        job = dict(self.jobs[name])
        ready = time.monotonic() >= job.pop("ready_at")
        image = job["template"]["template"]["containers"][0]["image"]
        condition = {"type": "Ready", "state": "CONDITION_SUCCEEDED" if ready else "CONDITION_RECONCILING"}
        if ready and image not in self.images:
            condition |= {"state": "CONDITION_FAILED", "reason": "CONTAINER_MISSING", "message": f"Image '{image}' not found."}
        return {**job, "terminalCondition": condition, "reconciling": not ready}

    def _of(self, job: str) -> list[Execution]:
        return [execution for name, execution in self.executions.items() if name.startswith(f"{job}/executions/")]

    def _operation(self, parent: str, metadata: dict[str, Any]) -> Reply:
        metadata = {name: value for name, value in metadata.items() if name != "ready_at"}
        return json_reply({"name": f"{parent}/operations/{len(self.requests)}", "metadata": metadata, "done": False})


def unfit(job: dict[str, Any]) -> str:
    """Rules that the description does not tell. https://cloud.google.com/run/docs/configuring/jobs/memory-limits"""
    task = job.get("template", {}).get("template", {})
    containers = task.get("containers", [])
    if len(containers) != 1 or not containers[0].get("image"):
        return "template.containers must hold one container with an image."
    limits = containers[0].get("resources", {}).get("limits", {})
    memory = re.fullmatch(r"(\d+)(Mi|Gi)", limits.get("memory", "512Mi"))
    if not memory or not 512 <= int(memory[1]) * (1024 if memory[2] == "Gi" else 1) <= 4096 or limits.get("cpu", "1") not in {"1", "2", "4", "8"}:
        return "resources.limits: memory must be between 512Mi and 4Gi for 1 CPU."
    if not re.fullmatch(r"\d+s", task.get("timeout", "600s")):
        return "timeout must be a duration."
    if {mount["name"] for mount in containers[0].get("volumeMounts", [])} != {volume["name"] for volume in task.get("volumes", [])}:
        return "volumeMounts must name volumes."
    return ""


Act = Callable[[CloudRunEmulator, Request, re.Match[str], dict[str, Any]], Reply]
EXECUTION = JOB + r"/executions/([^/:]+)"
ROUTES: list[tuple[str, str, str, Act]] = [
    ("POST", f"{PARENT}/jobs", "run.jobs.create", CloudRunEmulator.create),
    ("GET", f"{PARENT}/jobs", "run.jobs.list", CloudRunEmulator.list_jobs),
    ("GET", JOB, "run.jobs.get", CloudRunEmulator.get),
    ("DELETE", JOB, "run.jobs.delete", CloudRunEmulator.delete),
    ("POST", f"{JOB}:run", "run.jobs.run", CloudRunEmulator.run),
    ("GET", f"{JOB}/executions", "run.executions.list", CloudRunEmulator.list_executions),
    ("GET", EXECUTION, "run.executions.get", CloudRunEmulator.one_execution),
    ("GET", f"{EXECUTION}/tasks", "run.tasks.list", CloudRunEmulator.one_execution),
    ("POST", f"{EXECUTION}:cancel", "run.executions.cancel", CloudRunEmulator.one_execution),
]
