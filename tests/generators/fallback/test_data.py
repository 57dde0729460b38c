from __future__ import annotations

import pytest

from tasks.generators.fallback import data
from tests.generators.sites import CSV


@pytest.mark.parametrize(
    ("brief", "column"),
    [
        ("sum the sales column", 2),
        ("the column 'price' of products", 3),
        ("show sales", 2),
        ("show the total", 3),
        ("sum Sales by region", 2),
    ],
)
def test_the_column_is_the_one_that_the_brief_names(brief: str, column: int) -> None:
    table = data.read_table("a.csv", b"product,region,Sales,price\nx,EU,1,2\ny,US,3,4\n")
    assert table is not None
    assert table.summed(brief) == column


@pytest.mark.parametrize(
    ("content", "delimiter", "numeric"),
    [
        (CSV, ",", (2,)),
        (b"a;b\n1;x\n", ";", (0,)),
        (b"a\tb\n1\t2\n", "\t", (0, 1)),
        (b"only\n5\n", ",", (0,)),
        (b"a,b\n", ",", ()),
        (b"d,x\n2024-01-02,-1.5\n", ",", (1,)),
        (b"caf\xe9,n\nx,1\n", ",", (1,)),
    ],
)
def test_a_tables_shape_is_read_from_its_content(content: bytes, delimiter: str, numeric: tuple[int, ...]) -> None:
    table = data.read_table("a.csv", content)
    assert table is not None
    assert (table.delimiter, table.numeric) == (delimiter, numeric)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_table_is_none(content: bytes) -> None:
    assert data.read_table("a.csv", content) is None


@pytest.mark.parametrize(
    ("content", "rates"),
    [
        (b'{"USD": 1, "EUR": 0.92}', {"USD": 1, "EUR": 0.92}),
        (b'{"base": "USD", "rates": {"USD": 1}}', {"USD": 1}),
        (b'{"name": "x"}', None),
        (b"[1]", None),
        (b"{", None),
        (b"\xff", None),
        (b"{}", None),
    ],
)
def test_rates_are_told_from_other_json(content: bytes, rates: dict[str, float] | None) -> None:
    assert data.read_rates("rates.json", content) == rates
