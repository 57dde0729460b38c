"""Phrases about a page: "… contains element with id='x' displaying best.price", "page title is 'X'", "… links to all other files".

What is said of index.html is taken as said of the file; what is said of the page may be done by its script and is left to the browser.
"""

from __future__ import annotations

import re
from typing import Any

from tasks.prose import element_rules
from tasks.prose.element_rules import BARE_ID, ELEMENT, KINDS, SHOWS, TAIL, tailed
from tasks.prose.grammar import FILES, HAS, IS, MODAL, NAME, QUOTED, Context, and_more, file_list, file_name, quotations, together, unquote, whole
from tasks.prose.json_rules import constant
from tasks.prose.language import Predicate
from tasks.prose.numbers import RANGE, bounds
from tasks.prose.value_rules import value_of

INDEX = "index.html"
PAGE = r"(?:the |this )?(?:web ?page|page|web ?site|site|app|application|home ?page|document)"
_PROPER = r"[A-Z][\w.+#]*(?: [A-Z][\w.+#]*){0,3}"
_ALL = r"(?:all |each )?(?:of )?(?:the )?(?:other |above |listed |required |generated ){0,3}(?:assets|files)(?: above| listed)?"
_LINKS = rf"(?:{MODAL}links?|{HAS} links?) to (?:{_ALL}|(?:the )?(?P<files>{FILES}))"
_LIBRARY = r"(?P<name>[A-Za-z][\w.-]{1,30})(?: v?(?P<version>\d{1,3}(?:\.\d{1,3}){0,2}))?"
_HOST = r"(?:(?:an? |the )?CDN|(?P<host>jsdelivr|cdnjs|unpkg|googleapis))"
_LOADED = (
    rf"(?:{PAGE} |{INDEX} )?(?:loads?|uses|includes?|imports?) {_LIBRARY} (?:from|via|through) {_HOST}",
    rf"{_LIBRARY} {IS} (?:loaded|included|imported) (?:from|via|through) {_HOST}",
    rf"{_LIBRARY} (?:loaded|included|imported) (?:from|via|through) {_HOST}",
)
_FETCH = (
    rf"{MODAL}(?:(?:fetches|loads|gets|reads|retrieves) (?:the )?(?:data|{NAME}) (?:by )?(?:using|with|via|through|calling) |uses |calls )"
    rf"fetch\( ?(?P<url>{QUOTED}) ?\)"
)
_TITLE = (
    rf"(?:(?P<file>{NAME})(?:'s)? (?:<title>|title)|"
    rf"(?:the )?(?:<title>|(?:page|document|site)(?:'s)? title|title)(?: of (?:(?P<of>{NAME})|the page|the document))?)(?: tag| element)?"
)
_BE = rf"(?:{IS}(?: set to| exactly| equal to)?|{MODAL}(?:equals?|contains?|includes?|reads?|matches)|={{1,3}})"
_INSIDE = rf"(?: (?:in|inside) (?:the )?(?P<id>#{BARE_ID})(?: element)?)?"
_FREE = r"[A-Za-z-]+(?: [A-Za-z-]+){0,5}"
_LIMITING = re.compile(r"\b(?:only|not|no|never|when|if|after|without|unless)\b", re.I)
_HELLO = re.compile(r"hello,? world!?", re.I)


def phrase(path: str, text: str, context: Context) -> Predicate | None:
    """What `text`, which follows the name of an HTML file, says of it as a file."""
    if not path.lower().endswith((".html", ".htm")):
        return None
    place = {"path": path, "static": True}
    if match := whole(_FETCH, text):
        return together({"op": "contains", "path": path, "text": part} for part in ("fetch(", unquote(match["url"])))
    if match := whole(rf"{HAS} (?:an? |the )?<?title>?(?: tag| element)? (?:of |equal to |set to )?(?P<text>{QUOTED})", text):
        return {"op": "title", **place, "test": "equals", "text": unquote(match["text"])}
    return _of_page(place, text, context)


def statement(text: str, context: Context) -> Predicate | None:
    """A whole sentence about the page, its title, one of its elements or a library."""
    for rule in (_title, element_rules.statement, _library):
        if found := rule(text, context):
            return found
    match = whole(rf"{PAGE} (?P<rest>.+)", text)
    if match:
        return _of_page({}, match["rest"], context) or _shown(match["rest"], context)
    return _shown(text, context) if whole(rf"{SHOWS} .+", text) else None


# -- of the page -----------------------------------------------------------------------------------------------------------------------


def _of_page(place: dict[str, Any], text: str, context: Context) -> Predicate | None:
    if match := whole(rf"(?:{HAS}|{SHOWS}) (?:an? |the )?{ELEMENT}(?: {TAIL})?", text):
        return tailed(place, match, context)
    if match := whole(_LINKS, text):
        targets = file_list(match["files"]) if match["files"] else _assets(context)
        return {"op": "links_to", **place, "targets": targets} if targets else None
    if match := whole(rf"{HAS} (?:an? |{RANGE} )(?P<kind>[a-z -]+)", text):
        kind = next((selector for words, selector in KINDS.items() if whole(words, match["kind"])), "")
        limits = bounds(match) or {"min": 1}
        if kind and set(limits) == {"min"}:  # "has a button", "has at least 3 buttons"
            return {"op": "element", **place, "selector": kind, **({"min": limits["min"]} if limits["min"] > 1 else {})}
    return None


def _assets(context: Context) -> list[str]:
    """The files that a home page leads to: without itself and what every repository has; where the brief says "the above files", those before it."""
    names = [name for name in context.required if name not in {INDEX, "LICENSE", "README.md"} and not name.startswith(".")]
    if re.search(r"\babove\b.{0,20}\bfiles\b|\bfiles above\b", context.brief) and INDEX in context.required:
        names = [name for name in names if 0 <= context.brief.find(name) < context.brief.find(INDEX)]
    return names


# -- sentences -------------------------------------------------------------------------------------------------------------------------


def _title(text: str, context: Context) -> Predicate | None:
    match = whole(rf"{_TITLE} (?P<verb>{_BE}) (?P<value>.+)", text)
    if not match:
        return None
    file = match["file"] or match["of"]
    marked = "<title>" in text.lower()
    place: dict[str, Any] = {"path": file_name(file), "static": True} if file else {"static": True} if marked else {}
    test = "contains" if re.search("contain|include", match["verb"], re.I) else "equals"
    if whole(QUOTED, match["value"]):
        return {"op": "title", **place, "test": test, "text": unquote(match["value"])}
    source = value_of(match["value"], context)
    return {"op": "title", **place, "test": test, **source} if source else None


def _library(text: str, _context: Context) -> Predicate | None:
    match = next((found for pattern in _LOADED if (found := whole(pattern, text))), None)
    if not match or match["name"].lower() in {"data", "libraries", "everything", "assets", "fonts", "images", "scripts", "styles", "it"}:
        return None
    options = {key: match[key] for key in ("version", "host") if match[key]}
    return {"op": "loads", "library": match["name"], **options}


def _shown(text: str, context: Context) -> Predicate | None:
    """What the page displays: a quotation, a number, names that the brief has, something in an element."""
    match = whole(rf"(?:still )?(?:{SHOWS}|{MODAL}contains? the text|{MODAL}says) (?:the text )?(?P<what>.+?){_INSIDE}", text)
    if not match:
        listed = whole(rf"{MODAL}lists? (?P<names>.+)", text)
        return _proper(re.sub(r"^lists? ", "", text, flags=re.I), context) if listed else None
    where = {"id": match["id"][1:]} if match["id"] else {}
    what = match["what"]
    if whole(rf"{QUOTED}(?:(?:, (?:and )?| and ){QUOTED})*", what):
        return together({"op": "shows", **where, "text": quoted} for quoted in quotations(what))
    if _HELLO.fullmatch(what):
        return {"op": "shows", **where, "text": what}
    number = whole(r"(?:the )?(?:(?:grand )?total|sum|result|value|amount|number|count)?(?: of| is|:)? ?(?P<number>\d[\d,]*(?:\.\d+)?)", what)
    if number and len(number["number"]) > 1:
        return {"op": "shows", **where, "number": constant(number["number"])}
    if where and re.fullmatch(_FREE, what) and not _LIMITING.search(what):
        reason = f"The element is there; whether it shows {what} is not said in a way that a program can compare."
        return and_more([{"op": "element", **where}], reason)
    return None


def _proper(text: str, context: Context) -> Predicate | None:
    names = [part.strip() for part in re.split(r", (?:and )?| and ", text)]
    if len(names) < 2 or not all(re.fullmatch(_PROPER, name) and context.names(name) for name in names):
        return None
    return together({"op": "shows", "text": name} for name in names)
