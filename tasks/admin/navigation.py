"""The sidebar: every registered model that this user may see, in the order of the work."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from tasks.admin.briefs import may_see_briefs
from tasks.admin.doctor import may_see_doctor
from tasks.admin.pages import may_see_monitor
from tasks.admin.practice import may_practise
from tasks.admin.start import is_student

PLACES: dict[str, dict[str, str]] = {
    "Work": {"tasks.round": "sync", "tasks.taskrequest": "assignment", "tasks.attachment": "attach_file", "tasks.message": "forum"},
    "Code": {"tasks.codeversion": "deployed_code", "tasks.generatedfile": "draft"},
    "Pipeline": {
        "tasks.stagerun": "timeline",
        "tasks.checkresult": "fact_check",
        "tasks.screenshot": "photo_camera",
        "tasks.compiledcheck": "rule",
        "tasks.deployment": "rocket_launch",
        "tasks.notificationattempt": "outgoing_mail",
    },
    "Agents": {
        "tasks.agentkey": "key",
        "tasks.containerrun": "terminal",
        "tasks.artefact": "inventory_2",
        "tasks.result": "monitoring",
        "tasks.logfile": "article",
        "tasks.idempotencykey": "repeat_one",
    },
    "Class": {
        "tasks.submission": "school",
        "tasks.issuedtask": "outbox",
        "tasks.issuetry": "send",
        "tasks.reporeport": "move_to_inbox",
        "tasks.gradebook": "grading",
    },
    "Service": {"tasks.worker": "memory", "tasks.writebudget": "speed"},
    "People": {"auth.user": "person", "auth.group": "group", "axes.accessattempt": "lock"},
    "Queue internals": {"django_q.ormq": "inbox", "django_q.success": "check", "django_q.failure": "close", "django_q.schedule": "event"},
}
FOLDED = ("Queue internals",)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links as django-unfold wants them. A model of this app that nobody placed stands under "More"."""
    models = {model._meta.label_lower: model for model, page in admin.site._registry.items() if page.has_view_or_change_permission(request)}
    placed = {label for group in PLACES.values() for label in group}
    rest = {label: "table_rows" for label in sorted(models) if label.startswith("tasks.") and label not in placed}
    groups: list[dict[str, Any]] = [{"items": pages(request)}]
    for title, group in {**PLACES, "More": rest}.items():
        items = [
            {
                "title": capfirst(models[label]._meta.verbose_name_plural),
                "icon": icon,
                "link": reverse(f"admin:{label.replace('.', '_')}_changelist"),
            }
            for label, icon in group.items()
            if label in models
        ]
        if title == "Class" and may_see_briefs(request):
            items.append({"title": "Briefs", "icon": "description", "link": reverse("admin:briefs")})
        if title == "Class" and may_practise(request) and not is_student(request):
            items.append({"title": "Practice", "icon": "sports", "link": reverse("admin:practices")})
        if items:
            groups.append({"title": title, "items": items, "collapsible": title in FOLDED})
    return groups


def pages(request: HttpRequest) -> list[dict[str, Any]]:
    """What is no list of records."""
    first = "Dashboard" if may_see_monitor(request) else "Start"
    shown = [(first, "dashboard", "index", True), ("Monitor", "monitor_heart", "monitor", may_see_monitor(request))]
    shown.append(("Doctor", "stethoscope", "doctor", may_see_doctor(request)))
    shown.append(("Practice", "sports", "practices", is_student(request)))
    shown.append(("My report", "grading", "my_report", is_student(request)))
    return [{"title": title, "icon": icon, "link": reverse(f"admin:{name}")} for title, icon, name, may in shown if may]
