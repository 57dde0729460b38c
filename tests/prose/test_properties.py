"""Deciding never raises, whatever valid predicate meets whatever files."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from tasks.files.readme import SECTIONS
from tasks.prose.formats import NAMES
from tasks.prose.json_ops import TESTS
from tasks.prose.json_paths import TYPES
from tasks.prose.language import PredicateInvalid
from tasks.prose.predicates import OPS, compact, decide, expressions, validate
from tests.prose.subjects import bakery

PATHS = ["index.html", "menu.json", "notes.txt", "prices.csv", "prices.xlsx", ".github/workflows/ci.yml", "LICENSE", "a/b.txt", "missing"]
PLACES = ["", "best", "bread[*].price", "bread[0]", "a.b.c", "[*]", "[0][0]", '["a b"]', "n", "bread[*]"]
HOSTILE: list[bytes] = [
    b"",
    b"\x00\xff\xfe",
    b"\xff\xfe" + "x".encode("utf-16-le") * 9,
    b"{" * 50_000,
    b"[" * 990 + b"]" * 990,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"n": 1e999, "best": NaN}',
    b'{"n": ' + b"9" * 4_000 + b"}",
    b'{"n": ' + b"9" * 6_000 + b"}",
    b'{"best": "\\ud800", "bread": [{"price": null}], "n": -0.0}',
    b'{"bread": [' + b'{"price": 1},' * 30_000 + b'{"price": 1}]}',
    b"<div>" * 20_000,
    b"<a " * 20_000,
    b"<!--" * 10_000,
    b"<![foo[ <p id=x>",
    b"<title>" + b"x" * 10_000 + b"</title><script>",
    b"a: &a [x, x]\nb: &b [*a, *a]\njobs: {c: {steps: [*b, *b, {run: {a: 1}}, {uses: 3}]}}",
    b"jobs:\n  a: 2024-99-99\n",
    b"jobs: {a: {steps: [{run: ruff}]}}\n? [x]\n: y\n",
    b"jobs: !!python/object/apply:os.system [ls]",
    b"a,b\n\"x",
    b"a,b\n" + b"1,2\n" * 5_000,
    "é\u202e\u2028".encode() * 100,
]  # fmt: skip


def predicate(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """Any operation with any of its fields; not all are valid."""
    name = chance.choice([*OPS, "all", "any"] if depth < 3 else list(OPS))
    if name in {"all", "any"}:
        return {"op": name, "of": [predicate(chance, depth + 1) for _ in range(chance.randint(1, 3))]}
    op = OPS[name]
    optional = [field for field in op.may if chance.random() < 0.4]
    for group in op.either:
        optional = [field for field in optional if field not in group] + [chance.choice(group)]
    return {"op": name, **{field: value(field, chance) for field in [*op.needs, *dict.fromkeys(optional)]}}


def value(field: str, chance: random.Random) -> Any:
    choices: dict[str, list[Any]] = {
        "path": PATHS,
        "attachment": ["notes.txt", "prices.xlsx", "missing.bin"],
        "json": PATHS,
        "to_path": PATHS,
        "at": PLACES,
        "to": PLACES,
        "text": ["Rye", "\ud7ff'\"</script>", "a" * 400, "\\"],
        "kind": ["MIT"],
        "sections": [list(SECTIONS), ["usage"]],
        "min": [0, 1, 3],
        "max": [3, 5_000],
        "format": [*NAMES, "html"],
        "keys": [["best"], ["a", "b c"]],
        "columns": [["name"], ["x"]],
        "type": list(TYPES),
        "test": [*TESTS, "equals", "contains"],
        "value": [None, True, 0, -1.5, 10**17, "", "Rye"],
        "number": [0, 3, 1240.5, -2, 1e-7, 1e17],
        "id": ["total", "x'\"]", "é"],
        "selector": ["p", "#x > [a='b']", "*"],
        "tag": ["div", "span"],
        "targets": [["menu.json"], PATHS],
        "library": ["bootstrap", "(("],
        "version": ["5", "5."],
        "host": ["jsdelivr"],
        "tools": [["ruff"], ["a.b", "(("]],
        "scripts": [["build.py"]],
        "expression": ["document.title"],
        "reason": ["Why."],
    }
    return chance.choice(choices[field]) if field in choices else chance.random() < 0.5


@pytest.mark.parametrize("seed", range(6))
def test_deciding_never_raises_and_is_quick(seed: int) -> None:
    chance = random.Random(seed)
    decided = 0
    for _ in range(250):
        given = predicate(chance)
        try:
            validate(given)
        except PredicateInvalid:
            continue
        decided += 1
        changed = {path: chance.choice([*HOSTILE, None]) for path in PATHS if chance.random() < 0.6}
        attached = {"notes.txt": chance.choice(HOSTILE), "prices.xlsx": chance.choice([b"PK\x03\x04junk", bakery().attachments["prices.xlsx"]])}
        subject = bakery(changed, attachments=attached)
        started = time.process_time()
        verdict = decide(given, subject)
        asked = expressions(given, subject)
        assert time.process_time() - started < 5, compact(given)
        assert verdict.status in {"pass", "fail", "undecided"}
        assert verdict.status == "pass" or verdict.reason
        stored = json.dumps([verdict.reason, verdict.evidence, asked])
        assert "\\u0000" not in stored
        assert len(stored) < 40_000
        verdict.reason.encode()
    assert decided > 80
