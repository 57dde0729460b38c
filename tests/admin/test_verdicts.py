"""Check results by what they looked at and who asked."""

import pytest

from tasks.admin import verdicts
from tasks.models import CheckResult, Deployment
from tests.factories import make_round, make_version

pytestmark = pytest.mark.django_db


def result(version, status="pass", source="task", deployment=None, **fields) -> CheckResult:
    defaults = {"kind": "page", "title": f"{source} {status}"}
    return CheckResult.objects.create(
        round=version.round, version=version, deployment=deployment, status=status, source=source, **{**defaults, **fields}
    )


def deploy(version) -> Deployment:
    return Deployment.objects.create(
        round=version.round, version=version, host="local", repo_url="", pages_url="", commit_sha="ab" * 20, tree_sha="1" * 40
    )


def panels(chosen=None) -> list[verdicts.Panel]:
    return verdicts.panels(list(CheckResult.objects.select_related("version", "deployment", "round").order_by("id")), chosen)


@pytest.mark.parametrize(
    ("statuses", "text", "tone"),
    [
        (["pass"] * 7 + ["fail", "undecided"], "7 of 9 pass · 1 fail · 1 undecided", "red"),
        (["pass", "undecided"], "1 of 2 pass · 1 undecided", "orange"),
        (["pass", "skipped"], "1 of 2 pass · 1 skipped", "green"),
        (["skipped"], "0 of 1 pass · 1 skipped", "grey"),
        (["pass", "error"], "1 of 2 pass · 1 error", "red"),
        ([], "none", "grey"),
    ],
)
def test_a_summary_counts_every_status(statuses, text, tone):
    assert (verdicts.summary(statuses).text, verdicts.summary(statuses).tone) == (text, tone)


def test_the_parts_of_the_bar_make_up_the_whole():
    bar = verdicts.summary(["pass", "pass", "fail", "skipped"]).bar

    assert [(tone, share) for tone, share, _ in bar] == [("green", "50.00"), ("red", "25.00"), ("grey", "25.00")]


def test_the_live_page_comes_first_then_the_chosen_version_and_the_rest_is_folded():
    round_ = make_round()
    first, second, third = (make_version(round_) for _ in range(3))
    for version in (first, second, third):
        result(version)
    result(second, deployment=deploy(second))

    shown = panels(second.pk)

    assert [panel.title for panel in shown] == [
        f"On the live page, commit {'ab' * 5}",
        "Before publishing, version 2",
        "Before publishing, version 3",
        "Before publishing, version 1",
    ]
    assert [panel.folded for panel in shown] == [False, False, True, True]
    assert shown[1].note == "chosen"


def test_the_tasks_own_checks_come_before_the_common_ones_and_regressions_stand_apart():
    version = make_version(make_round())
    for source in ("regression", "common", "task", "common"):
        result(version, source=source)

    (panel,) = panels()

    assert [(source.name, len(source.verdicts)) for source in panel.sources] == [("task", 1), ("common", 2), ("regression", 1)]


def test_what_went_wrong_comes_first_with_its_evidence_open():
    version = make_version(make_round())
    for status in ("skipped", "pass", "undecided", "error", "fail"):
        result(version, status, evidence={"value": "x"})

    shown = panels()[0].sources[0].verdicts

    assert [(item.row.status, item.unfold) for item in shown] == [
        ("fail", True),
        ("error", True),
        ("undecided", True),
        ("pass", False),
        ("skipped", False),
    ]


def test_the_same_failure_is_unfolded_once():
    version = make_version(make_round())
    result(version, "fail", evidence={"value": "x"}, reason="no")
    result(version, "fail", evidence={"value": "x"}, reason="no", deployment=deploy(version))

    assert [panel.sources[0].verdicts[0].unfold for panel in panels()] == [True, False]


def test_an_expression_that_is_the_title_is_not_said_twice():
    version = make_version(make_round())

    assert verdicts.verdict(result(version, title="a === b", expression="a === b ")).expression == ""
    assert verdicts.verdict(result(version, title="A is B", expression="a === b")).expression == "a === b"


def test_results_of_two_rounds_on_one_version_stay_apart():
    version = make_version(make_round())
    result(version)
    later = make_round(version.task_request, number=2)
    CheckResult.objects.create(round=later, version=version, kind="page", title="t", status="fail")

    assert [(panel.note, panel.summary.text) for panel in panels()] == [("round 2", "0 of 1 pass · 1 fail"), ("round 1", "1 of 1 pass")]


def test_what_counts_now_is_the_live_page_else_the_chosen_version():
    version = make_version(make_round())
    deployment = deploy(version)
    before = ("pass", version.pk, None)
    live = ("fail", version.pk, deployment.pk)

    assert verdicts.newest([before, ("fail", version.pk + 1, None)], [], version.pk).text == "1 of 1 pass"
    assert verdicts.newest([before, live], [deployment], version.pk).text == "0 of 1 pass · 1 fail"
    assert verdicts.newest([before], [deployment], version.pk).text == "1 of 1 pass"
    assert verdicts.newest([], [], None) is None
