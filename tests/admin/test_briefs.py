"""The briefs' pages show what anybody would be sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse
from django.utils.html import escape

from tasks.admin.navigation import navigation
from tasks.classroom.briefs import make, names, task_id, variants
from tasks.files.data_uri import decode
from tests.admin.conftest import staff

SEED = "2026-02-03-04"


@pytest.fixture
def teacher(db):
    return staff("view_issuedtask")


def test_they_are_for_those_who_may_see_issued_tasks(teacher, db):
    addresses = [reverse("admin:briefs"), reverse("admin:brief", args=["sales-total"]), reverse("admin:brief_file", args=["sales-total", 0])]
    outsider = staff("view_round")

    assert [teacher.get(address).status_code for address in addresses] == [200] * 3
    assert [outsider.get(address).status_code for address in addresses] == [403] * 3
    assert [teacher.post(address).status_code for address in addresses] == [405] * 3
    request = teacher.get(addresses[0]).wsgi_request
    assert {"title": "Briefs", "icon": "description", "link": addresses[0]} in next(
        group["items"] for group in navigation(request) if group.get("title") == "Class"
    )


def test_the_list_leads_to_every_brief_and_every_variant_can_be_shown(teacher):
    listed = teacher.get(reverse("admin:briefs")).content.decode()
    for name in names():
        address = reverse("admin:brief", args=[name])
        assert f'href="{address}"' in listed
        wanted = [f"{number}.{at}" for number, titles in enumerate(variants(name), 1) if len(titles) > 1 for at in range(len(titles))]
        for asked in ["1", "2", *wanted]:
            assert 'id="brief-text"' in teacher.get(address, {"asked": asked}).content.decode(), (name, asked)


def test_one_brief_is_shown_as_it_would_be_sent_and_its_files_can_be_kept(teacher):
    made = make("captcha-reader", "bo@example.org", SEED, 2, 0)
    query = {"email": "bo@example.org", "hour": SEED, "asked": "2.0"}

    page = teacher.get(reverse("admin:brief", args=["captcha-reader"]), query).content.decode()

    for text in (made.brief, task_id(made), made.checks[0]["js"], made.checks[2], "second.png"):
        assert str(escape(text)) in page
    address = reverse("admin:brief_file", args=["captcha-reader", 0])
    kept = teacher.get(address, query)
    assert kept.content == decode(made.attachments[0]["url"])[1]
    assert kept["Content-Disposition"] == 'attachment; filename="second.png"'
    assert teacher.get(address, query | {"picture": "1"})["Content-Type"] == "image/png"


def test_what_cannot_be_shown_says_why(teacher, settings, tmp_path: Path):
    address = reverse("admin:brief", args=["sales-total"])
    assert "Write the hour as 2026-01-31-14" in teacher.get(address, {"hour": "2026-02-30-04"}).content.decode()
    assert "Enter a valid email address" in teacher.get(address, {"email": "nobody"}).content.decode()
    assert "is not one of the available choices" in teacher.get(address, {"asked": "2.7"}).content.decode()
    nowhere = [reverse("admin:brief", args=["none"]), reverse("admin:brief_file", args=["none", 0])]
    nowhere += [reverse("admin:brief_file", args=["sales-total", 9]), f"{reverse('admin:brief_file', args=['sales-total', 0])}?email=x"]
    assert [teacher.get(other).status_code for other in nowhere] == [404] * 4
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "templates" / "briefs"
    folder.mkdir(parents=True)
    assert "There is no brief" in teacher.get(reverse("admin:briefs")).content.decode()
    (folder / "odd.yaml").write_text("id: odd\ntitle: '<b>'\nrounds: 1\n")
    (folder / "old.yml").write_text("")
    (folder / "two words.yaml").write_bytes(b"\xff")
    told = "odd.yaml: rounds is 1: it has to be a list"
    listed = teacher.get(reverse("admin:briefs")).content.decode()
    assert told in listed
    assert "two words.yaml: it cannot be read" in listed
    assert "old.yml: a brief&#x27;s file ends in .yaml" in listed
    assert told in teacher.get(reverse("admin:brief", args=["odd"])).content.decode()
