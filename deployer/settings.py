"""All settings of the project, read from the environment and `.env` (django-environ).

Every setting may also be given as `NAME_FILE`, a path to a file that holds the value (Docker and Kubernetes secrets). A clone starts with no
configuration at all: SQLite under `data/`, the `offline` generator, the `local` host. Wrong combinations are reported by
`tasks/system_checks.py`, not here. The list for operators is `.env.example`; a test keeps the two together.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from deployer.environment import read, read_bool, read_int, read_list, read_networks
from deployer.unfold import UNFOLD  # noqa: F401 - the admin's skin

BASE_DIR = Path(__file__).resolve().parent.parent

# The SDK's own end-of-life notice and a notice about Python 3.11 (end 2027-10) would open every command's output.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\..*")

# -- core ------------------------------------------------------------------------------------------------------------------------------

DEBUG = read_bool("DEBUG", False)
DATA_DIR = Path(read("DATA_DIR", str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

PORT = read_int("PORT", 8000)
PUBLIC_URL = read("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
API_TITLE = read("API_TITLE", "Deployer")


def secret_key() -> str:
    """SECRET_KEY signs sessions and the queue's messages, so it has no default outside DEBUG: without a strong one the start stops here."""
    key = read("SECRET_KEY")
    if key:
        if not DEBUG and (len(key) < 32 or len(set(key)) < 10 or key.startswith("django-insecure-")):
            raise ImproperlyConfigured(
                "SECRET_KEY is too weak: whoever guesses it can log in as anybody and run code in the workers. Use at least 32 random characters: "
                'python -c "import secrets; print(secrets.token_urlsafe(50))"'
            )
        return key
    if not DEBUG:
        raise ImproperlyConfigured(
            'SECRET_KEY is not set. Set it to a long random string: python -c "import secrets; print(secrets.token_urlsafe(50))" '
            "(or set DEBUG=on on a machine of your own, where one is made for you)."
        )
    path = DATA_DIR / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


SECRET_KEY = secret_key()
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", ",".join(filter(None, ["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname])))
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", PUBLIC_URL if PUBLIC_URL.startswith("http") else "")
CORS_ORIGINS = read_list("CORS_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = CORS_ORIGINS == ["*"]
CORS_ALLOWED_ORIGINS = [] if CORS_ALLOW_ALL_ORIGINS else CORS_ORIGINS
CORS_URLS_REGEX = r"^/(?!admin/|pages/|repos/).*$"  # pages send their own header, the admin is nobody else's
CORS_ALLOW_HEADERS = ["accept", "content-type", "x-api-key", "authorization"]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "tasks",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tasks.content_policy.ContentPolicy",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "deployer.urls"
WSGI_APPLICATION = "deployer.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
APPEND_SLASH = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # no collectstatic step: a clone serves the admin's files straight from the packages

# -- database --------------------------------------------------------------------------------------------------------------------------


# A worker that is stopped or vanishes inside a transaction keeps its round's row locked until the server gives the session up; a server that vanishes
# is noticed in 20 s instead of hours. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
POSTGRESQL = {
    "options": "-c idle_in_transaction_session_timeout=15s",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}


def database() -> dict[str, Any]:
    """DATABASE_URL as Django's dictionary. SQLite is tuned so that a 200 means stored (WAL, IMMEDIATE, synchronous FULL)."""
    config = environ.Env.db_url_config(read("DATABASE_URL", f"sqlite:///{DATA_DIR / 'deployer.sqlite3'}"))
    if "sqlite3" in config["ENGINE"]:
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA temp_store=MEMORY;PRAGMA cache_size=-20000;",
        }
        config["CONN_MAX_AGE"] = None
    else:
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    if "postgresql" in config["ENGINE"]:
        config["OPTIONS"] = {**POSTGRESQL, **config.get("OPTIONS", {})}
    return config


DATABASES = {"default": database()}

# -- Redis: optional, and never the only copy of anything -----------------------------------------------------------------------------


def redis_url() -> str:
    url = read("REDIS_URL")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured("REDIS_URL must be like redis://host:6379/0 (rediss:// with TLS, unix:///path). It is optional.")
    return url


def caches(redis_url: str) -> dict[str, dict[str, Any]]:
    """Without Redis each process has a cache of its own; with it there is one for all, and one for what the database holds of sessions."""
    process = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if not redis_url:
        return {"default": process}
    shared = {"BACKEND": "tasks.redis_cache.RedisCache", "LOCATION": redis_url, "KEY_PREFIX": REDIS_PREFIX}
    return {
        "default": {**shared, "OPTIONS": {"instead": "process"}},
        # Five minutes: a logout that Redis missed while it was away holds after that at the latest.
        "sessions": {**shared, "OPTIONS": {"instead": "none", "longest": 300}},
        "process": process,
        "none": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    }


REDIS_URL = redis_url()
REDIS_PREFIX = f"deployer-{hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:12]}"  # installations may share a Redis
CACHES = caches(REDIS_URL)
if REDIS_URL:
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    SESSION_CACHE_ALIAS = "sessions"

# -- the protocol ----------------------------------------------------------------------------------------------------------------------

STUDENT_SECRET = read("STUDENT_SECRET")
DEMO_API_KEY = read("DEMO_API_KEY")
TASK_DEADLINE_SECONDS = read_int("TASK_DEADLINE_SECONDS", 600)
ALLOWED_PRIVATE_HOSTS = read_list("ALLOWED_PRIVATE_HOSTS")

MAX_BODY_BYTES = 24 * 1024 * 1024
MAX_ATTACHMENT_BYTES = 5 * 1024 * 1024
MAX_ATTACHMENTS_BYTES = 15 * 1024 * 1024
MAX_ATTACHMENTS = 20
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# -- generators ------------------------------------------------------------------------------------------------------------------------

GEMINI_API_KEY = read("GEMINI_API_KEY")
GEMINI_MODELS = read_list("GEMINI_MODELS", "gemini-2.5-flash,gemini-2.5-pro,gemini-flash-latest")
GEMINI_API_ENDPOINT = read("GEMINI_API_ENDPOINT", "https://generativelanguage.googleapis.com")
OPENAI_BASE_URL = read("OPENAI_BASE_URL").rstrip("/")
OPENAI_API_KEY = read("OPENAI_API_KEY")
OPENAI_MODEL = read("OPENAI_MODEL")

_GENERATOR = read("GENERATOR", "auto")
GENERATOR = _GENERATOR if _GENERATOR != "auto" else "gemini" if GEMINI_API_KEY else "openai" if OPENAI_BASE_URL else "offline"

EVALUATE = read_bool("EVALUATE", True)
MAX_REPAIRS = read_int("MAX_REPAIRS", 2)
CHROMIUM_PATH = read("CHROMIUM_PATH")

# -- hosts -----------------------------------------------------------------------------------------------------------------------------

GITHUB_TOKEN = read("GITHUB_TOKEN")
GITHUB_USERNAME = read("GITHUB_USERNAME")
GITHUB_API_URL = read("GITHUB_API_URL", "https://api.github.com").rstrip("/")
GITHUB_PAGES_URL = read("GITHUB_PAGES_URL", "https://{owner}.github.io/{repo}/")
GITHUB_WRITES_PER_MINUTE = read_int("GITHUB_WRITES_PER_MINUTE", 80)
GITHUB_WRITES_PER_HOUR = read_int("GITHUB_WRITES_PER_HOUR", 500)

_REPO_HOST = read("REPO_HOST", "auto")
REPO_HOST = _REPO_HOST if _REPO_HOST != "auto" else "github" if GITHUB_TOKEN else "local"

# -- runners ---------------------------------------------------------------------------------------------------------------------------

RUNNER = read("RUNNER", "sandbox")
DOCKER_HOST = read("DOCKER_HOST")
DOCKER_IMAGE = read("DOCKER_IMAGE", "python:3.11-slim")
DOCKER_RUNTIME = read("DOCKER_RUNTIME")

CLOUD_RUN_PROJECT = read("CLOUD_RUN_PROJECT")
CLOUD_RUN_REGION = read("CLOUD_RUN_REGION")
CLOUD_RUN_BUCKET = read("CLOUD_RUN_BUCKET")
CLOUD_RUN_SERVICE_ACCOUNT = read("CLOUD_RUN_SERVICE_ACCOUNT")
CLOUD_RUN_IMAGE = read("CLOUD_RUN_IMAGE", "python:3.11-slim")
CLOUD_RUN_API_ENDPOINT = read("CLOUD_RUN_API_ENDPOINT", "https://run.googleapis.com").rstrip("/")
CLOUD_STORAGE_API_ENDPOINT = read("CLOUD_STORAGE_API_ENDPOINT", "https://storage.googleapis.com").rstrip("/")

# -- the queue: django-q2 triggers, our rows decide -------------------------------------------------------------------------------------

WORKERS = read_int("WORKERS", 4)
JOB_TIMEOUT_SECONDS = 300
PREFETCH = 2  # messages that wait between the table and the workers: few, since they are past being overtaken by a more urgent one
Q_CLUSTER = {
    "name": "deployer",
    "orm": "default",
    "broker_class": "tasks.redis_broker.RedisBroker" if REDIS_URL else "tasks.broker.WakeBroker",
    "workers": WORKERS,
    "queue_limit": PREFETCH,
    "bulk": 1,
    "poll": 1.0,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    "timeout": JOB_TIMEOUT_SECONDS,
    # A message's clock starts at prefetch, so it must outlive everything that one worker may have before it.
    "retry": JOB_TIMEOUT_SECONDS * (1 + -(-(PREFETCH + 2) // WORKERS)) + 10,
    "scheduler": False,
    "catch_up": False,
    "label": "Queue",
    "log_level": "WARNING",
}

# -- API -------------------------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "tasks.api.schema.Schema",
    "EXCEPTION_HANDLER": "tasks.api.problems.handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": API_TITLE,
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Turns a posted brief into a live, proven web page.",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "RoundStatus": "tasks.models.requests.Round.Status",
        "CheckStatus": "tasks.models.pipeline.CheckResult.Status",
        "VersionStatus": "tasks.models.code.CodeVersion.Status",
        "RunStatus": "tasks.models.runs.ContainerRun.Status",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# -- security --------------------------------------------------------------------------------------------------------------------------

_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health(check)?$"]  # a load balancer asks inside, over http
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # but for published pages, which a round's page frames and which have their own sandbox policy
TRUSTED_PROXIES = read_networks("TRUSTED_PROXIES")

# -- the login: after five wrong passwords a user name is closed to that address for a while ---------------------------------------------
# https://django-axes.readthedocs.io/en/latest/4_configuration.html

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else whoever goes on trying would keep the door shut for ever
AXES_CLIENT_IP_CALLABLE = "tasks.client_address.client_address"
AXES_USERNAME_CALLABLE = "tasks.lockout.username"
AXES_LOCKOUT_CALLABLE = "tasks.lockout.answer"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]  # not in the log, nor twice in the database
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # tasks.admin.logins shows the attempts
AXES_VERBOSE = False

# -- logging ---------------------------------------------------------------------------------------------------------------------------

LOG_LEVEL = read("LOG_LEVEL", "INFO").upper()
LOG_FILE = Path(read("LOG_FILE", str(DATA_DIR / "logs" / "app.log")))
LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
TESTING = "pytest" in sys.modules
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "tasks.logs.JsonFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json"},
        "file": {
            "class": "tasks.logs.SharedFileHandler",
            "formatter": "json",
            "filename": str(LOG_FILE),
            "maxBytes": 10 * 1024 * 1024,
            "backupCount": 5,
        },
    },
    "root": {"handlers": ["console", "file"], "level": LOG_LEVEL},
    "loggers": {
        "django_q": {"level": "WARNING"},
        "django-q": {"level": "WARNING", "handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "github": {"level": "WARNING"},
        "dulwich": {"level": "WARNING"},
    },
}
