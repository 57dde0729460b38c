"""Right answers to the briefs that come with the project, made from what a student is given: the text of the brief and the attachments.

One page per brief that does what round 1 and every variant of round 2 ask for. It finds its numbers out by itself in the browser, from the attached
files, so that the numbers in the checks are proved by a second way of counting. `${…}` in a page stands for names out of the brief's text.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from tasks.classroom.placeholders import fill
from tasks.files.data_uri import decode
from tasks.files.mit import license_text

FOLDER = Path(__file__).parent
SENTENCE = "The ferry crossed the grey water while the letter lay unopened on the captain's table beside the old compass."


def attached(*rounds: Any) -> dict[str, bytes]:
    return {item["name"]: decode(item["url"])[1] for made in rounds for item in made.attachments}


def files(name: str, values: dict[str, Any], given: dict[str, bytes]) -> dict[str, bytes]:
    """The whole repository."""
    pages = {"index.html": FOLDER / f"{name}.html"} if (FOLDER / f"{name}.html").exists() else _inside(FOLDER / name)
    made = {path: fill(source.read_text(encoding="utf-8"), values).encode() for path, source in pages.items()}
    more = {"nine-files": nine_files, "share-volume": share_volume, "analyze": analyze}.get(name)
    whole = given | made | {"LICENSE": license_text(2026, "A Student").encode(), "README.md": readme(name)}
    return whole | (more(values, whole) if more else {})


def _inside(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def readme(name: str) -> bytes:
    parts = {
        "Summary": "A page for a task, with all of its files.",
        "Setup": "Nothing is to be installed: copy the files to any static web server.",
        "Usage": "Open index.html in a browser and read what it shows; each control on the page says what it does.",
        "Code explanation": "The script in index.html loads the attached file, works its figures out and writes them into the page.",
        "License": "MIT, see LICENSE.",
    }
    return (f"# {name}\n\n" + "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items()) + "\n").encode()


def nine_files(values: dict[str, Any], whole: dict[str, bytes]) -> dict[str, bytes]:
    story = f"{values['person']['name']} was a ferry captain.\n\n" + " ".join([SENTENCE] * 9) + "\n\n" + " ".join([SENTENCE] * 9) + "\n"
    listed = ("voyage.txt", "decision.json", "about.md", "otter.svg", "cafe.json", "forecast.json")
    sizes = [{"name": name, "bytes": len((whole | {"voyage.txt": story.encode()})[name])} for name in listed]
    return {"voyage.txt": story.encode(), "files.json": json.dumps(sizes).encode()}


def share_volume(values: dict[str, Any], whole: dict[str, bytes]) -> dict[str, bytes]:
    facts = json.loads(whole["facts.json"])
    counted = sorted((row for row in facts["units"]["shares"] if row["form"] == "10-K" and row["fy"] > 2020), key=lambda row: row["val"])
    ends = {name: {"fy": str(row["fy"]), "val": row["val"]} for name, row in (("min", counted[0]), ("max", counted[-1]))}
    mean = sum(row["val"] for row in counted) // len(counted)
    return {"data.json": json.dumps({"entityName": facts["entityName"], **ends, "mean": mean, "years": len(counted)}).encode()}


def analyze(values: dict[str, Any], whole: dict[str, bytes]) -> dict[str, bytes]:
    """The workbook read by openpyxl, the program mended and run: its result has to be the one that the generator knows."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(load_workbook(io.BytesIO(whole["data.xlsx"])).active.values)
    mended = whole["execute.py"].replace(values["data"]["wrong"].encode(), values["data"]["right"].encode())
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"data.csv": text.getvalue().encode(), "broken.py": whole["execute.py"], "execute.py": mended}.items():
            Path(folder, name).write_bytes(content)
        broken, done = (
            subprocess.run([sys.executable, "-I", name], cwd=folder, capture_output=True, timeout=20, check=False)
            for name in ("broken.py", "execute.py")
        )
    assert f"KeyError: '{values['data']['wrong']}'" in broken.stderr.decode()
    assert json.loads(done.stdout) == values["data"]["result"], done.stderr
    return {"data.csv": text.getvalue().encode(), "execute.py": mended}
