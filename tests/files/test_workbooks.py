"""Excel workbooks from strangers."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import random
import time
import zipfile
from typing import Any

import openpyxl
import pytest

from tasks.errors import AttachmentUnusable
from tasks.files.workbooks import MAX_UNPACKED, xlsx_to_csv


def book(*rows: list[Any], sheets: int = 1) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for number in range(1, sheets):
        made.create_sheet(f"Extra {number}").append(["other", number])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one part replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


def sheet(cells: str, dimension: str = "A1:B2") -> bytes:
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{cells}</sheetData></worksheet>'
    ).encode()


SHEET = "xl/worksheets/sheet1.xml"


def test_whole_numbers_dates_and_text_are_written_as_csv_has_them() -> None:
    data = book(
        ["date", "when", "units", "price", "share", "new", "note"],
        [dt.date(2025, 8, 1), dt.datetime(2025, 8, 1, 9, 30), 4, 74.41, 2.0, True, 'Bolt "M4", small'],
        [dt.date(2025, 8, 2), None, 29, 14.81, -0.5, False, "Café\nnoir"],
    )
    assert xlsx_to_csv(data).decode() == (
        "date,when,units,price,share,new,note\n"
        '2025-08-01,2025-08-01 09:30:00,4,74.41,2,TRUE,"Bolt ""M4"", small"\n'
        '2025-08-02,,29,14.81,-0.5,FALSE,"Café\nnoir"\n'
    )


def test_only_the_first_sheet_is_converted() -> None:
    assert xlsx_to_csv(book(["a"], [1], sheets=3)) == b"a\n1\n"


def test_rows_get_one_width_and_the_empty_end_is_cut() -> None:
    data = book(["a", "b", "c"], [1], [None, None, None], [2, None, 3], [None], [None, None])
    assert xlsx_to_csv(data) == b"a,b,c\n1,,\n,,\n2,,3\n"


def test_a_formula_gives_its_stored_value() -> None:
    cells = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*21</f><v>42</v></c></row>'
    assert xlsx_to_csv(with_part(book(["x"]), SHEET, sheet(cells))) == b"2,42\n"


def test_a_sheet_that_claims_a_million_columns_is_read_by_its_cells() -> None:
    started = time.process_time()
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>'
    assert xlsx_to_csv(with_part(book(["x"]), SHEET, sheet(cells, "A1:XFD1048576"))) == b"1\n2\n"
    assert time.process_time() - started < 5


@pytest.mark.parametrize("reference", ["A999999999", "ZZZ500000"])
def test_a_cell_far_away_does_not_make_a_sheet_of_that_size(reference: str) -> None:
    started = time.process_time()
    row = reference.lstrip("AZ")
    cells = f'<row r="{row}"><c r="{reference}"><v>1</v></c></row>' * 400
    with pytest.raises(AttachmentUnusable, match="more than 500,000 cells"):
        xlsx_to_csv(with_part(book(["x"]), SHEET, sheet(cells)))
    assert time.process_time() - started < 20


def test_a_zip_bomb_is_refused_before_anything_is_unpacked() -> None:
    data = with_part(book(["x"]), "xl/media/zeros.bin", bytes(MAX_UNPACKED + 1))
    assert len(data) < 100_000
    with pytest.raises(AttachmentUnusable, match="unpacks to more than"):
        xlsx_to_csv(data)


def test_an_archive_of_very_many_parts_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(1_200):
            archive.writestr(f"part{number}.xml", "")
    with pytest.raises(AttachmentUnusable):
        xlsx_to_csv(out.getvalue())


def test_entities_that_multiply_are_refused() -> None:
    entities = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))
    cells = sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>&l11;</t></is></c></row>')
    data = with_part(book(["text"]), SHEET, cells.replace(b"<worksheet", f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><worksheet'.encode(), 1))
    with pytest.raises(AttachmentUnusable):
        xlsx_to_csv(data)


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"UEsDBBQAAAAIAAAA", b"a,b\n1,2\n", book()], ids=["nothing", "cut", "base64", "csv", "no cells"]
)
def test_what_is_no_table_says_so(data: bytes) -> None:
    with pytest.raises(AttachmentUnusable):
        xlsx_to_csv(data)


def test_no_damage_makes_anything_but_our_own_error() -> None:
    whole = book(["name", "sales"], ["Pen", 12.5], [dt.date(2025, 1, 1), 3], sheets=2)
    chance = random.Random(5)
    survived = 0
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(150):
        name = chance.choice([part for part in parts if part.endswith((".xml", ".rels"))])
        broken = bytearray(parts[name])
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(32, 127)
        data = bytearray(with_part(whole, name, bytes(broken)))
        if chance.random() < 0.3:
            data = data[: chance.randrange(len(data))]
        with contextlib.suppress(AttachmentUnusable):
            survived += bool(list(csv.reader(io.StringIO(xlsx_to_csv(bytes(data)).decode()))))
    assert 0 < survived < 150
