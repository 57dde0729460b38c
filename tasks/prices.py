"""What a call of a model costs, for the records: list prices in US dollars for a million tokens, prompts up to 200,000 tokens.

Source: https://ai.google.dev/gemini-api/docs/pricing (paid tier). A model that is not listed has no price here: that is shown as unknown, never as
zero.
"""

from __future__ import annotations

from decimal import Decimal

PRICES = {  # longest name first where one is the beginning of another: (input, output)
    "gemini-2.5-flash-lite": ("0.10", "0.40"),
    "gemini-2.5-flash": ("0.30", "2.50"),
    "gemini-2.5-pro": ("1.25", "10.00"),
    "gemini-2.0-flash-lite": ("0.075", "0.30"),
    "gemini-2.0-flash": ("0.10", "0.40"),
}


def cost(model: str, tokens_in: int | None, tokens_out: int | None) -> Decimal | None:
    """US dollars, to the millionth; None where price or count is not known."""
    price = next((price for name, price in PRICES.items() if model.startswith(name)), None)
    if price is None or tokens_in is None or tokens_out is None:
        return None
    return ((Decimal(price[0]) * tokens_in + Decimal(price[1]) * tokens_out) / 1_000_000).quantize(Decimal("0.000001"))
