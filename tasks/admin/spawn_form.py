"""A program that a person has run for a task."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Any

from django import forms

from tasks import runs
from tasks.errors import RunRefused
from tasks.models import CodeVersion, ContainerRun, TaskRequest
from tasks.orchestrator.uploads import label_of
from tasks.runners import Limits
from tasks.runners.base import MOST

OFFERED = 60  # versions
LONGEST = {"command": 4_000, "stdin": 1_000_000}  # characters
LIMITS = {
    "wall_seconds": "wall time (s)",
    "cpu_seconds": "processor time (s)",
    "memory_mb": "memory (MB)",
    "processes": "processes",
    "file_mb": "largest file (MB)",
    "output_kb": "output (kB)",
    "artefacts_mb": "files it leaves (MB)",
}


class SpawnForm(forms.Form):
    """A version's program, or any command on its files; what `tasks.runs` refuses is said at the field that it is about."""

    prefix = "run"
    version = forms.ModelChoiceField(CodeVersion.objects.none(), empty_label=None, error_messages={"required": "Choose the version to run."})
    command = forms.CharField(max_length=LONGEST["command"], required=False, help_text="empty: the version's own program")
    stdin = forms.CharField(max_length=LONGEST["stdin"], required=False, strip=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, task: TaskRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task = task
        field = self.fields["version"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - for the type checker  # nosec B101
        field.queryset = task.versions.filter(files__isnull=False).distinct().only("id", "number", "label", "task_request_id").order_by("-number")
        field.choices = [(row.pk, label_of(row)) for row in field.queryset[:OFFERED]]
        self.runnable = bool(field.choices)
        for name, label in LIMITS.items():
            usual, most = asdict(Limits())[name], asdict(MOST)[name]
            widget = forms.NumberInput(attrs={"placeholder": f"{usual:g}", "min": "1", "max": f"{most:g}", "step": "any"})
            self.fields[name] = forms.FloatField(required=False, label=label, help_text=f"at most {most:g}", widget=widget)

    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]

    def clean_command(self) -> list[str]:
        try:
            return shlex.split(self.cleaned_data["command"])
        except ValueError as error:
            raise forms.ValidationError(f"That is no command line: {str(error).lower()}. Close every quote.") from error

    def clean(self) -> dict[str, Any]:
        held = super().clean() or self.cleaned_data
        for name in LIMITS:
            self._refused_at(name, runs.limits_of, {name: held[name]} if held.get(name) is not None else {})
        version = held.get("version")
        if version is not None and held.get("command") == []:
            self._refused_at("command", runs.default_command, list(version.files.values_list("path", flat=True)))
        return held

    def _refused_at(self, field: str, check: Any, asked: Any) -> None:
        try:
            check(asked)
        except RunRefused as refused:
            self.add_error(field, refused.message)

    def submit(self, asker: str) -> ContainerRun:
        """Put it into the queue. Only for a form that is valid; `RunRefused` when the version changed meanwhile."""
        held = self.cleaned_data
        limits = {name: held[name] for name in LIMITS if held.get(name) is not None}
        return runs.submit(task=self.task, version=held["version"], command=held["command"], stdin=held["stdin"], limits=limits, agent=asker[:100])
