"""A superuser may delete a task or a round, with everything that hangs on it."""

from django.urls import reverse

from tasks.models import Attachment, CheckResult, CodeVersion, Deployment, GeneratedFile, Round, Screenshot, StageRun, TaskRequest
from tests.factories import make_round, make_version


def test_a_task_goes_with_its_whole_history(boss, story):
    task = story.round.task_request
    GeneratedFile.objects.create(version=story.version, path="data.csv", origin="attachment", attachment=story.attachment, size=9, blob_sha="0" * 40)
    url = reverse("admin:tasks_taskrequest_delete", args=[task.pk])

    assert b"Deployments: 1" in boss.get(url).content
    assert boss.post(url, {"post": "yes"}).status_code == 302
    for model in (TaskRequest, Round, CodeVersion, GeneratedFile, Deployment, Attachment, StageRun, CheckResult, Screenshot):
        assert not model.objects.exists(), model


def test_a_round_goes_and_leaves_its_task(boss, story):
    boss.post(reverse("admin:tasks_round_delete", args=[story.round.pk]), {"post": "yes"})

    assert TaskRequest.objects.filter(pk=story.round.task_request_id).exists()
    assert not Round.objects.exists()
    assert not CodeVersion.objects.exists()


def test_a_round_whose_version_another_round_published_stays(boss, story):
    later = make_round(story.round.task_request, number=2)
    Deployment.objects.create(round=later, version=story.version, host="local", repo_url="", pages_url="", commit_sha="e" * 40, tree_sha="f" * 40)
    url = reverse("admin:tasks_round_delete", args=[story.round.pk])

    page = boss.get(url).content.decode()
    assert "protected" in page
    assert reverse("admin:tasks_deployment_change", args=[later.deployments.get().pk]) in page
    boss.post(url, {"post": "yes"})
    assert Round.objects.filter(pk=story.round.pk).exists()


def test_a_round_whose_attachment_another_round_uses_stays(boss, story):
    later = make_version(make_round(story.round.task_request, number=2))
    GeneratedFile.objects.create(version=later, path="data.csv", origin="attachment", attachment=story.attachment, size=9, blob_sha="0" * 40)

    boss.post(reverse("admin:tasks_round_delete", args=[story.round.pk]), {"post": "yes"})

    assert Round.objects.filter(pk=story.round.pk).exists()


def test_a_row_of_a_rounds_history_is_not_deleted_alone(boss, story):
    assert boss.post(reverse("admin:tasks_deployment_delete", args=[story.deployment.pk]), {"post": "yes"}).status_code == 403


def test_several_rounds_are_deleted_at_once(boss):
    rounds = [make_round() for _ in range(3)]
    for round_ in rounds:
        make_version(round_)

    chosen = {"action": "delete_selected", "_selected_action": [round_.pk for round_ in rounds], "post": "yes"}
    boss.post(reverse("admin:tasks_round_changelist"), chosen)

    assert not Round.objects.exists()
