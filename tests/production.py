"""Settings as a public installation has them, for `manage.py check --deploy`."""

import os
import secrets
import tempfile

os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="off",
    SECRET_KEY=secrets.token_urlsafe(60),
    STUDENT_SECRET=secrets.token_urlsafe(20),
    PUBLIC_URL="https://deployer.example.org",
    DATA_DIR=tempfile.mkdtemp(prefix="deployer-check-"),
    GENERATOR="gemini",
    GEMINI_API_KEY="not-a-real-key",
    REPO_HOST="github",
    GITHUB_TOKEN="not-a-real-token",
)
for name in ("DATABASE_URL", "REDIS_URL", "DEMO_API_KEY", "LOG_FILE"):
    os.environ.pop(name, None)

from deployer.settings import *  # noqa: E402, F403
