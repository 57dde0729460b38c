"""A shop's sales as CSV, with every sum that a brief may ask for."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any

PRODUCTS = (
    "Kettle", "Toaster", "Lamp", "Desk", "Chair", "Teapot", "Blanket", "Clock", "Mirror", "Ladder", "Bucket", "Basket",
    "Candle", "Notebook", "Umbrella", "Suitcase", "Whistle", "Thermos", "Hammer", "Scarf", "Backpack", "Bicycle", "Tent", "Compass",
)  # fmt: skip
REGIONS = ("North", "South", "East", "West", "Coast", "Valley", "Hills", "Island")
CURRENCIES = ("EUR", "GBP", "INR", "JPY", "CHF", "SEK", "CAD", "AUD")


def make(dice: Random, *, rows: int = 20, products: int = 6, regions: int = 4, currencies: int = 4) -> dict[str, Any]:
    """`csv` (product,region,sales), `rows`, `total`, `products` and `regions` (how many), `top_product`, `top_product_total`, `product_totals`,
    `region` with its `region_total`, `rates` (JSON: one US dollar in each currency), `currency` with its `rate` and the total `converted`.

    There are at least as many rows as products, and no two products have the same total."""
    named, places = dice.sample(PRODUCTS, min(products, len(PRODUCTS))), dice.sample(REGIONS, min(regions, len(REGIONS)))
    sold: list[tuple[str, str, Decimal]] = []
    totals: dict[str, Decimal] = {}
    while not totals or len(set(totals.values())) < len(totals):
        order = named + [dice.choice(named) for _ in range(rows - len(named))]
        dice.shuffle(order)
        sold = [(product, dice.choice(places), Decimal(dice.randint(500, 99_999)) / 100) for product in order]
        totals = {product: sum((sales for other, _, sales in sold if other == product), Decimal(0)) for product in named}
    total = sum(totals.values(), Decimal(0))
    best = max(totals, key=lambda product: totals[product])
    region = sold[0][1]
    rates = {code: f"{dice.randint(5_000, 199_999) / 10_000:.4f}" for code in dice.sample(CURRENCIES, min(currencies, len(CURRENCIES)))}
    currency = dice.choice(list(rates))
    return {
        "csv": "product,region,sales\n" + "".join(f"{product},{place},{sales:.2f}\n" for product, place, sales in sold),
        "rows": len(sold),
        "total": f"{total:.2f}",
        "products": len(named),
        "regions": len({place for _, place, _ in sold}),
        "top_product": best,
        "top_product_total": f"{totals[best]:.2f}",
        "product_totals": {product: float(sales) for product, sales in totals.items()},
        "region": region,
        "region_total": f"{sum((sales for _, place, sales in sold if place == region), Decimal(0)):.2f}",
        "rates": json.dumps({code: float(rate) for code, rate in rates.items()}, indent=2) + "\n",
        "currency": currency,
        "rate": rates[currency],
        "converted": f"{total * Decimal(rates[currency]):.2f}",
    }
