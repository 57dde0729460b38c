"""The complete tree of a version, and who wins where two want one name."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.conf import LazySettings

from tasks.errors import TooLarge
from tasks.files import fileset, mit, readme
from tasks.files.fileset import FileSet, all_attachments, revised_in, store
from tasks.hosts.base import blob_sha
from tasks.models import Attachment, CodeVersion, Round
from tests.factories import make_round, make_task

pytestmark = pytest.mark.django_db

PAGE = b"<!doctype html><title>Sales</title><p id=total-sales>5</p>"
ANALYZE = "- Commit execute.py after fixing the non-trivial error in it.\n- Convert data.xlsx to data.csv and commit it."


def attached(round_: Round, path: str, content: bytes) -> Attachment:
    return Attachment.objects.create(round=round_, name=path, path=path, url="data:…", content=content, size=len(content))


def assemble(round_: Round, model: dict[str, bytes] | None = None, **given: Any) -> FileSet:
    arguments: dict[str, Any] = {
        "task": round_.task_request.task,
        "brief": round_.brief,
        "checks": round_.checks,
        "model_files": model if model is not None else {"index.html": PAGE},
        "copies": {},
        "deleted": (),
        "base": {},
        "attachments": all_attachments(round_),
    }
    return fileset.assemble(**{**arguments, **given})


def workbook() -> bytes:
    made = openpyxl.Workbook()
    for row in (["region", "units"], ["North", 4.0]):
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def origins(made: FileSet) -> dict[str, str]:
    return {path: str(entry.origin) for path, entry in made.files.items()}


def test_a_build_holds_the_page_the_attachment_and_the_service_files() -> None:
    round_ = make_round()
    attached(round_, "data.csv", b"a\n1\n")
    assert origins(assemble(round_)) == {
        ".nojekyll": "service",
        "LICENSE": "service",
        "README.md": "service",
        "data.csv": "attachment",
        "index.html": "model",
    }


def test_an_attachment_wins_over_the_models_version_of_it() -> None:
    round_ = make_round()
    attached(round_, "data.csv", b"\xef\xbb\xbfa\r\n1\r\n")
    made = assemble(round_, {"index.html": PAGE, "data.csv": b"a\n2\n"})
    assert made.tree()["data.csv"] == b"\xef\xbb\xbfa\r\n1\r\n"
    assert made.revised == frozenset()
    assert any(note.startswith("data.csv:") for note in made.notes)


def test_a_file_that_the_brief_wants_mended_is_the_models() -> None:
    round_ = make_round(brief=ANALYZE)
    attached(round_, "execute.py", b"revenew\n")
    made = assemble(round_, {"execute.py": b"revenue\n"})
    assert made.tree()["execute.py"] == b"revenue\n"
    assert made.revised == {"execute.py"}
    assert made.files["execute.py"].attachment is None


def test_a_file_to_mend_that_the_model_forgot_is_published_as_posted() -> None:
    round_ = make_round(brief=ANALYZE)
    attached(round_, "execute.py", b"revenew\n")
    made = assemble(round_)
    assert origins(made)["execute.py"] == "attachment"
    assert made.revised == frozenset()


def test_a_mended_file_stays_mended_in_the_next_round() -> None:
    task = make_task()
    attached(make_round(task, brief=ANALYZE), "execute.py", b"revenew\n")
    second = make_round(task, number=2, brief="Add a chart of the result.")
    base = {"execute.py": b"revenue\n", "index.html": PAGE}
    made = assemble(second, {"index.html": PAGE + b"<svg>"}, base=base)
    assert made.tree()["execute.py"] == b"revenue\n"
    assert made.revised == {"execute.py"}
    assert assemble(second, {"execute.py": b"revenue = 2\n"}, base=base).tree()["execute.py"] == b"revenue = 2\n"


def test_an_attachment_that_is_sent_again_replaces_the_former_one() -> None:
    task = make_task()
    attached(make_round(task), "sample.png", b"old")
    second = make_round(task, number=2, brief="Update the default sample to the attached sample.")
    attached(second, "sample.png", b"new")
    assert assemble(second, base={"sample.png": b"old", "index.html": PAGE}).tree()["sample.png"] == b"new"


def test_an_attachment_of_the_first_round_is_kept_in_the_second() -> None:
    task = make_task()
    attached(make_round(task), "data.csv", b"a\n1\n")
    second = make_round(task, number=2, brief="Add a table.")
    made = assemble(second, {"index.html": PAGE}, base={"data.csv": b"a\n1\n"}, deleted=("data.csv",))
    assert origins(made)["data.csv"] == "attachment"


def test_a_revision_keeps_what_is_not_named_and_drops_what_is_deleted() -> None:
    round_ = make_round(number=2)
    base = {"index.html": b"old", "style.css": b"p{}", "old.js": b"1", ".nojekyll": b"x", "LICENSE": b"proprietary"}
    made = assemble(round_, {"index.html": PAGE}, base=base, deleted=("old.js",))
    assert origins(made) == {".nojekyll": "service", "LICENSE": "service", "README.md": "service", "index.html": "model", "style.css": "base"}
    assert made.tree()[".nojekyll"] == b""


def test_bytes_are_copied_and_workbooks_converted() -> None:
    round_ = make_round(brief="Show both files.")
    attached(round_, "uid.txt", b"\x00\xff1")
    attached(round_, "data.xlsx", workbook())
    made = assemble(round_, {"index.html": PAGE}, copies={"public/uid.txt": "uid.txt", "data.csv": "attachment:data.xlsx#csv"})
    assert made.tree()["public/uid.txt"] == b"\x00\xff1"
    assert made.files["public/uid.txt"].attachment is not None
    assert made.tree()["data.csv"] == b"region,units\nNorth,4\n"
    assert origins(made)["data.csv"] == "service"


def test_a_conversion_that_the_brief_asks_for_is_made_by_the_service() -> None:
    round_ = make_round(brief=ANALYZE)
    attached(round_, "data.xlsx", workbook())
    made = assemble(round_, {"data.csv": b"region,units\nNorth,5\nInvented,9\n"})
    assert made.tree()["data.csv"] == b"region,units\nNorth,4\n"
    assert any("converted from data.xlsx" in note for note in made.notes)


@pytest.mark.parametrize("source", ["gone.txt", "note.txt#pdf", "note.txt#csv"])
def test_a_copy_that_cannot_be_made_is_noted(source: str) -> None:
    round_ = make_round()
    attached(round_, "note.txt", b"kept")
    made = assemble(round_, copies={"x.csv": source})
    assert "x.csv" not in made.files
    assert any(note.startswith("x.csv:") for note in made.notes)


def test_the_license_is_ours_whatever_the_model_wrote(settings: LazySettings) -> None:
    settings.GITHUB_USERNAME = "O'Neill & <Sons>"
    made = assemble(make_round(), {"LICENSE": b"MIT License [text omitted]", "license.md": b"x", "index.html": PAGE})
    text = made.tree()["LICENSE"].decode()
    assert mit.is_mit(text)
    assert "O'Neill & <Sons>" in text
    assert "license.md" not in made.files


def test_a_license_of_an_earlier_round_keeps_its_year() -> None:
    former = mit.license_text(2019, "a student").encode()
    assert assemble(make_round(number=2), base={"LICENSE": former}).tree()["LICENSE"] == former


def test_the_models_readme_is_completed_with_what_it_lacks() -> None:
    text = "# Sales\n\nThis page adds up the sales column of the attached table.\n\n## How to use\n\nOpen it.\n"
    made = assemble(make_round(), {"index.html": PAGE, "README.md": text.encode()})
    whole = made.tree()["README.md"].decode()
    assert whole.startswith(text)
    assert readme.missing(whole) == ()
    assert whole.count("## Usage") == 0
    assert origins(made)["README.md"] == "model"


def test_a_complete_readme_stays_byte_for_byte() -> None:
    text = b"# X\r\n\r\n## Overview\r\n## Installation\r\n## Usage\r\n## How it works\r\n## License\r\n"
    assert assemble(make_round(), {"index.html": PAGE, "README.md": text}).tree()["README.md"] == text


def test_a_readme_of_ours_never_holds_the_brief_itself() -> None:
    brief = "Publish a page that shows a total. Use blue. " + "Mind the details. " * 40
    text = assemble(make_round(brief=brief)).tree()["README.md"].decode()
    assert brief.strip() not in text
    assert "A page that shows a total." in text
    assert text.startswith("# Sales\n")
    assert "| `index.html` | the page itself |" in text


def test_a_readme_of_ours_follows_the_files() -> None:
    first = assemble(make_round(brief="Publish a page that shows a total."), pages_url="https://x.test/").tree()
    second = make_round(number=2, brief="Add a chart below the total.")
    text = assemble(second, {"chart.js": b"1"}, base=first).tree()["README.md"].decode()
    assert "A page that shows a total.\n\nChanged later: a small static site whose purpose is to add a chart" in text
    assert "`chart.js`" in text
    assert text.count("## Summary") == 1


def test_a_readme_that_a_person_wrote_stays() -> None:
    text = "# Mine\n\nA few words of my own about this small repository here.\n"
    made = assemble(make_round(number=2), base={"README.md": text.encode()})
    assert made.tree()["README.md"].decode().startswith(text)


def test_an_attachment_called_readme_stays_and_ours_stands_where_github_looks_first() -> None:
    round_ = make_round(brief="Publish a site that loads README.md and shows the points.")
    posted = b"# Project Alpha\r\n\r\nTotal Points: 42\r\n"
    attached(round_, "README.md", posted)
    made = assemble(round_, {"index.html": PAGE, "README.md": b"# About\n\nMy own words about the page and what it does.\n"})
    assert made.tree()["README.md"] == posted
    assert made.tree()[".github/README.md"].startswith(b"# About")
    assert readme.missing(made.tree()[".github/README.md"].decode()) == ()


def test_an_attached_license_does_not_take_the_place_of_ours() -> None:
    round_ = make_round()
    attached(round_, "attachments/LICENSE", b"all rights reserved")
    made = assemble(round_)
    assert mit.is_mit(made.tree()["LICENSE"].decode())
    assert made.tree()["attachments/LICENSE"] == b"all rights reserved"


@pytest.mark.parametrize("path", ["data.csv/x.txt", "DATA.csv"])
def test_a_name_that_cannot_stand_beside_an_attachment_gives_way(path: str) -> None:
    round_ = make_round()
    attached(round_, "data.csv", b"a\n1\n")
    made = assemble(round_, {path: b"x", "index.html": PAGE})
    assert made.tree()["data.csv"] == b"a\n1\n"
    assert path not in made.files


@pytest.mark.parametrize("name", ["CNAME", ".gitattributes", ".github/dependabot.yml", ".nojekyll"])
def test_names_of_the_service_are_not_the_models(name: str) -> None:
    made = assemble(make_round(), {name: b"evil", "index.html": PAGE})
    assert made.tree().get(name, b"") == b""


def test_a_workflow_may_be_the_models() -> None:
    made = assemble(make_round(), {".github/workflows/ci.yml": b"on: push\n", "index.html": PAGE})
    assert origins(made)[".github/workflows/ci.yml"] == "model"


@pytest.mark.parametrize(
    "files",
    [
        {f"{n}.txt": b"x" for n in range(60)},
        {"big.txt": b"x" * (5 * 1024 * 1024 + 1)},
        {f"{n}.txt": b"x" * (5 * 1024 * 1024) for n in range(4)},
    ],
    ids=["count", "one", "all"],
)
def test_more_than_may_be_committed_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(TooLarge):
        assemble(make_round(), files)


def test_attachments_of_a_later_round_and_of_a_twin_are_not_seen() -> None:
    task = make_task()
    first = make_round(task)
    twin = make_round(task)
    later = make_round(task, number=2)
    attached(first, "a.txt", b"first")
    attached(twin, "b.txt", b"twin")
    attached(later, "A.txt", b"later")
    Attachment.objects.create(round=first, name="broken.txt", url="x", error="no")
    attached(make_round(), "c.txt", b"another task")
    assert {path: bytes(item.content) for path, item in all_attachments(first).items()} == {"a.txt": b"first"}
    assert {path: bytes(item.content) for path, item in all_attachments(later).items()} == {"A.txt": b"later", "b.txt": b"twin"}


def test_a_stored_set_is_read_back_as_it_was() -> None:
    round_ = make_round(brief=ANALYZE)
    item = attached(round_, "uid.txt", b"\x00\xff")
    attached(round_, "execute.py", b"revenew\n")
    attached(round_, "empty.txt", b"")
    made = assemble(round_, {"index.html": PAGE, "execute.py": b"revenue\n"})
    version = CodeVersion.objects.create(task_request=round_.task_request, round=round_, number=1, kind="build", generator="offline")
    store(version, made)
    assert version.tree() == made.tree()
    row = version.files.get(path="uid.txt")
    assert (row.content, row.attachment_id, row.size, row.blob_sha) == (None, item.pk, 2, blob_sha(b"\x00\xff"))
    assert version.files.get(path="empty.txt").data == b""
    assert revised_in(version, all_attachments(round_)) == {"execute.py"}
