"""The settings of the test run: the project's own, on a data folder of its own and with no key of the machine in them."""

import os
import tempfile

for name in ("GEMINI_API_KEY", "GITHUB_TOKEN", "OPENAI_BASE_URL", "OPENAI_API_KEY", "DEMO_API_KEY", "REDIS_URL", "LOG_FILE"):
    os.environ.pop(name, None)
os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="off",
    SECRET_KEY="only-for-tests-" + "x" * 50,
    STUDENT_SECRET="test-secret-value",
    GENERATOR="offline",
    REPO_HOST="local",
    EVALUATE="on",
    ALLOWED_PRIVATE_HOSTS="127.0.0.1",
    PUBLIC_URL="http://testserver",
    LOG_LEVEL="WARNING",
)
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="deployer-test-"))
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")

from deployer.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"].get("OPTIONS", {}).pop("options", None)  # noqa: F405 - a test may take its time inside its transaction
DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")} if "sqlite3" in DATABASES["default"]["ENGINE"] else {}  # noqa: F405
