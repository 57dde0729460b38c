"""Who may see what, and that history is not edited by anybody."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tasks.admin.base import ReadOnlyAdmin
from tasks.models import Round
from tests.admin.conftest import staff
from tests.factories import make_round

RECORDS = [model for model, page in admin.site._registry.items() if isinstance(page, ReadOnlyAdmin)]


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["change", "live"])
def test_an_anonymous_visitor_is_sent_to_the_login(name):
    answer = Client().get(reverse(f"admin:tasks_round_{name}", args=[make_round().pk]))

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("admin:login"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["rerun", "renotify", "reevaluate"])
def test_an_anonymous_post_changes_nothing(name):
    round_ = make_round(status="failed")

    assert Client().post(reverse(f"admin:tasks_round_{name}", args=[round_.pk])).status_code == 302
    assert Round.objects.get(pk=round_.pk).status == "failed"


def test_a_viewer_sees_the_round_but_no_buttons(viewer, story):
    page = viewer.get(reverse("admin:tasks_round_change", args=[story.round.pk])).content.decode()

    assert "Done: page live" in page
    for word in ("Re-run", "Notify again", "Evaluate again", "/delete/", "csrfmiddlewaretoken"):
        assert word not in page.split('class="d-page"')[1]


def test_a_viewers_list_offers_no_action(viewer):
    make_round()

    page = viewer.get(reverse("admin:tasks_round_changelist")).content.decode()

    assert "rerun_rounds" not in page
    assert "reevaluate_rounds" not in page
    assert "delete_selected" not in page


@pytest.mark.parametrize("name", ["rerun", "renotify", "reevaluate", "change"])
def test_a_viewers_post_is_forbidden(viewer, story, name):
    assert viewer.post(reverse(f"admin:tasks_round_{name}", args=[story.round.pk]), {"stage": "generate"}).status_code == 403
    assert Round.objects.get(pk=story.round.pk).status == "succeeded"


def test_a_viewers_bulk_action_does_nothing(viewer):
    round_ = make_round(status="failed")

    viewer.post(reverse("admin:tasks_round_changelist"), {"action": "rerun_rounds", "_selected_action": [round_.pk], "index": 0})

    assert Round.objects.get(pk=round_.pk).status == "failed"


def test_an_operator_with_the_right_to_change_has_the_buttons(story):
    operator = staff("view_round", "change_round")

    page = operator.get(reverse("admin:tasks_round_change", args=[story.round.pk])).content.decode()

    assert "Re-run from generate" in page
    assert "Evaluate again" in page
    assert operator.post(reverse("admin:tasks_round_rerun", args=[story.round.pk]), {"stage": "generate"}).status_code == 302
    assert operator.get(reverse("admin:tasks_round_delete", args=[story.round.pk])).status_code == 403


def test_a_button_needs_its_csrf_token(story):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))

    assert client.post(reverse("admin:tasks_round_rerun", args=[story.round.pk]), {"stage": "generate"}).status_code == 403


def test_staff_without_permissions_see_nothing(story):
    nobody = staff()

    assert nobody.get(reverse("admin:index")).status_code == 200
    assert b'id="dashboard"' not in nobody.get(reverse("admin:index")).content
    for name in ("tasks_round_change", "tasks_round_live"):
        assert nobody.get(reverse(f"admin:{name}", args=[story.round.pk])).status_code == 403
    assert nobody.get(reverse("admin:tasks_attachment_download", args=[story.attachment.pk])).status_code == 403
    assert nobody.get(reverse("admin:tasks_screenshot_image", args=[story.screenshot.pk])).status_code == 403
    assert nobody.get(reverse("admin:tasks_taskrequest_versions", args=[story.round.task_request_id])).status_code == 403


def test_an_anonymous_visitor_sees_no_picture_and_no_version(story):
    for name, row in (("screenshot_image", story.screenshot), ("taskrequest_versions", story.round.task_request)):
        answer = Client().get(reverse(f"admin:tasks_{name}", args=[row.pk]))
        assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("admin:login"))


def test_whoever_may_see_a_round_sees_its_pictures_and_is_offered_no_page_that_is_forbidden(story):
    helper = staff("view_round")
    page = helper.get(reverse("admin:tasks_round_change", args=[story.round.pk])).content.decode()

    assert helper.get(reverse("admin:tasks_screenshot_image", args=[story.screenshot.pk])).status_code == 200
    assert "/admin/tasks/taskrequest/" not in page.split('class="d-page"')[1]


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model._meta.label_lower)
def test_no_record_can_be_added_even_by_a_superuser(boss, model):
    assert boss.get(url(model, "add")).status_code == 403


@pytest.mark.parametrize("model", [model for model in RECORDS if model._meta.app_label == "tasks"], ids=lambda model: model._meta.label_lower)
def test_no_field_of_a_record_can_be_changed_even_by_a_superuser(boss, story, model):
    row = model.objects.first()

    page = boss.get(url(model, "change", row.pk))

    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert boss.post(url(model, "change", row.pk), {"status": "failed", "name": "changed"}).status_code == 403


@pytest.mark.parametrize("model", ["success", "failure", "schedule", "ormq"])
def test_the_queues_own_tables_are_for_superusers(boss, model):
    helper = staff("view_round")
    helper_user = User.objects.get(username__startswith="staff")
    helper_user.user_permissions.set([])

    assert boss.get(reverse(f"admin:django_q_{model}_changelist")).status_code == 200
    assert helper.get(reverse(f"admin:django_q_{model}_changelist")).status_code == 403
