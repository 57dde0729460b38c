"""The start page of people who do not run the service: what they can do here, in place of a dashboard."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from tasks.admin.practice import may_practise
from tasks.admin.practice_form import may_type_any


def is_student(request: HttpRequest) -> bool:
    """Whoever practises and sees nothing of the class."""
    return may_practise(request) and not may_type_any(request)


def cards(request: HttpRequest) -> list[dict[str, str]]:
    """Each with its icon, title, sentence and button; none for an account that may do nothing yet."""
    found = []
    if may_practise(request):
        text = "Choose a brief, have it sent to your own service, and read the same report that an instructor would see. It counts for nothing."
        found.append({"icon": "sports", "title": "Practice", "text": text, "url": reverse("admin:practices"), "button": "Practise"})
    if is_student(request):
        text = "What your service made of the course's tasks: every check with its reason, and your score. It is here once it is published."
        found.append({"icon": "grading", "title": "My report", "text": text, "url": reverse("admin:my_report"), "button": "Read my report"})
    elif request.user.has_perm("tasks.view_issuedtask"):
        text = "The tasks that were sent to the class, how the services answered, and what they reported."
        url = reverse("admin:tasks_issuedtask_changelist")
        found.append({"icon": "school", "title": "The class", "text": text, "url": url, "button": "See the class"})
    return found
