"""Guessing passwords: over HTTP, the sixth try is not looked at any more, whatever headers it brings."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import timedelta

import pytest
import requests
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.client_address import client_address
from tests.admin.conftest import staff

LOGIN = reverse("admin:login")
INDEX = reverse("admin:index")
PASSWORD = "correct-horse-battery"
WRONG = "wrong-password"
PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1")]


@pytest.fixture
def user(db) -> User:
    return User.objects.create_superuser("boss", "boss@example.org", PASSWORD)


def over_http(origin: str, password: str, username: str = "boss", **headers: str) -> requests.Response:
    """One try as a browser makes it: a token first, then the form."""
    with requests.Session() as session:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get(f"{origin}{LOGIN}").text)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": username, "password": password}
        return session.post(f"{origin}{LOGIN}", form, headers=headers, allow_redirects=False)


@pytest.mark.django_db(transaction=True)
def test_the_sixth_try_is_refused_even_with_the_right_password(live_server, user):
    answers = [over_http(live_server.url, f"{WRONG}{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]

    sixth = over_http(live_server.url, PASSWORD)

    assert sixth.status_code == 429
    assert "sessionid" not in sixth.cookies
    assert 0 < int(sixth.headers["Retry-After"]) <= 15 * 60
    assert "manage.py axes_reset" in sixth.text
    assert "Try again in 15 minutes" in sixth.text
    spoofed = [{"X-Forwarded-For": "203.0.113.9"}, {"X-Real-IP": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"User-Agent": "another"}]
    for headers in [*spoofed, {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}, {"Client-IP": "203.0.113.9"}, {"X-Requested-With": "XMLHttpRequest"}]:
        again = over_http(live_server.url, PASSWORD, **headers)
        assert (again.status_code, again.headers.get("Access-Control-Allow-Origin")) == (429, None), headers

    call_command("axes_reset", verbosity=0)
    assert over_http(live_server.url, PASSWORD).headers["Location"] == INDEX


# -- the rest in this process ----------------------------------------------------------------------------------------------------------


def guess(password: str, username: str = "boss", **extra: str) -> int:
    return Client().post(LOGIN, {"username": username, "password": password}, **extra).status_code


def test_others_are_not_locked_out(user):
    User.objects.create_superuser("second", "", PASSWORD)
    for _ in range(5):
        guess(WRONG)

    assert guess(PASSWORD) == 429
    assert guess(PASSWORD, "second") == 302
    assert guess(PASSWORD, REMOTE_ADDR="192.0.2.7") == 302


def test_whoever_was_let_in_starts_anew(user):
    for _ in range(3):
        assert [guess(WRONG) for _ in range(4)] == [200] * 4
        assert guess(PASSWORD) == 302
    assert not AccessAttempt.objects.exists()


def test_the_door_opens_after_fifteen_minutes_though_somebody_goes_on_trying(user, time_machine):
    begin = timezone.now()
    time_machine.move_to(begin, tick=False)
    for _ in range(5):
        guess(WRONG)
    for minute in range(1, 15):
        time_machine.move_to(begin + timedelta(minutes=minute), tick=False)
        assert guess(WRONG) == 429

    time_machine.move_to(begin + timedelta(minutes=15, seconds=1), tick=False)
    assert guess(PASSWORD) == 302


def test_nobody_learns_which_user_names_exist(user):
    """The same answers in the same order for a name that exists and one that does not, and as many queries."""

    def seen(username: str) -> list[tuple[int, str, int]]:
        found = []
        for _ in range(7):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                answer = Client().post(LOGIN, {"username": username, "password": WRONG})
            words = re.sub(r'value="\w*"|[0-9a-zA-Z]{64}', "", answer.content.decode()).replace(username, "NAME")
            found.append((answer.status_code, words, len(asked)))
        return found

    assert seen("boss") == seen("nobody")


def test_attempts_hold_no_password_no_token_and_no_endless_name(user):
    Client().post(f"{LOGIN}?next=/admin/", {"username": "x" * 1_000, "password": "CANARY-password", "csrfmiddlewaretoken": "CANARY-token"})
    guess("CANARY-password", "nul\0byte")

    kept = "".join(str(vars(row)) for row in AccessAttempt.objects.all())

    assert "CANARY" not in kept
    assert AccessAttempt.objects.get().username == "x" * 150


def test_old_attempts_go_when_somebody_tries_again(user, time_machine):
    begin = timezone.now()
    time_machine.move_to(begin, tick=False)
    for number in range(20):
        guess(WRONG, f"name-{number}")
    time_machine.move_to(begin + timedelta(minutes=16), tick=False)
    guess(WRONG, "last")

    assert AccessAttempt.objects.count() == 1


def test_accepting_a_task_asks_nothing_of_the_logins_tables(db, payload):
    with CaptureQueriesContext(connection) as asked:
        answer = Client().post("/ready", json.dumps(payload), content_type="application/json")

    assert answer.status_code == 200
    assert [query["sql"] for query in asked if "axes_" in query["sql"] or "django_session" in query["sql"] or "auth_" in query["sql"]] == []


# -- in the admin ----------------------------------------------------------------------------------------------------------------------


def test_a_superuser_sees_the_attempts_and_opens_the_door_by_deleting_them(boss):
    for _ in range(5):
        guess(WRONG, "student")
    attempt = AccessAttempt.objects.get()
    assert "refused" in boss.get(reverse("admin:axes_accessattempt_changelist")).content.decode()
    assert boss.get(reverse("admin:axes_accessattempt_change", args=[attempt.pk])).status_code == 200

    boss.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})

    assert guess(WRONG, "student") == 200


def test_staff_do_not_see_who_tried_to_log_in(db):
    guess(WRONG)
    client = staff("view_round", "change_round")

    assert client.get(reverse("admin:axes_accessattempt_changelist")).status_code == 403
    assert client.get(reverse("admin:axes_accessattempt_change", args=[AccessAttempt.objects.get().pk])).status_code == 403


# -- whose address is counted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connected", "forwarded", "counted"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),  # not from a proxy: the header is the caller's own
        ("10.1.1.1", "203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what the caller wrote stands left of what the proxy saw
        ("10.1.1.1", "198.51.100.1, 203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("10.1.1.1", "10.9.9.9", "10.9.9.9"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "nonsense", "10.1.1.1"),
        ("10.1.1.1", "203.0.113.9, nonsense", "10.1.1.1"),
        ("10.1.1.1", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),  # one house, one count
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("::ffff:10.1.1.1", "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", ""),
        ("unix", "203.0.113.9", ""),
    ],
)
def test_only_a_trusted_proxy_is_believed(settings, connected, forwarded, counted):
    settings.TRUSTED_PROXIES = PROXIES

    assert client_address(RequestFactory().get("/", REMOTE_ADDR=connected, HTTP_X_FORWARDED_FOR=forwarded)) == counted


def test_behind_a_proxy_a_guesser_locks_out_only_himself(user, settings):
    settings.TRUSTED_PROXIES = PROXIES
    for number in range(5):
        guess(WRONG, REMOTE_ADDR="10.1.1.1", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.9")

    assert guess(PASSWORD, REMOTE_ADDR="10.1.1.1", HTTP_X_FORWARDED_FOR="203.0.113.9") == 429
    assert guess(PASSWORD, REMOTE_ADDR="10.1.1.1", HTTP_X_FORWARDED_FOR="203.0.113.10") == 302
