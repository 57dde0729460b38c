"""The figures that a generator knows are those of the data that it makes."""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib
from datetime import datetime
from random import Random

import pytest
from openpyxl import load_workbook

from tasks.classroom import generators
from tasks.classroom.generators import captcha, markdown, person, sales_csv, series, shares, todos, workbook


@pytest.mark.parametrize("start", range(4))
def test_the_figures_that_a_generator_knows_are_those_of_its_data(start: int) -> None:
    """Counted here a second time, from the bytes that are attached."""
    sales = sales_csv.make(Random(start))
    rows = list(csv.DictReader(io.StringIO(sales["csv"])))
    sums = {product: sum(float(row["sales"]) for row in rows if row["product"] == product) for product in {row["product"] for row in rows}}
    assert sum(sums.values()) == pytest.approx(float(sales["total"]))
    assert sums == pytest.approx(sales["product_totals"])
    assert max(sums, key=lambda product: sums[product]) == sales["top_product"]
    assert sum(float(row["sales"]) for row in rows if row["region"] == sales["region"]) == pytest.approx(float(sales["region_total"]))
    assert float(sales["total"]) * json.loads(sales["rates"])[sales["currency"]] == pytest.approx(float(sales["converted"]), abs=0.006)
    assert len(rows) == sales["rows"]
    assert len({row["region"] for row in rows}) == sales["regions"]

    note = markdown.make(Random(start), words=1100, sections=3, code_blocks=4)
    lines = note["text"].splitlines()
    assert len(note["text"].split()) == note["words"] == int(note["words_text"].replace(",", "")) >= 1100
    assert sum(line.startswith("#") for line in lines) == note["headings"] == note["sections"] + 1
    assert note["text"].count("```") == 2 * note["code_blocks"] == 8
    assert sum(line.startswith("- ") for line in lines) == note["list_items"]
    assert (lines[0], note["text"].count("**")) == (f"# {note['title']}", 2 * note["bold"])

    company = shares.make(Random(start))
    counted = {row["fy"]: row["val"] for row in json.loads(company["facts"])["units"]["shares"] if row["form"] == "10-K" and row["fy"] > 2020}
    assert (max(counted.values()), min(counted.values()), len(counted)) == (company["max"], company["min"], company["years"])
    assert (counted[int(company["max_fy"])], counted[int(company["min_fy"])]) == (company["max"], company["min"])

    chart = series.make(Random(start))
    points = {point["label"]: point["value"] for point in json.loads(chart["json"])["points"]}
    assert sorted(points, key=lambda label: -points[label]) == chart["sorted"]
    assert (sum(points.values()), f"{sum(points.values()) / len(points):.1f}") == (chart["sum"], chart["mean"])
    assert sum(value > sum(points.values()) / len(points) for value in points.values()) == chart["above"]

    things = todos.make(Random(start))
    listed = json.loads(things["json"])
    assert (len(listed), sum(not item["done"] for item in listed)) == (things["items"], things["open"])
    assert 0 < things["open"] < things["items"]
    assert things["new"] not in {item["text"] for item in listed}

    who = person.make(Random(start))
    profile = json.loads(who["profile"])
    assert (profile["login"], profile["created_at"][:10], profile["public_repos"]) == (who["login"], who["joined"], who["repositories"])
    assert who["years"] == (datetime(2026, 1, 1) - datetime.fromisoformat(who["joined"])).days // 365.25


def test_a_workbook_opens_in_openpyxl_with_the_rows_of_its_csv() -> None:
    data = workbook.make(Random(1))
    read = [[str(value) for value in row] for row in load_workbook(io.BytesIO(data["xlsx"])).active.values]
    assert read == list(csv.reader(io.StringIO(data["csv"])))
    assert data["wrong"] not in data["right"]
    assert data["program"].count(data["wrong"]) == 1
    assert data == workbook.make(Random(1))


def test_a_picture_is_a_valid_png_of_the_size_that_is_said() -> None:
    picture = captcha.make(Random(1), length=6)
    png = picture["png"]
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (picture["width"], picture["height"])
    size = struct.unpack(">I", png[33:37])[0]
    assert len(zlib.decompress(png[41 : 41 + size])) == picture["height"] * (picture["width"] + 1)
    assert len(picture["digits"]) == 6
    assert set(picture["digits"]) <= set("23456789")


def test_random_numbers_depend_on_each_part_apart() -> None:
    def numbers(*parts: str) -> list[float]:
        dice = generators.random_of(*parts)
        return [dice.random() for _ in range(3)]

    assert numbers("a", "bc") == numbers("a", "bc") != numbers("ab", "c")
