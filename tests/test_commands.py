"""The commands that operators type, with their exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from tasks.models import Deployment, Round
from tests.emulators.evaluator import Evaluator
from tests.factories import make_round, make_task, make_version

pytestmark = pytest.mark.django_db


def run(*args: str, **options: Any) -> tuple[str, int]:
    """(standard output, exit code)"""
    out = StringIO()
    try:
        call_command(*args, stdout=out, stderr=StringIO(), **options)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_rerun_queues_every_failed_round_from_where_it_stopped() -> None:
    failed = make_round(status="failed", stage="publish", error_id="github-token", error="x")
    make_round(status="succeeded")
    out, code = run("rerun", "--failed")
    assert (code, "1 of 1 queued" in out) == (0, True)
    failed.refresh_from_db()
    assert (failed.status, failed.stage, failed.error_id) == ("queued", "publish", "")
    assert OrmQ.objects.count() == 1


def test_rerun_from_generate_asks_for_new_code() -> None:
    round_ = make_round(status="succeeded", stage="notify")
    round_.version = make_version(round_)
    round_.save()
    run("rerun", str(round_.pk), "--from-stage", "generate")
    round_.refresh_from_db()
    assert (round_.stage, round_.version, round_.reruns) == ("generate", None, 1)


@pytest.mark.parametrize("how", ["pk", "uuid", "task", "task/1", "task/1/nonce"])
def test_a_round_can_be_named_in_every_way(how: str) -> None:
    round_ = make_round(make_task(task="hello-1"), status="failed", nonce="n7")
    name = {"pk": str(round_.pk), "uuid": str(round_.uuid), "task": "hello-1", "task/1": "hello-1/1", "task/1/nonce": "hello-1/1/n7"}[how]
    out, code = run("rerun", name, "--json")
    assert code == 0
    assert json.loads(out) == [{"id": round_.pk, "uuid": str(round_.uuid), "queued": True}]


@pytest.mark.parametrize(
    "args", [["rerun", "no-such-task"], ["rerun"], ["rerun", "1", "--failed"], ["renotify", "77777"], ["send_task", "no-such-brief"]]
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    with pytest.raises(CommandError) as error:
        run(*args)
    assert error.value.returncode == 2


def test_renotify_queues_what_is_deployed_and_fails_for_what_is_not() -> None:
    bare, deployed = make_round(status="failed"), make_round(status="succeeded", stage="notify")
    Deployment.objects.create(round=deployed, version=make_version(deployed), host="local", commit_sha="a" * 40, tree_sha="b" * 40)
    assert run("renotify", str(bare.pk))[1] == 1
    assert run("renotify", str(deployed.pk))[1] == 0
    assert Round.objects.get(pk=deployed.pk).stage == "notify"


def test_ensure_admin_makes_a_superuser_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError):
        run("ensure_admin")
    monkeypatch.setenv("ADMIN_PASSWORD", "a-long-password")
    run("ensure_admin")
    run("ensure_admin")
    user = User.objects.get(username="admin")
    assert user.is_superuser
    assert user.check_password("a-long-password")


@pytest.mark.django_db(transaction=True)
def test_send_task_posts_a_brief_and_says_when_nothing_comes_back(live_server: Any) -> None:
    out, code = run("send_task", "sales-total", "--url", f"{live_server.url}/ready", "--round", "1", "--seconds", "0.2", "--json")
    assert code == 1
    assert json.loads(out)[0]["status"] == 200
    assert Round.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_send_task_with_an_evaluation_url_of_its_own_only_posts(live_server: Any, evaluator: Evaluator) -> None:
    out, code = run("send_task", "--url", f"{live_server.url}/ready", "--evaluation-url", evaluator.url, "--json")
    assert code == 0
    assert [item["status"] for item in json.loads(out)] == [200, 200]
    assert set(Round.objects.values_list("evaluation_url", flat=True)) == {evaluator.url}


@pytest.mark.django_db(transaction=True)
def test_send_task_tells_a_refusal(live_server: Any) -> None:
    out, code = run("send_task", "--url", f"{live_server.url}/ready", "--secret", "wrong", "--json")
    assert code == 1
    assert json.loads(out)[0]["status"] == 401
