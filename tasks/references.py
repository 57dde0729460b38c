"""The addresses in a brief that hold the data its page is made from.

In: the brief. Out: at most three http(s) addresses, in its order. Fetching is the attachments stage's part. Judged by pattern, and when in doubt the
answer is no: an address counts when it looks like data (a data file, an API) or the brief says in so many words to fetch it. Scripts, styles, fonts,
documentation, examples, placeholders and addresses that the page's visitor brings along do not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit

from tasks.files.paths import attachment_path
from tasks.files.wording import MAX_BRIEF, units

MAX_ADDRESSES = 3
MAX_LENGTH = 500
FOLDER = "fetched/"

_ADDRESS = re.compile(r"https?://[^\s\"'`<>|\\]+", re.I)
_PLACEHOLDER = re.compile(r"\.\.\.|…|[{}\[\]*$]|<|>|\bYOUR[-_]|%7B|\bxxx+\b|/:\w+", re.I)
_NOBODY = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local)$", re.I)
_CODE_HOSTS = re.compile(
    r"(?:^|\.)(?:jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|esm\.sh|skypack\.dev|fonts\.(?:googleapis|gstatic)\.com|code\.jquery\.com|bootstrapcdn\.com"
    r"|cdn\.tailwindcss\.com|shields\.io|w3\.org|schema\.org|readthedocs\.io|developer\.mozilla\.org|stackoverflow\.com)$",
    re.I,
)
_DATA_ENDINGS = frozenset(".json .jsonl .ndjson .geojson .topojson .csv .tsv .txt .xml .rss .atom .xlsx .ics .dat".split())  # noqa: SIM905
_OTHER_ENDINGS = frozenset(
    ".js .mjs .css .map .woff .woff2 .ttf .png .jpg .jpeg .gif .webp .svg .ico .mp3 .mp4 .webm .wasm .zip .gz .pdf .git .whl".split()  # noqa: SIM905
)
_DATA_HOST = re.compile(
    r"^(?:api|data|raw|feeds?|services?|query|export)\d*[.-]|\.api\.|^raw\.githubusercontent\.com$|^gist\.githubusercontent\.com$", re.I
)
_DATA_PATH = re.compile(r"/(?:api|v\d+(?:\.\d+)?|rest|feeds?|exports?|raw|sparql|graphql|odata|datasets?)(?:/|$)|\bw/api\.php$", re.I)
_DATA_QUERY = re.compile(r"(?:^|&)(?:format|output|f|alt|outputformat|type)=(?:json|csv|tsv|xml|geojson|rdb)\b", re.I)
_FETCHED = re.compile(r"\b(?:fetch|download|scrape|GET|pull|retrieve)\b(?:\s+[\w'’-]+){0,4}\s*[:(\"'`<]*\s*$", re.I)
_USED = re.compile(
    r"\b(?:fetch\w*|download\w*|scrap\w+|load\w*|read\w*|get|retriev\w+|pull\w*|quer\w+|call\w*|import\w*|use|using|uses|from|data|sources?|at|via"
    r"|based on)\b",
    re.I,
)
_ASIDE = re.compile(
    r"(?:\bsee(?:\s+also)?|\be\.?g\.?|\bi\.?e\.?|\bfor (?:example|instance|details|more|reference)|\bsuch as|\blike"
    r"|\bdoc(?:s|umentation)?(?: is| are)?(?: at| on| in)?"
    r"|\b(?:guide|manual|reference|tutorial|spec|terms|policy|guidelines|homepage|inspired by|similar to|looks? like|prox(?:y|ies)"
    r"|link(?:s|ed|ing)? to|redirects? to|posts? to|send(?:s|ing)? (?:it )?to|submits? to"
    r"|credits?|license)\b(?:\s+(?:at|on|in|is|for|to|of))?)[\s,:;(\[\"'`*-]*$",
    re.I,
)
_NOT = re.compile(r"(?:\bnot\b|n['’]t\b|\bnever\b|\bwithout\b|\bavoid\b|\binstead of\b)[^.;!?]{0,60}$", re.I)
_AFTER_ASIDE = re.compile(r"^[\s)\]\"'`]*(?:for (?:the )?(?:docs|documentation|details|reference|an example|more)|\(docs|\(documentation)", re.I)


def addresses(brief: str, *, but: Collection[str] = ()) -> tuple[str, ...]:
    """What may be fetched for the model; `but` are addresses that are something else, such as the evaluation_url."""
    others = {_same(address) for address in but}
    found: dict[str, str] = {}
    for unit in units(brief[:MAX_BRIEF]):
        for match in _ADDRESS.finditer(unit):
            address = _trimmed(match[0])
            if _is_data(address, unit[: match.start()], unit[match.start() + len(address) :]) and _same(address) not in others:
                found.setdefault(_same(address), address)
    return tuple(found.values())[:MAX_ADDRESSES]


def name_for(address: str, media_type: str, taken: Collection[str]) -> str:
    """The path under which the answer is offered: `fetched/data.sec.gov-Shares.json`. Never one of `taken`."""
    parts = urlsplit(address)
    last = PurePosixPath(parts.path).name
    ending = PurePosixPath(last).suffix.lower()
    if ending not in _DATA_ENDINGS:
        ending = {"application/json": ".json", "text/csv": ".csv", "text/tab-separated-values": ".tsv", "application/xml": ".xml"}.get(
            media_type, ".txt"
        )
        last += ending
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{parts.hostname or 'host'}-{last}").strip(".-")
    stem = plain.removesuffix(ending)[: 80 - len(ending)].rstrip(".-")
    inside = {path.removeprefix(FOLDER) for path in taken if path.startswith(FOLDER)}
    return FOLDER + attachment_path(stem + ending, inside)


def _trimmed(text: str) -> str:
    """Without what belongs to the sentence: a full stop, a closing bracket that was opened before the address."""
    while text and (text[-1] in ".,;:!?*_" or (text[-1] == ")" and text.count(")") > text.count("("))):
        text = text[:-1]
    return text


def _same(address: str) -> str:
    return address.partition("#")[0].rstrip("/").lower()


def _is_data(address: str, before: str, after: str) -> bool:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if not host or len(address) > MAX_LENGTH or "@" in parts.netloc or not address.isascii():
        return False
    if _PLACEHOLDER.search(address.partition("://")[2]) or _NOBODY.search(host) or _CODE_HOSTS.search(host):
        return False
    if before.endswith(("=", "](")) or _ASIDE.search(before) or _NOT.search(before) or _AFTER_ASIDE.search(after):
        return False
    if PurePosixPath(parts.path).suffix.lower() in _OTHER_ENDINGS:
        return False
    return bool(_FETCHED.search(before)) or (_looks_like_data(parts, host) and bool(_USED.search(before)))


def _looks_like_data(parts: SplitResult, host: str) -> bool:
    ending = PurePosixPath(parts.path).suffix.lower()
    return ending in _DATA_ENDINGS or bool(_DATA_HOST.search(host) or _DATA_PATH.search(parts.path) or _DATA_QUERY.search(parts.query))
