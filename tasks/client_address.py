"""Who is counted when somebody guesses passwords or secrets: the address that a request came from.

Behind a proxy every connection comes from the proxy, which notes the caller's address at the end of `X-Forwarded-For`. The header is believed only
where the connection itself, and then each entry from the right, is in TRUSTED_PROXIES: whatever a caller wrote there stands further left.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPV6_PREFIX = 64  # what one connection at home or one machine in a data centre has to itself


def client_address(request: HttpRequest) -> str:
    """The nearest address that is no trusted proxy; of an IPv6 address its network. Empty where there is none (a Unix socket)."""
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    for entry in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if address is None or not _trusted(address):
            break
        before = _parse(entry)
        if before is None:
            break
        address = before
    return "" if address is None else _counted(address)


def _parse(text: str) -> Address | None:
    """An address, with or without a port; IPv4 in IPv6 clothes is IPv4."""
    text = text.strip().removeprefix("[").split("]")[0].split("%")[0]
    if text.count(":") == 1:
        text = text.split(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _counted(address: Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)
