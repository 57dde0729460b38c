"""Costs of calls."""

from decimal import Decimal

import pytest

from tasks.prices import cost


@pytest.mark.parametrize(
    ("model", "tokens", "dollars"),
    [
        ("gemini-2.5-flash", (1_000_000, 0), "0.30"),
        ("gemini-2.5-flash-001", (0, 1_000_000), "2.50"),
        ("gemini-2.5-flash-lite", (1_000_000, 1_000_000), "0.50"),
        ("gemini-2.5-pro", (2000, 1000), "0.0125"),
    ],
)
def test_a_listed_model_is_priced_by_the_longest_name_that_fits(model: str, tokens: tuple[int, int], dollars: str) -> None:
    assert cost(model, *tokens) == Decimal(dollars)


@pytest.mark.parametrize(("model", "tokens"), [("llama-4", (1, 1)), ("gemini-2.5-flash", (None, 1)), ("gemini-2.5-flash", (1, None)), ("", (1, 1))])
def test_what_is_not_known_has_no_cost(model: str, tokens: tuple[int | None, int | None]) -> None:
    assert cost(model, *tokens) is None
