"""The signed link to one student's scores."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import settings
from django.core.signing import Signer
from django.test import Client
from django.utils import timezone

from tasks.api.student_report import WRONG_LINKS
from tasks.classroom import links
from tasks.classroom.exports import grades
from tasks.models import GradeBook
from tests.classroom.graded import Graded, make_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Graded:
    return make_class(2, shots=True)


@pytest.fixture
def book() -> GradeBook:
    return GradeBook.objects.create(name="Term <1>", publish_at=timezone.now())


def address(book: GradeBook, made: Graded, student: int = 0) -> str:
    return links.report_url(book, made.submissions[student]).removeprefix(settings.PUBLIC_URL)


def test_the_link_shows_one_students_scores_to_whoever_has_it_and_is_not_kept_or_indexed(made: Graded, book: GradeBook) -> None:
    answer = Client().get(address(book, made))
    page = answer.content.decode()
    for part in ("Term &lt;1&gt;", "student0000@example.org", "LICENSE is the MIT license", 'content="noindex, nofollow"', "report.css"):
        assert part in page, part
    assert "student0001" not in page
    assert "/admin/" not in page
    assert "<script" not in page
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'none'" in policy
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "noindex" in answer["X-Robots-Tag"]
    assert links.report_url(book, made.submissions[0]) == links.report_url(book, made.submissions[0])
    assert Client().post(address(book, made)).status_code == 405


def test_the_list_of_grades_holds_each_students_link(made: Graded, book: GradeBook) -> None:
    out = BytesIO()
    grades.write(book, out)
    lines = list(csv.DictReader(out.getvalue().decode("utf-8-sig").splitlines()))
    assert [line["link"] for line in lines] == [links.report_url(book, student) for student in made.submissions]
    assert Client().get(lines[1]["link"].removeprefix(settings.PUBLIC_URL)).context["student"] == "student0001@example.org"


def test_pictures_come_through_the_same_link_and_only_ones_own(made: Graded, book: GradeBook) -> None:
    url = address(book, made)
    own, other = (made.reports[n, "sales-total", 1].screenshots.first().pk for n in (0, 1))
    picture = Client().get(f"{url}/pictures/{own}")
    assert (picture.status_code, picture["Content-Type"], picture["Cache-Control"]) == (200, "image/webp", "no-store")
    assert f"{url}/pictures/{own}" in Client().get(url).content.decode()
    assert Client().get(f"{url}/pictures/{other}").status_code == 404
    GradeBook.objects.update(briefs=["another"])
    assert Client().get(f"{url}/pictures/{own}").status_code == 404


def test_it_is_404_before_publishing_again_after_it_is_taken_back_and_for_what_is_gone(made: Graded, book: GradeBook) -> None:
    url, picture = address(book, made), made.reports[0, "sales-total", 1].screenshots.first().pk
    for moment in (None, timezone.now() + timedelta(hours=1)):
        GradeBook.objects.update(publish_at=moment)
        assert [Client().get(url + rest).status_code for rest in ("", f"/pictures/{picture}")] == [404, 404]
    GradeBook.objects.update(publish_at=timezone.now())
    assert Client().get(url).status_code == 200
    type(made.submissions[0]).every.update(is_practice=True)
    assert Client().get(url).status_code == 404
    GradeBook.objects.all().delete()
    assert Client().get(url).status_code == 404


def test_a_link_that_was_not_made_here_is_refused_and_whoever_guesses_is_told_to_wait(made: Graded, book: GradeBook) -> None:
    url, client = address(book, made), Client()
    swapped = Signer(sep=".", salt="another").sign_object([book.pk, made.submissions[0].pk])
    odd = [Signer(sep=".", salt=links.SALT).sign_object(value) for value in (["a", "b"], [1], {"a": 1}, [10**30, 1])]
    statuses = [client.get(f"/report/{token}").status_code for token in (swapped, url[8:-1], "x", "1.2", "%00", *odd[:3])]
    assert statuses == [404] * len(statuses)
    assert client.get(f"/report/{odd[3]}").status_code == 404
    refused = [client.get("/report/guess") for _ in range(WRONG_LINKS)][-1]
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)
    assert client.get(url).status_code == 200, "who has the link is not locked out by somebody at the same address"
