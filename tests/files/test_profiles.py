"""What the model is told of an attachment."""

from __future__ import annotations

import io
import json
import random
import time
import zipfile

import openpyxl
import pytest

from tasks.files.profiles import profile
from tasks.files.sniff import XLSX, sniff
from tests.files.test_sniff import WEBP, archive

LIMIT = 4200


def about(data: bytes, name: str) -> str:
    return profile(data, sniff(data, name), name)


def test_a_csv_is_told_by_its_columns_and_sums() -> None:
    text = about(b"product,region,sales\nLaptop,North,1250.50\nPhone,South,899.99\nDesk,North,75\n", "data.csv")
    assert "3 data rows, 3 columns" in text
    assert "- product: text, 3 distinct: Laptop | Phone | Desk" in text
    assert "- sales: numbers, sum 2225.49, min 75, max 1250.5" in text
    assert "Laptop,North,1250.50" in text


def test_the_traps_of_a_spreadsheet_export_are_named() -> None:
    text = about('\ufefforder,date,product,sales\r\n1,2025-01-05,"Widget, large",129.50\r\n2,2025-01-06,"Bolt ""M4""",75\r\n'.encode(), "data.csv")
    assert "byte order mark" in text
    assert "CRLF" in text
    assert "CSV parser" in text
    assert "- date: dates" in text
    assert "- sales: numbers, sum 204.5" in text


def test_semicolons_and_decimal_commas_are_understood() -> None:
    text = about("Produkt;Umsatz\nStift;1.234,50\nTinte;0,50\n".encode("latin-1"), "umsatz.csv")
    assert "separated by ';'" in text
    assert "sum 1235, min 0.5, max 1234.5, written with a decimal comma" in text


def test_commas_between_thousands_are_told() -> None:
    assert "sum 26500, min 1500, max 25000, written with commas between thousands" in about(b'a,b\nx,"25,000"\ny,"1,500"\n', "data.csv")


def test_a_table_of_numbers_has_no_header() -> None:
    assert "2 data rows, 2 columns, no header row" in about(b"1,2\n3,4\n", "data.csv")


def test_a_csv_that_lost_its_line_breaks_says_so() -> None:
    assert "perhaps the line breaks were lost" in about(b"name,salesnProduct A,100nProduct B,200", "sales.csv")


def test_rows_of_another_width_and_blanks_are_counted() -> None:
    text = about(b"a,b\n1,2\n3\n4,\n", "data.csv")
    assert "1 rows have another number of fields" in text
    assert "- b: whole numbers, sum 2, min 2, max 2, 2 blank" in text


def test_money_is_not_taken_for_a_number() -> None:
    assert "- price: text" in about(b"price\n$5\n$7\n", "data.csv")


def test_a_sum_is_exact_however_long_the_column() -> None:
    text = about(b"v\n" + b"0.1\n" * 30_000, "data.csv")
    assert "sum 3000, min 0.1, max 0.1" in text


def test_a_huge_table_is_profiled_in_bounded_time_and_says_where_it_stopped() -> None:
    started = time.process_time()
    text = about(b"1,2,3,4\n" * 640_000, "data.csv")
    assert "more than" in text
    assert "sums are of the first" in text
    assert time.process_time() - started < 15


def test_a_field_as_long_as_a_book_is_an_honest_line() -> None:
    assert "cannot be read" in about(b'a,b\n"' + b"x" * 200_000 + b'",1\n', "data.csv")


def test_a_workbook_is_told_sheet_by_sheet() -> None:
    made = openpyxl.Workbook()
    made.active.title = "Orders"
    for row in (["region", "units"], ["North", 4], ["South", 29]):
        made.active.append(row)
    made.create_sheet("Notes")
    out = io.BytesIO()
    made.save(out)
    text = profile(out.getvalue(), XLSX, "data.xlsx")
    assert "2 sheets" in text
    assert "Sheet 'Orders':\n2 data rows, 2 columns" in text
    assert "- units: whole numbers, sum 33, min 4, max 29" in text
    assert "Sheet 'Notes':\nThe table is empty." in text


def test_a_broken_workbook_is_an_honest_line() -> None:
    text = profile(archive("[Content_Types].xml", "xl/workbook.xml"), XLSX, "data.xlsx")
    assert "cannot be read" in text
    assert "sha256" in text


def test_json_is_told_by_its_shape() -> None:
    data = json.dumps({"name": "x", "rates": [{"USD": 1, "ok": True}, {"USD": 2}], "none": None}).encode()
    text = about(data, "data.json")
    assert '{"name": text "x", "rates": list of 2 × {"USD": number 1, "ok": true/false (true)}, "none": null}' in text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a": 1,}', "not valid JSON"),
        (b'{"a":1}\n{"a":2}\n', "JSON lines: 2 records"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"9" * 10_000 + b"]", "not valid JSON"),
        (b"[NaN]", "list of 1"),
        (b"", "empty"),
    ],
)
def test_odd_json_is_told_as_it_is(data: bytes, says: str) -> None:
    assert says in about(data, "data.json")


def test_a_text_is_told_with_its_counts_and_its_head() -> None:
    text = about(b"# Title\n\nSome words here.\n", "input.md")
    assert text == "3 lines, 5 words, 26 characters.\nThe whole file:\n# Title\n\nSome words here."


def test_a_long_text_is_cut_between_characters() -> None:
    text = about(("Ährenlese " * 5_000).encode(), "note.txt")
    assert "It begins:" in text
    assert text.endswith("…")
    assert len(text.encode()) < LIMIT


def test_a_name_that_lies_is_pointed_out() -> None:
    text = about(WEBP, "sample.png")
    assert "ends in .png, but the content is image/webp" in text
    assert "1 × 1 pixels" in text


def test_a_drawing_is_shown_as_text() -> None:
    assert "<text>R2V6K</text>" in about(b'<svg xmlns="http://www.w3.org/2000/svg"><text>R2V6K</text></svg>', "captcha.svg")


def test_a_binary_file_is_told_by_size_and_digest() -> None:
    assert about(bytes(range(256)), "model.bin").startswith("application/octet-stream, 256 bytes, sha256 40aff2e9")


def test_an_archive_lists_its_files() -> None:
    assert "Archive of 2 files: a.txt, b/c.txt" in about(archive("a.txt", "b/c.txt"), "x.zip")


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.json", "a.png", "a.svg", "a.txt", "a.zip", "a"])
def test_no_content_makes_a_profile_fail_or_long(name: str) -> None:
    chance = random.Random(name)
    starts = [b"", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBPVP8X", b"<svg ", b"\xff\xfe", b'"', b"[{", "é;".encode() * 50]
    for start in starts:
        for _ in range(12):
            tail = chance.randbytes(chance.randrange(200)) if chance.random() < 0.5 else bytes(chance.choices(b'",;\n\t{}[]<>=1a. ', k=400))
            data = start + tail
            for media_type in {sniff(data, name), XLSX, "text/csv", "application/json", "image/webp"}:
                assert len(profile(data, media_type, name).encode()) < LIMIT


def test_a_table_of_very_many_columns_stays_short() -> None:
    text = about((",".join(f"column_with_a_long_name_{n}" for n in range(3_000)) + "\n" + ",".join("1" * 3_000) + "\n").encode(), "wide.csv")
    assert "and 2976 more columns" in text
    assert len(text.encode()) < LIMIT


def test_a_zip_with_hostile_names_stays_short() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for number in range(200):
            made.writestr("../" * 50 + f"{number}" * 50, "")
    assert len(about(out.getvalue(), "x.zip").encode()) < LIMIT
