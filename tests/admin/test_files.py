"""Highlighting and differences."""

import pytest

from tasks.admin import files
from tasks.models import Attachment, GeneratedFile
from tests.factories import make_round, make_version


def views(version, before=None):
    return {view.path: view for view in files.views(version, before)}


@pytest.mark.parametrize("name", ["a.html", "a.css", "a.js", "a.json", "a.md", "a.py", "a.txt", "a.yml", "a.unknown", "noending"])
def test_text_of_every_kind_is_coloured_and_escaped(name):
    code = files.highlight(name, "<script>alert('x')</script>\n\n&amp; \"end\"")

    assert "<script" not in code
    assert code.count('class="d-line"') == 3


def test_the_copied_text_is_the_text():
    from html import unescape
    from re import sub

    text = "const a = 1;\n\n  if (a < 2) { b(); }\n"

    assert unescape(sub(r"<[^>]+>", "", files.highlight("a.js", text))) == text.rstrip("\n")


@pytest.mark.django_db
def test_a_changed_file_shows_what_changed():
    round_ = make_round()
    old = make_version(round_, {"index.html": b"<p>one</p>\nsame\n", "gone.txt": b"x\n", "same.txt": b"s"})
    new = make_version(round_, {"index.html": b"<p>two</p>\nsame\n", "new.txt": b"n", "same.txt": b"s"})

    shown = views(new, files.version_before(new))

    assert files.version_before(new) == old
    assert {path: view.change for path, view in shown.items()} == {
        "index.html": "changed",
        "new.txt": "new",
        "same.txt": "same",
        "gone.txt": "removed",
    }
    assert [(line.kind, line.text) for line in shown["index.html"].diff][1:3] == [("del", "-<p>one</p>"), ("add", "+<p>two</p>")]
    assert (shown["index.html"].added, shown["index.html"].gone) == (1, 1)
    assert shown["gone.txt"].gone == 1


@pytest.mark.django_db
def test_a_version_is_compared_with_the_one_it_was_made_from():
    round_ = make_round()
    base = make_version(round_)
    make_version(round_)

    assert files.version_before(make_version(round_, based_on=base)) == base


@pytest.mark.django_db
def test_a_version_without_files_is_no_base():
    round_ = make_round()
    first = make_version(round_)
    make_version(round_).files.all().delete()

    assert files.version_before(make_version(round_)) == first


@pytest.mark.django_db
def test_binary_and_long_files_are_only_downloaded():
    version = make_version(make_round(), {"a.png": b"\x89PNG\0", "latin.txt": "é".encode("latin-1"), "long.txt": b"x" * 200_001})

    shown = views(version)

    assert [shown[path].code for path in ("a.png", "latin.txt", "long.txt")] == [None, None, None]
    assert "200.0 kB" in shown["long.txt"].note


@pytest.mark.django_db
def test_a_verbatim_attachment_is_shown_from_its_one_copy():
    round_ = make_round()
    attachment = Attachment.objects.create(round=round_, name="d.csv", path="d.csv", url="", content=b"a,b\n", size=4)
    version = make_version(round_, {"index.html": b"x"})
    GeneratedFile.objects.create(version=version, path="d.csv", origin="attachment", attachment=attachment, size=4, blob_sha="1" * 40)

    assert "a,b" in views(version)["d.csv"].code


@pytest.mark.django_db
def test_more_files_ask_no_more_of_the_database(django_assert_num_queries):
    round_ = make_round()
    before = make_version(round_, {f"{n}.txt": b"a\n" for n in range(20)})
    version = make_version(round_, {f"{n}.txt": b"b\n" for n in range(20)})

    with django_assert_num_queries(4):
        assert len(files.views(version, before)) == 20


def test_comments_keywords_and_strings_have_their_colours():
    code = files.highlight("a.js", "const a = 'b'; // c")

    assert '<span class="k">const</span>' in code
    assert '<span class="s">&#x27;b&#x27;</span>' in code
    assert '<span class="c">// c</span>' in code


@pytest.mark.django_db
def test_a_page_shows_no_more_files_than_it_has_room_for(monkeypatch):
    monkeypatch.setattr(files, "SHOWN_TOGETHER", 10)

    shown = views(make_version(make_round(), {"a.txt": b"1234567", "b.txt": b"1234567", "c.txt": b"123"}))

    assert {path: view.code is not None for path, view in shown.items()} == {"a.txt": True, "b.txt": False, "c.txt": True}
    assert shown["b.txt"].note == "The page is full: download it."
