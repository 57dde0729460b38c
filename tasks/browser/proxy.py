"""The browser's only way out: a forward proxy (HTTP and CONNECT) that admits the site itself and public web addresses, and nothing else.

A name is resolved here, once, and connected to at exactly the address that was judged, so that it cannot stand for another one later. The rules
are the service's own (`tasks/address_guard.py`); this machine's own addresses are refused beside the private ones, since what listens behind a
firewall is open from inside. https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from tasks.address_guard import IPAddress, Target, check_addresses, check_target, is_listed, parse_url
from tasks.browser.site import Site
from tasks.errors import AddressRefused

RESOLVE_SECONDS = 3.0
CONNECT_SECONDS = 4.0
IDLE_SECONDS = 60.0
MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024  # of one request to the site, which is read and dropped
MAX_TRAFFIC = 256 * 1024 * 1024  # bytes of one visit, both ways
CHUNK = 64 * 1024

_REQUEST = re.compile(rb"([A-Z]{1,20}) (\S+) HTTP/1\.[01]\r\n")
_HOP = {b"proxy-connection", b"connection", b"keep-alive", b"proxy-authorization", b"te", b"upgrade", b"expect"}


class Unreachable(Exception):
    """Nobody answers there; the message is the reason."""


class Proxy:
    def __init__(self, *, site: Site | None = None, live: Target | None = None, pinned: Sequence[IPAddress] = ()) -> None:
        """`site` is answered here, at the address that the browser has for this proxy; `live` is the page to look at where it is already published:
        its origin is the operator's choice and so admitted wherever it is, or it has been judged and is at the `pinned` addresses, whatever its name
        stands for by now."""
        self.site = site
        self.live = live
        self.pinned = list(pinned)
        self.origin = ""  # host:port by which the browser knows this proxy
        self.private: dict[str, str] = {}  # host:port: why no visitor could get there
        self.unreachable: dict[str, str] = {}  # host:port: why we could not
        self._traffic = 0
        self._admitted: dict[str, asyncio.Future[list[IPAddress]]] = {}
        self._threads = ThreadPoolExecutor(16)
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        host, port = listener.getsockname()
        self.origin = f"{host}:{port}"
        self._server = await asyncio.start_server(self._serve, sock=listener, limit=MAX_HEAD)

    def refusal(self, url: str) -> str:
        """Why no visitor could get there, empty if one could. Some addresses are refused by the browser before they come here."""
        try:
            target = parse_url(re.sub(r"^ws", "http", url))
            if place_of(target) != self.origin:
                check_target(target)
        except AddressRefused as refused:
            return refused.message
        return self.private.get(place_of(target), "")

    # -- one connection ----------------------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._request(reader, writer):
                pass
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection can take another."""
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
        match = _REQUEST.match(head)
        if match is None:
            return await _refuse(writer, 400, "not a request")
        method, address = match[1].decode(), match[2].decode("latin-1")
        try:
            target = parse_url(f"https://{address}/" if method == "CONNECT" else address)
        except AddressRefused as refused:
            return await _refuse(writer, 403, refused.message)
        place = place_of(target)
        if place == self.origin:
            return await self._answer(method, target, head, reader, writer)
        try:
            addresses = await self._admit(place, target)
            onward = await self._connect(place, addresses, target.port)
        except AddressRefused as refused:
            self.private[place] = refused.message
            return await _refuse(writer, 403, refused.message)
        except Unreachable as unreachable:
            self.unreachable[place] = str(unreachable)
            return await _refuse(writer, 502, str(unreachable))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            onward[1].write(_forwarded(method, target, head))
        await self._relay((reader, writer), onward)
        return False

    async def _answer(self, method: str, target: Target, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if method == "CONNECT" or self.site is None:
            return await _refuse(writer, 501, "a published page has no such service")
        length = re.search(rb"\r\ncontent-length: *(\d{1,9})\r\n", head, re.IGNORECASE)
        if b"\r\ntransfer-encoding:" in head.lower() or (length and int(length[1]) > MAX_BODY):
            return await _refuse(writer, 413, "too much for a page that can only be read")
        if length:
            await asyncio.wait_for(reader.readexactly(int(length[1])), IDLE_SECONDS)
        writer.write(self.site.answer(method, target.resource))
        await writer.drain()
        return True

    # -- out ---------------------------------------------------------------------------------------------------------------------------

    async def _admit(self, place: str, target: Target) -> list[IPAddress]:
        """The addresses to connect to, the same ones for the whole visit."""
        if place not in self._admitted:
            self._admitted[place] = asyncio.ensure_future(self._judge(target))
        return await asyncio.shield(self._admitted[place])

    async def _judge(self, target: Target) -> list[IPAddress]:
        trusted = self.live is not None and (self.live.host, self.live.port) == (target.host, target.port)
        if not trusted:
            check_target(target)
        if trusted and self.pinned:
            return self.pinned
        addresses = [target.literal] if target.literal else await self._resolve(target.host)
        if not trusted:
            check_addresses(target, addresses)
            if any(_is_ours(address) and not is_listed(address) for address in addresses):
                raise AddressRefused(f"{target.host} is the machine that looks at the page.")
        return addresses

    async def _resolve(self, host: str) -> list[IPAddress]:
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.wait_for(
                loop.run_in_executor(self._threads, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)), RESOLVE_SECONDS
            )
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"the name {host} could not be resolved") from error
        return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]

    async def _connect(self, place: str, addresses: list[IPAddress], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for address in sorted(set(addresses), key=lambda one: one.version)[:2]:
            with contextlib.suppress(OSError):
                return await asyncio.wait_for(asyncio.open_connection(str(address), port), CONNECT_SECONDS)
        raise Unreachable(f"{place} does not answer")

    async def _relay(self, near: tuple[asyncio.StreamReader, asyncio.StreamWriter], far: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        pumps = [asyncio.ensure_future(self._pump(near[0], far[1])), asyncio.ensure_future(self._pump(far[0], near[1]))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if not pumps[1].done() and not pumps[0].exception():
                await asyncio.wait([pumps[1]], timeout=IDLE_SECONDS)  # the browser has said all; the answer may still come
        finally:
            for pump in pumps:
                pump.cancel()
            far[1].close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while self._traffic < MAX_TRAFFIC and (data := await source.read(CHUNK)):
            self._traffic += len(data)
            sink.write(data)
            await sink.drain()


def place_of(target: Target) -> str:
    return f"[{target.host}]:{target.port}" if ":" in target.host else f"{target.host}:{target.port}"


def _forwarded(method: str, target: Target, head: bytes) -> bytes:
    """The request as its server expects it. One request a connection: what follows on it would not be judged."""
    lines = [line for line in head.split(b"\r\n")[1:] if line and line.partition(b":")[0].strip().lower() not in _HOP]
    return b"\r\n".join([f"{method} {target.resource} HTTP/1.1".encode(), *lines, b"Connection: close", b"", b""])


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str) -> bool:
    body = reason.encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return False


def _is_ours(address: IPAddress) -> bool:
    """Whether the address is this machine's own: a datagram socket names its own end without sending anything."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return ip_address(probe.getsockname()[0]) == address
    except OSError:
        return False
