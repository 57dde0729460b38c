"""One page in the browser: opens an address, keeps count of what goes wrong there, evaluates expressions, and never lets the page keep it.

A dialog is answered at once, a new window is not opened, a download is refused, and a script that does not let go for `HANG_SECONDS` is ended
(`Runtime.terminateExecution`); whoever makes a storm of these is ended likewise. https://chromedevtools.github.io/devtools-protocol/tot/Runtime/
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Any

from tasks.browser import cdp, noise
from tasks.browser.proxy import Proxy

HANG_SECONDS = 5.0
PING_SECONDS = 0.5
MAX_HANGS = 3  # endless scripts of one page; after these it is closed
STORM = 20  # dialogs or windows of one page
_AWAIT = re.compile(r"\bawait\b")
WORLD = "deployer"  # our own JavaScript world: sees the document, not what the page has made of its functions

Emit = Callable[..., None]


class Endless(Exception):
    """The script did not come to an end and was stopped."""


class Page:
    def __init__(self, connection: cdp.Connection, proxy: Proxy, emit: Emit, cdn: dict[str, tuple[str, str]]) -> None:
        """`cdn`: addresses to be answered without a network, each with its media type and its content in base64."""
        self._connection = connection
        self._cdn = cdn
        self._emit = emit
        self.ledger = noise.Ledger(proxy, emit)
        self._target = self._session = self._frame = ""
        self._loaded = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._storms = 0
        self.hangs = 0
        self.crashed = ""

    # -- life --------------------------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        self._target = (await self._connection.send("Target.createTarget", {"url": "about:blank"}))["targetId"]
        attached = await self._connection.send("Target.attachToTarget", {"targetId": self._target, "flatten": True})
        self._session = attached["sessionId"]
        self._connection.listen(self._session, self._event)
        for domain in ("Page", "Runtime", "Network", "Log", "Inspector"):
            self._post(f"{domain}.enable")
        if self._cdn:
            self._post("Fetch.enable", {"patterns": [{"urlPattern": _literal(url)} for url in self._cdn]})
        self._frame = (await self._send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        self.ledger.main_frame = self._frame
        self._watcher = asyncio.ensure_future(self._watch())

    async def close(self) -> None:
        if self._watcher:
            self._watcher.cancel()
        self._connection.forget(self._session)
        with contextlib.suppress(cdp.Gone, cdp.Refused, TimeoutError):
            await self._connection.send("Target.closeTarget", {"targetId": self._target}, timeout=2)

    async def navigate(self, url: str, seconds: float) -> str:
        """Go there and wait for the page's load event; an empty string, or why it did not come."""
        self._loaded.clear()
        self.ledger.main_url = url
        try:
            async with asyncio.timeout(seconds):
                answer = await self._send("Page.navigate", {"url": url}, timeout=seconds)
                if answer.get("errorText"):
                    return self.ledger.explain(url, answer["errorText"])
                await self._loaded.wait()
        except TimeoutError:
            if self.ledger.status is None:
                self._crash(f"The server took the request and sent nothing for {seconds:.0f} s.")
            return self.crashed or f"The page was not complete after {seconds:.0f} s."
        except (cdp.Gone, cdp.Refused) as error:
            return self.crashed or str(error)
        return self.crashed

    async def settle(self, seconds: float, *, quiet: float = 0.06) -> None:
        """Wait until no request has been under way for `quiet` seconds, `seconds` at most."""
        clock = asyncio.get_running_loop().time
        start = busy = clock()
        while (now := clock()) - busy < quiet and now - start < seconds and not self.crashed:
            if self.ledger.under_way:
                busy = now
            await asyncio.sleep(0.03)

    # -- expressions -------------------------------------------------------------------------------------------------------------------

    async def evaluate(self, expression: str, *, limit: float, wait: float) -> dict[str, Any]:
        """Evaluate in the page's own world; a promise is awaited for `wait` seconds (TimeoutError). `Endless` for a script that runs for `limit`
        seconds without a pause. In a block of its own, so that `const` can be said again and again. With an `await` in it, it is read as the
        console reads it: elsewhere `await (…)` at the top is the call of a function of that name, which fails only when the rest has run."""
        script = {"expression": f"{{{expression}\n}}", "timeout": limit * 1000, "generatePreview": True}
        if _AWAIT.search(expression):
            script |= {"replMode": True, "awaitPromise": True}
        try:
            answer = await self._send("Runtime.evaluate", script, timeout=wait)
        except cdp.Refused as refused:
            if "terminated" in str(refused) or "Internal error" in str(refused):
                raise Endless from refused
            raise
        result = answer.get("result", {})
        if result.get("type") == "function" and "exceptionDetails" not in answer:  # `() => …` means its value, as in other test tools
            call = {"objectId": result["objectId"], "functionDeclaration": "function () { return this() }", "generatePreview": True}
            return await self._send("Runtime.callFunctionOn", {**call, "awaitPromise": True}, timeout=wait)
        if result.get("subtype") == "promise":
            return await self._send("Runtime.awaitPromise", {"promiseObjectId": result["objectId"], "generatePreview": True}, timeout=wait)
        return answer

    async def peek(self, function: str, *arguments: Any, timeout: float = 5.0) -> Any:
        """The JSON value of a function of ours, called in a world of its own. None where the page does not let it run."""
        try:
            world = await self._send("Page.createIsolatedWorld", {"frameId": self._frame, "worldName": WORLD}, timeout=timeout)
            call = {
                "functionDeclaration": function,
                "executionContextId": world["executionContextId"],
                "arguments": [{"value": argument} for argument in arguments],
                "returnByValue": True,
                "awaitPromise": True,
            }
            answer = await self._send("Runtime.callFunctionOn", call, timeout=timeout)
        except (cdp.Gone, cdp.Refused, TimeoutError):
            return None
        return None if "exceptionDetails" in answer else answer["result"].get("value")

    async def size(self, width: int, height: int, *, phone: bool = False) -> None:
        await self._send("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone})

    async def picture(self, media: str, quality: int) -> str:
        """What the window shows now, in base64."""
        return str((await self._send("Page.captureScreenshot", {"format": media, "quality": quality}, timeout=6))["data"])

    # -- what the page does ------------------------------------------------------------------------------------------------------------

    def _event(self, name: str, event: dict[str, Any]) -> None:
        match name:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Page.javascriptDialogOpening":
                self._post("Page.handleJavaScriptDialog", {"accept": event["type"] in {"alert", "beforeunload"}})
                self._storm("dialogs")
            case "Page.windowOpen":
                self.ledger.say("console", f"warning: the page wanted to open a window ({event.get('url', '')[:200]})")
                self._storm("windows")
            case "Page.frameNavigated" if "parentId" not in event["frame"]:
                self._frame = event["frame"]["id"]
            case "Inspector.targetCrashed":
                self._crash("The page crashed; it probably took more memory than a page may.")
            case "Inspector.detached":
                self._crash("The page closed itself.")
            case "Fetch.requestPaused":
                self._fulfil(event["requestId"], *self._cdn[event["request"]["url"]])
            case _:
                if self.ledger.note(name, event):
                    self._post("Runtime.disable")  # a flood of messages: enough has been seen
                    self._terminate()

    def _fulfil(self, request: str, media_type: str, content: str) -> None:
        headers = [{"name": "Content-Type", "value": media_type}, {"name": "Access-Control-Allow-Origin", "value": "*"}]
        self._post("Fetch.fulfillRequest", {"requestId": request, "responseCode": 200, "responseHeaders": headers, "body": content})

    def _storm(self, what: str) -> None:
        self._storms += 1
        if self._storms == STORM:
            self._emit("error", text=f"The page opened more than {STORM} {what}; its scripts were ended.")
        if self._storms >= STORM:
            self._terminate()

    def _crash(self, reason: str) -> None:
        if not self.crashed:
            self.crashed = reason
            self._emit("error", text=reason)
            self._loaded.set()
            self._connection.forget(self._session)

    async def _watch(self) -> None:
        """Ask the page for a sign of life; end what keeps it from giving one."""
        while not self.crashed:
            await asyncio.sleep(PING_SECONDS)
            try:
                await self._send("Runtime.evaluate", {"expression": "0"}, timeout=HANG_SECONDS)
            except TimeoutError:
                if self.ledger.status is None:
                    continue  # there is no page yet, so it is no script that hangs
                self.hangs += 1
                self._emit("error", text=f"A script ran for more than {HANG_SECONDS:.0f} s without a pause and was ended: an endless loop?")
                if self.hangs >= MAX_HANGS:
                    self._crash("The page's scripts never let go; it was closed.")
                    self._connection.post("Target.closeTarget", {"targetId": self._target})
                else:
                    self._terminate()
            except (cdp.Gone, cdp.Refused):
                return

    def _terminate(self) -> None:
        self._post("Runtime.terminateExecution")

    def _post(self, method: str, parameters: dict[str, Any] | None = None) -> None:
        self._connection.post(method, parameters, self._session)

    async def _send(self, method: str, parameters: dict[str, Any] | None = None, *, timeout: float = 10.0) -> dict[str, Any]:
        if self.crashed:
            raise cdp.Gone(self.crashed)
        return await self._connection.send(method, parameters, self._session, timeout=timeout)


def is_syntax_error(answer: dict[str, Any]) -> bool:
    """Whether the expression itself did not compile; one that the page's code throws comes with a stack."""
    thrown = answer.get("exceptionDetails", {})
    return thrown.get("exception", {}).get("className") == "SyntaxError" and "stackTrace" not in thrown


def _literal(url: str) -> str:
    """The address as a pattern for itself."""
    return "".join(f"\\{char}" if char in "*?\\" else char for char in url)
