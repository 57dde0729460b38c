"""The application to compare with: FastAPI checks the same payload with pydantic and starts a task in memory. Nothing is stored.

    uvicorn tasks.benchmarks.plain_app:app

Needs requirements-dev.txt. The secret is in STUDENT_SECRET.
"""

import hmac
import os
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel

SECRET = os.environ.get("STUDENT_SECRET", "")

app = FastAPI()
running: list[str] = []


class Attachment(BaseModel):
    name: str
    url: str


class Task(BaseModel):
    email: str
    secret: str
    task: str
    round: int
    nonce: str
    brief: str
    checks: list[Any] = []
    evaluation_url: str
    attachments: list[Attachment] = []


def work(nonce: str) -> None:
    """What the task would do; here it is only noted."""
    running.append(nonce)


@app.post("/ready")
async def ready(task: Task, background: BackgroundTasks) -> dict[str, str]:
    if not hmac.compare_digest(task.secret.encode(), SECRET.encode()):
        raise HTTPException(401, "wrong secret")
    background.add_task(work, task.nonce)
    return {"status": "ready", "message": f"Task {task.task} received and processing started."}
