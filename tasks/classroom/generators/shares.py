"""A company's shares outstanding by financial year, in the shape in which the American authority publishes them."""

from __future__ import annotations

import json
from random import Random
from typing import Any

# https://www.sec.gov/search-filings/edgar-application-programming-interfaces (companyconcept)
FIRST = ("Meridian", "Harbour", "Northwind", "Cobalt", "Juniper", "Granite", "Lakeside", "Saffron", "Pinnacle", "Willow", "Copper", "Aurora")
SECOND = ("Tools", "Foods", "Optics", "Freight", "Paper", "Robotics", "Textiles", "Seeds", "Instruments", "Ceramics", "Energy", "Glass")


def make(dice: Random, *, years: int = 5) -> dict[str, Any]:
    """`facts` (JSON: entityName and units.shares, a list of end, val, fy, form), `name`, and over the years after 2020: `max`, `max_fy`, `min`,
    `min_fy`, `years` (how many), `mean` (rounded down). The years before and entries of other forms have larger and smaller numbers: a trap."""
    name = f"{dice.choice(FIRST)} {dice.choice(SECOND)}"
    counted = {2021 + number: value for number, value in enumerate(dice.sample(range(20_000, 90_000), min(years, 20)))}
    counted = {year: value * 1000 + dice.randrange(1000) for year, value in counted.items()}
    rows = [{"end": f"{year}-12-31", "val": value, "fy": year, "form": "10-K"} for year, value in counted.items()]
    rows += [{"end": f"{year}-12-31", "val": dice.choice((9_000_000, 95_000_000)) + year, "fy": year, "form": "10-K"} for year in (2018, 2019, 2020)]
    rows.append({"end": "2022-06-30", "val": 99_000_000 + dice.randrange(1000), "fy": 2022, "form": "10-Q"})
    dice.shuffle(rows)
    most, least = max(counted, key=lambda year: counted[year]), min(counted, key=lambda year: counted[year])
    return {
        "facts": json.dumps({"entityName": name, "units": {"shares": rows}}, indent=2) + "\n",
        "name": name,
        "max": counted[most],
        "max_fy": str(most),
        "min": counted[least],
        "min_fy": str(least),
        "years": len(counted),
        "mean": sum(counted.values()) // len(counted),
    }
