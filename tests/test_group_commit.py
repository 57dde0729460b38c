"""Threads that store at the same moment share a transaction, and only that."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, connection

from tasks.classroom.groups import RIGHTS  # groups that come with the installation
from tasks.group_commit import GroupCommit

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(work: Callable[[str], object], items: list[str]) -> dict[str, object]:
    """What each call gave or raised."""
    outcomes: dict[str, object] = {}

    def one(item: str) -> None:
        try:
            outcomes[item] = work(item)
        except Exception as error:
            outcomes[item] = error
        connection.close()

    threads = [threading.Thread(target=one, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


class Held:
    """A store that keeps the first batch until all the others wait, so that they come together."""

    def __init__(self, others: int, store: Callable[[list[str]], list[str]]) -> None:
        self.batches: list[list[str]] = []
        self.commits: GroupCommit[str, str] = GroupCommit(self.write)
        self._others, self._store = others, store

    def write(self, items: list[str]) -> list[str]:
        self.batches.append(sorted(items))
        if items == ["first"]:
            while len(self.commits._waiting) < self._others:
                threading.Event().wait(0.001)
        return self._store(items)

    def run(self, items: list[str]) -> dict[str, object]:
        first = threading.Thread(target=lambda: in_threads(self.commits.run, ["first"]))
        first.start()
        while not self.batches:
            threading.Event().wait(0.001)
        outcomes = in_threads(self.commits.run, items)
        first.join(30)
        return outcomes


def add(items: list[str]) -> list[str]:
    Group.objects.bulk_create(Group(name=item) for item in items)
    return [item.upper() for item in items]


def test_what_waits_while_another_commits_is_written_in_one_transaction() -> None:
    names = [f"n{number}" for number in range(9)]
    held = Held(9, add)
    assert held.run(names) == {name: name.upper() for name in names}
    assert held.batches == [["first"], names]
    assert set(Group.objects.exclude(name__in=RIGHTS).values_list("name", flat=True)) == {"first", *names}


def test_who_is_at_fault_fails_alone() -> None:
    Group.objects.create(name="taken")
    held = Held(3, add)
    outcomes = held.run(["a", "taken", "b"])
    assert isinstance(outcomes.pop("taken"), IntegrityError)
    assert outcomes == {"a": "A", "b": "B"}
    assert Group.objects.filter(name__in=["a", "b"]).count() == 2


def test_without_a_database_nobody_tries_again_alone() -> None:
    def refuse(items: list[str]) -> list[str]:
        if items == ["first"]:
            return items
        raise OperationalError("the database is locked")

    held = Held(4, refuse)
    outcomes = held.run(["a", "b", "c", "d"])
    assert {type(outcome) for outcome in outcomes.values()} == {OperationalError}
    assert held.batches == [["first"], ["a", "b", "c", "d"]]


def test_a_fault_of_ours_reaches_its_own_caller_and_keeps_nobody_else_waiting() -> None:
    def clumsy(items: list[str]) -> list[str]:
        if "bad" in items:
            raise ZeroDivisionError
        return items

    commits: GroupCommit[str, str] = GroupCommit(clumsy)
    with pytest.raises(ZeroDivisionError):
        commits.run("bad")
    assert commits.run("good") == "good"
