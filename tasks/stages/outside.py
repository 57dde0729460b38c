"""The parts of a task that an agent outside takes: its code instead of the generator's, its verdict instead of ours alone.

`generate` and `evaluate` come here for a task whose coder or evaluator is not built in. Waiting costs no worker: an upload, a result or feedback
makes the round due at once (`tasks.orchestrator.assignments.wake`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from tasks.errors import AgentSilent
from tasks.files import fileset
from tasks.models import CodeVersion, Message, Result, Round, TaskRequest
from tasks.orchestrator.assignments import BUILTIN
from tasks.orchestrator.uploads import label_of
from tasks.stages import base

SETTLE_SECONDS = 3.0  # an upload is taken when nothing was added for so long: some agents send file by file
LOOK_SECONDS = 600.0  # looks without a message, in case one was lost


def has_coder(task: TaskRequest) -> bool:
    """Does an agent outside write the code?"""
    return bool(task.name and not task.task and task.coder != BUILTIN)


def has_evaluator(task: TaskRequest) -> bool:
    """Does an agent outside give the verdict?"""
    return bool(task.name and not task.task and task.evaluator != BUILTIN)


def take_code(work: base.Work, feedback: str, assemble: Callable[[dict[str, bytes]], fileset.FileSet]) -> base.Outcome:
    """The newest upload that was not taken yet becomes the round's version, with the service's own files around it; else wait for one."""
    round_, task = work.round, work.round.task_request
    taken = round_.versions.filter(run=round_.reruns, based_on__kind=CodeVersion.Kind.UPLOAD).order_by("id").last()
    if taken is not None and not feedback:
        return base.Done(f"v{taken.number} is ready")
    uploads = task.versions.filter(kind=CodeVersion.Kind.UPLOAD)
    if taken is not None and taken.based_on_id:
        uploads = uploads.filter(pk__gt=taken.based_on_id)
    upload = uploads.order_by("id").last()
    if upload is None:
        return wait(work, f"code from {task.coder or 'a coder'}")
    settled = upload.messages.filter(kind=Message.Kind.EVENT).latest("id").created_at + timedelta(seconds=SETTLE_SECONDS)
    if timezone.now() < settled:
        return base.Wait(settled, f"further files of {label_of(upload)}")
    tree = assemble(upload.tree())
    with work.commit():
        number = (CodeVersion.objects.filter(task_request=task).aggregate(last=Max("number"))["last"] or 0) + 1
        version = CodeVersion.objects.create(
            task_request=task,
            round=round_,
            number=number,
            run=round_.reruns,
            kind=CodeVersion.Kind.REPAIR if feedback else CodeVersion.Kind.BUILD,
            status=CodeVersion.Status.READY,
            generator=upload.generator,
            based_on=upload,
            notes="\n".join([f"made of {label_of(upload)} as {upload.generator or 'an agent'} uploaded it", *tree.notes]),
        )
        fileset.store(version, tree)
        Round.objects.filter(pk=round_.pk).update(version=version)
    round_.version = version
    return base.Done(f"v{number} of {label_of(upload)} by {upload.generator}, {len(tree.files)} files")


def verdict(work: base.Work, version: CodeVersion) -> base.Outcome | bool:
    """What the agent says of the version: True for passed, False for feedback or a failed result; else the wait for it."""
    task = work.round.task_request
    ids = [version.pk, version.based_on_id] if version.based_on_id else [version.pk]
    result = Result.objects.filter(task_request=task, version_id__in=ids).exclude(passed=None).order_by("id").last()
    asked = Message.objects.filter(task_request=task, version_id__in=ids, kind=Message.Kind.FEEDBACK).exclude(sender="evaluate").order_by("id").last()
    if asked is not None and (result is None or asked.created_at > result.created_at):
        return False
    if result is not None:
        return bool(result.passed)
    return wait(work, f"the verdict of {task.evaluator or 'an evaluator'} on v{version.number}")


def words(work: base.Work, version: CodeVersion) -> str:
    """All that the agent said is to be changed in the version."""
    ids = [version.pk, version.based_on_id] if version.based_on_id else [version.pk]
    said = Message.objects.filter(task_request=work.round.task_request, version_id__in=ids, kind=Message.Kind.FEEDBACK).exclude(sender="evaluate")
    return "\n".join(said.order_by("id").values_list("body", flat=True))


def wait(work: base.Work, what: str) -> base.Outcome:
    """Until the agent has done its part; `AgentSilent` when the round's time is over."""
    now = timezone.now()
    if now >= work.round.deadline_at:
        raise AgentSilent(f"Nothing came in time: the round waited for {what}. Do that part, then run the round again.")
    return base.Wait(min(work.round.deadline_at, now + timedelta(seconds=LOOK_SECONDS)), what)


def may_ask_again(versions: list[CodeVersion]) -> bool:
    """Is a further version of an agent still wanted?"""
    return sum(1 for version in versions if version.kind == CodeVersion.Kind.REPAIR) < settings.MAX_REPAIRS
