"""Which addresses of a brief are data to be read for the model, and what the answers are called."""

from __future__ import annotations

import time

import pytest

from tasks.references import addresses, name_for

DATA = "https://api.shelves.io/v1/boxes.json"


@pytest.mark.parametrize(
    ("brief", "found"),
    [
        (f"Fetch {DATA} (set a descriptive User-Agent).", DATA),
        ("Use the table at https://raw.githubusercontent.com/a/b/main/data.csv, please.", "https://raw.githubusercontent.com/a/b/main/data.csv"),
        (
            "Show it using `https://weather.io/v1/now?latitude=1&longitude=2`.",
            "https://weather.io/v1/now?latitude=1&longitude=2",
        ),
        ("Rates come from https://rates.io/latest?format=json.", "https://rates.io/latest?format=json"),
        ("Download https://books.io/files/11 and count its words.", "https://books.io/files/11"),
        ("Read the feed (from https://news.io/feed.xml).", "https://news.io/feed.xml"),
    ],
)
def test_data_is_found(brief: str, found: str) -> None:
    assert addresses(brief) == (found,)


@pytest.mark.parametrize(
    "brief",
    [
        "Load Chart.js from https://cdn.jsdelivr.net/npm/chart.js.",
        "Use https://cdnjs.cloudflare.com/ajax/libs/x/data.json.",
        "Load the script from https://api.shelves.io/sdk.js.",
        "Show the picture from https://api.shelves.io/v1/logo.png.",
        "See https://api.shelves.io/v1/docs.json for the fields.",
        f"Read any feed, e.g. {DATA}.",
        f"Use a source such as {DATA}.",
        f"The documentation is at {DATA}.",
        f"Do not fetch {DATA}.",
        f"Send the form's data. It posts to {DATA}",
        f"The page handles ?url={DATA}.",
        f"Data: [here]({DATA}).",
        "Fetch https://api.shelves.io/.../boxes.json.",
        "Fetch https://api.shelves.io/{id}/boxes.json.",
        "Fetch https://api.shelves.io/v1/:id.",
        "Fetch https://api.example.com/boxes.json.",
        "Fetch http://localhost:3000/boxes.json.",
        "Fetch https://user:word@api.shelves.io/boxes.json.",
        "Fetch ftp://api.shelves.io/boxes.json.",
        "Fetch http://[::1/boxes.json.",
        "Use the design of https://shop.io/start.",
        f"Fetch https://api.shelves.io/{'x' * 500}.json.",
    ],
)
def test_anything_else_is_left_alone(brief: str) -> None:
    assert addresses(brief) == ()


def test_each_counts_once_in_order_and_three_are_enough() -> None:
    listed = [f"https://api.shelves.io/{number}.json" for number in (3, 1, 2, 4)]
    brief = "".join(f"Fetch {address}. Then read {address}/ again. " for address in listed)
    assert addresses(brief) == tuple(listed[:3])


def test_the_evaluation_url_is_not_data() -> None:
    assert addresses(f"Fetch {DATA}.", but=(DATA,)) == ()


@pytest.mark.parametrize(
    ("address", "media_type", "taken", "name"),
    [
        (DATA, "application/json", (), "fetched/api.shelves.io-boxes.json"),
        (DATA, "application/json", ("fetched/API.shelves.io-boxes.json",), "fetched/api.shelves.io-boxes-2.json"),
        (DATA, "application/json", ("data.csv",), "fetched/api.shelves.io-boxes.json"),
        ("https://rates.io/latest?f=json", "application/json", (), "fetched/rates.io-latest.json"),
        ("https://rates.io/", "text/plain", (), "fetched/rates.io.txt"),
        ("https://rates.io/raw/notes.md", "text/plain", (), "fetched/rates.io-notes.md.txt"),
        ("https://rates.io/a%20b$/..csv", "text/csv", (), "fetched/rates.io.csv"),
    ],
)
def test_the_name_comes_of_host_and_path_and_is_free(address: str, media_type: str, taken: tuple[str, ...], name: str) -> None:
    assert name_for(address, media_type, taken) == name


def test_a_long_name_is_shortened() -> None:
    assert len(name_for(f"https://rates.io/{'a' * 400}.json", "application/json", ())) < 100


@pytest.mark.parametrize("piece", ["https://a.b/", "fetch a a ", "see ", f"fetch {DATA} ", "for details "])
def test_hostile_prose_is_read_in_no_time(piece: str) -> None:
    started = time.process_time()
    addresses(piece * (60_000 // len(piece)))
    assert time.process_time() - started < 2.0
