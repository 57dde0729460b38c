"""One repository per task, one commit per round, Pages on: for the branch, or for what the commit's own workflow publishes if the brief wants that.

In: the round's chosen version. Out: a Deployment. Each effect is stored before the next one is tried (name, repository, commit, Pages), and each
call of the host looks first at what is there, so that a crash between an effect and its row does nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from tasks.errors import GitHubRefused, RepositoryConflict, VersionRefused
from tasks.files import readme
from tasks.hosts import Commit, Head, Host, NewFile, Repo, get_host
from tasks.hosts.base import clean_description, repo_slug
from tasks.models import CodeVersion, Deployment, GeneratedFile, Round, TaskRequest
from tasks.redaction import redact
from tasks.stages import base
from tasks.workflows.policy import FOLDER, deploys_pages
from tasks.workflows.wishes import asks_to_publish


class Stage(base.Stage):
    name = "publish"

    def run(self, work: base.Work) -> base.Outcome:
        round_, task = work.round, work.round.task_request
        version = round_.version
        if version is None:
            return base.Back("generate", "there is no version to publish")
        host = get_host(settings.REPO_HOST)
        host.fence = work.lease.renew
        by_run = published_by_run(round_, version)
        pages_url = ""
        deployment = round_.deployments.filter(version=version, host=host.name).first()
        before = deployment.requests if deployment else 0  # in a former run of the stage
        if deployment is None:
            repo = self.repository(work, host)
            if by_run and host.supports_workflows:  # before the commit, or the run that it starts is refused
                pages_url = self.pages(task, repo, host, by_run=True)
            try:
                commit = self.commit(task, repo, version, host)
            except RepositoryConflict:
                if not version.base_commit:
                    raise
                # Somebody else pushed since the version was written: write it anew on what is there now.
                work.save(reruns=round_.reruns + 1, version=None)
                return base.Back("generate", "the repository changed meanwhile")
            deployment = self.store(work, repo, commit, version, host)
        if not deployment.pages_enabled:
            pages_url = pages_url or self.pages(task, self.known_repo(task), host, by_run=by_run and host.supports_workflows)
            if by_run and not host.supports_workflows:
                work.say("event", f"The {host.name} host runs no workflow: it serves the committed files, and what a run would publish is not there.")
            with work.commit():
                Deployment.objects.filter(pk=deployment.pk).update(pages_enabled=True, pages_url=pages_url, requests=before + host.requests)
                TaskRequest.objects.filter(pk=task.pk).update(pages_url=pages_url)
        word = "commit" if deployment.created else "unchanged commit"
        served = ("; published by its workflow" if host.supports_workflows else "; workflows are not run here") if by_run else ""
        return base.Done(f"{word} {deployment.commit_sha[:10]} in {deployment.repo_url}{served}")

    # -- the repository ----------------------------------------------------------------------------------------------------------------

    def repository(self, work: base.Work, host: Host) -> Repo:
        """The task's repository on this host, created or adopted; its name is stored before it is made."""
        task = work.round.task_request
        if task.repo_host == host.name and task.repo_created and self.deployed(task, host):
            return self.known_repo(task)
        for name in self.names(task, host):
            if not self.reserve(work, name, host):
                continue
            known = task.repo_created
            repo = host.ensure_repo(name, description=describe(task, work.round.version), marker=task.marker, known=known)
            if repo is None:
                self.update(work, repo_name="", repo_created=False)
                continue
            self.update(work, repo_created=True, repo_owner=repo.owner, repo_name=repo.name, repo_url=repo.url, pages_url=repo.pages_url)
            return repo
        raise GitHubRefused("Every name tried for the repository belongs to something else; rename or delete those repositories and re-run.")

    def names(self, task: TaskRequest, host: Host) -> Iterator[str]:
        """The name stored before, else the task's own, else the same with a mark of ours."""
        if task.repo_host == host.name and task.repo_name:
            yield task.repo_name
        slug = repo_slug(str(task))
        yield from (slug, f"{slug}-{task.marker[:5]}", f"{slug}-{task.marker}")

    def reserve(self, work: base.Work, name: str, host: Host) -> bool:
        """Store the name; False when another task of this installation has it."""
        task = work.round.task_request
        if (task.repo_host, task.repo_name) == (host.name, name):
            return True
        try:
            with transaction.atomic():
                self.update(work, repo_host=host.name, repo_name=name, repo_created=False, repo_owner="", repo_url="", pages_url="")
        except IntegrityError:
            return False
        return True

    def update(self, work: base.Work, **fields: object) -> None:
        with work.commit():
            TaskRequest.objects.filter(pk=work.round.task_request_id).update(**fields)
        for name, value in fields.items():
            setattr(work.round.task_request, name, value)

    def deployed(self, task: TaskRequest, host: Host) -> bool:
        return Deployment.objects.filter(round__task_request=task, host=host.name, repo_url=task.repo_url).exists()

    def known_repo(self, task: TaskRequest) -> Repo:
        return Repo(owner=task.repo_owner, name=task.repo_name, url=task.repo_url, pages_url=task.pages_url)

    def pages(self, task: TaskRequest, repo: Repo, host: Host, *, by_run: bool) -> str:
        """Pages on in the way that is needed; nothing is asked of the host when the last deployment left them so."""
        done = Deployment.objects.filter(round__task_request=task, host=host.name, repo_url=repo.url, pages_enabled=True)
        last = done.select_related("round", "version").first()
        if last is not None and (host.supports_workflows and published_by_run(last.round, last.version)) == by_run:
            return last.pages_url
        return host.enable_pages(repo, workflow=by_run)

    # -- the commit --------------------------------------------------------------------------------------------------------------------

    def commit(self, task: TaskRequest, repo: Repo, version: CodeVersion, host: Host) -> Commit:
        files = list(version.files.select_related("attachment"))
        if not files:
            raise VersionRefused("The version has no files; re-run the round from generate.")
        parent: Head | None = None
        if not repo.fresh:
            on_base = version.base_commit and version.round_id and not version.deployments.exists()
            parent = Head(version.base_commit, version.base_tree) if on_base else host.head(repo)
        return host.commit(
            repo,
            [new_file(file) for file in files],
            message=commit_message(task, version),
            when=version.created_at,
            parent=parent,
            known_blobs=self.known_blobs(task, host, version),
        )

    def known_blobs(self, task: TaskRequest, host: Host, version: CodeVersion) -> frozenset[str]:
        """Blobs that the repository surely has: those of every version deployed there, and those read from its HEAD."""
        if not self.deployed(task, host):
            return frozenset()
        shas = GeneratedFile.objects.filter(version__deployments__host=host.name, version__deployments__repo_url=task.repo_url)
        base_shas = version.files.filter(origin=GeneratedFile.Origin.BASE) if version.base_commit else GeneratedFile.objects.none()
        return frozenset(shas.values_list("blob_sha", flat=True)) | frozenset(base_shas.values_list("blob_sha", flat=True))

    def store(self, work: base.Work, repo: Repo, commit: Commit, version: CodeVersion, host: Host) -> Deployment:
        changed, removed = self.differences(work, commit, version, host)
        with work.commit():
            return Deployment.objects.create(
                round_id=work.round.pk,
                version=version,
                host=host.name,
                repo_url=repo.url,
                pages_url=repo.pages_url,
                commit_sha=commit.sha,
                tree_sha=commit.tree_sha,
                changed=changed,
                removed=removed,
                created=commit.created,
                requests=host.requests,
            )

    def differences(self, work: base.Work, commit: Commit, version: CodeVersion, host: Host) -> tuple[list[str], list[str]]:
        """(changed, removed) paths: against the version deployed before where that is what the repository held, else as the host says."""
        now = dict(version.files.values_list("path", "blob_sha"))
        if not commit.created:  # an unchanged tree may still be on its way to the page, so all of it is watched
            return sorted(now), []
        before = Deployment.objects.filter(round__task_request=work.round.task_request_id, host=host.name, commit_sha=version.base_commit).first()
        if not version.base_commit or before is None:
            return list(commit.changed), list(commit.removed)
        then = dict(before.version.files.values_list("path", "blob_sha"))
        return sorted(path for path in now if then.get(path) != now[path]), sorted(set(then) - set(now))


def describe(task: TaskRequest, version: CodeVersion | None) -> str:
    """The repository's description, which anybody can read: the page's title, never the brief."""
    index = version.tree().get("index.html", b"") if version else b""
    page = readme.About(task=str(task), brief="", files={}, page=index.decode("utf-8", errors="replace"))
    return clean_description(redact(readme.title(page)), task.marker)


def commit_message(task: TaskRequest, version: CodeVersion) -> str:
    """The task's name and the model's are other people's words: each stays on its line, so that it cannot add a trailer."""
    words = {"version": version, "task": one_line(str(task)), "model": one_line(version.model)}
    return redact(render_to_string("site_files/commit.txt", words)).strip() + "\n"


def one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def published_by_run(round_: Round, version: CodeVersion) -> bool:
    """Is the page what a workflow run publishes? A brief of the task, this one or an earlier one, has to ask for it, and the version to do it."""
    flows = {file.path: file.data for file in version.files.filter(path__startswith=FOLDER).select_related("attachment")}
    return deploys_pages(flows) and any(asks_to_publish(brief) for brief in briefs(round_))


def briefs(round_: Round) -> list[str]:
    """The task's briefs up to this round, the newest first."""
    rounds = Round.objects.filter(task_request_id=round_.task_request_id, number__lte=round_.number).exclude(pk=round_.pk)
    return [round_.brief, *rounds.order_by("-number", "-pk").values_list("brief", flat=True)]


def new_file(file: GeneratedFile) -> NewFile:
    return NewFile(path=file.path, blob_sha=file.blob_sha, size=file.size, read=lambda: file.data)
