"""Look at the version before anybody else does.

In: the round's newest version. Out: CheckResults and its score; what fails goes back to generate as one message, at most MAX_REPAIRS times and only
while there is time; the best-scoring version wins. A failed check that guards publishing (a leak, a changed attachment, a missing license) keeps a
version from being published whatever its score. With EVALUATE=off only these guards run.

While rounds without a page may come too late (`tasks.pace`), those that have one stand back: they leave the browser to a machine that has nothing
else to do, and are repaired when there is room, if their time allows it then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from tasks import evaluation, pace
from tasks.browser import slots
from tasks.errors import SecretLeak, VersionRefused
from tasks.files import fileset
from tasks.generators import get_generator
from tasks.models import CheckResult, CodeVersion, Message, Round
from tasks.stages import base, outside
from tasks.stages.generate import inputs_hash

BROWSER_SECONDS = 90.0  # the longest that one look in the browser may take
COMPILE_SECONDS = 40.0  # for turning English checks into predicates, all together
PATIENCE_SECONDS = 30.0  # for a browser to come free
STAND_BACK_SECONDS = 20.0  # between looks whether there is time for a repair
REPAIR_SECONDS = 30.0  # time that must be left of generate's share for a repair
FEEDBACK_CHARACTERS = 6000


class Stage(base.Stage):
    name = "evaluate"

    def run(self, work: base.Work) -> base.Outcome:
        round_ = work.round
        version = round_.version
        if version is None:
            return base.Back("generate", "there is no version to look at")
        behind = pace.is_behind()
        results = self.results(work, version, behind)
        failed = failures(results)
        guards = [result for result in failed if result.guards]
        if guards and is_outdated(round_, version):
            work.save(reruns=round_.reruns + 1, version=None)
            return base.Back("generate", f"v{version.number} was written before an earlier round brought its attachments")
        versions = list(round_.versions.filter(run=round_.reruns).order_by("number"))
        if failed and self.may_repair(work, version, versions, failed):
            if behind:
                return base.Wait(timezone.now() + timedelta(seconds=STAND_BACK_SECONDS), "rounds that have no page yet; then this one is repaired")
            self.send_back(work, version, results)
            return base.Back("generate", f"v{version.number}: {len(failed)} of {len(results)} checks failed")
        if guards:
            return self.refuse(work, version, versions, guards)
        if outside.has_evaluator(round_.task_request):
            passed = outside.verdict(work, version)
            if not isinstance(passed, bool):
                return passed
            if not passed and self.may_repair(work, version, versions, failed):
                self.send_back(work, version, results, outside.words(work, version))
                return base.Back("generate", f"v{version.number}: {round_.task_request.evaluator or 'the evaluator'} wants changes")
            if not passed:
                work.degrade("checks-failed", f"{round_.task_request.evaluator or 'The evaluator'} did not pass v{version.number}.")
        return self.choose(work, version, versions, results)

    def results(self, work: base.Work, version: CodeVersion, behind: bool) -> list[CheckResult]:
        """The version's results for this round: those stored already, else fresh ones. A service that is `behind` takes the browser only if one is
        free, and asks no model about checks."""
        stored = list(version.check_results.filter(round=work.round, deployment=None))
        if stored and version.score is not None:
            return stored
        left = work.deadline.budget("verify", timezone.now())
        if not behind:
            evaluation.compile_checks(work.round, version, min(COMPILE_SECONDS, left / 4))
        patience = slots.patience(min(PATIENCE_SECONDS, left / 4), standing_back=behind)
        said = evaluation.evaluate(work.round, version, seconds=min(BROWSER_SECONDS, max(10.0, left / 2)), patience=patience)
        return evaluation.record(said, work.round, version, None, work.commit())

    # -- deciding ----------------------------------------------------------------------------------------------------------------------

    def may_repair(self, work: base.Work, version: CodeVersion, versions: list[CodeVersion], failed: list[CheckResult]) -> bool:
        if outside.has_coder(work.round.task_request):
            return settings.EVALUATE and outside.may_ask_again(versions)
        repairs = sum(1 for other in versions if other.kind == CodeVersion.Kind.REPAIR)
        if not settings.EVALUATE or repairs >= settings.MAX_REPAIRS or version.kind == CodeVersion.Kind.FALLBACK or version.round_id != work.round.pk:
            return False
        if not get_generator(settings.GENERATOR).supports_repair or version.generator == "offline":
            return False
        if work.deadline.budget("generate", timezone.now()) < REPAIR_SECONDS:
            return False
        if version.based_on and version.kind == CodeVersion.Kind.REPAIR:
            before = failures(version.based_on.check_results.filter(round=work.round, deployment=None))
            return {(result.title, result.reason) for result in before} != {(result.title, result.reason) for result in failed}
        return True

    def send_back(self, work: base.Work, version: CodeVersion, results: list[CheckResult], said: str = "") -> None:
        """All failures in one message, after what an evaluator outside `said`; what worked in an earlier round comes last."""
        lines = [line(result) for result in failures(results)]
        lost = [line(result) for result in results if result.source == CheckResult.Source.REGRESSION and result.status == CheckResult.Status.FAIL]
        if lost:
            lines += ["", "These held in an earlier round; keep them true unless this brief takes them back:", *lost]
        body = "\n".join([said, *lines] if said else lines)[:FEEDBACK_CHARACTERS]
        task = work.round.task_request
        recipient = task.coder or "coder" if outside.has_coder(task) else "generate"
        work.say(Message.Kind.FEEDBACK, body, sender=self.name, recipient=recipient, version=version, data={"failed": len(failures(results))})

    def refuse(self, work: base.Work, version: CodeVersion, versions: list[CodeVersion], guards: list[CheckResult]) -> base.Outcome:
        """This version is never published: an earlier clean one is, else the fallback is written."""
        with work.commit():
            failing = CheckResult.objects.filter(round=work.round, guards=True, status=CheckResult.Status.FAIL)
            unclean = CodeVersion.objects.filter(check_results__in=failing)
            CodeVersion.objects.filter(pk__in=[*unclean.values_list("pk", flat=True), version.pk]).update(status=CodeVersion.Status.REFUSED)
        ready = [other.pk for other in versions if other.pk != version.pk and other.score is not None]
        clean = list(CodeVersion.objects.filter(pk__in=ready, status=CodeVersion.Status.READY))
        reason = "; ".join(f"{result.title}: {result.reason}" for result in guards)
        if clean:
            best = max(clean, key=lambda other: (other.score or 0.0, -other.number))
            work.save(version=best)
            work.degrade("version-refused", f"v{version.number} was refused ({reason}); v{best.number} is published.")
            return base.Done(f"v{version.number} refused, v{best.number} chosen")
        if version.kind == CodeVersion.Kind.FALLBACK or version.generator == "offline":
            raise (SecretLeak if any(result.kind == "leaks" for result in guards) else VersionRefused)(detail=reason)
        work.save(version=None)
        work.say("event", f"v{version.number} was refused: {reason}", version=version)
        return base.Back("generate", f"v{version.number} refused: {reason}"[:300])

    def choose(self, work: base.Work, version: CodeVersion, versions: list[CodeVersion], results: list[CheckResult]) -> base.Outcome:
        """Of all versions that may be published, the best one; equal scores: the newest."""
        ready = [other for other in versions if other.status == CodeVersion.Status.READY and other.score is not None] or [version]
        ready = [other for other in ready if not other.check_results.filter(round=work.round, guards=True, status=CheckResult.Status.FAIL).exists()]
        best = max(ready, key=lambda other: (other.score or 0.0, other.number)) if ready else version
        if best.pk != version.pk:
            work.save(version=best)
            results = list(best.check_results.filter(round=work.round, deployment=None))
        failed = failures(results)
        if failed:
            named = "; ".join(f"{result.title}: {result.reason}" for result in failed[:3])
            work.degrade("checks-failed", f"{len(failed)} of {len(results)} checks fail: {named}")
        return base.Done(f"v{best.number}: {sum(1 for result in results if result.status == 'pass')} of {len(results)} checks pass{unseen(results)}")


def is_outdated(round_: Round, version: CodeVersion) -> bool:
    """Has an earlier round of the task, which came late, brought attachments since the version was written?"""
    asked = inputs_hash(round_, fileset.all_attachments(round_))
    return version.round_id == round_.pk and version.inputs_hash not in {"", asked}


def failures(results: Iterable[CheckResult]) -> list[CheckResult]:
    """What failed of what this round asks; regressions of earlier rounds are shown apart and decide nothing."""
    return [result for result in results if result.status == CheckResult.Status.FAIL and result.source != CheckResult.Source.REGRESSION]


def unseen(results: Iterable[CheckResult]) -> str:
    """A word on the checks for which there was no browser."""
    busy = sum(1 for result in results if result.reason == slots.BUSY)
    return f", {busy} skipped since every browser was busy" if busy else ""


def line(result: CheckResult) -> str:
    """One failure, as the model is told of it."""
    return f"- {result.title}: {result.reason}" + (f"\n  {result.expression}" if result.expression else "")
