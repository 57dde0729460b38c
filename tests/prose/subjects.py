"""A small bakery's repository, right in every respect, that the tests change in one place."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl

from tasks.evaluators.base import Subject
from tasks.files.mit import license_text

BRIEF = """Publish the site of a bakery.

- menu.json: Fill in {"bread": [{"name": "Rye", "price": 3}], "best": {"name": "Rye", "price": 3}}
- poem.txt: Write a poem of 4-6 words.
- about.md: Describe the shop in five words.
- prices.csv: prices.xlsx as CSV. Commit notes.txt as-is.
- index.html: links to all the above files. It names Rye Bread and Sour Dough.
"""
PAGE = """<!doctype html>
<html lang="en"><head><title>Rye Bakery</title>
<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/css/bootstrap.min.css"></head>
<body><h1 id="best-name">Rye</h1>
<form id="order"><input name="count"><button>Buy</button></form>
<p>Rye Bread and Sour Dough. Total: <span id="total">1,240.50</span>, best: <b id="best-price">3</b></p>
<ul class="files"><li><a href="menu.json">Menu</a><li><a href="./poem.txt">Poem</a><li><a href="about.md?raw">About</a></ul>
</body></html>
"""
WORKFLOW = """on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: pip install ruff
      - run: |
          ruff check .
          python build.py > result.json
      - uses: actions/deploy-pages@v4
"""


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WORKBOOK = workbook(("name", "price"), ("Rye", 3), ("Sour Dough", 4.5))


def bakery(changed: dict[str, bytes | str | None] | None = None, **fields: Any) -> Subject:
    """The repository with these files changed, None for one that is missing."""
    files: dict[str, Any] = {
        "index.html": PAGE,
        "menu.json": json.dumps({"bread": [{"name": "Rye", "price": 3}, {"name": "Sour Dough", "price": 4.5}], "best": {"name": "Rye", "price": 3}}),
        "poem.txt": "Bread, warm and round, rises.",
        "about.md": "Small, warm, honest, daily, ours",
        "prices.csv": "name,price\nRye,3\nSour Dough,4.50\n",
        "notes.txt": "flour\nwater\n",
        "LICENSE": license_text(2025, "Somebody"),
        ".github/workflows/ci.yml": WORKFLOW,
        **(changed or {}),
    }
    held = {path: content.encode() if isinstance(content, str) else content for path, content in files.items() if content is not None}
    attachments = {"notes.txt": b"flour\nwater\n", "prices.xlsx": WORKBOOK}
    return Subject(files=held, **{"brief": BRIEF, "attachments": attachments, **fields})
