"""Every address of the admin, from its own URL patterns: nobody has to remember to add a new page to a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import URLPattern, URLResolver, reverse

from tasks.classroom import briefs
from tasks.models import GradeBook, GradeOverride, IssuedTask, Screenshot

NOWHERE = "/admin/no-such-page/"


def patterns(within: list[Any] | None = None) -> Iterator[URLPattern]:
    for entry in admin.site.get_urls() if within is None else within:
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns)
        else:
            yield entry


def model_of(name: str) -> type[Model] | None:
    """The model that a page's name begins with: `tasks_round_live` is a page of Round."""
    return next((model for model in admin.site._registry if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")), None)


def marked(rows: int) -> list[list[int]]:
    """Grade-book, column and student of the newest scores set by hand."""
    return [[row.column.book_id, row.column_id, row.submission_id] for row in GradeOverride.objects.select_related("column")[:rows]]


def addresses(rows: int = 1_000) -> list[str]:
    """All of them, for at most so many rows of each model, the newest first."""
    found = [NOWHERE]
    for pattern in patterns():
        name, given = pattern.name or "", pattern.pattern.regex.groupindex
        model = model_of(name)
        if not name:
            continue
        if not given:
            found.append(reverse(f"admin:{name}"))
        elif name == "app_list":
            found += [reverse("admin:app_list", args=[label]) for label in sorted({model._meta.app_label for model in admin.site._registry})]
        elif name in ("brief", "brief_file"):
            found.append(reverse(f"admin:{name}", args=[briefs.names()[0], 1][: len(given)]))
        elif name == "practice_picture":
            shots = Screenshot.objects.filter(report__issued__submission__is_practice=True).order_by("-pk")[:rows]
            found += [reverse(f"admin:{name}", args=[shot.report.issued_id, shot.pk]) for shot in shots]
        elif name.startswith("practice"):
            practised = IssuedTask.objects.filter(submission__is_practice=True).order_by("-pk")[:rows]
            found += [reverse(f"admin:{name}", args=[row.pk]) for row in practised]
        elif name == "my_report_picture":
            shots, book = Screenshot.objects.exclude(report=None).order_by("-pk")[:rows], GradeBook.objects.first()
            found += [reverse(f"admin:{name}", args=[book.pk if book else 0, shot.pk]) for shot in shots]
        elif name == "view_on_site":
            found.append(reverse("admin:view_on_site", args=[ContentType.objects.get_for_model(User).pk, 1]))
        elif name in ("tasks_gradebook_student", "tasks_gradebook_cell"):
            found += [reverse(f"admin:{name}", args=args[: len(given) - 1] + args[-1:]) for args in marked(rows)]
        elif model is not None and len(given) == 1:
            of_rounds = {"report": None} if name.startswith(("tasks_checkresult_", "tasks_screenshot_")) else {}  # a report's stand on its page
            found += [reverse(f"admin:{name}", args=[row.pk]) for row in model._default_manager.filter(**of_rounds).order_by("-pk")[:rows]]
        else:
            raise AssertionError(f"How is {pattern!r} called?")
    return list(dict.fromkeys(found))
