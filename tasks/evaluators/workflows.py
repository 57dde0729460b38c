"""Workflow files keep the policy, and one that is to publish can.

The policy guards publishing: a workflow runs with the student's rights as soon as it is committed. Nothing is said where there is no workflow and
none is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.evaluators import base
from tasks.required import check_texts, required_files
from tasks.workflows import policy as workflows
from tasks.workflows.wishes import asks_for_workflow, asks_to_publish, published_files


class Evaluator(base.Evaluator):
    name = "workflows"

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        found = workflows.of(subject.files)
        for path, text in found.items():
            if path in subject.kept:
                continue  # the student's own, and running already: not ours to judge
            yield _judged(f"{path} keeps the policy for workflows", path, workflows.problems(text), guards=True)
        checks = check_texts(subject.checks)
        if not found and asks_for_workflow(subject.brief, checks):
            reason = f"A GitHub Actions workflow is asked for, and there is no file below {workflows.FOLDER}."
            yield base.Finding("A workflow file exists", "fail", reason)
        if not asks_to_publish(subject.brief):
            return
        if found and not workflows.deploys_pages(subject.files):
            reason = "No step uses actions/deploy-pages, so the run publishes nothing; upload the files with actions/upload-pages-artifact first."
            yield base.Finding("The workflow publishes by GitHub Pages", "fail", reason)
        for path, text in found.items():
            if workflows.deploys_pages({path: subject.files[path]}):
                yield _judged(f"{path} can publish by GitHub Pages", path, workflows.shortcomings(text))
        wanted = required_files(subject.brief, checks)
        for name in published_files(subject.brief):
            if name in subject.files and name not in wanted and name not in subject.attachments:
                yield base.Finding(f"{name} is made by the run and not committed", "fail", f"{name} is among the files; delete it.")


def _judged(title: str, path: str, reasons: list[str], *, guards: bool = False) -> base.Finding:
    if not reasons:
        return base.Finding(title, "pass", guards=guards)
    more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
    return base.Finding(title, "fail", f"{path}: {'; '.join(reasons[:3])}{more}."[:900], guards=guards, evidence={"problems": reasons})
