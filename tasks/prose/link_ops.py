"""What can be said of where a page leads: the files that it links to, the libraries that it loads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from tasks.prose.language import Look, Op, Predicate, Verdict, a_flag, a_path, a_text, failed, passed, shown, some
from tasks.prose.page_ops import BY_SCRIPT, INDEX, as_js
from tasks.prose.pages import Page


def links_to(predicate: Predicate, look: Look) -> Verdict:
    """Every target is the address of a link, an image, a script or a frame of the page."""
    path = predicate.get("path", INDEX)
    page = look.page(path)
    linked = list(_links(page, path))
    missing = [target for target in predicate["targets"] if not any(_leads_to(link, target) for link in linked)]
    if not missing:
        return passed(targets=predicate["targets"])
    problem = f"{path} has no link to {', '.join(missing)}."
    if not page.scripted or predicate.get("static"):
        return failed(problem, missing=missing)
    checks = f"{as_js(missing)}.every((t) => l.some((u) => u.split(/[?#]/)[0].endsWith('/' + t)))"
    return look.ask(
        f"((l) => {checks})([...document.querySelectorAll('[href],[src]')].map((e) => e.href || e.src || ''))", f"{problem[:-1]}; {BY_SCRIPT}"
    )


def loads(predicate: Predicate, look: Look) -> Verdict:
    """A library from another host, in a `link` or `script` element; `version` is the start of its version, `host` a part of the host's name."""
    path = predicate.get("path", INDEX)
    page = look.page(path)
    name, version = predicate["library"].lower(), predicate.get("version", "")
    urls = [node.attributes.get("href") or node.attributes.get("src") or "" for node in page.nodes if node.tag in {"link", "script"}]
    host = predicate.get("host", "").lower()
    named = [url for url in urls if name in url.lower() and re.match(r"(?:https?:)?//", url) and host in url.split("/")[2].lower()]
    if any(not version or re.search(rf"[@/v-]{re.escape(version)}(?![\d])", url) for url in named):
        return passed(urls=[shown(url) for url in named])
    wanted = f"{predicate['library']} {version}".strip()
    if named:
        return failed(f"{path} loads {shown(named[0])}, in whose address {version} is not the version.", urls=[shown(url) for url in named[:10]])
    return failed(
        f"{path} has no link or script element that loads {wanted} from {host or 'another host'}.", urls=[shown(url) for url in urls[:20] if url]
    )


def _links(page: Page, path: str) -> Iterator[tuple[str, bool]]:
    """Paths that the page leads to: in the repository, or (True) on another host."""
    for node in page.nodes:
        for name in ("href", "src", "data"):
            url = node.attributes.get(name, "").strip()
            if not url or len(url) > 2_000:
                continue
            try:
                parts = urlsplit(url)
            except ValueError:
                continue
            target = unquote(parts.path)
            if parts.scheme in {"http", "https"} or parts.netloc:
                yield target, True
            elif not parts.scheme and target:
                yield posixpath.normpath(posixpath.join(posixpath.dirname(path), target)), target.startswith("/")


def _leads_to(link: tuple[str, bool], target: str) -> bool:
    path, elsewhere = link
    return path == target or (elsewhere and path.endswith(f"/{target}"))


LINK_OPS: dict[str, Op] = {
    "links_to": Op(links_to, {"targets": some(a_path)}, {"path": a_path, "static": a_flag}),
    "loads": Op(loads, {"library": a_text}, {"path": a_path, "version": a_text, "host": a_text}),
}
