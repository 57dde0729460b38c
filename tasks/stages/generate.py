"""Have the files written: build, revise and repair are this one stage with other inputs.

In: the round, its attachments, for a revision the repository's HEAD, for a repair the feedback of evaluate. Out: a CodeVersion with its complete
file set. The raw answer is committed before it is parsed. A model that fails gives way to the next one of the chain; when the time for generation
is used up, the best version so far or the `offline` page takes its place and the round is marked as degraded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from tasks import prices, prompts, retry
from tasks.errors import AnswerUnusable, ModelKeyRefused, RateLimited, RemoteError, TaskError
from tasks.files import fileset
from tasks.generators import Answer, AttachedFile, Generator, Inputs, Prompt, get_generator
from tasks.generators.answers import MAX_ANSWER, Parsed, parse
from tasks.hosts import Head, Repo, get_host
from tasks.models import Attachment, CodeVersion, GeneratedFile, Message, Round
from tasks.required import check_texts, required_files
from tasks.stages import base, outside
from tasks.storable import storable
from tasks.workflows.wishes import asks_for_workflow

MAX_ASKS = 4  # answers without a usable file before the fallback takes over
CALL_SECONDS = 180.0  # the longest that one call may take
MIN_CALL_SECONDS = 10.0  # less time than this is not worth a call
OWN_FILES = {"LICENSE", ".nojekyll", ".github/README.md"}  # written by the service, so not shown to the model


@dataclass(frozen=True)
class Base:
    """What a revision starts from."""

    files: dict[str, bytes]
    head: Head | None = None
    version: CodeVersion | None = None


class Stage(base.Stage):
    name = "generate"

    def run(self, work: base.Work) -> base.Outcome:
        round_ = work.round
        attachments = fileset.all_attachments(round_)
        versions = list(round_.versions.filter(run=round_.reruns).order_by("number"))
        latest = versions[-1] if versions else None
        if outside.has_coder(round_.task_request):
            return outside.take_code(work, self.feedback(latest), lambda files: self.assemble(round_, Parsed(files=files), Base({}), attachments))
        if latest is None:
            reused = self.reuse(work, attachments)
            if reused:
                return base.Done(f"same inputs as before: {reused} is used again")
        if latest is not None and latest.status == CodeVersion.Status.ANSWERED:
            return self.take(work, latest, attachments)
        feedback = self.feedback(latest)
        if latest is not None and latest.status == CodeVersion.Status.READY and not feedback:
            return base.Done(f"v{latest.number} is ready")
        return self.write(work, versions, feedback, attachments)

    # -- what is there -----------------------------------------------------------------------------------------------------------------

    def reuse(self, work: base.Work, attachments: dict[str, Attachment]) -> CodeVersion | None:
        """The version made for the same inputs in another round of the task, if the repository holds nothing newer than it."""
        round_, task = work.round, work.round.task_request
        twin = (
            CodeVersion.objects.filter(task_request=task, inputs_hash=inputs_hash(round_, attachments)).exclude(round=round_).order_by("-id").first()
        )
        chosen = twin.round.version if twin and twin.round else None
        if twin is None or chosen is None or chosen.status != CodeVersion.Status.READY or chosen.kind == CodeVersion.Kind.FALLBACK:
            return None
        if task.repo_created and task.repo_host == settings.REPO_HOST:
            head = get_host(task.repo_host).head(repo_of(round_))
            known = {twin.base_tree, *chosen.deployments.values_list("tree_sha", flat=True)}
            if head and head.tree_sha not in known:
                return None
        work.save(version=chosen)
        return chosen

    def feedback(self, latest: CodeVersion | None) -> str:
        if latest is None:
            return ""
        message = latest.messages.filter(kind=Message.Kind.FEEDBACK, sender="evaluate").last()
        return message.body if message else ""

    def start(self, work: base.Work, latest: CodeVersion | None, feedback: str) -> Base:
        """A repair starts from the version it mends, a later round from the repository's HEAD (the student may have edited it)."""
        round_, task = work.round, work.round.task_request
        if latest is not None and feedback and latest.status == CodeVersion.Status.READY:
            return Base(latest.tree(), Head(latest.base_commit, latest.base_tree) if latest.base_commit else None, latest)
        if round_.number < 2 or not task.repo_created or task.repo_host != settings.REPO_HOST:
            return Base(last_tree(round_) if round_.number > 1 else {})
        repo, host = repo_of(round_), get_host(task.repo_host)
        head = host.head(repo)
        if head is None:
            return Base({})
        ours = CodeVersion.objects.filter(deployments__round__task_request=task, deployments__commit_sha=head.commit_sha).first()
        if ours:
            return Base(ours.tree(), head, ours)
        known = GeneratedFile.objects.filter(version__task_request=task).select_related("attachment")
        files = host.read(repo, head.commit_sha, {file.blob_sha: file.data for file in known})
        work.say("event", f"The repository was edited outside (HEAD {head.commit_sha[:10]}); the round starts from there.")
        return Base(files, head, None)

    # -- asking ------------------------------------------------------------------------------------------------------------------------

    def write(self, work: base.Work, versions: list[CodeVersion], feedback: str, attachments: dict[str, Attachment]) -> base.Outcome:
        latest = versions[-1] if versions else None
        ready = [version for version in versions if version.status == CodeVersion.Status.READY]
        unusable = [version for version in versions if version.status == CodeVersion.Status.UNUSABLE]
        refused = latest is not None and latest.status == CodeVersion.Status.REFUSED
        start = self.start(work, ready[-1] if ready else None, feedback)
        kind = CodeVersion.Kind.REPAIR if feedback and ready else CodeVersion.Kind.REVISE if start.files else CodeVersion.Kind.BUILD
        if unusable and not feedback:
            feedback = f"Your last answer could not be used: {unusable[-1].notes or 'it held no complete file'}. Give every file whole."
        inputs = self.inputs(work.round, kind, start, feedback, attachments)
        generator = get_generator(settings.GENERATOR)
        if refused or len(unusable) >= MAX_ASKS:
            why = "no version passed the checks that guard publishing" if refused else f"{len(unusable)} answers held no usable file"
            return self.fall_back(work, ready, inputs, start, attachments, why)
        failures: list[TaskError] = []
        models = generator.models()
        for position, model in enumerate(models[len(unusable) % len(models) :] if unusable else models):
            seconds = self.call_seconds(work, last=position == len(models) - 1)
            if seconds < MIN_CALL_SECONDS and generator.name != "offline":
                return self.fall_back(work, ready, inputs, start, attachments, "the time for generation was used up")
            prompt = prompts.render(inputs, generator.supports_images)
            try:
                answer = generator.ask(prompt, model, seconds)
            except RemoteError as error:
                failures.append(error)
                work.say("event", f"{model}: {error.message}", sender=generator.name, data={"error": error.id, "model": model})
                if isinstance(error, ModelKeyRefused):
                    break
                continue
            version = self.keep(work, kind, generator, prompt, answer, start, attachments)
            return self.take(work, version, attachments)
        return self.none_answered(work, ready, inputs, start, attachments, failures)

    def inputs(self, round_: Round, kind: str, start: Base, feedback: str, attachments: dict[str, Attachment]) -> Inputs:
        checks = check_texts(round_.checks)
        # The offline page links to every attachment, and what was only fetched is not in the repository.
        shown = attachments if settings.GENERATOR == "offline" else {**fileset.references(round_), **attachments}
        # The service's own files and attachments that are as they were posted need not be shown; one that was mended is a file like any other.
        hidden = {path for path, item in attachments.items() if start.files.get(path) == bytes(item.content or b"")} | OWN_FILES
        return Inputs(
            kind=str(kind),
            task=str(round_.task_request),
            round=round_.number,
            brief=round_.brief,
            checks=checks,
            attachments=tuple(
                AttachedFile(path, item.media_type, item.size or 0, item.profile, bytes(item.content or b"")) for path, item in shown.items()
            ),
            required=required_files(round_.brief, checks),
            files={path: data for path, data in start.files.items() if path not in hidden},
            feedback=feedback,
        )

    def call_seconds(self, work: base.Work, *, last: bool) -> float:
        """The time of one call: all that is left for the last model, otherwise a good half, so that another one can still be asked."""
        left = work.deadline.budget(self.name, timezone.now())
        return min(CALL_SECONDS, left if last else left * 0.6)

    def none_answered(
        self, work: base.Work, ready: list[CodeVersion], inputs: Inputs, start: Base, attachments: dict[str, Attachment], failures: list[TaskError]
    ) -> base.Outcome:
        """Wait while waiting can help and there is time, else fall back."""
        now = timezone.now()
        waits = [error for error in failures if error.retry]
        pause = timedelta(seconds=retry.delay(work.round.attempt, 0.0) or 60.0)  # the pipeline does not come back sooner
        until = max(now + pause, min((error.retry_at for error in waits if error.retry_at), default=now))
        late = (until - now).total_seconds() + MIN_CALL_SECONDS > work.deadline.budget(self.name, now)
        if waits and not late:
            error = RateLimited("Every model asks to slow down or is not available; the round goes on when the first one is.", retry_at=until)
            error.detail = "\n".join(f"{failure.id}: {failure.message}" for failure in failures)
            raise error
        reason = failures[-1].message if failures else "no model is configured"
        return self.fall_back(work, ready, inputs, start, attachments, reason)

    # -- keeping the answer ------------------------------------------------------------------------------------------------------------

    def keep(
        self, work: base.Work, kind: str, generator: Generator, prompt: Prompt, answer: Answer, start: Base, attachments: dict[str, Attachment]
    ) -> CodeVersion:
        """Commit the raw answer, before anything can go wrong with it."""
        round_ = work.round
        with work.commit():
            number = (CodeVersion.objects.filter(task_request_id=round_.task_request_id).aggregate(Max("number"))["number__max"] or 0) + 1
            return CodeVersion.objects.create(
                task_request_id=round_.task_request_id,
                round_id=round_.pk,
                number=number,
                run=round_.reruns,
                kind=kind,
                generator=generator.name,
                model=storable(answer.model)[:100],
                inputs_hash=inputs_hash(round_, attachments) if kind in {"build", "revise"} else "",
                based_on=start.version,
                base_commit=start.head.commit_sha if start.head else "",
                base_tree=start.head.tree_sha if start.head else "",
                prompt=storable(f"{prompt.system}\n\n{prompt.user}"),
                raw_answer=storable(answer.text)[: MAX_ANSWER + 1],
                finish=storable(answer.finish)[:20],
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
                seconds=answer.seconds,
                cost=prices.cost(answer.model, answer.tokens_in, answer.tokens_out),
            )

    def take(self, work: base.Work, version: CodeVersion, attachments: dict[str, Attachment]) -> base.Outcome:
        """Parse a kept answer and store its files; an answer without any is marked and asked for again."""
        round_ = work.round
        start = self.start_of(work, version)
        try:
            if version.finish not in {"stop", "length", ""} and not version.raw_answer:
                raise AnswerUnusable(f"The model gave no text (it stopped with {version.finish!r}).")
            parsed = parse(
                version.raw_answer,
                base=start.files,
                attachments=(*attachments, *fileset.references(round_)),
                allow_workflows=self.allows_workflows(round_),
            )
            if version.finish == "length" or parsed.truncated:
                raise AnswerUnusable("The answer was cut off at its length limit; write fewer and shorter files.")
            if parsed.failed_edits and not round_.versions.filter(run=round_.reruns, status=CodeVersion.Status.UNUSABLE).exists():
                names = ", ".join(name for name, _ in parsed.failed_edits)
                raise AnswerUnusable(f"The edits of {names} do not match the present text; give each of these files whole.")
            tree = self.assemble(round_, parsed, Base({}) if version.kind == CodeVersion.Kind.BUILD else start, attachments)
        except TaskError as error:
            with work.commit():
                CodeVersion.objects.filter(pk=version.pk).update(status=CodeVersion.Status.UNUSABLE, notes=storable(error.message))
            work.say("event", f"v{version.number}: {error.message}", sender=version.generator, version=version)
            return base.Back(self.name, f"v{version.number} could not be used: {error.message}")
        notes = [*tree.notes, *parsed.notes, *(f"{name}: {why}" for name, why in (*parsed.dropped, *parsed.failed_edits))]
        with work.commit():
            fileset.store(version, tree)
            CodeVersion.objects.filter(pk=version.pk).update(status=CodeVersion.Status.READY, notes=storable("\n".join(notes)))
            Round.objects.filter(pk=round_.pk).update(version=version)
        round_.version = version
        return base.Done(f"v{version.number} by {version.model or version.generator}, {len(tree.files)} files")

    def allows_workflows(self, round_: Round) -> bool:
        """A workflow file is let in where this round, or an earlier one of the task, asks for it."""
        rounds = Round.objects.filter(task_request_id=round_.task_request_id, number__lte=round_.number)
        return any(asks_for_workflow(brief, check_texts(checks)) for brief, checks in rounds.values_list("brief", "checks"))

    def assemble(self, round_: Round, parsed: Parsed, start: Base, attachments: dict[str, Attachment]) -> fileset.FileSet:
        return fileset.assemble(
            task=str(round_.task_request),
            brief=round_.brief,
            checks=round_.checks,
            model_files=parsed.files,
            copies=parsed.copies,
            deleted=parsed.deleted,
            base=start.files,
            attachments=attachments,
            references=fileset.references(round_),
            pages_url=round_.task_request.pages_url,
            repo_url=round_.task_request.repo_url,
        )

    def start_of(self, work: base.Work, version: CodeVersion) -> Base:
        """The files that the version was written on, found again after a restart."""
        if version.based_on:
            return Base(version.based_on.tree())
        if version.base_commit:
            known = GeneratedFile.objects.filter(version__task_request_id=work.round.task_request_id).select_related("attachment")
            host = get_host(work.round.task_request.repo_host)
            return Base(host.read(repo_of(work.round), version.base_commit, {file.blob_sha: file.data for file in known}))
        return Base(last_tree(work.round) if version.kind == CodeVersion.Kind.REVISE else {})

    # -- falling back ------------------------------------------------------------------------------------------------------------------

    def fall_back(
        self, work: base.Work, ready: list[CodeVersion], inputs: Inputs, start: Base, attachments: dict[str, Attachment], why: str
    ) -> base.Outcome:
        """The best version so far, else the offline page. What is delivered says that it is less than what was asked."""
        if ready:
            best = max(ready, key=lambda version: (version.score or 0.0, -version.number))
            work.save(version=best)
            work.degrade("repair-stopped", f"The last repair was not made: {why}")
            return base.Done(f"v{best.number} stays: {why}")
        work.degrade("fallback-page", f"The page was written without a model: {why}")
        offline = get_generator("offline")
        posted = tuple(file for file in inputs.attachments if file.path in attachments)
        prompt = prompts.render(replace(inputs, kind="revise" if start.files else "build", feedback="", attachments=posted), False)
        answer = offline.ask(prompt, offline.models()[0], MIN_CALL_SECONDS)
        version = self.keep(work, CodeVersion.Kind.FALLBACK, offline, prompt, answer, start, attachments)
        return self.take(work, version, attachments)


def repo_of(round_: Round) -> Repo:
    task = round_.task_request
    return Repo(owner=task.repo_owner, name=task.repo_name, url=task.repo_url, pages_url=task.pages_url)


def last_tree(round_: Round) -> dict[str, bytes]:
    """The files of the task's last deployment, wherever it was made."""
    version = CodeVersion.objects.filter(deployments__round__task_request_id=round_.task_request_id).order_by("-deployments__id").first()
    return version.tree() if version else {}


def inputs_hash(round_: Round, attachments: dict[str, Attachment]) -> str:
    """SHA-256 of everything that was asked, and of whom."""
    asked = [
        round_.number,
        round_.reruns,
        round_.brief,
        round_.checks,
        sorted((path, attachment.sha256) for path, attachment in attachments.items()),
        settings.GENERATOR,
    ]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
