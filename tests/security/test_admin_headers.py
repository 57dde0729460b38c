"""What every answer of the admin tells the browser, what its cookies are like, and where it never sends anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tasks import content_policy
from tests.admin.conftest import tell
from tests.security.admin_addresses import addresses

LOGIN = reverse("admin:login")
INDEX = reverse("admin:index")
PASSWORD = "correct-horse-battery"


def directives(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in (part.split() for part in policy.split(";"))}


def test_every_answer_of_the_admin_is_framed_by_nobody_and_runs_its_own_scripts_only(boss):
    tell()
    for client in (boss, Client()):
        for address in addresses(rows=1):
            answer = client.get(address)
            policy = directives(answer["Content-Security-Policy"])
            assert answer["X-Content-Type-Options"] == "nosniff", address
            assert answer["Referrer-Policy"] == "same-origin", address
            assert answer["Cross-Origin-Opener-Policy"] == "same-origin", address
            assert answer["X-Frame-Options"] == "DENY", address
            assert "sandbox" in policy or policy["frame-ancestors"] == ["'none'"], address
            assert policy["default-src"] == ["'none'"], address
            assert set(policy.get("script-src", [])) <= {"'self'", "'unsafe-eval'"}, address


@pytest.mark.parametrize(
    "address", ["/", "/status", "/health", "/nowhere", "/api/schema/", "/api/docs/", "/repos/x.git", "/pages/x/", "/ready", "/admin"]
)
def test_no_other_answer_lets_a_script_of_a_strangers_run(db, address):
    answer = Client().get(address, headers={"Accept": "text/html"})
    policy = directives(answer["Content-Security-Policy"])

    assert "sandbox" in policy or policy["default-src"] == ["'none'"]
    assert set(policy.get("script-src", [])) <= {"'self'"}


def test_a_view_that_sets_a_policy_keeps_it(db):
    assert Client().get("/pages/x/")["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert content_policy.policy_of("/administration/") == content_policy.CLOSED


def test_pages_of_the_admin_are_not_kept_by_caches(boss):
    assert "no-store" in boss.get(INDEX)["Cache-Control"]


# -- cookies ---------------------------------------------------------------------------------------------------------------------------

PUBLIC = """
import json, django
django.setup()
from django.test import Client
answer = Client().get("/admin/login/", secure=True)
plain = Client().get("/admin/login/")
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
cookies = {name: {key: morsel[key] for key in ("secure", "httponly", "samesite", "domain", "path")} for name, morsel in answer.cookies.items()}
session = {name: getattr(settings, "SESSION_COOKIE_" + name) for name in ("SECURE", "HTTPONLY", "SAMESITE", "DOMAIN", "PATH")}
plain = [plain.status_code, plain.headers.get("Location")]
print(json.dumps({"cookies": cookies, "session": session, "headers": dict(answer.headers), "plain": plain}))
"""


def test_behind_https_cookies_are_secure_and_http_is_left(tmp_path):
    """The settings of a public installation, in a process of their own."""
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "tests.production", "ALLOWED_HOSTS": "testserver", "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PUBLIC], cwd=project.BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])

    assert told["cookies"] == {"csrftoken": {"secure": True, "httponly": "", "samesite": "Lax", "domain": "", "path": "/"}}
    assert told["session"] == {"SECURE": True, "HTTPONLY": True, "SAMESITE": "Lax", "DOMAIN": None, "PATH": "/"}
    assert told["headers"]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert told["plain"] == [301, "https://testserver/admin/login/"]


def test_on_http_a_plain_installation_can_log_in(db):
    User.objects.create_superuser("boss", "", PASSWORD)
    client = Client()

    answer = client.post(LOGIN, {"username": "boss", "password": PASSWORD})

    session = client.cookies["sessionid"]
    assert (answer.status_code, answer["Location"]) == (302, INDEX)
    assert (session["httponly"], session["samesite"], session["secure"]) == (True, "Lax", "")


def test_a_login_changes_the_session_and_a_logout_ends_it(db):
    User.objects.create_superuser("boss", "", PASSWORD)
    client = Client()
    client.cookies["sessionid"] = "fixedfixedfixedfixedfixedfixedfi"
    client.post(LOGIN, {"username": "boss", "password": PASSWORD})
    key = client.cookies["sessionid"].value
    assert key != "fixedfixedfixedfixedfixedfixedfi"

    client.post(reverse("admin:logout"))
    client.cookies["sessionid"] = key

    assert client.get(INDEX).status_code == 302


# -- where to ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "https:evil.example",
        "https:///evil.example",
        "http://testserver@evil.example/",
        "http://testserver.evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example/",
        " //evil.example/",
        "\x00//evil.example/",
        "ht\ntps://evil.example/",
    ],
)
def test_the_login_sends_nobody_to_another_site(db, elsewhere):
    User.objects.create_superuser("boss", "", PASSWORD)
    form = {"username": "boss", "password": PASSWORD}

    for answer in (Client().post(f"{LOGIN}?{urlencode({'next': elsewhere})}", form), Client().post(LOGIN, {**form, "next": elsewhere})):
        assert (answer.status_code, answer["Location"]) == (302, INDEX)


def test_nor_do_the_other_redirects(boss):
    for address in (
        "/admin//evil.example/",
        "/admin/logout/?next=//evil.example/",
        "/pages//evil.example",
        "/pages/%2f%2fevil.example",
        "//evil.example/pages/x",
    ):
        for answer in (boss.get(address), Client().get(address)):
            assert answer.get("Location", "/").startswith("/"), address
            assert not answer.get("Location", "/").startswith(("//", "/\\")), address


def test_the_login_leads_on_to_the_page_that_was_asked_for(db):
    User.objects.create_superuser("boss", "", PASSWORD)
    wanted = reverse("admin:tasks_round_changelist") + "?show=open"

    sent = Client().get(wanted)["Location"]

    assert Client().post(sent, {"username": "boss", "password": PASSWORD})["Location"] == wanted
