"""The form's sheet: every way in which it is written, and what is said of one that cannot be read. No secret is in any sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.classroom import moments, rows, sheet
from tasks.errors import SheetRefused

CELLS = {"timestamp": "2025-10-05 14:30:00", "email": "ann@example.org", "endpoint": "https://ann.example.org/ready", "secret": "s3cret, with comma"}
PLAIN = 'timestamp,email,endpoint,secret\n2025-10-05 14:30:00,ann@example.org,https://ann.example.org/ready,"s3cret, with comma"\n'


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        'timestamp;email;endpoint;secret\n2025-10-05 14:30:00;ann@example.org;https://ann.example.org/ready;"s3cret, with comma"',
        "Timestamp\tEmail Address\tAPI URL\tSecret\n2025-10-05 14:30:00\tann@example.org\thttps://ann.example.org/ready\ts3cret, with comma",
        "\n,,\nSecret,What is the URL of your API?,Name,Username,Timestamp,GitHub repo URL\n"
        '"s3cret, with comma",https://ann.example.org/ready,"Ann\nB.",ann@example.org,2025-10-05 14:30:00,https://github.com/ann/x\n,,,,,\n',
    ],
    ids=["plain", "Excel", "old Mac", "semicolons", "tabs", "a form's questions"],
)
def test_the_same_row_is_read_however_the_sheet_is_written(text: str) -> None:
    (line,) = sheet.read(text).lines
    assert line.cells == CELLS
    assert line.number in (2, 4)


def test_a_file_is_utf_8_or_utf_16_and_anything_else_is_named() -> None:
    assert sheet.decode(b"\xef\xbb\xbfemail") == sheet.decode("email".encode("utf-16")) == "email"
    for content, word in ((b"PK\x03\x04 s3cret", "workbook"), (b"\xff\xd8 s3cret", "UTF-8"), (b"x" * (sheet.MAX_BYTES + 1), "at most 2,000,000")):
        with pytest.raises(SheetRefused, match=word):
            sheet.decode(content)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (PLAIN.split("\n", 1)[1], "does not name the columns email and endpoint and secret"),
        ("2025-10-05,my secret@x,https://api.example.org/url,s3cret", "does not name"),
        ("timestamp,email,endpoint\n,,", "the column secret"),
        ("email,endpoint,secret,Secret\n", "columns 3 and 4 could both be the secret"),
        (PLAIN + 'x,bob@example.org,https://b.example.org/ready,"s3cret\n\nand more', "begins in line 3"),
        (PLAIN + 'x,bob@example.org,https://b.example.org/ready,"s3"cret\n', "begins in line 3"),
        (PLAIN + "x,bob@example.org,https://b.example.org/ready,s3cret\n" * sheet.MAX_ROWS, "more than 10,000 rows"),
        (PLAIN + "x" * sheet.MAX_BYTES, "at most 2,000,000"),
        (PLAIN + "x," + "y" * 140_000, "line 3"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused_with_the_cure_and_without_a_cell(text: str, word: str) -> None:
    with pytest.raises(SheetRefused) as refused:
        sheet.read(text)
    assert word in refused.value.message
    assert "s3" not in refused.value.message


def test_moments_are_read_in_every_form_and_dates_as_the_column_demands() -> None:
    def read(*cells: str, zone: str = "UTC") -> list[str]:
        return [f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "" for moment in moments.read(cells, ZoneInfo(zone)).moments]

    same = "2025-10-05 14:30:00"
    isos = ("2025-10-05T14:30:00Z", "2025-10-05 14:30", "2025-10-05T20:00:00.000+05:30", "2025/10/05 8:00:00 PM GMT+5:30", "2025/10/05 2:30 PM")
    assert read(*isos) == [same] * 5
    assert read("2025-10-05 20:00", "5.10.2025 20:00", zone="Asia/Kolkata") == [same, same]
    assert read("05/10/2025 14:30:00", "13/10/2025") == [same, "2025-10-13 00:00:00"]
    assert read("10/5/2025 2:30:00 PM", "10/13/2025") == [same, "2025-10-13 00:00:00"]
    assert read("", "yesterday", "31/02/2025", "2025-10-05 25:00", "1/1/0001 0:00", zone="Asia/Kolkata") == [""] * 5

    told = {
        ("05/10/2025", "06/10/2025", "13/10/2025"): "day/month/year, as other dates",
        ("10/05/2025", "10/13/2025"): "month/day/year, as other dates",
        ("9/10/2025", "10/1/2025"): "month/day/year, since the rows are then in the order of time",
        ("05/10/2025",): "day/month/year, by default",
        ("05/10/2025", "13/10/2025", "10/13/2025"): "day/month/year, since the column has both orders",
        ("2025-10-05", "05/05/2025"): "",
    }
    for column, words in told.items():
        note = moments.read(column, UTC).note
        assert words in note and bool(words) == bool(note), column
    assert moments.read(["05/10/2025", "13/10/2025", "10/13/2025"], UTC).moments[2] == datetime(2025, 10, 13, tzinfo=UTC)


BAD = {
    "email": {"": "is empty", "ann": "like name@example.org", "a" * 250 + "@example.org": "more than 254", "ann@ex\ud800mple.org": "no text"},
    "endpoint": {
        "": "is empty",
        "ann.example.org/ready": "does not begin with https://",
        "s3cret": "does not begin with https://",
        "ftp://x/ready": "does not begin with https://",
        "https://x y/ready": "white space",
        "https://ann:s3cret@x.org/ready": "user name or password",
        "https://" + "x" * 500: "more than 500",
    },
    "secret": {" ": "is empty", "s3" * 101: "more than 200", "s3\0": "no text"},
}


@pytest.mark.parametrize(("name", "text", "words"), [(name, text, words) for name, bad in BAD.items() for text, words in bad.items()])
def test_a_bad_value_is_named_with_its_line_and_cure_and_is_not_quoted(name: str, text: str, words: str) -> None:
    row = rows.entry(sheet.Line(7, {**CELLS, name: text}), None)
    assert isinstance(row, rows.BadRow)
    assert (row.line, words in row.reason, "s3" in row.reason) == (7, True, False)
    assert row.email == ("" if name == "email" else CELLS["email"])


def test_what_is_odd_but_usable_is_a_hint() -> None:
    line = sheet.Line(2, {"timestamp": "soon", "email": " Ann@example.org ", "endpoint": "http://10.0.0.1:9", "secret": " s3cret "})
    row = rows.entry(line, None)
    assert isinstance(row, rows.Entry)
    assert (row.email, row.secret) == ("Ann@example.org", "s3cret")
    assert [hint.split()[0] for hint in row.hints] == ["The", "Nothing", "White", "The"]
    assert "s3cret" not in " ".join(row.hints) + repr(row)
    assert isinstance(rows.entry(sheet.Line(2, CELLS, surplus=1), None), rows.BadRow)
