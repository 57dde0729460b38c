"""The sidebar."""

from django.contrib import admin
from django.urls import reverse

from tasks.admin.navigation import navigation
from tests.admin.conftest import staff


def links(client) -> dict[str, list[str]]:
    request = client.get(reverse("admin:index")).wsgi_request
    return {group.get("title", ""): [item["link"] for item in group["items"]] for group in navigation(request)}


def test_every_model_that_a_superuser_may_see_has_its_place(boss):
    shown = {link for group in links(boss).values() for link in group}

    for model in admin.site._registry:
        assert reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") in shown


def test_staff_see_only_what_they_may_open(db):
    groups = links(staff("view_round"))

    assert groups == {"": [reverse("admin:index"), reverse("admin:monitor")], "Work": [reverse("admin:tasks_round_changelist")]}


def test_every_link_of_the_sidebar_opens(boss):
    for group in links(boss).values():
        for link in group:
            assert boss.get(link).status_code == 200, link


def test_a_password_can_be_changed_in_the_skins_own_form(boss):
    assert boss.get(reverse("admin:auth_user_add")).status_code == 200
    user = boss.get(reverse("admin:index")).wsgi_request.user
    assert boss.get(reverse("admin:auth_user_change", args=[user.pk])).status_code == 200
    assert boss.get(reverse("admin:auth_user_password_change", args=[user.pk])).status_code == 200
