"""The task's own JavaScript expressions, each tried again until it is true, for at most `patience` seconds.

All are tried side by side in the one page. When the page crashes under them (a check that eats all memory), those still open are tried one
after the other, each in a fresh page, so that only the guilty one fails.

A check may be true only because the page's data has not arrived (0 is the sum of no rows). So each that passed is asked once more at the end,
unless one of the task's checks changes the page: then what is false later may rightly be so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tasks.browser import cdp
from tasks.browser.meddling import meddles
from tasks.browser.noise import exception_text, shown
from tasks.browser.page import Emit, Endless, Page, is_syntax_error

STEP = 0.1
SYNC_LIMIT = 3.0  # seconds that one evaluation may run without a pause
PROMISE_LIMIT = 5.0  # seconds after which a promise is left and the expression tried afresh
MAX_SHOWN = 300
MAX_FRESH = 5  # pages opened again
QUIET = 0.15  # seconds without a request before the second look
SECOND_LIMIT = 2.0  # seconds that the second look waits for a promise
SECOND_PATIENCE = 3.0  # seconds at least for what was true only at first, where the first round has used up the time

_SELECTOR = re.compile(r"(?:querySelector(?:All)?|closest|matches)\(\s*([\"'`])((?:(?!\1)[^\\\n]|\\.){1,200})\1")
_ID = re.compile(r"getElementById\(\s*([\"'`])([^\"'`\\\n]{1,100})\1")
_LOOK = """(selectors) => ({
    title: document.title.slice(0, 200),
    found: selectors.map((selector) => {
        try {
            const all = document.querySelectorAll(selector);
            return { selector, count: all.length, html: all.length ? all[0].outerHTML.slice(0, 300) : "" };
        } catch (error) {
            return { selector, count: 0, html: "" };
        }
    }),
})"""


@dataclass
class _Check:
    index: int
    expression: str
    reason: str = ""
    value: str = ""
    status: str = ""
    started: float = 0.0
    seen: dict[str, Any] = field(default_factory=dict)


async def run(page: Page, fresh: Callable[[Page], Awaitable[Page]], expressions: list[str], until: float, patience: float, emit: Emit) -> Page:
    """Decide each expression and tell it. `fresh` opens the page again; `until` is on the loop's clock. Gives the page that is open at the end."""
    checks = [_Check(index, expression) for index, expression in enumerate(expressions)]
    deadline = min(until, _now() + patience)
    alive = not page.crashed  # a page that cannot even be loaded is not tried again
    await asyncio.gather(*(_poll(page, check, deadline, emit) for check in checks))
    opened = 0
    for check in checks:
        if check.status:
            continue
        if page.crashed and alive and opened < MAX_FRESH and _now() < until - 1:
            page = await fresh(page)
            opened += 1
        await _poll(page, check, min(until, _now() + patience), emit)
        if not check.status:
            check.status, check.reason = "fail", page.crashed or "The page is gone."
            _tell(check, emit)
    if not any(meddles(expression) for expression in expressions):
        await _look_again(page, [check for check in checks if check.status == "pass"], deadline, until, emit)
    return page


async def _look_again(page: Page, passed: list[_Check], deadline: float, until: float, emit: Emit) -> None:
    """Try each that passed once more. One that is false or throws now is polled on, and told anew; no answer changes nothing."""
    if not passed:
        return
    await page.settle(min(1.0, until - _now()), quiet=QUIET)
    deadline = min(until, max(deadline, _now() + SECOND_PATIENCE))

    async def look_at(check: _Check) -> None:
        second = _Check(check.index, check.expression)
        with suppress(cdp.Gone):
            if await _try(page, second, min(until, _now() + SECOND_LIMIT)) and second.status != "pass":
                await _poll(page, second, deadline, emit, told="It was true only at first, before the page was complete. ")

    await asyncio.gather(*(look_at(check) for check in passed))


def _tell(check: _Check, emit: Emit) -> None:
    seconds = round(_now() - check.started, 2)
    emit("check", index=check.index, status=check.status, reason=check.reason, value=check.value, seconds=seconds, seen=check.seen)


async def _poll(page: Page, check: _Check, deadline: float, emit: Emit, *, told: str = "") -> None:
    """Decide the check and tell it, a failure's reason after `told`; leave it open when the page died under it."""
    check.started = _now()
    try:
        while not check.status:
            await _try(page, check, deadline)
            if not check.status:
                if _now() + STEP >= deadline:
                    check.status = "fail"
                    check.reason += f" after {_now() - check.started:.0f} s"
                    break
                await asyncio.sleep(STEP)
    except cdp.Gone:
        check.status = ""
        return
    if check.status == "fail":
        check.seen = await look(page, check.expression)
        check.reason = f"{told}{check.reason.rstrip('.')}. {_in_words(check.seen)}".strip()
    _tell(check, emit)


async def _try(page: Page, check: _Check, deadline: float) -> bool:
    """Evaluate it once; False when there was no answer."""
    hangs = page.hangs
    try:
        answer = await page.evaluate(check.expression, limit=SYNC_LIMIT, wait=min(PROMISE_LIMIT, max(0.5, deadline - _now())))
    except TimeoutError:
        blocked = page.hangs > hangs
        check.value = ""
        check.reason = "The page's own script kept it from being tried" if blocked else "Its promise did not settle"
        return False
    except Endless:
        check.status, check.value, check.reason = "fail", "", f"It ran for {SYNC_LIMIT:.0f} s without an end and was stopped"
        return False
    except cdp.Refused as refused:  # the document was replaced while we asked
        check.reason = f"The page was changing: {refused}"
        return False
    thrown = answer.get("exceptionDetails")
    if thrown is None:
        check.value = _value(answer["result"])
        check.reason = f"It is still {check.value}"
        if is_true(answer["result"]):
            check.status, check.reason = "pass", ""
        return True
    check.value = ""
    text = exception_text(thrown)
    if is_syntax_error(answer):
        check.status, check.reason = "error", f"The check is not valid JavaScript: {text}"
    else:
        check.reason = f"It still threw {text}"
    return True


def is_true(result: dict[str, Any]) -> bool:
    """Whether a remote object is truthy in JavaScript."""
    if result["type"] == "undefined" or result.get("subtype") == "null":
        return False
    if "unserializableValue" in result:
        return result["unserializableValue"] not in {"NaN", "-0", "0n"}
    return bool(result["value"]) if "value" in result else True


async def look(page: Page, expression: str) -> dict[str, Any]:
    """What the page holds where the expression looks."""
    selectors = [match[2].replace(f"\\{match[1]}", match[1]) for match in _SELECTOR.finditer(expression)]
    selectors += [f'[id="{match[2]}"]' for match in _ID.finditer(expression)]
    return await page.peek(_LOOK, list(dict.fromkeys(selectors))[:3], timeout=2) or {}


def _in_words(seen: dict[str, Any]) -> str:
    parts = []
    for found in seen.get("found", []):
        if found["count"]:
            parts.append(f"{found['selector']} is there: {' '.join(found['html'].split())[:160]}")
        else:
            parts.append(f"No element matches {found['selector']}.")
    if seen and not seen.get("found"):
        parts.append(f"The page's title is {seen['title']!r}.")
    return " ".join(parts)


def _value(result: dict[str, Any]) -> str:
    text = shown(result)[:MAX_SHOWN]
    return f'"{text}"' if result["type"] == "string" else text


def _now() -> float:
    return asyncio.get_running_loop().time()
