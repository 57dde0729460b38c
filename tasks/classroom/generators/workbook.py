"""An .xlsx workbook and the program that reads it, with one word of the program misspelt."""

from __future__ import annotations

import html
import io
import zipfile
from random import Random
from typing import Any

from django.template.loader import render_to_string

COLUMNS = (("stall", "takings"), ("farm", "harvest"), ("station", "arrivals"), ("museum", "visitors"), ("ferry", "passengers"))
PLACES = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak", "Poplar", "Rowan", "Spruce", "Willow")
# The least that ECMA-376 asks of a workbook: https://ecma-international.org/publications-and-standards/standards/ecma-376/
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{RELATIONS}">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def make(dice: Random, *, rows: int = 24) -> dict[str, Any]:
    """`xlsx`, the same table as `csv`, `program` (execute.py: reads data.csv, prints a JSON object, but fails at one misspelt column), the `wrong`
    and the `right` spelling, `key` and `column` (the two columns), `rows`, `total`, `best` (the key with the largest sum), `best_total`, `result`
    (the object that the mended program prints)."""
    key, column = dice.choice(COLUMNS)
    places = dice.sample(PLACES, 5)
    table: list[tuple[str, int]] = []
    sums: dict[str, int] = {}
    while not sums or len(set(sums.values())) < len(sums):
        table = [(dice.choice(places), dice.randint(10, 900)) for _ in range(rows)]
        sums = {place: sum(value for name, value in table if name == place) for place in dict.fromkeys(name for name, _ in table)}
    place = dice.randrange(1, len(column) - 2)
    wrong = column[:place] + column[place + 1] + column[place] + column[place + 2 :]
    if wrong == column:  # two equal letters were swapped: leave one out
        wrong = column[:place] + column[place + 1 :]
    best = max(sums, key=lambda name: sums[name])
    result = {"rows": len(table), "total": sum(sums.values()), "best": best}
    return {
        "xlsx": _xlsx([(key, column), *table]),
        "csv": f"{key},{column}\n" + "".join(f"{name},{value}\n" for name, value in table),
        "program": render_to_string("briefs/execute.py.txt", {"key": key, "column": column, "wrong": wrong}),
        "wrong": wrong,
        "right": column,
        "key": key,
        "column": column,
        "rows": len(table),
        "total": sum(sums.values()),
        "best": best,
        "best_total": sums[best],
        "result": result,
    }


def _xlsx(table: list[tuple[str, Any]]) -> bytes:
    """A workbook of one sheet. Stored and not deflated, and dated 1980: the same table is the same bytes everywhere."""
    lines = "".join(f"<row>{''.join(_cell(value) for value in row)}</row>" for row in table)
    parts = {**PARTS, "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 0  # the archive would else say on which system it was made
            archive.writestr(entry, HEAD + text)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    return f"<c><v>{value}</v></c>" if isinstance(value, int) else f'<c t="inlineStr"><is><t>{html.escape(value)}</t></is></c>'
