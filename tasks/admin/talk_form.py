"""What a person says to the agents of a task."""

from __future__ import annotations

from typing import Any

from django import forms

from tasks.models import CodeVersion, Message, TaskRequest
from tasks.orchestrator import reports
from tasks.orchestrator.uploads import label_of

MOST = 100_000  # characters, as over the API
OFFERED = 60  # versions
PERSON = "person"  # the role that a message of a person carries
EVERYBODY = ""


class MessageForm(forms.Form):
    """A message to one of the parts or to everybody, or feedback for the coder, which wakes a round that waits for it."""

    prefix = "say"
    kind = forms.ChoiceField(choices=[("message", "message"), ("feedback", "feedback")])
    to = forms.ChoiceField(
        required=False, choices=[(EVERYBODY, "everybody"), ("coder", "the coder"), ("evaluator", "the evaluator"), ("generator", "the generator")]
    )
    version = forms.ModelChoiceField(CodeVersion.objects.none(), required=False, empty_label="no version in particular")
    text = forms.CharField(
        max_length=MOST, strip=False, widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": "Write something first."}
    )

    def __init__(self, task: TaskRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task = task
        field = self.fields["version"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - for the type checker  # nosec B101
        field.queryset = task.versions.only("id", "number", "label", "task_request_id").order_by("-number")
        field.choices = [("", "no version in particular"), *((row.pk, label_of(row)) for row in field.queryset[:OFFERED])]

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        if not text.strip():
            raise forms.ValidationError("Write something first.")
        return text

    def clean(self) -> dict[str, Any]:
        held = super().clean() or self.cleaned_data
        if held.get("kind") == Message.Kind.FEEDBACK and held.get("to") not in (None, EVERYBODY, "coder"):
            self.add_error("to", "Feedback goes to the coder: choose it, or send a message instead.")
        return held

    def send(self, sender: str) -> Message:
        """Store it. Only for a form that is valid."""
        held = self.cleaned_data
        if held["kind"] == Message.Kind.FEEDBACK:
            return reports.feed_back(self.task, sender[:100], held["text"], version=held["version"])
        named = {"coder": self.task.coder, "evaluator": self.task.evaluator, "generator": self.task.creator_agent}
        recipient = named.get(held["to"]) or held["to"]
        return reports.say(self.task, sender[:100], held["text"], recipient=recipient, role=PERSON, version=held["version"])
