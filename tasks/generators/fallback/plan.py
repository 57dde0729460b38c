"""Decides which element of the page shows what: pure, from what is wanted and what is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from tasks.generators.fallback.data import Table, kind, read_rates, read_table
from tasks.generators.fallback.wants import Element, Wants

_TOTAL = frozenset({"total", "sum"})
_NO_TOTAL = frozenset({"currency", "count", "label", "status"})
_TEXT = frozenset({"output", "source", "content", "text", "note", "markdown", "json", "document", "raw", "body"})
_NO_TEXT = frozenset({"status", "search", "filter", "date", "age", "created", "error"})
_INPUTS = frozenset({"input", "textarea", "button", "form", "select", "canvas", "img"})


@dataclass
class Plan:
    """`json` goes into the page's script; `filled` are the ids it fills, `unfilled` those left without content; `computed` says it in words."""

    table: Table | None = None
    rates: dict[str, float] = field(default_factory=dict)
    currency: str = ""
    json: dict[str, Any] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    selects: dict[str, list[str]] = field(default_factory=dict)
    image: str = ""
    unfilled: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)


def make_plan(wants: Wants, files: dict[str, bytes], brief: str) -> Plan:
    plan = Plan(image=next((path for path in files if kind(path) == "image"), ""))
    tables = [table for table in (read_table(path, content) for path, content in files.items()) if table]
    plan.table = next((table for table in tables if table.path in brief), tables[0] if tables else None)
    plan.json = {"table": None, "totals": [], "tables": [], "filters": [], "rates": None, "text": None, "tabs": []}
    plan.json["addressParameter"] = wants.address_parameter
    if plan.table:
        _plan_table(plan, plan.table, wants.elements, brief)
        _plan_rates(plan, wants.elements, files)
    _plan_text(plan, wants.elements, files, brief)
    for element in wants.elements:
        if element.tag not in _INPUTS and not element.text and not element.buttons and element.id not in plan.filled:
            plan.unfilled.append(element.id)
    return plan


def _plan_table(plan: Plan, table: Table, elements: Iterable[Element], brief: str) -> None:
    main = table.summed(brief)
    plan.json["table"] = {"path": table.path, "delimiter": table.delimiter}
    for element in elements:
        words = element.words
        column = table.column(words)
        if element.tag == "table":
            group = next((index for index, name in enumerate(table.header) if index not in table.numeric and name.lower() in words), None)
            amount = next((index for index in table.numeric if table.header[index].lower() in words), main)
            plan.json["tables"].append({"id": element.id, "group": group, "column": amount})
            plan.computed.append(f"#{element.id} lists {table.path}" + (f" by {table.header[group]}" if group is not None else ""))
        elif element.tag == "select" and column is not None:
            name = re.sub(r"[^a-z0-9-]+", "-", table.header[column].lower()).strip("-") or "filter"
            plan.json["filters"].append({"id": element.id, "column": column, "name": name})
            plan.computed.append(f"#{element.id} filters by {table.header[column]}")
        elif words & _TOTAL and not words & _NO_TOTAL and element.tag not in _INPUTS:
            summed = column if column in table.numeric else main
            if summed is None:
                continue
            plan.json["totals"].append({"id": element.id, "column": summed})
            plan.computed.append(f"#{element.id} shows the sum of the column {table.header[summed]} of {table.path}")
        else:
            continue
        plan.filled.add(element.id)


def _plan_rates(plan: Plan, elements: Iterable[Element], files: dict[str, bytes]) -> None:
    for path, content in files.items():
        rates = read_rates(path, content)
        if not rates:
            continue
        plan.rates = rates
        plan.currency = next((code for code, rate in rates.items() if rate == 1), next(iter(rates)))
        named = [element for element in elements if "currency" in element.words]
        picker = next((element.id for element in named if element.tag == "select"), None)
        show = [element.id for element in named if element.tag not in _INPUTS]
        plan.json["rates"] = {"path": path, "picker": picker, "show": show}
        plan.filled.update(show)
        if picker:
            plan.selects[picker] = [plan.currency, *(code for code in rates if code != plan.currency)]
            plan.computed.append(f"#{picker} converts the total by the rates of {path}")
        return


def _plan_text(plan: Plan, elements: Iterable[Element], files: dict[str, bytes], brief: str) -> None:
    """The text file that the brief names, or the only one; README.md of the site itself only when the brief names it."""
    texts = [path for path in files if kind(path) == "text" and (path != "README.md" or path in brief) and path != "robots.txt"]
    texts = [path for path in texts if not (plan.json["rates"] and plan.json["rates"]["path"] == path)]
    path = next((path for path in texts if path in brief), texts[0] if len(texts) == 1 else None)
    if path is None:
        return
    places: dict[str, list[str]] = {"rendered": [], "source": [], "labels": [], "counts": []}
    stem = {word for word in re.split(r"[^a-z0-9]+", PurePosixPath(path).stem.lower()) if word}
    tabs = []
    for element in elements:
        words = element.words
        if element.id in plan.filled or element.tag in _INPUTS - {"textarea"}:
            continue
        if words & {"tabs"}:
            tabs.append(element.id)
        elif "count" in words:
            places["counts"].append(element.id)
        elif "label" in words:
            places["labels"].append(element.id)
        elif words & {"source", "raw"}:
            places["source"].append(element.id)
        elif words & (_TEXT | stem) and not words & _NO_TEXT:
            places["rendered"].append(element.id)
    for ids in places.values():
        plan.filled.update(ids)
    panels = places["rendered"][:1] + places["source"][:1]
    plan.json["tabs"] = [{"id": id_, "panels": panels} for id_ in tabs]
    plan.filled.update(tabs)
    if any(places.values()):
        plan.json["text"] = {"path": path, **places}
        plan.computed.append(f"{path} is shown in " + ", ".join(f"#{id_}" for ids in places.values() for id_ in ids))
