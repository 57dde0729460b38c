"""Run the evaluators on a version, or on the live page, and keep what they say: one code for the evaluate stage, verify and the command.

In: a round with its version (and, for the live page, its deployment). Out: CheckResults and Screenshots. The round's own checks come first; the
checks of earlier rounds of the task are run too and kept apart as regressions.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction

from tasks.backends import load, names
from tasks.check_forms import classify
from tasks.compiled_checks import compile_missing, stored_predicate
from tasks.evaluators import Evaluator, Finding, Subject, prose
from tasks.files import fileset
from tasks.models import Attachment, CheckResult, CodeVersion, Deployment, GeneratedFile, Round, Screenshot
from tasks.prose.language import Verdict
from tasks.prose.predicates import expressions
from tasks.storable import storable, storable_data

log = logging.getLogger(__name__)

GUARDS = ("attachments", "leaks", "license", "workflows")  # they run even with EVALUATE=off
LIVE = ("page", "prose")  # what is looked at again on the live address


@dataclass(frozen=True)
class Said:
    """One finding with the evaluator that made it and its share of the time."""

    kind: str
    finding: Finding
    seconds: float


def subject_of(round_: Round, version: CodeVersion, *, url: str = "", seconds: float = 90.0, patience: float = 60.0) -> Subject:
    """What the evaluators get to see."""
    attachments = fileset.all_attachments(round_)
    return Subject(
        files=version.tree(),
        brief=round_.brief,
        checks=tuple(round_.checks),
        attachments={path: bytes(item.content or b"") for path, item in attachments.items()},
        revised=revised(round_, version, attachments),
        kept=kept(version),
        task=str(round_.task_request),
        repo=round_.task_request.repo_name or str(round_.task_request),
        url=url,
        seconds=seconds,
        patience=patience,
    )


def kept(version: CodeVersion) -> frozenset[str]:
    """Files that the version took over unchanged from the repository. What a repair took over from the version that it mends is not among them."""
    root = version
    while root.kind == CodeVersion.Kind.REPAIR and root.based_on:
        root = root.based_on
    if root.kind != CodeVersion.Kind.REVISE:
        return frozenset()
    there = set(root.files.filter(origin=GeneratedFile.Origin.BASE).values_list("path", "blob_sha"))
    return frozenset(path for path, sha in version.files.values_list("path", "blob_sha") if (path, sha) in there)


def earlier_rounds(round_: Round) -> list[Round]:
    """The newest round of each lower number: what the page could do before."""
    newest = {other.number: other for other in Round.objects.filter(task_request=round_.task_request_id, number__lt=round_.number).order_by("pk")}
    return [newest[number] for number in sorted(newest)]


def revised(round_: Round, version: CodeVersion, attachments: dict[str, Attachment]) -> frozenset[str]:
    """Attachments that differ in this version because a brief, this one or an earlier one of the task, asked to change them."""
    briefs = [round_.brief, *(other.brief for other in earlier_rounds(round_))]
    return frozenset(path for path in fileset.revised_in(version, attachments) if any(fileset.asks_to_change(brief, path) for brief in briefs))


def evaluate(round_: Round, version: CodeVersion, *, url: str = "", seconds: float = 90.0, patience: float = 60.0) -> list[Said]:
    """What every evaluator says. With `url` the live page is looked at instead of the files, and only what a browser can tell is asked.

    A free browser is waited for at most `patience` seconds; without one its checks are skipped."""
    chosen: Sequence[str] = LIVE if url else names("evaluators", "Evaluator") if settings.EVALUATE else GUARDS
    subject = subject_of(round_, version, url=url, seconds=seconds, patience=patience)
    said = look(subject, chosen)
    for other in earlier_rounds(round_) if settings.EVALUATE else []:
        # In a visit of their own, so that what one round's checks click does not spoil the other's page.
        checks = tuple(check for check in other.checks if check not in round_.checks)
        again = look(replace(subject, checks=checks, brief=other.brief), LIVE, checks_only=True) if checks else []
        said += [replace(item, finding=replace(item.finding, source=CheckResult.Source.REGRESSION)) for item in again]
    return said


def look(subject: Subject, chosen: Sequence[str], *, checks_only: bool = False, reported: bool = False) -> list[Said]:
    """What the chosen evaluators say of one subject; with `checks_only` no more than the verdicts on its checks.

    `reported`: it is what a student reported, so every English check is decided, on the files or the live page, and a fault of ours fails nobody."""
    predicates = {text: prose.predicate_for(text, subject, stored_predicate) for text in prose.sentences(subject.checks)}
    in_browser = {text: expressions(predicate, subject) for text, (predicate, _) in predicates.items() if predicate}
    own = own_js(subject)
    asked = {expression for wanted in in_browser.values() for expression in wanted} - own
    said: list[Said] = []
    answers: dict[str, Verdict] = {}
    for name in sorted(chosen, key=lambda name: name == "prose"):  # the English checks last: they may need the browser's answers
        started = time.monotonic()
        if name == "page":
            if checks_only and not own and not asked:
                continue
            findings = ask(name, replace(subject, checks=(*subject.checks, *({"js": text} for text in sorted(asked)))), reported=reported)
            answers = {finding.expression: Verdict(finding.status, finding.reason, finding.evidence) for finding in findings if finding.expression}
            findings = [finding for finding in findings if finding.expression not in asked]
        elif name == "prose":
            browser = decided(answers).get
            wanted = [text for text in predicates if reported or not subject.url or in_browser.get(text)]
            findings = [prose.finding(text, predicates[text][0], subject, source=predicates[text][1], browser=browser) for text in wanted]
        else:
            findings = ask(name, subject, reported=reported)
        if checks_only:
            findings = [finding for finding in findings if finding.source == CheckResult.Source.TASK]
        share = (time.monotonic() - started) / max(1, len(findings))
        said += [Said(name, finding, share) for finding in findings]
    return said


def decided(answers: dict[str, Verdict]) -> dict[str, Verdict]:
    """The browser's answers that are answers: what it could not try stays open."""
    return {expression: verdict for expression, verdict in answers.items() if verdict.status in {"pass", "fail"}}


def own_js(subject: Subject) -> set[str]:
    """The checks that came as JavaScript."""
    return {text for kind, text in map(classify, subject.checks) if kind == "js"}


def ask(name: str, subject: Subject, *, reported: bool = False) -> list[Finding]:
    """The evaluator's findings. Its own bug is our fault and not the page's, but a guard that cannot tell lets nothing of ours through."""
    evaluator: Evaluator = load("evaluators", "Evaluator", name)
    try:
        return list(evaluator.evaluate(subject))
    except Exception as error:
        log.exception("evaluator %s failed", name)
        guards = name in GUARDS and not reported
        reason = f"The evaluator itself failed ({type(error).__name__}); the log has the trace."
        return [Finding(f"{name} evaluator", "fail" if guards else "error", reason, guards=guards)]


def rows(said: Iterable[Said], **of: Any) -> tuple[list[CheckResult], list[Screenshot]]:
    """The findings as rows that are not stored yet, `of` a round's version and deployment, or of a report."""
    results, shots = [], []
    for item in said:
        finding = item.finding
        evidence = dict(finding.evidence)
        shots += [Screenshot(**of, **shot) for shot in evidence.pop("shots", [])]
        passed = 1.0 if finding.status == CheckResult.Status.PASS else 0.0
        results.append(
            CheckResult(
                **of,
                source=finding.source,
                kind=item.kind,
                title=storable(finding.title)[:500],
                expression=storable(finding.expression),
                status=finding.status,
                guards=finding.guards,
                score=passed if finding.score is None else finding.score,
                reason=storable(finding.reason)[:1000],
                evidence=storable_data(evidence),
                seconds=round(item.seconds, 3),
            )
        )
    return results, shots


def record(
    said: list[Said], round_: Round, version: CodeVersion, deployment: Deployment | None, fence: AbstractContextManager[None]
) -> list[CheckResult]:
    """Store the findings, in place of former ones of the same version (or deployment), with the version's score."""
    results, shots = rows(said, round=round_, version=version, deployment=deployment)
    score = score_of(results)
    with fence:
        for model in (CheckResult, Screenshot):
            model.objects.filter(round=round_, version=version, deployment=deployment).delete()
        CheckResult.objects.bulk_create(results)
        Screenshot.objects.bulk_create(shots)
        if deployment is None:
            CodeVersion.objects.filter(pk=version.pk).update(score=score)
            version.score = score
    return results


def score_of(results: Sequence[CheckResult]) -> float:
    """The share of decided checks that pass, 1 where nothing was decided. Regressions are shown, but the new brief may well take them back: they do
    not count."""
    counted = [result for result in results if result.source != CheckResult.Source.REGRESSION]
    decided = [result for result in counted if result.status in {CheckResult.Status.PASS, CheckResult.Status.FAIL}]
    return sum(result.score for result in decided) / len(decided) if decided else 1.0


def evaluate_again(round_id: int, *, live: bool = True) -> list[CheckResult]:
    """Look at the round's chosen version once more, and at its live page; the new results take the place of the old ones. Empty without a version,
    or when the round is gone."""
    round_ = Round.objects.select_related("task_request", "version").filter(pk=round_id).first()
    if round_ is None or round_.version is None:
        return []
    results = record(evaluate(round_, round_.version), round_, round_.version, None, alone(round_))
    deployment = round_.deployments.filter(version=round_.version, live_at__isnull=False).first()
    if live and deployment is not None:
        said = evaluate(round_, round_.version, url=deployment.pages_url)
        results += record(said, round_, round_.version, deployment, alone(round_))
    return results


@contextmanager
def alone(round_: Round) -> Iterator[None]:
    """A transaction that no other evaluation of the round writes beside."""
    with transaction.atomic():
        Round.objects.select_for_update().get(pk=round_.pk)
        yield


def compile_checks(round_: Round, version: CodeVersion, seconds: float) -> int:
    """Have a model turn the round's English checks that no rule knows into predicates; how many were asked for. Nothing is asked of `offline`."""
    if not settings.EVALUATE:
        return 0
    return compile_missing(subject_of(round_, version), seconds, lambda: alone(round_))  # not for a round that was erased meanwhile
