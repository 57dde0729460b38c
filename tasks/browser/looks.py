"""How a page looks: pictures of it, its width on three screens, and axe-core's opinion. None of it decides anything, so none of it may cost much."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from tasks.browser import cdp
from tasks.browser.page import Emit, Page

SCREENS = (("desktop", 1280, 800, False), ("phone", 390, 844, True))
WIDTHS = (360, 768, 1440)
QUALITIES = (80, 60, 35, 10)
MAX_BYTES = 300 * 1024
AXE_SECONDS = 10.0
MAX_VIOLATIONS = 30

_SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
_TOO_WIDE = """() => {
    const root = document.documentElement, room = root.clientWidth;
    if (Math.max(root.scrollWidth, document.body ? document.body.scrollWidth : 0) <= room + 1) return { over: false, widest: "" };
    let widest = null, edge = room + 1;
    for (const element of [...document.querySelectorAll("body *")].slice(0, 5000)) {
        const right = element.getBoundingClientRect().right;
        if (right > edge + 0.5) [widest, edge] = [element, right];
    }
    const name = (element) => element.localName + (element.id ? "#" + element.id : element.classList[0] ? "." + element.classList[0] : "");
    return { over: true, widest: widest ? name(widest).slice(0, 100) : "" };
}"""
# https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
_AXE = """async () => {
    const options = { resultTypes: ["violations"], iframes: false, preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] };
    const { violations } = await axe.run(document, options);
    const text = (value) => String(value ?? "").slice(0, 300);
    return violations.map(({ id, impact, help, nodes }) => ({
        id: text(id), impact: text(impact), help: text(help), count: nodes.length, target: text(nodes[0]?.target?.[0]),
    }));
}"""


async def look(page: Page, until: float, emit: Emit, *, screenshots: bool, axe: str) -> None:
    """Pictures, widths and accessibility, as far as the time goes. `axe` is its source, empty to leave it out."""
    try:
        async with asyncio.timeout_at(until):
            for name, width, height, phone in SCREENS:
                if screenshots:
                    await page.size(width, height, phone=phone)
                    await page.peek(_SETTLED, timeout=1)
                    await _shoot(page, name, width, height, emit)
                if axe and not phone:
                    await _ask_axe(page, axe, emit)
            for width in WIDTHS:
                await page.size(width, 800)
                found = await page.peek(_TOO_WIDE, timeout=3)
                if found:
                    emit("overflow", width=width, over=bool(found["over"]), widest=str(found["widest"]))
    except (cdp.Gone, cdp.Refused, TimeoutError):
        return


async def _shoot(page: Page, name: str, width: int, height: int, emit: Emit) -> None:
    for quality in QUALITIES:
        content = base64.b64decode(await page.picture("webp", quality))
        if len(content) <= MAX_BYTES:
            emit("shot", name=name, width=width, height=height, media_type="image/webp", blob=content)
            return


async def _ask_axe(page: Page, source: str, emit: Emit) -> None:
    await page.peek(f"() => {{ {source}\n globalThis.axe = axe }}", timeout=4)
    found: list[dict[str, Any]] | None = await page.peek(_AXE, timeout=AXE_SECONDS)
    if found is not None:
        emit("axe", violations=found[:MAX_VIOLATIONS])
