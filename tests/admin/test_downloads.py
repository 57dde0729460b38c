"""Files are handed out so that no browser runs them."""

import pytest
from django.urls import reverse

from tasks.admin.downloads import download


def test_a_generated_file_comes_as_plain_text_to_keep(boss, story):
    file = story.version.files.get(path="index.html")

    answer = boss.get(reverse("admin:tasks_generatedfile_download", args=[file.pk]))

    assert answer.content == file.data
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="index.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_an_attachment_comes_byte_for_byte(boss, story):
    answer = boss.get(reverse("admin:tasks_attachment_download", args=[story.attachment.pk]))

    assert answer.content == bytes(story.attachment.content)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "", "ünïcode.txt", "\n"])
def test_a_hostile_name_stays_a_name(name):
    disposition = download(name, b"", "text/plain")["Content-Disposition"]

    assert disposition.startswith("attachment")
    assert "\n" not in disposition
    assert "/" not in disposition


def test_an_unknown_file_is_not_found(boss):
    assert boss.get(reverse("admin:tasks_generatedfile_download", args=[999_999])).status_code == 302
