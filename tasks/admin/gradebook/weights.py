"""The page of rules and weights: what counts, how much, and from when students see it. Saving scores anew; nothing is run again."""

from __future__ import annotations

from itertools import groupby
from statistics import fmean
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from tasks.admin import columns
from tasks.admin.gradebook import numbers, words
from tasks.admin.gradebook.forms import BookForm, WeightsForm, close
from tasks.admin.gradebook.page import BookPage, locked_note
from tasks.classroom.gradebook import changes
from tasks.classroom.gradebook.sheet import Sheet, sheet
from tasks.errors import Conflict
from tasks.models import GradeBook


class Weighing(BookPage):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.weights_view))
        return [path("<path:object_id>/weights/", view, name="tasks_gradebook_weights"), *super().get_urls()]

    def weights_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        book = self.book_or_404(request, object_id)
        may = {name: request.user.has_perm(f"tasks.{right}") for name, right in RIGHTS.items()}
        if request.method == "POST" and not (may["may_rules"] or may["may_weights"] or may["may_publish"]):
            return self.refused()
        shown = sheet(book)
        data = request.POST if request.method == "POST" else None
        form, weights = BookForm(data, instance=GradeBook.objects.get(pk=book.pk)), WeightsForm(shown.columns, data)
        _close(book, form, weights, may)
        if data is not None and form.is_valid() and weights.is_valid():
            before = numbers.scored(shown)
            try:
                with transaction.atomic():
                    said = _save(request, book, form, weights)
            except Conflict as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{said} {_moved(before, numbers.scored(sheet(book)))}" if said else "Nothing was changed.")
                return HttpResponseRedirect(request.path)
        context = {"form": form, "weights": weights, "groups": _groups(shown, weights), "locked": locked_note(book), **may}
        return self.book_page(request, book, "weights", context)


RIGHTS = {"may_rules": "change_gradebook", "may_weights": "change_gradecolumn", "may_publish": "publish_gradebook"}


def _close(book: GradeBook, form: BookForm, weights: WeightsForm, may: dict[str, bool]) -> None:
    """What this person may not change, or nobody may while the book is locked, is shown and takes nothing."""
    if not may["may_rules"]:
        close(form, but=("publish_at",))
    elif book.locked_at:
        close(form, but=("name", "note", "publish_at"))
    if not may["may_publish"]:
        form.fields["publish_at"].disabled = True
    if book.locked_at or not may["may_weights"]:
        close(weights)


def _save(request: HttpRequest, book: GradeBook, form: BookForm, weights: WeightsForm) -> str:
    """What was changed, in words; nothing when nothing was."""
    said = []
    rules = {name: form.cleaned_data[name] for name in form.changed_data}
    named = changes.set_rules(book, request.user, **rules) if rules else []
    if named:
        said.append(f"Changed: {', '.join(str(form.fields[name].label or name) for name in named)}.")
    changed = {pk: pair for pk, pair in weights.changes().items() if weights.has_changed()}
    number = changes.set_columns(book, changed, request.user) if changed else 0
    if number:
        said.append(f"{columns.of(number, 'check')} weighted anew.")
    return " ".join(said)


def _moved(before: list[float], after: list[float]) -> str:
    if not before or not after:
        return ""
    return f"The class's mean was {words.points(fmean(before))} and is {words.points(fmean(after))}."


def _groups(shown: Sheet, weights: WeightsForm) -> list[dict[str, Any]]:
    """The columns by brief and round, each with its fields and how the class did."""
    means = numbers.column_means(shown)
    made = []
    for (brief, number), group in groupby(shown.columns, key=lambda column: (column.brief_id, column.round)):
        rows = []
        for column in group:
            weight, dropped = weights.fields_of(column)
            rows.append({"column": column, "weight": weight, "dropped": dropped, "mean": words.share(means.get(column.pk), 0)})
        made.append({"brief": brief, "round": number, "rows": rows})
    return made
