"""The files of its own site that a page asks for: in attributes, style sheets and literal `fetch` calls."""

from __future__ import annotations

import posixpath
import re
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

MAX_PAGE = 300_000  # characters of a page that are read
PIECE = 8_192
_URL_ATTRIBUTES = {"href", "src", "poster", "data", "action"}
_FETCH = re.compile(r"\b(?:fetch|d3\.(?:csv|json|text|tsv)|axios\.get|\$\.(?:getJSON|get))\s*\(\s*([\"'`])([^\"'`\n]{1,300})\1")
_CSS_URL = re.compile(r"\burl\(\s*[\"']?([^\"')\s]{1,300})")
_IMPORT = re.compile(r"(?:\bfrom|\bimport)\s*\(?\s*[\"'](\.{1,2}/[^\"'\n]{1,300})[\"']")
_TEMPLATED = re.compile(r"\$\{|\{\{|<%|\bencodeURI")


class Link(NamedTuple):
    """`target` is the path in the repository that `source` asks for; `url` is how it is written."""

    source: str
    url: str
    target: str
    absolute: bool = False  # begins with / and so leaves the folder in which the site is served


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.urls: list[str] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.base = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inside = tag if tag in {"script", "style"} else ""
        if tag == "base":
            self.base = values.get("href", "")
            return
        self.urls += [value for name, value in values.items() if name in _URL_ATTRIBUTES and not (tag == "form" and name != "action")]
        self.urls += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        if "style" in values:
            self.styles.append(values["style"])

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside == "style":
            self.styles.append(data)


def of_page(path: str, text: str) -> list[Link]:
    """Links of an HTML file at `path`."""
    page = _Page()
    for start in range(0, min(len(text), MAX_PAGE), PIECE):  # in pieces and never closed: the parser's time on unclosed markup grows with its square
        page.feed(text[start : start + PIECE])
    if urlsplit(page.base).netloc:
        return []
    folder = posixpath.join(posixpath.dirname(path), posixpath.dirname(page.base))
    urls = [*page.urls, *(url for style in page.styles for url in _CSS_URL.findall(style))]
    urls += [url for script in page.scripts for _, url in _FETCH.findall(script)]
    return _resolved(path, folder, urls)


def of_script(path: str, text: str) -> list[Link]:
    """Links of a script: what it imports, beside itself; what it fetches, beside the page at the root."""
    return _resolved(path, posixpath.dirname(path), _IMPORT.findall(text)) + _resolved(path, "", [url for _, url in _FETCH.findall(text)])


def of_style(path: str, text: str) -> list[Link]:
    return _resolved(path, posixpath.dirname(path), _CSS_URL.findall(text))


def _resolved(source: str, folder: str, urls: list[str]) -> list[Link]:
    links = []
    for url in dict.fromkeys(url.strip() for url in urls):
        if not url or _TEMPLATED.search(url):
            continue
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        if parts.scheme or parts.netloc or not parts.path:
            continue
        path = unquote(parts.path)
        absolute = path.startswith("/")
        target = posixpath.normpath(path.lstrip("/") if absolute else posixpath.join(folder, path))
        if path.endswith("/") or target in {".", ""}:
            target = posixpath.normpath(posixpath.join(target, "index.html"))
        links.append(Link(source, url, target, absolute))
    return links
