"""The student's own view in the admin: one's own scores, of published grade-books, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tasks.models import GradeBook, Submission
from tests.admin.test_practice import of_group
from tests.classroom.graded import make_class

pytestmark = pytest.mark.django_db

URL = reverse("admin:my_report")


def publish(**fields: object) -> GradeBook:
    return GradeBook.objects.create(**{"name": "Term 1", "publish_at": timezone.now() - timedelta(hours=1), **fields})


def test_a_student_reads_their_own_scores_whatever_the_case_of_the_address_and_nobody_elses() -> None:
    made, book = make_class(2, shots=True), publish()
    page = of_group("student-reader", "Student0000@Example.org").get(URL)
    text = page.content.decode()
    for part in ("LICENSE is the MIT license", "of 100", "No secret in any commit"):
        assert part in text, part
    assert "student0001" not in text
    assert "/admin/tasks/" not in text.split('class="d-page"')[1]
    assert "no-store" in page["Cache-Control"]
    own, other = (made.reports[n, "sales-total", 1].screenshots.first() for n in (0, 1))
    client = of_group("student-reader", "student0000@example.org")
    picture = reverse("admin:my_report_picture", args=[book.pk, own.pk])
    assert picture in text
    assert client.get(picture)["Content-Type"] == "image/webp"
    assert client.get(reverse("admin:my_report_picture", args=[book.pk, other.pk])).status_code == 404


def test_nothing_is_shown_before_it_is_published_and_the_address_of_a_draft_shows_the_published_one() -> None:
    made, client = make_class(1, shots=True), of_group("student-reader", "student0000@example.org")
    draft = publish(name="Draft", publish_at=timezone.now() + timedelta(hours=1))
    shot = made.reports[0, "sales-total", 1].screenshots.first()
    for query in ({}, {"book": str(draft.pk)}):
        page = client.get(URL, query).content.decode()
        assert "Nothing is published yet" in page
        assert "LICENSE is the MIT license" not in page
    assert client.get(reverse("admin:my_report_picture", args=[draft.pk, shot.pk])).status_code == 404
    publish(name="First")
    second = publish(name="Second", briefs=["another"])
    page = client.get(URL, {"book": str(draft.pk)}).content.decode()
    assert "Draft" not in page
    assert f'href="{URL}?book={second.pk}"' in page
    assert client.get(reverse("admin:my_report_picture", args=[second.pk, shot.pk])).status_code == 404, "the picture is of no brief of that book"
    assert client.get(URL, {"book": "\0"}).status_code == 200


def test_an_account_without_an_address_or_of_another_one_is_told_what_to_do() -> None:
    make_class(1)
    publish()
    assert "Your account has no e-mail address" in of_group("student-reader", "").get(URL).content.decode()
    assert "No submission has this address" in of_group("student-reader", "x@example.org").get(URL).content.decode()
    Submission.every.update(is_practice=True)
    assert "No submission has this address" in of_group("student-reader", "student0000@example.org").get(URL).content.decode()


def test_a_student_reader_starts_with_two_links_and_somebody_without_rights_with_a_sentence() -> None:
    page = of_group("student-reader").get(reverse("admin:index")).content.decode()
    for part in (f'href="{URL}"', f'href="{reverse("admin:practices")}"', "Practise", "Read my report"):
        assert part in page, part
    assert 'id="dashboard"' not in page
    nobody = Client()
    nobody.force_login(User.objects.create_user("nobody", is_staff=True))
    assert "Your account has no rights here yet" in nobody.get(reverse("admin:index")).content.decode()
    page = of_group("assistant").get(reverse("admin:index")).content.decode()
    assert "See the class" in page
    assert "Read my report" not in page
