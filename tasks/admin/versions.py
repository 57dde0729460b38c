"""A task's versions in one table (score, tokens, time, cost), and any two of them side by side: checks, screenshots, files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet

from tasks.admin import columns, comparison, files, pictures
from tasks.admin.badges import badge
from tasks.admin.verdicts import summary
from tasks.models import CheckResult, CodeVersion, Deployment, Result, Round, Screenshot, TaskRequest

NEWEST = 60  # an agent may have uploaded hundreds; the rest is in the list of versions


def versions_of(task: TaskRequest, round_: Round | None = None) -> QuerySet[CodeVersion]:
    """The newest first, without the long texts; with `round_` those that it made and the one that it (is to) publish."""
    rows = task.versions.defer("prompt", "raw_answer").select_related("round").order_by("-number")
    rows = rows.defer("prompt", "raw_answer", "round__brief", "round__checks", "round__extra").annotate(file_count=Count("files"))
    return rows.filter(Q(round=round_) | Q(pk=round_.version_id)) if round_ else rows


def table(task: TaskRequest, round_: Round | None = None) -> dict[str, Any]:
    """What `_versions.html` shows, in a constant number of queries."""
    rows = list(versions_of(task, round_)[:NEWEST])
    results = comparison.by_version(_results([row.pk for row in rows]))
    chosen = set(task.rounds.exclude(version=None).values_list("version_id", flat=True))
    published = set(Deployment.objects.filter(version__in=rows).values_list("version_id", flat=True))
    measured = {result.version_id: result for result in Result.objects.filter(version__in=rows).order_by("pk")}  # the last one wins
    return {
        "task": task,
        "lines": [{**_line(row, results, chosen, published), "measured": measured.get(row.pk)} for row in rows],
        "totals": _totals(rows),
        "comparable": len(rows) > 1,
        "capped": NEWEST if len(rows) == NEWEST else 0,
    }


def _results(versions: list[int]) -> QuerySet[CheckResult]:
    return CheckResult.objects.filter(version_id__in=versions, deployment=None).defer("evidence")


def _line(
    row: CodeVersion, results: Mapping[int, comparison.Verdicts], chosen: Collection[int | None], published: Collection[int | None]
) -> dict[str, Any]:
    own = results.get(row.pk, {})
    before = results.get(row.based_on_id or 0, {})
    return {
        "row": row,
        "label": "" if row.label == f"v{row.number}" else row.label,
        "badge": badge(row.status, row.notes),
        "chosen": row.pk in chosen,
        "published": row.pk in published,
        "score": None if row.score is None else f"{100 * row.score:.0f}",
        "tone": "grey" if row.score is None else "green" if row.score >= 0.995 else "orange" if row.score >= 0.6 else "red",
        "checks": summary(result.status for result in own.values()) if own else None,
        "effect": comparison.effect(before, own),
        "tokens_in": columns.count(row.tokens_in),
        "tokens_out": columns.count(row.tokens_out),
        "took": columns.units(row.seconds),
        "cost": columns.dollars(row.cost),
        "created": columns.when(row.created_at),
    }


def _totals(rows: list[CodeVersion]) -> dict[str, str]:
    costs = [row.cost for row in rows if row.cost is not None]
    return {
        "tokens_in": columns.count(sum(row.tokens_in or 0 for row in rows)),
        "tokens_out": columns.count(sum(row.tokens_out or 0 for row in rows)),
        "took": columns.units(sum(row.seconds or 0.0 for row in rows)),
        "cost": columns.dollars(sum(costs, Decimal(0)) if costs else None),
    }


def page_context(task: TaskRequest, round_: Round | None, left: str, right: str) -> dict[str, Any]:
    """The table and, when there are two versions, the comparison. `left` and `right` are ids from the address; what does not fit is replaced."""
    shown = table(task, round_)
    rows = {
        str(row.pk): row for row in task.versions.select_related("based_on").defer("prompt", "raw_answer", *_long("based_on")).order_by("-number")
    }
    ready = [line["row"] for line in shown["lines"] if line["row"].file_count] or [line["row"] for line in shown["lines"]]
    b = rows.get(right) or next((row for row in ready if round_ and row.pk == round_.version_id), ready[0] if ready else None)
    a = rows.get(left) or (files.version_before(rows[str(b.pk)]) if b else None) or next((row for row in ready if b and row.pk != b.pk), None)
    context = {**shown, "a": a, "b": b, "round": round_}
    return {**context, **compare(a, b)} if a and b and a.pk != b.pk else context


def _long(relation: str) -> tuple[str, str]:
    return f"{relation}__prompt", f"{relation}__raw_answer"


def compare(a: CodeVersion, b: CodeVersion) -> dict[str, Any]:
    """Left `a`, right `b`: what changed for every check, the newest screenshots of each, and every file's difference."""
    results = comparison.by_version(_results([a.pk, b.pk]).order_by("pk"))
    left, right = results.get(a.pk, {}), results.get(b.pk, {})
    matched = comparison.pairs(left, right)
    shots = Screenshot.objects.filter(version__in=(a, b), deployment=None).select_related("version").defer("content", *_long("version"))
    by_side = {row: [shot for shot in shots if shot.version_id == row.pk] for row in (a, b)}
    return {
        "compared": True,
        "pairs": [pair for pair in matched if pair.change != "same verdict"],
        "same": [pair for pair in matched if pair.change == "same verdict"],
        "effect": comparison.effect(left, right),
        "sides": [
            {
                "row": row,
                "name": f"version {row.number}",
                "checks": summary(result.status for result in own.values()) if own else None,
                "pictures": [picture for strip in pictures.strips(by_side[row]) for picture in strip.pictures],
            }
            for row, own in ((a, left), (b, right))
        ],
        "pictured": any(by_side.values()),
        "version": b,
        "before": a,
        "files": files.views(b, a),
    }
