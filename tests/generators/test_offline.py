"""The generator's queue, and its pages in a real browser."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import ModelUnavailable
from tasks.generators.base import Answer, Inputs, Prompt
from tasks.generators.offline import Generator
from tests.generators.sites import CHECKS, CSV, SALES, attached, build, made, revise


def test_the_chain_is_one_model() -> None:
    assert Generator().models() == ("offline",)


@pytest.fixture
def queue() -> Iterator[Callable[..., None]]:
    yield Generator.enqueue
    Generator.queue.clear()


def test_queued_answers_come_first_and_once(queue: Callable[..., None]) -> None:
    queue("one", Answer("two", "a-model", "length"))
    prompt = Prompt("", "", build("x"))
    assert Generator().ask(prompt, "offline", 1).text == "one"
    assert Generator().ask(prompt, "offline", 1) == Answer("two", "a-model", "length")
    assert "Fallback page." in Generator().ask(prompt, "offline", 1).text


def test_a_queued_error_is_raised(queue: Callable[..., None]) -> None:
    queue(ModelUnavailable("asleep"))
    with pytest.raises(ModelUnavailable, match="asleep"):
        Generator().ask(Prompt("", "", build("x")), "offline", 1)


# -- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    path = next((path for path in ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium") if Path(path).exists()), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[[Inputs], Any]]:
    """Puts a site below /repo/ on loopback, where nothing else can be reached, and opens it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    context = browser.new_context()
    context.route("**/*", lambda route: route.continue_() if "//127.0.0.1:" in route.request.url else route.abort())

    def show(inputs: Inputs, gone: str = "") -> Any:
        folder = tmp_path / "repo"
        for path, content in {**{file.path: file.content for file in inputs.attachments}, **made(inputs).files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        if gone:
            (folder / gone).unlink()
        tab = context.new_page()
        problems: list[str] = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.goto(f"http://127.0.0.1:{server.server_address[1]}/repo/")
        tab.wait_for_load_state("networkidle")
        assert problems == []
        return tab

    yield show
    context.close()
    server.shutdown()
    server.server_close()


@pytest.mark.browser
def test_a_brief_with_a_table_passes_its_checks(opened: Callable[[Inputs], Any]) -> None:
    tab = opened(build(SALES, CHECKS, attached("data.csv", CSV, "text/csv")))
    assert [tab.evaluate(check) for check in CHECKS] == [True, True, True]
    assert tab.inner_text("#total-sales") == "1241.25"
    assert tab.inner_text("[data-status]") == ""


@pytest.mark.browser
def test_a_later_round_groups_filters_and_converts(opened: Callable[[Inputs], Any]) -> None:
    first = build(SALES, CHECKS, attached("data.csv", CSV, "text/csv"))
    rates = attached("rates.json", json.dumps({"USD": 1, "EUR": 0.5}).encode(), "application/json")
    brief = "Add a table #product-sales, filter by #region-filter, and convert with #currency-picker, the currency inside #total-currency."
    tab = opened(revise(first, brief, attachments=(first.attachments[0], rates)))
    rows = tab.eval_on_selector_all("#product-sales tbody tr", "rows => rows.map(row => row.innerText)")
    assert rows == ["Lamp, large\t1234.5", "Pen\t-3.25", "Lamp small\t10"]
    assert tab.inner_text("#total-currency") == "USD"
    tab.select_option("#region-filter", "US")
    assert tab.evaluate("document.querySelector('#total-sales').dataset.region") == "US"
    assert tab.inner_text("#total-sales") == "-3.25"
    tab.select_option("#region-filter", "")
    tab.select_option("#currency-picker", "EUR")
    assert (tab.inner_text("#total-sales"), tab.inner_text("#total-currency")) == ("620.63", "EUR")


@pytest.mark.browser
def test_a_text_is_shown_counted_and_labelled(opened: Callable[[Inputs], Any]) -> None:
    brief = "Render input.md in #markdown-output with tabs #markdown-tabs, #markdown-source, #markdown-source-label and #markdown-word-count."
    tab = opened(build(brief, (), attached("input.md", b"# Title\n\n" + b"word " * 1200)))
    assert tab.text_content("#markdown-output").startswith("# Title")
    assert tab.text_content("#markdown-source").startswith("# Title")
    assert tab.text_content("#markdown-source-label") == "input.md"
    assert tab.text_content("#markdown-word-count") == "1,202 words"
    assert (tab.is_visible("#markdown-output"), tab.is_visible("#markdown-source")) == (True, False)
    tab.click("#markdown-tabs button:nth-of-type(2)")
    assert (tab.is_visible("#markdown-output"), tab.is_visible("#markdown-source")) == (False, True)


@pytest.mark.browser
def test_a_file_that_is_gone_is_said_on_the_page(opened: Callable[..., Any]) -> None:
    tab = opened(build(SALES, CHECKS, attached("data.csv", CSV, "text/csv")), gone="data.csv")
    assert "data.csv answered 404" in tab.inner_text("[data-status]")
