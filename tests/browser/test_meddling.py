"""A check that changes the page is known by its text."""

from __future__ import annotations

import pytest

from tasks.browser.meddling import meddles


@pytest.mark.parametrize(
    "expression",
    [
        "document.querySelector('#go').click(); true",
        "form.submit() || true",
        "input.dispatchEvent(new Event('input'))",
        "document.querySelector('#name').value = 'x'",
        "document.querySelectorAll('input')[0] = 1",
        "window.count += 1",
        "count = 1",
        "window.count++ === 0",
        "++count === 1",
        "localStorage.setItem('a', 'b'); true",
        "increment(); document.querySelector('p').textContent === '1'",
        "delete window.total",
    ],
)
def test_a_check_that_acts_meddles(expression: str) -> None:
    assert meddles(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "document.title === 'a = b'",
        """!!document.querySelector('a[href="x"]')""",
        "!!document.querySelector(`link[href*='bootstrap']`)",
        "const rows = [...document.querySelectorAll('td')]; rows.length >= 3 && rows.length != 4",
        "let sum = 0; for (const cell of document.querySelectorAll('td')) { sum += Number(cell.textContent) } sum === 6",
        "[...document.querySelectorAll('td')].reduce((all, cell) => all + parseFloat(cell.textContent), 0) <= 6",
        "for (let i = 0; i < 3; i++) {} true",
        "(await fetch('data.json')).ok",
        "(() => document.body.innerText.includes('.click('))()",
        "await (async () => true)()",
    ],
)
def test_a_check_that_only_looks_does_not(expression: str) -> None:
    assert not meddles(expression)
