"""The page in a real browser: it loads, throws nothing, misses none of its files, and the task's JavaScript checks come true.

In: the files, served as they will be, or the address of the live page. Out: a finding for each of these, and two that only
advise (width, accessibility).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from tasks.browser import CheckOutcome, Failure, Report, judge, slots
from tasks.check_forms import classify
from tasks.evaluators import base

LOADS, NO_ERRORS, OWN_FILES = "The page loads", "The page throws no errors", "The page finds all of its own files"
NAMED = 3  # things of a kind that a reason lists; the rest is in the evidence
FILES = frozenset({"Script", "Stylesheet", "Image", "Font", "Media", "Document"})  # kinds that a page names itself, unlike what an API answers


class Evaluator(base.Evaluator):
    name = "page"
    cdn: ClassVar[dict[str, bytes]] = {}  # addresses answered without a network, where there is none

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        checks = js_checks(subject.checks)
        if not subject.url and not checks and "index.html" not in subject.files:
            yield base.Finding(LOADS, "skipped", "There is no index.html and no JavaScript check, so there is no page to open.")
            return
        if subject.refused:
            unseen = tuple(CheckOutcome(check, "fail") for check in checks)
            yield from about(Report(available=True, reason=subject.refused, checks=unseen), checks)
            return
        with slots.take(subject.patience) as free:
            report = self.look(subject, checks) if free else Report(available=False, reason=slots.BUSY)
        yield from about(report, checks)

    def look(self, subject: base.Subject, checks: Sequence[str]) -> Report:
        return judge(
            files=None if subject.url else subject.files,
            repo=subject.repo or subject.task or "site",
            url=subject.url,
            addresses=subject.addresses,
            checks=checks,
            seconds=subject.seconds,
            cdn=self.cdn,
        )


def js_checks(checks: Iterable[Any]) -> tuple[str, ...]:
    """The round's checks that are JavaScript, as expressions."""
    return tuple(text for kind, text in map(classify, checks) if kind == "js")


def about(report: Report, checks: Sequence[str] = ()) -> Iterator[base.Finding]:
    """What a report says, finding by finding. `checks` are those asked for, in case no browser could be had."""
    if not report.available:
        yield base.Finding(LOADS, "skipped", report.reason)
        yield from (base.Finding(_title(check), "skipped", report.reason, expression=check, source="task") for check in checks)
        return
    yield _loads(report)
    if report.loaded:
        yield _errors(report)
        yield _own_files(report)
        yield from _remote_files(report)
    yield from _checks(report)
    yield from _advice(report)


def _loads(report: Report) -> base.Finding:
    evidence: dict[str, Any] = {
        "loaded": report.loaded,
        "status": report.status,
        "title": report.title,
        "bytes": report.bytes,
        "seconds": report.seconds,
        "cpu_seconds": report.cpu_seconds,
        "memory_peak_mb": report.memory_peak_mb,
        "isolation": list(report.isolation),
        "console": list(report.console),
    }
    if report.shots:
        evidence["shots"] = [
            {"name": shot.name, "width": shot.width, "height": shot.height, "media_type": shot.media_type, "content": shot.content}
            for shot in report.shots
        ]
    if report.ours:
        return base.Finding(LOADS, "error", report.stopped, evidence=evidence)
    if not report.loaded:
        return base.Finding(LOADS, "fail", report.reason or report.stopped or "The page did not load.", evidence=evidence)
    if report.stopped:
        return base.Finding(LOADS, "fail", f"It loaded, but then: {report.stopped}", evidence=evidence)
    return base.Finding(LOADS, "pass", evidence=evidence)


def _errors(report: Report) -> base.Finding:
    title = NO_ERRORS
    if not report.errors:
        return base.Finding(title, "pass")
    evidence = {"errors": list(report.errors), "console": list(report.console)}
    missing = [failure.url for failure in report.failed if failure.unreachable and failure.kind == "Script"]
    if missing:
        reason = f"{_some(report.errors)} This may be for want of scripts that cannot be had from here: {_some(missing)}"
        return base.Finding(title, "undecided", reason, evidence=evidence | {"unreachable": missing})
    return base.Finding(title, "fail", _some(report.errors), evidence=evidence)


def _own_files(report: Report) -> base.Finding:
    title = OWN_FILES
    failed = [failure for failure in report.failed if failure.place != "remote"]
    if not failed:
        return base.Finding(title, "pass")
    reason = _some(f"{_path(failure)}: {failure.reason}" for failure in failed)
    return base.Finding(title, "fail", reason, evidence={"failed": [_shown(failure) for failure in failed]})


def _remote_files(report: Report) -> Iterator[base.Finding]:
    """Nothing, unless there is something to say. An API that refuses is no fault of the page; a library at a wrong address is."""
    title = "The page's files on other servers exist"
    remote = [failure for failure in report.failed if failure.place == "remote" and failure.kind in FILES]
    broken = [failure for failure in remote if not failure.unreachable]
    if broken:
        reason = _some(f"{failure.url}: {failure.reason}" for failure in broken)
        yield base.Finding(title, "fail", reason, evidence={"failed": [_shown(failure) for failure in broken]})
    elif remote:
        reason = f"They cannot be had from here: {_some(failure.url for failure in remote)}"
        yield base.Finding(title, "undecided", reason, evidence={"failed": [_shown(failure) for failure in remote]})


def _checks(report: Report) -> Iterator[base.Finding]:
    missing = [failure.url for failure in report.failed if failure.unreachable and failure.kind in {"Script", "Stylesheet"}]
    for check in report.checks:
        evidence: dict[str, Any] = {"value": check.value, "seconds": check.seconds, **check.seen}
        status, reason = str(check.status), check.reason
        if not report.loaded and not report.stopped:  # what a server shows in place of the page makes no check of the page true
            status, reason = "fail", f"The page does not load. {report.reason}".strip()
        elif check.status == "error" and not report.stopped:
            status = "undecided"  # not JavaScript after all: nobody's page can make it true
        elif check.status == "fail":
            evidence |= {"console": list(report.console), "errors": list(report.errors)}
            if report.errors:
                reason += f" The page threw: {report.errors[0]}"
            if missing:
                reason += f" (Not to be had from here: {_some(missing)})"
                evidence["unreachable"] = missing
        yield base.Finding(_title(check.expression), status, reason, evidence=evidence, expression=check.expression, source="task")


def _advice(report: Report) -> Iterator[base.Finding]:
    if report.overflow:
        wide = [f"{width} px ({report.widest.get(width) or 'the page'})" for width, over in report.overflow.items() if over]
        reason = f"The page is wider than a window of {', '.join(wide)}: one has to scroll sideways." if wide else ""
        evidence = {"widths": {str(width): over for width, over in report.overflow.items()}}
        yield base.Finding("The page fits its window", "undecided" if wide else "pass", reason, evidence=evidence)
    if report.axe is not None:
        violations = [vars(violation) for violation in report.axe]
        reason = _some(f"{violation.help} ({violation.impact}, {violation.count}×, {violation.target})" for violation in report.axe)
        yield base.Finding("The page is accessible", "undecided" if violations else "pass", reason, evidence={"violations": violations})


def _title(expression: str) -> str:
    line = " ".join(expression.split())
    return line if len(line) <= 120 else f"{line[:119]}…"


def _path(failure: Failure) -> str:
    return failure.url.split("/", 3)[-1] if failure.local else failure.url


def _shown(failure: Failure) -> dict[str, str]:
    return {"url": failure.url, "reason": failure.reason, "place": failure.place, "kind": failure.kind}


def _some(lines: Iterable[str]) -> str:
    """The first few, and how many more."""
    all_lines = list(lines)
    more = f" (and {len(all_lines) - NAMED} more)" if len(all_lines) > NAMED else ""
    return "; ".join(all_lines[:NAMED]) + more
