"""The groups that come with the installation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission

from tasks.classroom.groups import RIGHTS, ensure

pytestmark = pytest.mark.django_db


def codenames(name: str) -> set[str]:
    return set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))


@pytest.mark.parametrize("name", RIGHTS)
def test_a_migrated_database_has_each_group_with_just_its_rights(name: str) -> None:
    assert codenames(name) == RIGHTS[name]


def test_what_is_missing_is_added_and_what_an_admin_added_stays() -> None:
    assistant = Group.objects.get(name="assistant")
    extra = Permission.objects.get(codename="view_round")
    assistant.permissions.set([extra])
    Group.objects.get(name="student-reader").delete()
    ensure(apps.get_app_config("tasks"))
    ensure(apps.get_app_config("tasks"))
    assert codenames("assistant") == RIGHTS["assistant"] | {"view_round"}
    assert codenames("student-reader") == RIGHTS["student-reader"]


def test_a_right_that_is_not_there_yet_is_left_out() -> None:
    Permission.objects.filter(codename="evaluate_reporeport").delete()
    ensure(apps.get_app_config("tasks"))
    assert "evaluate_reporeport" not in codenames("assistant")


def test_an_assistant_neither_imports_issues_weighs_nor_publishes_and_a_student_reads_no_list() -> None:
    refused = {
        "add_submission",
        "change_submission",
        "add_issuedtask",
        "change_issuedtask",
        "change_gradebook",
        "change_gradecolumn",
        "publish_gradebook",
    }
    assert not RIGHTS["assistant"] & refused
    assert refused < RIGHTS["instructor"]
    assert not any(right.startswith(("view_", "add_", "change_", "delete_")) for right in RIGHTS["student-reader"])
    assert not any("agentkey" in right or "user" in right or "group" in right for rights in RIGHTS.values() for right in rights)


def test_the_readmes_table_says_what_each_group_may_do() -> None:
    section = (Path(settings.BASE_DIR) / "README.md").read_text(encoding="utf-8").partition("### Who may do what")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    head, rows = lines[0], lines[2:]
    told: dict[str, set[str]] = {name: set() for name in head[2:]}
    for row in rows:
        for name, may in zip(head[2:], row[2:], strict=True):
            assert may in ("yes", "")
            told[name] |= set(re.findall(r"`(\w+)`", row[1])) if may else set()
    assert told == RIGHTS
