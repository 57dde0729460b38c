"""Prints: passages that two texts share leave the same marks, whatever stands around them."""

from __future__ import annotations

import random

from tasks.classroom.evaluating import prints
from tasks.hosts.base import blob_sha


def text(seed: int, words: int = 400) -> str:
    chance = random.Random(seed)
    return " ".join("".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(3, 9))) for _ in range(words))


def share(one: str, other: str) -> float:
    first, second = set(prints.marks([one])), set(prints.marks([other]))
    return len(first & second) / min(len(first), len(second))


def test_the_same_text_has_the_same_marks_and_another_one_hardly_any_of_them() -> None:
    assert prints.marks([text(1)]) == prints.marks([text(1)]) != []
    assert share(text(1), text(2)) < 0.02


def test_case_and_white_space_leave_no_trace_and_a_shared_passage_does() -> None:
    assert prints.marks(["A  b\n" + text(1).upper()]) == prints.marks(["ab" + text(1).replace(" ", "\n\t")])
    mixed = text(3, 200) + text(1) + text(4, 200)
    assert share(text(1), mixed) > 0.8
    renamed = text(1).replace(text(1).split()[50], "other")
    assert share(text(1), renamed) > 0.9


def test_a_shared_passage_of_gram_and_window_always_leaves_a_mark() -> None:
    passage = text(9).replace(" ", "")[: prints.GRAM + prints.WINDOW - 1]
    for seed in range(20):
        one, other = (
            set(prints.winnow(text(seed + side).replace(" ", "") + passage + text(seed + side + 50).replace(" ", ""))) for side in (100, 200)
        )
        assert one & other


def test_marks_are_32_bits_few_and_those_of_what_was_given_to_everybody_are_left_out() -> None:
    given, own, readme = text(1).encode(), text(2, 4000).encode(), text(3).encode()
    files = {"page.js": given, "mine.js": own, "README.md": readme, "LICENSE": text(5).encode(), "data.bin": b"\0\1", ".nojekyll": b""}
    shas = {path: blob_sha(data) for path, data in files.items()}
    made = prints.prints_of(files, shas, {blob_sha(given)})
    assert made["files"] == {path: shas[path] for path in ("mine.js", "README.md", "data.bin")}
    assert made["marks"] == prints.marks([own.decode()])
    assert len(made["marks"]) == prints.MOST
    assert all(0 <= mark < 2**32 for mark in made["marks"])


def test_a_text_that_is_too_short_has_no_mark_and_one_just_long_enough_has_one() -> None:
    assert prints.marks(["short"]) == []
    assert len(prints.marks(["x" * prints.GRAM])) == 1
