"""The three groups of the instructor's side, and what each may do.

`ensure` runs after every migration. It makes what is missing and never takes anything away: rights that come with a new version reach the groups by
themselves, and what an admin gave a group besides stays. Who wants a group that may do less makes one of another name.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db import DEFAULT_DB_ALIAS

CLASS = ("submission", "issuedtask", "issuetry", "reporeport", "gradebook", "gradecolumn", "gradeoverride", "grade")
EVIDENCE = ("checkresult", "screenshot", "compiledcheck")
ROUNDS = (
    *("taskrequest", "round", "attachment", "codeversion", "generatedfile", "stagerun", "deployment", "notificationattempt", "message"),
    *("containerrun", "artefact", "result", "logfile", "worker", "writebudget"),
)


def _view(*models: str) -> frozenset[str]:
    return frozenset(f"view_{model}" for model in models)


STUDENT_READER = frozenset({"practise_submission"})
ASSISTANT = _view(*CLASS) | {"evaluate_reporeport", "change_gradeoverride"}
INSTRUCTOR = (
    ASSISTANT
    | STUDENT_READER
    | _view(*ROUNDS, *EVIDENCE)
    | {"add_submission", "change_submission", "add_issuedtask", "change_issuedtask", "change_round"}
    | {"add_gradebook", "change_gradebook", "publish_gradebook", "change_gradecolumn"}
)
RIGHTS: dict[str, frozenset[str]] = {"instructor": INSTRUCTOR, "assistant": ASSISTANT, "student-reader": STUDENT_READER}


def ensure(sender: AppConfig, *, using: str = DEFAULT_DB_ALIAS, apps: Any = installed, **more: Any) -> None:
    """A `post_migrate` receiver, after the one of django.contrib.auth that makes the rights' rows (its app stands first in INSTALLED_APPS). At an
    older state of the tables a right that is not there yet is left out."""
    try:
        permission, group = apps.get_model("auth", "Permission"), apps.get_model("auth", "Group")
    except LookupError:
        return
    rows = permission.objects.using(using).filter(content_type__app_label=sender.label)
    known = dict(rows.values_list("codename", "pk"))
    link = group.permissions.through
    for name, rights in RIGHTS.items():
        made, _ = group.objects.using(using).get_or_create(name=name)
        held = set(link.objects.using(using).filter(group_id=made.pk).values_list("permission_id", flat=True))
        missing = {known[right] for right in rights if right in known} - held
        link.objects.using(using).bulk_create([link(group_id=made.pk, permission_id=pk) for pk in sorted(missing)], ignore_conflicts=True)
