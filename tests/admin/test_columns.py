from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tasks.admin import columns
from tests.factories import make_round


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.0004, "< 1 ms"),
        (0.042, "42 ms"),
        (0.0996, "0.1 s"),
        (0.82, "0.8 s"),
        (42.4, "42 s"),
        (59.9, "1 min 0 s"),
        (432, "7 min 12 s"),
        (11_040, "3 h 4 min"),
        (183_600, "2 d 3 h"),
        (-61, "-1 min 1 s"),
    ],
)
def test_a_length_of_time_carries_its_unit(seconds, text):
    assert columns.units(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(None, "–"), (18, "18 B"), (2_100, "2.1 kB"), (5_000_000, "5.0 MB")])
def test_a_size_carries_its_unit(count, text):
    assert columns.size(count) == text


@pytest.mark.parametrize(
    ("cost", "text"),
    [(None, "–"), ("0", "$0.00"), ("0.000042", "< $0.0001"), ("0.0125", "$0.0125"), ("1", "$1.00"), ("1234.567", "$1,234.57")],
)
def test_a_cost_is_in_dollars(cost, text):
    assert columns.dollars(None if cost is None else Decimal(cost)) == text


@pytest.mark.parametrize(("number", "text"), [(None, "–"), (950, "950"), (12_400, "12,400"), (1_230_000, "1.2 M")])
def test_a_number_fits_its_tile(number, text):
    assert columns.count(number) == text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", " https://x", "//x", "ftp://x", "/x"])
def test_only_web_addresses_become_links(url):
    assert "<a" not in columns.out(url)


def test_a_link_out_tells_the_other_site_nothing():
    link = columns.out("https://example.org/?a=1&b=2")

    assert 'rel="noopener noreferrer"' in link
    assert "a=1&amp;b=2" in link


@pytest.mark.django_db
def test_the_clock_of_an_open_round_counts_down_and_then_up():
    round_ = make_round()

    assert columns.clock(round_, round_.received_at + timedelta(seconds=60))["text"] == "9 min 0 s left"
    assert columns.clock(round_, round_.received_at + timedelta(seconds=660))["text"] == "1 min 0 s late"


@pytest.mark.django_db
def test_the_clock_of_a_told_round_stands_still_and_is_red_when_it_was_late():
    received = timezone.now()
    round_ = make_round(received_at=received, status="succeeded", notified_at=received + timedelta(seconds=700))

    clock = columns.clock(round_, received + timedelta(days=1))

    assert (clock["text"], clock["tone"]) == ("told after 11 min 40 s", "red")


@pytest.mark.django_db
def test_trouble_names_the_error_before_anything_else():
    round_ = make_round(error_id="github-token", error="refused", degraded_id="deadline", degraded="slow")

    assert "github-token: refused" in columns.trouble(round_)


@pytest.mark.django_db
def test_every_stage_is_a_segment_and_the_present_one_has_the_colour_of_the_status():
    states = [segment["state"] for segment in columns.segments(make_round(stage="evaluate", status="failed"))]

    assert states == ["done", "done", "now d-red", "ahead", "ahead", "ahead"]


def test_only_github_has_a_page_for_a_commit():
    assert columns.commit_url("https://github.com/a/b/", "c1") == "https://github.com/a/b/commit/c1"
    assert columns.commit_url("http://127.0.0.1/repos/b.git", "c1") == ""
