"""What a request to the admin may do: nothing without a session, nothing by GET, nothing without the form's token, and no more than one's rights."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse

from tasks.models import Round
from tests.admin.conftest import staff, tell
from tests.security.admin_addresses import addresses
from tests.security.hostile_records import make_row

LOGIN = reverse("admin:login")
LOGOUT = reverse("admin:logout")
PRIVATE = "PRIVATE-CANARY"
BRIEF = "BRIEF-CANARY"


@pytest.fixture
def records(db) -> Round:
    """Something in every table that the admin shows, with one mark in every text."""
    round_ = tell(PRIVATE, f"https://example.org/{PRIVATE}").round
    for model in admin.site._registry:
        if not model._default_manager.exists():
            make_row(model).save()
    return round_


def snapshot() -> dict[str, list[Any]]:
    """Every row of every table but the sessions."""
    models = [model for model in apps.get_models() if model is not Session and not model._meta.proxy]
    return {model._meta.label: list(model._base_manager.order_by("pk").values_list()) for model in models}


def strict(user: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


# -- without a session -----------------------------------------------------------------------------------------------------------------


def test_an_anonymous_visitor_is_sent_to_the_login_from_everywhere(records):
    stranger = Client()
    before = snapshot()
    for address, method in product(addresses(rows=2), ("get", "post")):
        answer = getattr(stranger, method)(address, {"stage": "generate", "post": "yes", "action": "rerun_rounds"} if method == "post" else {})
        if address == LOGIN:
            assert answer.status_code == 200
        else:
            where = reverse("admin:index") if address == LOGOUT else f"{LOGIN}?next="
            assert answer.status_code == 302, address
            assert answer["Location"].startswith(where), address
        assert PRIVATE not in answer.content.decode()
    assert snapshot() == before


def test_a_user_who_is_not_on_the_staff_is_a_stranger(records):
    client = Client()
    client.force_login(User.objects.create_user("student"))

    assert {client.get(address).status_code for address in addresses(rows=2) if address != LOGIN} == {302}


# -- by GET ----------------------------------------------------------------------------------------------------------------------------


def test_looking_at_everything_changes_nothing(boss, records):
    before = snapshot()
    for address in addresses(rows=2):
        assert boss.get(address).status_code < 500, address
    for query in ("action=rerun_rounds&_selected_action=1&index=0", "stage=generate", "post=yes", "_method=DELETE", "o=1.-2", "p=9", "all="):
        for name in ("tasks_round_changelist", "tasks_taskrequest_changelist", "index"):
            boss.get(f"{reverse(f'admin:{name}')}?{query}")
    assert snapshot() == before


# -- with a session but without the form's token -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_sent_without_the_token(records, method):
    user = User.objects.create_superuser("boss")
    client = strict(user)
    before = snapshot()

    for address in addresses(rows=2):
        answer = getattr(client, method)(address, {"stage": "generate", "post": "yes"} if method == "post" else b"{}")
        assert answer.status_code == 403, address
    actions = admin.site._registry[Round].get_actions(request_of(user))
    for action in actions:
        form = {"action": action, "_selected_action": [records.pk], "index": 0, "post": "yes", "csrfmiddlewaretoken": "x" * 64}
        assert client.post(reverse("admin:tasks_round_changelist"), form).status_code == 403, action

    assert len(actions) >= 6
    assert snapshot() == before


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"])
def test_nor_with_it_from_another_site(records, origin):
    client = strict(User.objects.create_superuser("boss"))
    client.get(reverse("admin:tasks_round_change", args=[records.pk]))
    token = client.cookies["csrftoken"].value
    address = reverse("admin:tasks_round_rerun", args=[records.pk])

    refused = client.post(address, {"stage": "generate", "csrfmiddlewaretoken": token}, HTTP_ORIGIN=origin)
    assert (refused.status_code, Round.objects.get().status) == (403, "succeeded")

    taken = client.post(address, {"stage": "generate", "csrfmiddlewaretoken": token}, HTTP_ORIGIN="http://testserver")
    assert (taken.status_code, Round.objects.get().status) == (302, "queued")


def test_a_session_opens_no_door_of_the_evaluators(records, payload):
    client = strict(User.objects.create_superuser("boss"))

    assert client.post("/ready", {**payload, "secret": ""}, content_type="application/json").status_code == 401
    assert Round.objects.count() == 1


# -- with fewer rights ---------------------------------------------------------------------------------------------------------------------


def request_of(user: User) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    return request


@pytest.fixture
def viewer(db) -> Client:
    """May look at everything, people and queue included, and change nothing."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


def test_whoever_may_only_look_can_run_no_action_and_send_no_form(viewer, records):
    user, chief = User.objects.get(username="viewer"), User.objects.create_superuser("boss")
    before = snapshot()
    tried = 0
    for model, page in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.latest("pk").pk if model._default_manager.exists() else 1
        assert page.get_actions(request_of(user)) == {}, name
        for action in page.get_actions(request_of(chief)):
            form = {"action": action, "_selected_action": [row], "index": 0, "post": "yes", "confirmed": "yes"}
            answer = viewer.post(reverse(f"admin:{name}_changelist"), form)
            assert answer.status_code in (302, 403) or "cl" in answer.context_data, (name, action)  # refused, or the list again
            tried += 1
    for address in addresses(rows=2):
        if address not in (LOGIN, LOGOUT, reverse("admin:password_change")):  # the doors that are everybody's
            assert viewer.post(address, {"post": "yes", "stage": "generate"}).status_code < 500, address

    assert tried >= 9
    assert snapshot() == before


@pytest.mark.parametrize("rights", [(), ("view_worker", "view_writebudget")])
def test_staff_without_the_right_see_no_e_mail_and_no_brief(records, rights):
    client = staff(*rights)
    Round.objects.filter(pk=records.pk).update(brief=BRIEF, nonce=BRIEF)
    elsewhere = ["/", "/status", f"/status/{records.uuid}", "/logs", "/health"]
    unguarded = {reverse(f"admin:tasks_{name.removeprefix('view_')}_changelist") for name in rights}
    for address in [*addresses(rows=2), *elsewhere]:
        if any(address.startswith(start) for start in unguarded):
            continue
        text = client.get(address, follow=True).content.decode()
        assert f"{PRIVATE}@" not in text, address
        assert BRIEF not in text, address
        assert PRIVATE not in text or address.startswith("/status"), address  # the task's name is public there


def test_staff_with_the_right_see_it_in_the_status_too(records):
    shown = staff("view_round").get(f"/status/{records.uuid}").content.decode()
    assert f"{PRIVATE}@example.org" in shown
    assert records.brief in shown
    assert staff("view_round").get("/logs").status_code == 200
    assert staff().get("/logs").status_code == 401


# -- with nonsense -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["received_at__year=99999999999999999999", "received_at__year=-1", "degraded_id__isempty=x", "received_at__gte=x"])
def test_a_filter_that_no_column_can_hold_leads_to_the_whole_list(boss, query):
    answer = boss.get(f"{reverse('admin:tasks_round_changelist')}?{query}")

    assert (answer.status_code, answer["Location"]) == (302, f"{reverse('admin:tasks_round_changelist')}?e=1")
    assert boss.get(answer["Location"]).status_code == 200
