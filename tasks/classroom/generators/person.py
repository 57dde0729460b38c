"""A made-up person with an account, in the shape in which GitHub's API tells about one."""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random
from typing import Any

GIVEN = ("Asha", "Bruno", "Chen", "Dalia", "Emeka", "Freya", "Goran", "Hana", "Ines", "Jonas", "Kavya", "Lucas", "Mira", "Noor", "Oskar", "Priya")
FAMILY = (
    "Albers", "Bose", "Castro", "Dahl", "Eriksen", "Farah", "Gupta", "Hart", "Ito", "Jansen", "Kaur", "Lindt", "Mehta", "Novak", "Okoye",
    "Pires",
)  # fmt: skip
CITIES = ("Lisbon", "Pune", "Oslo", "Lagos", "Kyoto", "Quito", "Ghent", "Turin", "Perth", "Galway", "Cusco", "Malmo")


def make(dice: Random, *, until: str = "2026-01-01") -> dict[str, Any]:
    """`profile` (JSON: login, name, location, created_at, public_repos, followers), `login`, `name`, `city`, `joined` (YYYY-MM-DD), `years` (whole
    years from joining to the day `until`), `repositories`, `followers`. Nobody of that login needs to exist."""
    given, family, city = dice.choice(GIVEN), dice.choice(FAMILY), dice.choice(CITIES)
    login = f"{given}-{family}-{dice.randint(100, 999)}".lower()
    joined = date(2010, 1, 1) + timedelta(days=dice.randrange(5000))
    today = date.fromisoformat(until)
    repositories, followers = dice.randint(3, 90), dice.randint(0, 900)
    profile = {
        "login": login,
        "name": f"{given} {family}",
        "location": city,
        "created_at": f"{joined}T{dice.randrange(24):02}:{dice.randrange(60):02}:00Z",
        "public_repos": repositories,
        "followers": followers,
    }
    return {
        "profile": json.dumps(profile, indent=2) + "\n",
        "login": login,
        "name": f"{given} {family}",
        "city": city,
        "joined": str(joined),
        "years": today.year - joined.year - ((today.month, today.day) < (joined.month, joined.day)),
        "repositories": repositories,
        "followers": followers,
    }
