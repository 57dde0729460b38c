"""What the addresses of a report lead to, and which of them are the operator's own.

Trusted is what the settings name: this service (PUBLIC_URL), GitHub's site that belongs to GITHUB_API_URL, and where GITHUB_PAGES_URL has its pages.
Everything else that a report names goes through the address guard, here and in the browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from tasks import http
from tasks.address_guard import parse_url
from tasks.errors import AddressRefused, TaskError, TooLarge

PAGE_SECONDS = 10.0
MAX_PAGE = 10 * 1024 * 1024
REDIRECTS = 5
API_HOST, WEB_HOST = "api.github.com", "github.com"


@dataclass(frozen=True)
class Page:
    """What the live address answered. `problem` is empty where there is a page; `final`: looking again would change nothing. `addresses` are those
    that were judged for it, none where the address is the operator's own."""

    url: str
    problem: str = ""
    final: bool = False
    addresses: tuple[str, ...] = ()


def github_site() -> str:
    """The origin on which GitHub shows and serves repositories: https://docs.github.com/en/enterprise-server/rest/quickstart"""
    api = urlsplit(settings.GITHUB_API_URL)
    return f"{api.scheme}://{WEB_HOST if api.hostname == API_HOST else api.netloc}"


def is_trusted_repo(url: str) -> bool:
    return same_origin(url, settings.PUBLIC_URL) or same_origin(url, github_site())


def is_trusted_page(url: str) -> bool:
    if same_origin(url, settings.PUBLIC_URL):
        return True
    shape = re.escape(settings.GITHUB_PAGES_URL).replace(r"\{owner\}", "[a-z0-9-]+").replace(r"\{repo\}", "[^/]+")
    origin = "/".join(shape.split("/", 3)[:3])
    return re.match(rf"{origin}(?:[/?#]|\Z)", url, re.IGNORECASE) is not None


def same_origin(url: str, other: str) -> bool:
    try:
        return parse_url(url).origin == parse_url(other).origin
    except AddressRefused:
        return False


def knock(url: str) -> Page:
    """One request for the page, before any browser is started for it. Never raises for anything that stands there."""
    trusted = is_trusted_page(url)
    try:
        addresses = () if trusted else tuple(map(str, http.judged_addresses(url, PAGE_SECONDS)))
        answer = http.fetch(url, seconds=PAGE_SECONDS, max_bytes=MAX_PAGE, redirects=REDIRECTS, trusted=trusted)
    except AddressRefused as error:
        return Page(url, error.message, final=True)
    except TooLarge:  # the browser has limits of its own
        return Page(url, addresses=addresses)
    except TaskError as error:
        return Page(url, error.message)
    problem = f"The page answered {answer.status}." if not 200 <= answer.status < 300 else ""
    return Page(url, problem, addresses=addresses)
