"""Erasing a person from the admin: asked first, for superusers only, and on record without the address."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tasks.models import CodeVersion, Round, TaskRequest
from tasks.retention.ages import Ages
from tasks.retention.batches import Batches
from tasks.retention.pruning import prune
from tests.admin.conftest import staff
from tests.factories import make_round, make_task

LIST = reverse("admin:tasks_taskrequest_changelist")


def ask(client: Client, *tasks: TaskRequest, **extra: str) -> Any:
    return client.post(LIST, {"action": "erase_people", "_selected_action": [task.pk for task in tasks], "index": 0, **extra})


def test_the_first_post_only_shows_what_would_go_and_what_stays(boss, story):
    task = story.round.task_request
    page = ask(boss, task).content.decode()

    assert "1 task with 1 round " in page
    assert f'<input type="hidden" name="_selected_action" value="{task.pk}">' in page
    assert "https://example.org/page/" in page
    assert TaskRequest.objects.count() == 1


def test_confirmed_everything_of_the_person_goes_and_nothing_of_others(boss, story):
    task = story.round.task_request
    other = make_round(make_task(email="bob@example.org"))
    second = make_round(make_task(email=task.email.upper()))

    response = ask(boss, task, confirmed="yes")

    assert response.url == LIST
    assert list(Round.objects.all()) == [other]
    said = " ".join(map(str, get_messages(response.wsgi_request)))
    assert "2 tasks with 2 rounds of one person erased" in said
    assert "Not deleted, do it there: https://example.org/page/" in said
    assert second.task_request.email not in said


def test_it_is_on_record_who_erased_but_not_whose(boss):
    task = make_task(email="ann@example.org")

    ask(boss, task, confirmed="yes")

    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.get_change_message()) == ("boss", "1 tasks with 0 rounds of one person erased")
    assert "ann" not in f"{entry.object_repr} {entry.object_id} {entry.change_message}"


def test_an_open_round_is_told_of_and_ends(boss):
    round_ = make_round()

    assert "1 open round" in ask(boss, round_.task_request).content.decode()
    ask(boss, round_.task_request, confirmed="yes")
    assert not Round.objects.exists()


def test_whoever_may_not_delete_cannot_erase(story):
    for client in (staff("view_taskrequest"), staff("view_taskrequest", "change_taskrequest")):
        ask(client, story.round.task_request, confirmed="yes")
        assert "erase_people" not in client.get(LIST).content.decode()
        assert "erase this person" not in client.get(f"{LIST}{story.round.task_request_id}/change/").content.decode()
    assert TaskRequest.objects.count() == 1


def test_erasing_needs_its_csrf_token(story):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("chief"))

    assert ask(client, story.round.task_request, confirmed="yes").status_code == 403
    assert TaskRequest.objects.count() == 1


def test_a_task_of_an_agent_belongs_to_no_person(boss):
    task = make_task(email="", task="", name="an agent's")

    response = ask(boss, task, confirmed="yes")

    assert "These tasks belong to no person." in [str(message) for message in get_messages(response.wsgi_request)]
    assert TaskRequest.objects.count() == 1
    assert "erase this person" not in boss.get(f"{LIST}{task.pk}/change/").content.decode()


def test_too_many_at_once_are_refused(boss):
    response = ask(boss, *[make_task() for _ in range(21)], confirmed="yes")

    assert "at most 20 at once" in " ".join(map(str, get_messages(response.wsgi_request)))
    assert TaskRequest.objects.count() == 21


def test_the_tasks_page_leads_to_it(boss, story):
    page = boss.get(f"{LIST}{story.round.task_request_id}/change/").content.decode()

    assert "erase this person's data" in page
    assert f'name="_selected_action" value="{story.round.task_request_id}"' in page


def test_the_admin_works_on_what_a_prune_left(boss, story):
    CodeVersion.objects.filter(pk=story.first.pk).update(prompt="the prompt", raw_answer="the answer")
    prune(Ages.of_days(answers=0, now=timezone.now()), Batches(), by="manage.py prune")

    version = boss.get(reverse("admin:tasks_codeversion_change", args=[story.first.pk])).content.decode()
    assert f"[pruned on {timezone.now():%d %b %Y} by manage.py prune: it had 10 characters]" in version
    assert "No screenshot is kept" in version
    for name, pk in (("round", story.round.pk), ("taskrequest", story.round.task_request_id), ("codeversion", story.version.pk)):
        assert boss.get(reverse(f"admin:tasks_{name}_change", args=[pk])).status_code == 200
    assert boss.get(reverse("admin:tasks_taskrequest_versions", args=[story.round.task_request_id])).status_code == 200
    assert boss.get(reverse("admin:tasks_round_changelist")).status_code == 200
    assert boss.get(reverse("admin:tasks_screenshot_changelist")).status_code == 200
