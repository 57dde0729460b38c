"""A student's page, and the page of one check of one student, where a person's score takes the place of the check's own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from tasks.admin import columns, verdicts
from tasks.admin.gradebook import words
from tasks.admin.gradebook.forms import OverrideForm
from tasks.admin.gradebook.page import BookPage, locked_note
from tasks.admin.gradebook.student import student_context
from tasks.admin.tiles import may_see
from tasks.classroom.gradebook import changes
from tasks.classroom.gradebook.sheet import Cell, sheet
from tasks.errors import Conflict
from tasks.models import CheckResult, GradeBook, GradeColumn, GradeOverride, RepoReport, Submission

OVERRIDE = "tasks.change_gradeoverride"


class Marking(BookPage):
    def get_urls(self) -> list[URLPattern]:
        student = self.admin_site.admin_view(require_safe(self.student_view))
        cell = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.cell_view))
        return [
            path("<path:object_id>/student/<int:submission_id>/", student, name="tasks_gradebook_student"),
            path("<path:object_id>/cell/<int:column_id>/<int:submission_id>/", cell, name="tasks_gradebook_cell"),
            *super().get_urls(),
        ]

    def student_view(self, request: HttpRequest, object_id: str, submission_id: int) -> HttpResponse:
        book, student = self.book_or_404(request, object_id), self.student_or_404(submission_id)
        reports = may_see(request, RepoReport)
        context = student_context(
            book,
            student,
            report=(lambda pk: reverse("admin:tasks_reporeport_change", args=[pk])) if reports else None,
            cell=lambda column: cell_url(book, column, student),
        )
        link = columns.inside(student, "submission") if may_see(request, Submission) else ""
        return self.book_page(request, book, "student", {**context, "title": student.email, "submission_link": link})

    def cell_view(self, request: HttpRequest, object_id: str, column_id: int, submission_id: int) -> HttpResponse:
        """GET: the check's verdict beside the form. POST sets the score, or with `do=clear` lets the check decide again."""
        book, student = self.book_or_404(request, object_id), self.student_or_404(submission_id)
        column = book.columns.filter(pk=column_id).first()
        if column is None:
            raise Http404("The grade-book has no such check.")
        column.book = book
        if request.method == "POST" and not request.user.has_perm(OVERRIDE):
            return self.refused()
        form = None
        if request.method == "POST":
            form = OverrideForm(request.POST)
            try:
                said = _change(request, column, student, form)
            except Conflict as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(request.path)
            if said:
                messages.success(request, said)
                return HttpResponseRedirect(_student_url(book, student))
        return self.book_page(request, book, "cell", _context(request, book, column, student, form))


def cell_url(book: GradeBook, column: GradeColumn, student: Submission) -> str:
    return reverse("admin:tasks_gradebook_cell", args=[book.pk, column.pk, student.pk])


def _student_url(book: GradeBook, student: Submission) -> str:
    return reverse("admin:tasks_gradebook_student", args=[book.pk, student.pk])


def _change(request: HttpRequest, column: GradeColumn, student: Submission, form: OverrideForm) -> str:
    """What was done, in words; nothing when the form has to be mended."""
    if request.POST.get("do") == "clear":
        gone = changes.clear_override(column, student, request.user)
        return "The check decides again." if gone else "No score was set by hand."
    if not form.is_valid():
        return ""
    share, note = form.cleaned_data["score"] / 100, form.cleaned_data["note"]
    changes.override(column, student, share, note, request.user)
    return f"The score is {words.share(share)} now, for {columns.one_line(column.title, 80)}."


def _context(request: HttpRequest, book: GradeBook, column: GradeColumn, student: Submission, form: OverrideForm | None) -> dict[str, Any]:
    shown = sheet(book, emails=[student.pk])
    row = next((row for row in shown.rows if row.submission_id == student.pk), None)
    cell = row.cells.get(column.pk, Cell("", None)) if row else Cell("", None)
    report = row.rounds.get((column.brief_id, column.round)) if row else None
    result = CheckResult.objects.filter(pk=cell.result_id).first() if cell.result_id else None
    override = GradeOverride.objects.filter(column=column, submission=student).select_related("by").first()
    may_open = report is not None and report.report_id is not None and may_see(request, RepoReport)
    return {
        "title": f"{columns.one_line(column.title, 60)}: {student.email}",
        "column": column,
        "submission": student,
        "weight": words.weight(column.weight),
        "verdict": [verdicts.verdict(result)] if result else [],
        "said": _said(cell),
        "override": override,
        "score": words.share(override.score if override else None),
        "form": form or OverrideForm.of(override),
        "action": cell_url(book, column, student),
        "student_url": _student_url(book, student),
        "report_url": reverse("admin:tasks_reporeport_change", args=[report.report_id]) if may_open and report else "",
        "may_override": request.user.has_perm(OVERRIDE),
        "locked": locked_note(book),
    }


def _said(cell: Cell) -> str:
    """Where there is no result to show."""
    if not cell.status:
        return "This check does not apply to this student: it is of another variant of the brief, or of a round that they were not sent."
    return cell.reason if cell.status != "override" and cell.reason else "The check has no verdict for this student."
