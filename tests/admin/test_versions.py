"""A task's versions in a table, and two of them side by side."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tasks.models import CheckResult, Round
from tests.admin.conftest import make_screenshot
from tests.factories import make_round, make_version


@pytest.fixture
def round_(db):
    return make_round(status="succeeded")


def judge(version, **statuses: str) -> None:
    for title, status in statuses.items():
        CheckResult.objects.create(round=version.round, version=version, kind="page", source="task", title=title, status=status, reason=f"{title}!")


def url(task) -> str:
    return reverse("admin:tasks_taskrequest_versions", args=[task.pk])


def side_by_side(client, task, **query):
    response = client.get(url(task), query)
    assert response.status_code == 200
    return response


def cells(response, number: int) -> str:
    page = response.content.decode()
    row = next(part for part in page.split("<tr") if f"<strong>v{number}</strong>" in part)
    return " ".join(row.split("</tr>")[0].split())


def test_a_row_says_what_a_version_is_worth_and_what_it_cost(boss, round_):
    first = make_version(round_)
    judge(first, a="fail", b="pass", c="fail")
    second = make_version(
        round_,
        kind="repair",
        based_on=first,
        model="gemini-2.5-pro",
        score=0.75,
        tokens_in=3_120,
        tokens_out=1_893,
        seconds=21.4,
        cost="0.02283",
    )
    judge(second, a="pass", b="fail", c="fail", d="undecided")

    row = cells(side_by_side(boss, round_.task_request), 2)

    for part in ("repair", "gemini-2.5-pro", "75 %", "width: 75%", "1 of 4 pass", "1 fixed", "1 broken", "3,120 / 1,893", "21 s", "$0.0228"):
        assert part in row, part
    assert reverse("admin:tasks_codeversion_change", args=[second.pk]) in row
    assert reverse("admin:tasks_round_change", args=[round_.pk]) in row


def test_the_last_row_adds_up(boss, round_):
    for cost in ("0.25", "0.5", None):
        make_version(round_, tokens_in=1_000, tokens_out=10, seconds=2, cost=cost)

    assert side_by_side(boss, round_.task_request).context["totals"] == {
        "tokens_in": "3,000",
        "tokens_out": "30",
        "took": "6.0 s",
        "cost": "$0.7500",
    }


def test_two_versions_show_who_fixed_what_their_pictures_and_the_difference_of_their_files(boss, round_):
    left = make_version(round_, {"index.html": b"<p>one</p>\n"})
    right = make_version(round_, {"index.html": b"<p>two</p>\n"})
    judge(left, title="pass", table="fail", same="pass")
    judge(right, title="fail", table="pass", same="pass")
    shots = [make_screenshot(round_, name, version=version) for version in (left, right) for name in ("desktop", "phone")]

    response = side_by_side(boss, round_.task_request, a=left.pk, b=right.pk)
    page = response.content.decode()

    assert [(pair.title, pair.change) for pair in response.context["pairs"]] == [("title", "broken"), ("table", "fixed")]
    assert [pair.title for pair in response.context["same"]] == ["same"]
    for shot in shots:
        assert reverse("admin:tasks_screenshot_image", args=[shot.pk]) in page
    assert page.index("-&lt;p&gt;one&lt;/p&gt;") < page.index("+&lt;p&gt;two&lt;/p&gt;")


def test_the_sides_can_be_changed_about(boss, round_):
    old, new = make_version(round_, {"a.txt": b"1\n"}), make_version(round_, {"a.txt": b"2\n"})
    judge(old, t="fail")
    judge(new, t="pass")

    context = side_by_side(boss, round_.task_request, a=new.pk, b=old.pk).context

    assert [pair.change for pair in context["pairs"]] == ["broken"]
    assert [line.text for line in context["files"][0].diff][1:] == ["-2", "+1"]


def test_without_a_choice_the_newest_is_compared_with_what_it_was_made_from(boss, round_):
    base = make_version(round_)
    make_version(round_)
    newest = make_version(round_, based_on=base)

    context = side_by_side(boss, round_.task_request).context

    assert (context["a"], context["b"]) == (base, newest)


def test_a_rounds_own_versions_can_be_seen_alone(boss, round_):
    first = make_version(round_)
    later = make_round(round_.task_request, number=2)
    second, third = make_version(later), make_version(later)
    Round.objects.filter(pk=later.pk).update(version=second)

    response = side_by_side(boss, round_.task_request, round=later.pk)

    assert [line["row"] for line in response.context["lines"]] == [third, second]
    assert (response.context["a"], response.context["b"]) == (first, second)


def test_a_version_of_another_task_is_not_shown(boss, round_):
    make_version(round_)
    own = make_version(round_)
    other = make_version(make_round(), {"secret-of-others.txt": b"x"})

    response = side_by_side(boss, round_.task_request, a=other.pk, b=other.pk, round=other.round.pk)

    assert "secret-of-others" not in response.content.decode()
    assert response.context["b"] == own


@pytest.mark.parametrize(("count", "said"), [(0, "No code yet"), (1, "There is only one version")])
def test_few_versions_say_what_is_missing(boss, round_, count, said):
    for _ in range(count):
        make_version(round_)

    assert said in side_by_side(boss, round_.task_request).content.decode()


def test_the_same_version_twice_asks_for_another(boss, round_):
    make_version(round_)
    version = make_version(round_)

    assert "Choose two different versions" in side_by_side(boss, round_.task_request, a=version.pk, b=version.pk).content.decode()


def test_more_versions_checks_and_pictures_ask_no_more_of_the_database(boss, round_):
    def grow() -> None:
        version = make_version(round_)
        judge(version, a="pass", b="fail")
        make_screenshot(round_, version=version)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            side_by_side(boss, round_.task_request)
        return len(captured)

    grow()
    grow()
    few = queries()
    for _ in range(15):
        grow()

    assert queries() <= few


def test_the_table_reads_no_prompt_and_no_image(boss, round_):
    for _ in range(2):
        make_screenshot(round_, version=make_version(round_, prompt="p", raw_answer="r"))

    with CaptureQueriesContext(connection) as captured:
        side_by_side(boss, round_.task_request)

    assert not any('"tasks_screenshot"."content"' in query["sql"] for query in captured)
    assert [query["sql"] for query in captured if '"raw_answer"' in query["sql"]] == []


def test_the_page_is_reached_from_the_round_and_from_the_task(boss, story):
    target = url(story.round.task_request)

    assert f'href="{target}?round={story.round.pk}"' in boss.get(reverse("admin:tasks_round_change", args=[story.round.pk])).content.decode()
    assert f'action="{target}' in boss.get(reverse("admin:tasks_taskrequest_change", args=[story.round.task_request_id])).content.decode()


def test_an_unknown_task_is_not_found(boss):
    assert boss.get(reverse("admin:tasks_taskrequest_versions", args=[999_999])).status_code == 404


def test_the_page_is_only_read(boss, round_):
    assert boss.post(url(round_.task_request)).status_code == 405
