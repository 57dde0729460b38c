"""Which addresses a request may make this service connect to: pure decisions, no network.

In: a URL that somebody else wrote, and the IP addresses its name stands for. Out: its parts, or `AddressRefused`. Resolving the name and
connecting to exactly the addresses judged here is `tasks/http.py`'s and `tasks/connections.py`'s part.

Refused is everything that is not known to be public. The registries behind the tables: https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry. What the operator lists in ALLOWED_PRIVATE_HOSTS (host names, addresses, networks)
is let through, on any port.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import quote, urlsplit

from django.conf import settings

from tasks.errors import AddressRefused

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

MAX_URL = 8000
DEFAULT_PORTS = {"http": 80, "https": 443}

# An allow-list for IPv6: global unicast is 2000::/3 and nothing else, which leaves out every form that embeds an IPv4 address (mapped,
# compatible, translated, NAT64), link-local, site-local, unique-local, multicast and segment routing (5f00::/16) without naming them.
GLOBAL_UNICAST = ip_network("2000::/3")
NOT_PUBLIC: tuple[IPNetwork, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network; Linux connects to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata (100.100.100.200)
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, reachable from every virtual machine there
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

# Web servers live on 80, 443 and, for people without root rights, on any high port (8000, 3000, 5000). These high ports belong to services
# that may take a line of an HTTP request for a command of their own, or that trust whoever reaches them.
NOT_WEB_PORTS = frozenset(
    {
        *(1433, 1434, 1521, 2483, 2484, 3306, 5432, 5433, 5984, 6432, 7474, 7687, 8086, 9042, 9160, 28015, 33060, 50000),  # databases
        *(27017, 27018, 27019, 6379, 6380, 16379, 26379, 11211, 9200, 9300),  # document stores, caches, search
        *(4369, 5672, 9092, 25672, 2181, 2379, 2380, 8500),  # queues and coordination
        *(2375, 2376, 6443, 10250, 10255),  # containers
        *(1080, 1723, 2049, 3128, 3260, 3389, 3690, 5060, 5061, 5900, 5901, 5985, 5986, 6000, *range(6665, 6670), 6697),  # the rest
    }
)

_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True)
class Target:
    """One http(s) URL in its parts. `host` is in lower case, without brackets or a final dot; `resource` is path and query as they go on the
    wire; `literal` is the address itself where the host is one."""

    url: str
    scheme: str
    host: str
    port: int
    resource: str
    literal: IPAddress | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def parse_url(url: str) -> Target:
    """The parts of a URL that every program would read in the same way; `AddressRefused` for anything that two could read differently.

    So: http or https, no user name, no backslash, control or white-space character, a host in ASCII (international names in their `xn--`
    form), addresses only in their plain form (no decimal, hexadecimal, octal or short IPv4, no zone)."""
    if len(url) > MAX_URL:
        raise AddressRefused(f"The address is longer than {MAX_URL:,} characters.")
    if any(char <= " " or char == "\\" or char == "\x7f" or (not char.isascii() and not char.isprintable()) for char in url):
        raise AddressRefused("The address holds a backslash, a control character or white space; write it percent-encoded.")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise AddressRefused("The address does not begin with http:// or https://.")
    scheme, authority, resource = parts[1].lower(), parts[2], parts[3]
    if "@" in authority:
        raise AddressRefused("The address holds a user name or password; give it without.")
    pieces = _AUTHORITY.fullmatch(authority)
    if pieces is None:
        raise AddressRefused("The address has no valid host name; international names go in their xn-- form.")
    port = int(pieces[2]) if pieces[2] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise AddressRefused(f"The address names port {port}, which does not exist.")
    host, literal = _host(pieces[1])
    if not resource.startswith("/"):
        resource = f"/{resource}"
    return Target(url.partition("#")[0], scheme, host, port, quote(resource, safe="!$%&'()*+,/:;=?@[]~"), literal)


def _host(text: str) -> tuple[str, IPAddress | None]:
    try:
        if text.startswith("["):
            address: IPAddress = IPv6Address(text[1:-1])
            return str(address), address
        name = text.removesuffix(".").lower()
        labels = name.split(".")
        if _NUMBER.fullmatch(labels[-1]):  # what a resolver takes for an IPv4 address, in whatever form
            address = IPv4Address(name)
            return str(address), address
    except ValueError as error:
        raise AddressRefused("The address has an IP address in an unusual form; write it plainly, as in 192.0.2.1 or [2001:db8::1].") from error
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("The address has no valid host name.")
    return name, None


def is_public(address: IPAddress) -> bool:
    """Whether this is an address of the public internet. Python's own `is_global` also says yes to 64:ff9b::7f00:1, ::127.0.0.1, fec0::1,
    224.0.0.1 and 168.63.129.16, so it is one condition among several."""
    if address.version == 6 and address not in GLOBAL_UNICAST:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local:
        return False
    return not any(address in network for network in NOT_PUBLIC)


def is_web_port(port: int) -> bool:
    """Whether somebody else's URL may name this port: 80, 443 and the high ones, but those of databases and the like."""
    return port in (80, 443) or (port >= 1024 and port not in NOT_WEB_PORTS)


def check_target(target: Target) -> None:
    """Everything that can be said before the name is resolved; raises `AddressRefused`."""
    if target.literal is not None:
        check_addresses(target, [target.literal])
    elif target.host == "localhost" or target.host.endswith(".localhost"):  # loopback by definition: RFC 6761, 6.3
        check_addresses(target, [IPv4Address("127.0.0.1")])
    elif not _is_listed_name(target.host):
        _check_port(target)


def check_addresses(target: Target, addresses: Iterable[IPAddress], *, is_ours: Callable[[IPAddress], bool] = lambda _: False) -> None:
    """Refuse the target if any one of its addresses is not allowed, so that a name cannot hide a private address among public ones.

    `is_ours` tells the addresses of this machine: where it has a public one, whatever listens there behind a firewall would be open to us. Only the
    service itself (PUBLIC_URL) is what anybody may ask for."""
    if _is_listed_name(target.host):
        return
    for address in addresses:
        if is_listed(address):
            continue
        if not is_public(address):
            raise AddressRefused(
                f"{target.host} is not at a public address; the operator can let it through with ALLOWED_PRIVATE_HOSTS.",
                detail=f"{target.host} stands for {address}",
            )
        if is_ours(address) and not is_service(target):
            raise AddressRefused(
                f"{target.host} is the machine that this service runs on; the operator can let it through with ALLOWED_PRIVATE_HOSTS.",
                detail=f"{target.host} stands for {address}",
            )
        _check_port(target)


def is_service(target: Target) -> bool:
    """Whether this is where the service itself is reached."""
    own = urlsplit(settings.PUBLIC_URL)
    return target.origin == (own.scheme, own.hostname, own.port or DEFAULT_PORTS.get(own.scheme))


def _check_port(target: Target) -> None:
    if not is_web_port(target.port):
        raise AddressRefused(
            f"Port {target.port} of {target.host} is not one of a web server; the operator can list the host in ALLOWED_PRIVATE_HOSTS."
        )


def is_listed(address: IPAddress) -> bool:
    """Whether the operator let this address through."""
    _, networks = _allowed(tuple(settings.ALLOWED_PRIVATE_HOSTS))
    return any(address in network for network in networks)


def _is_listed_name(host: str) -> bool:
    names, _ = _allowed(tuple(settings.ALLOWED_PRIVATE_HOSTS))
    return host in names


@lru_cache(maxsize=8)
def _allowed(entries: tuple[str, ...]) -> tuple[frozenset[str], tuple[IPNetwork, ...]]:
    names, networks = set(), []
    for entry in entries:
        try:
            networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            names.add(entry.lower().removesuffix("."))
    return frozenset(names), tuple(networks)
