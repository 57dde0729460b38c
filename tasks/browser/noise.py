"""What a page says and fails to get, in short: capped, each thing once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tasks.browser.proxy import Proxy

MAX_LINES = 50  # of the console, of errors and of failed requests each
MAX_TEXT = 500  # characters of one
FLOOD = 3000  # messages after which the page is not listened to any more
_LEVELS = {"warning", "error", "assert", "log", "info"}
_REASONS = {
    "net::ERR_NAME_NOT_RESOLVED": "the name could not be resolved",
    "net::ERR_CONNECTION_REFUSED": "nobody answers there",
    "net::ERR_TUNNEL_CONNECTION_FAILED": "no connection",
}


class Ledger:
    def __init__(self, proxy: Proxy, emit: Callable[..., None]) -> None:
        self._proxy = proxy
        self._emit = emit
        self._requests: dict[str, tuple[str, str]] = {}  # id: address, kind
        self._seen: set[tuple[str, str]] = set()
        self._counts: dict[str, int] = {}
        self._messages = 0
        self.closed = False  # nothing more is told
        self.under_way: set[str] = set()
        self.main_url = self.main_frame = ""
        self.status: int | None = None
        self.bytes = 0

    def note(self, name: str, event: dict[str, Any]) -> bool:
        """Take one event of the page; True when it says so much that listening has to stop."""
        match name:
            case "Network.requestWillBeSent":
                if not event["request"]["url"].startswith(("data:", "blob:")):
                    self._requests[event["requestId"]] = (event["request"]["url"], event.get("type", ""))
                    self.under_way.add(event["requestId"])
            case "Network.responseReceived":
                self._response(event)
            case "Network.loadingFinished":
                self.under_way.discard(event["requestId"])
                self.bytes += int(event["encodedDataLength"])
            case "Network.loadingFailed":
                self.under_way.discard(event["requestId"])
                url, kind = self._requests.get(event["requestId"], ("", ""))
                if url and not event.get("canceled"):
                    self._failed(url, kind, event.get("blockedReason") or event["errorText"])
            case "Runtime.exceptionThrown":
                self.say("error", exception_text(event["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                level = event["type"] if event["type"] in _LEVELS else "log"
                self.say("console", f"{level}: {' '.join(shown(argument) for argument in event['args'][:10])}")
            case "Log.entryAdded":
                entry = event["entry"]
                if entry["source"] != "network" and entry["level"] in {"warning", "error"}:
                    self.say("console", f"{entry['level']}: {entry['text']}")
        if name.startswith(("Runtime.", "Log.")):
            self._messages += 1
        return self._messages == FLOOD

    def explain(self, url: str, reason: str) -> str:
        """Why the address could not be had: the proxy knows better than the browser."""
        return self._proxy.refusal(url) or self._proxy.unreachable.get(_host(url)) or _REASONS.get(reason, reason)

    def _response(self, event: dict[str, Any]) -> None:
        response = event["response"]
        url, status = response["url"], int(response["status"])
        if event.get("type") == "Document" and event.get("frameId") == self.main_frame and self.status is None:
            self.status = status
        elif status >= 400 and not url.startswith(("data:", "blob:")):
            self._failed(url, event.get("type", ""), f"answered {status}")

    def _failed(self, url: str, kind: str, reason: str) -> None:
        host = _host(url)
        if host == _host(self.main_url):
            if urlsplit(url).path == "/favicon.ico":  # the browser's own wish
                return
            place = "site"
        else:
            refused = self._proxy.refusal(url)
            place = "private" if refused else "remote"
            reason = refused or self._proxy.unreachable.get(host) or _REASONS.get(reason, reason)
        if self._once("failed", url):
            self._emit("failed", url=url[:MAX_TEXT], reason=reason[:MAX_TEXT], place=place, kind=kind)

    def say(self, event: str, text: str) -> None:
        """Tell a line of the console or an error, shortened, once."""
        if self._once(event, text):
            self._emit(event, text=text[:MAX_TEXT])

    def _once(self, kind: str, text: str) -> bool:
        if self.closed or (kind, text[:MAX_TEXT]) in self._seen or self._counts.get(kind, 0) >= MAX_LINES:
            return False
        self._seen.add((kind, text[:MAX_TEXT]))
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return True


def _host(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    host = parts.hostname or ""
    return f"{f'[{host}]' if ':' in host else host}:{port or {'http': 80, 'ws': 80}.get(parts.scheme, 443)}"


def shown(value: dict[str, Any]) -> str:
    """A remote object as a short text. https://chromedevtools.github.io/devtools-protocol/tot/Runtime/#type-RemoteObject"""
    kind = value.get("type")
    if kind == "string":
        return str(value.get("value", ""))[:MAX_TEXT]
    if kind == "undefined":
        return "undefined"
    if "unserializableValue" in value:
        return str(value["unserializableValue"])
    if "value" in value:
        return json.dumps(value["value"])
    preview = value.get("preview")
    if preview and preview.get("properties"):
        inner = ", ".join(
            item["value"] if preview.get("subtype") == "array" else f"{item['name']}: {item.get('value', '…')}" for item in preview["properties"]
        )
        more = ", …" if preview.get("overflow") else ""
        text = f"[{inner}{more}]" if preview.get("subtype") == "array" else f"{value.get('className', 'Object')} {{{inner}{more}}}"
        return text[:MAX_TEXT]
    return str(value.get("description", kind))[:MAX_TEXT]


def exception_text(details: dict[str, Any]) -> str:
    """One line: what was thrown, and where."""
    thrown = details.get("exception", {})
    text = str(thrown.get("description") or shown(thrown) if thrown else details.get("text", "")).partition("\n    at ")[0]
    url = str(details.get("url") or "")
    where = f" ({urlsplit(url).path.rpartition('/')[2] or 'index.html'}:{details.get('lineNumber', 0) + 1})" if url.startswith("http") else ""
    rejected = "unhandled rejection: " if "in promise" in details.get("text", "") else ""
    return f"{rejected}{text}"[:MAX_TEXT] + where
