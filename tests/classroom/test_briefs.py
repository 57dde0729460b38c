"""Briefs are read strictly and made for one student at one hour: the same again for the same, other figures for others, and the answers are right."""

from __future__ import annotations

import csv
import inspect
import io
import json
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from openpyxl import load_workbook

from tasks.classroom import briefs, generators
from tasks.classroom.briefs import BriefError, Made, make, names, seed_of, task_id, values, variants
from tasks.classroom.generators import captcha, markdown, person, sales_csv, series, shares, todos, workbook
from tasks.files.data_uri import decode

EMAIL, SEED = "ada@example.org", "2026-02-03-04"
GOOD = """
id: tiny
title: A tiny brief
make:
  sales: {generator: sales_csv, rows: 8}
rounds:
  - brief: Show ${sales.total} for ${seed}; $${this} stays.
    checks:
      - js: 'document.title === "$${seed}"'
      - The repository has an MIT license
    attachments:
      - {name: data.csv, content: '${sales.csv}'}
  - variants:
      - {title: one, brief: 'More of ${sales.products}', checks: [It is there]}
      - {title: two, brief: Less, checks: ['js: ${sales.product_totals}']}
"""


@pytest.fixture
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """An empty folder of briefs in place of the project's."""
    settings.BASE_DIR = tmp_path
    found = tmp_path / "templates" / "briefs"
    found.mkdir(parents=True)
    return found


def everything(email: str = EMAIL, seed: str = SEED) -> dict[tuple[str, int, int], Made]:
    return {
        (name, number, variant): make(name, email, seed, number, variant)
        for name in names()
        for number, titles in enumerate(variants(name), 1)
        for variant in range(len(titles))
    }


# -- the same for the same ------------------------------------------------------------------------------------------------------------


def test_there_are_eight_briefs_and_more_each_with_a_choice_of_revisions() -> None:
    assert len(names()) >= 8
    assert all(len(rounds) >= 2 and len(rounds[1]) >= 2 for rounds in map(variants, names()))
    assert briefs.problems() == []


def test_the_same_student_and_hour_give_the_same_bytes_in_every_process() -> None:
    here = {name: task_id(make(name, " Ada@Example.org", SEED)) for name in names()}
    assert here == {name: task_id(make(name, EMAIL, SEED)) for name in names()}
    script = (
        "import json; from tasks.classroom.briefs import make, names, task_id;"
        f"print(json.dumps({{name: task_id(make(name, {EMAIL!r}, {SEED!r})) for name in names()}}))"
    )
    command = [sys.executable, "-c", f"import django; django.setup(); {script}"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONHASHSEED": "7"}
    )
    assert json.loads(done.stdout or "null") == here, done.stderr


def test_another_student_and_another_hour_get_another_brief() -> None:
    own, other, later = everything(), everything("bo@example.org"), everything(seed="2026-02-03-05")
    for name in names():
        assert len({task_id(made[name, 1, 0]) for made in (own, other, later)}) == 3, name
        assert own[name, 1, 0].checks != other[name, 1, 0].checks
    assert {key: made.variant for key, made in own.items()} == {key: key[2] for key in own}
    assert own["sales-total", 1, 0].attachments != later["sales-total", 1, 0].attachments


def test_a_revision_is_about_the_attachments_of_round_one() -> None:
    total = values("sales-total", EMAIL, SEED)["sales"]["total"]
    for variant in (0, 1):
        assert total in json.dumps(make("sales-total", EMAIL, SEED, 2, variant).checks)
    picked = {make("sales-total", f"s{number}@example.org", SEED, 2).variant for number in range(30)}
    assert picked == {0, 1, 2}, "the seed picks every variant for somebody"


def test_the_hour_is_counted_in_utc() -> None:
    assert seed_of(datetime(2026, 2, 3, 4, 59, 59, tzinfo=UTC)) == "2026-02-03-04"
    assert seed_of(datetime(2026, 2, 3, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))) == "2026-02-02-20"


def test_everything_sent_is_small_and_complete() -> None:
    for key, made in everything().items():
        assert len(made.brief) < 3000
        assert "${" not in json.dumps([made.brief, made.checks]), key
        assert all(0 < len(decode(item["url"])[1]) < 40_000 for item in made.attachments), key
        assert task_id(made).startswith(f"{made.brief_id}-")
        assert len(task_id(made)) == len(made.brief_id) + 6


# -- the answers are right ------------------------------------------------------------------------------------------------------------


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


def test_the_manual_shows_a_brief_that_works_and_names_every_generator_with_its_options_and_fields(folder: Path) -> None:
    manual = Path(__file__).parents[2].joinpath("docs", "briefs.md").read_text(encoding="utf-8")
    (folder / "shop-total.yaml").write_text(manual.split("```yaml\n")[1].split("```")[0])
    assert (briefs.problems(), variants("shop-total")) == ([], [["as it is"], ["how many rows", "the best product"]])
    sections = {part.split("`")[0]: part for part in manual.split("### `")[1:]}
    assert sorted(sections) == generators.names()
    for name, text in sections.items():
        fields = generators.generate(name, Random(1), {})
        options = list(inspect.signature(import_module(f"tasks.classroom.generators.{name}").make).parameters)[1:]
        assert [word for word in [*fields, *options] if f"`{word}`" not in text] == [], name


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


# -- files are read strictly ----------------------------------------------------------------------------------------------------------


def test_a_file_as_it_should_be_is_filled(folder: Path) -> None:
    (folder / "tiny.yaml").write_text(GOOD)
    made, known = make("tiny", EMAIL, SEED), values("tiny", EMAIL, SEED)
    assert made.brief == f"Show {known['sales']['total']} for {known['seed']}; ${{this}} stays."
    assert made.checks == [{"js": 'document.title === "${seed}"'}, "The repository has an MIT license"]
    assert decode(made.attachments[0]["url"]) == ("text/csv", known["sales"]["csv"].encode())
    assert make("tiny", EMAIL, SEED, 2, 0).brief == "More of 6"
    assert make("tiny", EMAIL, SEED, 2, 1).checks == ["js: " + json.dumps(known["sales"]["product_totals"])]
    for wrong, cure in (({"round": 3}, "use 1 to 2"), ({"round": 2, "variant": 2}, "use 0 to 1")):
        with pytest.raises(BriefError, match=cure):
            make("tiny", EMAIL, SEED, **wrong)
    with pytest.raises(BriefError, match=r"There is no brief 'other': use tiny"):
        make("other", EMAIL, SEED)
    (folder / "tiny.yaml").write_text(GOOD.replace("More of", "All of"))
    assert make("tiny", EMAIL, SEED, 2, 0).brief == "All of 6", "a changed file is read again"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("title: A tiny brief", "titel: A tiny brief"), r"the brief has no title"),
        (("title: A tiny brief", "title: A tiny brief\nauthor: me"), r"'author', which the brief does not know: it has id, make, rounds, title"),
        (("id: tiny", "id: other"), r"another file's.+write id: tiny"),
        (("id: tiny", "id: Tiny!"), r"small letters"),
        (("title: A tiny brief", "title: 2"), r"title is 2: it has to be a text; put it in quotes"),
        (("generator: sales_csv", "generator: sales"), r"make\.sales: there is no generator 'sales': use .*sales_csv"),
        (("generator: sales_csv, rows: 8", "generator: sales_csv, row: 8"), r"has no option 'row': it has rows, products"),
        (("rows: 8", "rows: many"), r"rows has to be of the kind of 20"),
        (("rows: 8", "rows: 0"), r"rows is 0: use a number from 1"),
        (("{generator: sales_csv, rows: 8}", "12"), r"make\.sales has no generator"),
        (("${sales.total}", "${sales.totl}"), r"round 1, brief: \$\{sales\.totl\} is unknown: sales has csv, rows, total"),
        (("${sales.total}", "${sale}"), r"\$\{sale\} is unknown: there are seed, sales"),
        (("${sales.total}", "${sales.total"), r"is not closed"),
        (("js: ${sales.product_totals}", "${seed.x}"), r"round 2, variant 1, check 1: .+seed has no fields"),
        (("- The repository", "- !!document"), r"line 10: .+in quotes"),
        (("- The repository has", "- document.querySelector( #total ) has"), r"line 10: what stands after ' #' is a comment"),
        (("- The repository has", "- *all has"), r"line 10: .+in quotes"),
        (("- The repository has an MIT license", '- document.title === "a: b" ? c : d: e'), r"line 10: .+in quotes"),
        (("- The repository has an MIT license", "- true"), r"round 1, check 2 is True"),
        (("- The repository has an MIT license", "- {jss: x}"), r"round 1, check 2 has no js"),
        (("- The repository has an MIT license", "-"), r"round 1, check 2 is empty"),
        (("    attachments:", "    on: 1\n    attachments:"), r"line 11: the key 'on' is no text"),
        (("    attachments:", "    brief: again\n    attachments:"), r"line 11: 'brief' stands there twice"),
        (("name: data.csv", "name: ../data.csv"), r"attachment 1: the name '\.\./data\.csv' is no path"),
        (("'${sales.csv}'}", "'${sales.csv}'}\n      - {name: DATA.csv, content: x}"), r"two attachments have the name data\.csv"),
        (("      - {title: one,", "      - {titel: one,"), r"round 2, variant 0 has 'titel', which a variant does not know"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_file_place_and_cure(change: tuple[str, str], told: str, folder: Path) -> None:
    assert change[0] in GOOD
    (folder / "tiny.yaml").write_text(GOOD.replace(*change, 1))
    (problem,) = briefs.problems()
    assert problem.startswith("tiny.yaml: ")
    with pytest.raises(BriefError, match=told):
        raise BriefError(problem)


def test_a_file_without_a_second_round_or_with_another_ending_is_reported_at_the_start(folder: Path) -> None:
    (folder / "tiny.yaml").write_text(GOOD[: GOOD.index("  - variants")])
    (folder / "more.yml").write_text(GOOD)
    (folder / "bad.yaml").write_bytes(b"id: \xff")
    (folder / "odd.yaml").write_text("id: \x07")
    found = [str(message.msg) for message in run_checks() if message.id == "tasks.W007"]
    assert len(found) == 4
    for told in ("add round 2", "more.yml: a brief's file ends in .yaml", "bad.yaml: it cannot be read", "odd.yaml: not YAML"):
        assert any(told in message for message in found), told


def test_a_files_bytes_stand_alone(folder: Path) -> None:
    text = GOOD.replace("generator: sales_csv, rows: 8", "generator: captcha").replace("${sales.total}", "${sales.png}")
    (folder / "tiny.yaml").write_text(text)
    with pytest.raises(BriefError, match="use it alone, as the content of an attachment"):
        make("tiny", EMAIL, SEED)


def test_random_numbers_depend_on_each_part_apart() -> None:
    def numbers(*parts: str) -> list[float]:
        random: Any = generators.random_of(*parts)
        return [random.random() for _ in range(3)]

    assert numbers("a", "bc") == numbers("a", "bc") != numbers("ab", "c")
