"""The admin for everybody: axe on its main pages in both themes, no page wider than a phone, and all of it by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from deployer.unfold import UNFOLD
from tasks.doctor import Finding, examination
from tasks.models import AgentKey, ContainerRun, GradeOverride, RepoReport, Round, StageRun, Submission, Worker
from tests.admin.conftest import Story, tell
from tests.factories import make_round, make_submission, make_task
from tests.security.chromium import chromium

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
ALL = os.environ.get("ADMIN") == "all"  # every page in each look; else each page in one of them
LOOKS = {"light, 1280 wide": ("light", 1280), "dark, 390 wide": ("dark", 390)}  # colours differ by theme, the layout by width: each once
# What can have the focus in our part of the page, marked; and whether the element that has it shows so.
WANTED = """() => {
  const all = [...document.querySelectorAll(".d-page :is(a[href], button, summary, select, input:not([type=hidden]), [tabindex='0'])")];
  const seen = all.filter((node) => node.checkVisibility() && !node.disabled);
  seen.forEach((node) => node.setAttribute("data-wanted", ""));
  return seen.length;
}"""
SHOWN = """() => {
  const node = document.activeElement;
  if (!node.hasAttribute("data-wanted")) return `lost in ${node.outerHTML.slice(0, 100)}`;
  node.setAttribute("data-reached", "");
  const style = getComputedStyle(node);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return outlined || style.boxShadow !== "none" ? "" : `no sign of focus on ${node.outerHTML.slice(0, 100)}`;
}"""


@dataclass(frozen=True)
class Site:
    """A live server with something of everything in it, and a superuser's session."""

    url: str
    session: str
    story: Story
    open_round: Round
    open_run: ContainerRun


@pytest.fixture
def site(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Site:
    settings.UNFOLD = UNFOLD
    now = timezone.now()
    story = tell(graded=True)
    open_round = make_round(status="waiting", stage="verify", waiting_for="the page to be live", next_run_at=now + timedelta(seconds=9))
    StageRun.objects.create(round=open_round, stage="verify", outcome="waiting", summary="it answers 404", detail="asked at 10:00")
    long = make_task(task=f"a-task-whose-name-has-no-end-{'x' * 90}", email=f"{'somebody.with.a.long.name' * 3}@students.example.org")
    make_round(long, received_at=now - timedelta(minutes=11), degraded_id="deadline", degraded="The model was late.")
    make_round(status="failed", error_id="github-token", error="GitHub refuses the token.", finished_at=now)
    run = ContainerRun.objects.create(
        task_request=make_task(name="Digits"), runner="sandbox", command=["python3", "main.py"], limits={"wall_seconds": 30}, status="running",
        started_at=now, stdout="epoch 1\n" * 30, stderr="careful\n",
    )  # fmt: skip
    AgentKey.objects.create_key(name="eve", role="coder")
    for state in Submission.Probe.values:
        make_submission(probe=state, probe_detail=f"what was said: {state}", email=f"{'somebody.with.a.long.name' * 2}{state}@students.example.org")
    Worker.objects.create(name="box", host="box", pid=1)
    findings = [Finding(state, state, "how it is", "what to do", "This service") for state in ("ok", "warning", "error", "off")]
    found = examination.Examination(
        finished_at=now, answers={question: [] for question in examination.QUESTIONS} | {examination.QUESTIONS[0]: findings}
    )
    monkeypatch.setattr(examination, "_latest", found)
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    return Site(live_server.url, client.cookies["sessionid"].value, story, open_round, run)


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Any]:
    """Opens a page of the admin; the policy is put aside for axe alone, which is injected."""
    contexts = []

    def open_(theme: str = "light", width: int = 1280, *, inside: bool = True) -> Page:
        context = chromium.new_context(
            color_scheme=theme, viewport={"width": width, "height": 900}, bypass_csp=True, base_url=site.url, reduced_motion="reduce"
        )
        contexts.append(context)
        if inside:
            context.add_cookies([{"name": "sessionid", "value": site.session, "url": site.url}])
        context.add_init_script(AXE)
        return context.new_page()

    yield open_
    for context in contexts:
        context.close()


def addresses(site: Site) -> list[str]:
    round_, version = site.story.round, site.story.version
    page = reverse("admin:tasks_round_change", args=[round_.pk])
    task = reverse("admin:tasks_taskrequest_change", args=[round_.task_request_id])
    sides = reverse("admin:tasks_taskrequest_versions", args=[round_.task_request_id])
    return [
        reverse("admin:index"),
        reverse("admin:monitor"),
        reverse("admin:doctor"),
        reverse("admin:tasks_round_changelist"),
        *(f"{page}#{tab}" for tab in ("timeline", "files", "checks", "deliveries", "preview", "request", "raw")),
        reverse("admin:tasks_round_change", args=[site.open_round.pk]),
        task,
        f"{sides}?a={site.story.first.pk}&b={version.pk}",
        reverse("admin:tasks_containerrun_change", args=[site.open_run.pk]),
        reverse("admin:tasks_agentkey_changelist"),
        reverse("admin:tasks_agentkey_add"),
        reverse("admin:tasks_submission_changelist"),
        reverse("admin:tasks_submission_import"),
        reverse("admin:tasks_submission_change", args=[Submission.objects.latest("pk").pk]),
        *of_grades(),
    ]


def of_grades() -> list[str]:
    """A report, and the pages of a grade-book."""
    override = GradeOverride.objects.latest("pk")
    book, student = override.column.book_id, override.submission_id
    return [
        reverse("admin:tasks_reporeport_change", args=[RepoReport.objects.latest("pk").pk]),
        *(reverse(f"admin:tasks_gradebook_{name}", args=[book]) for name in ("change", "weights", "pictures")),
        reverse("admin:tasks_gradebook_student", args=[book, student]),
        reverse("admin:tasks_gradebook_cell", args=[book, override.column_id, student]),
    ]


def broken(page: Page) -> list[str]:
    result = page.evaluate("rules => axe.run(document, rules)", RULES)
    return [
        f"{rule['id']} at {' '.join(map(str, node['target']))}: {node['html'][:160]}: {node['failureSummary'].splitlines()[1].strip()[:200]}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(open_page, site, look) -> None:
    theme, width = LOOKS[look]
    found = []
    inside = open_page(theme, width)
    chosen = addresses(site) if ALL else addresses(site)[list(LOOKS).index(look) :: len(LOOKS)]
    for page, address in [(open_page(theme, width, inside=False), reverse("admin:login")), *((inside, address) for address in chosen)]:
        page.goto(address, wait_until="load")
        page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
        page.evaluate("document.fonts.ready.then(() => true)")  # the name of an icon is a word until its font is there
        assert page.evaluate("document.documentElement.classList.contains('dark')") == (theme == "dark")
        found += [f"{address}: {bad}" for bad in broken(page)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{address}: wider than the window")
    assert found == []


def test_axe_would_say_so(open_page) -> None:
    page = open_page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><button></button><p style='color: #ccc; background: #fff'>pale</p></main>")
    page.evaluate(AXE)
    assert {text.split()[0] for text in broken(page)} == {"button-name", "color-contrast"}


@pytest.mark.parametrize("name", ["round", "monitor", "doctor"])
def test_everything_is_reached_by_keyboard_and_shows_that_it_has_the_focus(open_page, site, name) -> None:
    page = open_page()
    page.goto(reverse("admin:tasks_round_change", args=[site.open_round.pk]) if name == "round" else reverse(f"admin:{name}"))
    page.wait_for_function("window.Alpine && !document.documentElement.hasAttribute('x-cloak')")
    wanted = page.evaluate(WANTED)
    assert wanted >= 2
    page.evaluate("document.querySelector('.d-page').setAttribute('tabindex', '-1'); document.querySelector('.d-page').focus()")
    for _ in range(wanted):
        page.keyboard.press("Tab")
        assert page.evaluate(SHOWN) == ""
    assert page.evaluate("document.querySelectorAll('.d-page [data-reached]').length") == wanted
    if name == "round":
        page.focus(".d-tabs a[href='#request']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#panel-request", state="visible")
        assert page.get_attribute(".d-tabs a[href='#request']", "aria-current") == "true"
        page.click("#round-live summary")
        before = page.text_content("#round-sentence")
        page.wait_for_function("before => document.getElementById('round-sentence').textContent !== before", arg=before, timeout=10_000)
        assert page.is_visible("text=asked at 10:00")  # what was unfolded stays so


def test_the_monitor_moves_without_taking_the_focus_and_rests_when_nobody_looks(open_page, site) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/monitor/live/" in request.url else None)
    page.goto(reverse("admin:monitor"))
    row = f"#monitor-round-{site.open_round.pk} a"
    page.focus(row)
    page.evaluate("window.kept = document.activeElement; window.scrollTo(0, 40)")
    make_round(
        status="running", stage="generate", received_at=timezone.now() - timedelta(minutes=5), lease_until=timezone.now() + timedelta(minutes=5)
    )

    page.wait_for_function("document.getElementById('monitor-summary').textContent.startsWith('3 rounds open')", timeout=10_000)

    assert page.evaluate("[document.activeElement === window.kept, window.scrollY, window.kept.isConnected]") == [True, 40, True]
    look_away(page, "hidden")
    page.wait_for_timeout(300)
    asked.clear()
    page.wait_for_timeout(2_500)
    assert asked == []
    Round.objects.update(status="succeeded")
    ContainerRun.objects.update(status="succeeded")
    look_away(page, "visible")  # what was missed is asked for at once
    page.wait_for_selector("#monitor-poll-10", state="attached", timeout=1_500)
    assert page.inner_text("#monitor-summary") == "Nothing is going on."
    assert page.locator("#monitor-poll-2").count() == 0


def look_away(page: Page, state: str) -> None:
    page.evaluate(
        "state => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        state,
    )


def test_the_doctor_answers_without_a_reload_and_its_findings_are_copied(open_page, site, monkeypatch) -> None:
    monkeypatch.setattr(examination, "_latest", None)
    finding = Finding("disk", "warning", "nearly full", "Free some space.", "This machine")
    monkeypatch.setattr(
        examination, "ask", lambda: iter([(question, [finding] * (not number)) for number, question in enumerate(examination.QUESTIONS)])
    )
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.goto(reverse("admin:doctor"))  # the examination begins by itself
    page.wait_for_function("document.getElementById('doctor').textContent.includes('1 warning; each names its cure.')", timeout=10_000)

    page.click("text=Copy as text")
    page.wait_for_selector("text=copied")
    assert page.evaluate("navigator.clipboard.readText()") == "This machine\n!!  disk  nearly full\n          → Free some space."
    before = page.evaluate("window.kept = document.querySelector('.d-page'); document.querySelector('#doctor-verdict').textContent")
    page.click("text=Ask now")
    page.wait_for_function("before => !document.querySelector('#doctor-verdict .d-spin') && before", arg=before)
    assert page.evaluate("window.kept.isConnected")
