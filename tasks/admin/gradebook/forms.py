"""The grade-book's forms: its rules, what its checks weigh, a score set by hand."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from tasks.classroom.gradebook.changes import MOST_NOTE, MOST_WEIGHT
from tasks.models import GradeBook, GradeColumn, GradeOverride, IssuedTask


def brief_choices(book: GradeBook | None) -> list[tuple[str, str]]:
    """Every brief that was issued to the class, and those that the book names."""
    issued = IssuedTask.objects.filter(submission__is_practice=False).order_by().values_list("brief_id", flat=True).distinct()
    return [(name, name) for name in sorted({*issued, *(book.briefs if book else [])})]


class BookForm(forms.ModelForm):
    """What a grade-book is made with, and its rules later on. Nobody may publish through it who may not publish."""

    briefs = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, help_text="none: every brief that was issued")

    class Meta:
        model = GradeBook
        fields = ("name", "briefs", "best_of", "late_factor", "publish_at", "note")
        widgets = {"publish_at": forms.DateTimeInput(attrs={"placeholder": "2026-12-31 18:00"}, format="%Y-%m-%d %H:%M")}
        labels = {"name": "name", "note": "note", "best_of": "best of", "late_factor": "late factor", "publish_at": "published from (UTC)"}
        help_texts = {
            "best_of": "so many briefs count, a student's best; empty: all",
            "late_factor": "0 to 1: a late report's score times this",
            "publish_at": "from when students see their report; empty: never",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.MultipleChoiceField", self.fields["briefs"]).choices = brief_choices(self.instance)

    def clean_best_of(self) -> int | None:
        number: int | None = self.cleaned_data["best_of"]
        if number == 0:
            raise forms.ValidationError("Write 1 or more, or leave it empty for all.")
        return number


class WeightsForm(forms.Form):
    """Weight and dropped of every column."""

    def __init__(self, columns: list[GradeColumn], data: Any = None) -> None:
        super().__init__(data)
        self.columns = columns
        for column in columns:
            attributes = {"aria-labelledby": f"check-{column.pk}", "step": "any"}
            self.fields[f"weight-{column.pk}"] = forms.FloatField(
                min_value=0, max_value=MOST_WEIGHT, initial=column.weight, widget=forms.NumberInput(attrs=attributes)
            )
            ticked = forms.CheckboxInput(attrs={"aria-labelledby": f"check-{column.pk}"})
            self.fields[f"dropped-{column.pk}"] = forms.BooleanField(required=False, initial=column.is_dropped, widget=ticked)

    def fields_of(self, column: GradeColumn) -> tuple[forms.BoundField, forms.BoundField]:
        return self[f"weight-{column.pk}"], self[f"dropped-{column.pk}"]

    def changes(self) -> dict[int, tuple[float, bool]]:
        """What `gradebook.changes.set_columns` takes."""
        return {column.pk: (self.cleaned_data[f"weight-{column.pk}"], self.cleaned_data[f"dropped-{column.pk}"]) for column in self.columns}


class OverrideForm(forms.Form):
    """A score in per cent, with the reason."""

    score = forms.FloatField(min_value=0, max_value=100, label="score, per cent", widget=forms.NumberInput(attrs={"step": "any"}))
    note = forms.CharField(max_length=MOST_NOTE, label="reason", help_text="the student reads it", widget=forms.Textarea(attrs={"rows": 3}))

    @classmethod
    def of(cls, override: GradeOverride | None) -> OverrideForm:
        return cls(initial={"score": round(100 * override.score, 6), "note": override.note} if override else None)


def close(form: forms.BaseForm, *, but: tuple[str, ...] = ()) -> None:
    """Show the fields without taking anything from them."""
    for name, field in form.fields.items():
        if name not in but:
            field.disabled = True
