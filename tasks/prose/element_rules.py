"""Phrases about one element of a page: "element with id 'x' displaying best.price", "<h1 id='x'> contains …", "#x is a form", "a button exists"."""

from __future__ import annotations

import re
from typing import Any

from tasks.prose.grammar import EXISTS, IS, MODAL, NAME, QUOTED, Context, file_name, together, unquote, whole
from tasks.prose.json_rules import NUMBER, constant
from tasks.prose.language import Predicate
from tasks.prose.value_rules import value_of

BARE_ID = r"[A-Za-z_][\w:-]*"
ID = rf"#?{BARE_ID}"
TAGS = """
    a article aside audio blockquote body button canvas code dd details dialog div dl dt em fieldset figure footer form h1 h2 h3 h4 h5 h6 header
    iframe img input label legend li main nav ol option output p pre progress section select small span strong summary svg table tbody td textarea
    th thead time tr ul video
"""
TAG = "(?:" + "|".join(sorted(TAGS.split(), key=len, reverse=True)) + ")"
KINDS = {  # what an element is called, as a selector
    r"buttons?": "button, input[type=button], input[type=submit], [role=button]",
    r"forms?": "form",
    r"tables?": "table",
    r"(?:canvas|canvases|canvas elements?)": "canvas",
    r"(?:images?|pictures?)": "img, svg",
    r"(?:dropdowns?|drop-downs?|selects?|select elements?)": "select",
    r"(?:text ?areas?)": "textarea",
    r"(?:check ?boxe?s?)": "input[type=checkbox]",
    r"(?:iframes?)": "iframe",
    r"(?:videos?)": "video",
}
SHOWS = rf"{MODAL}(?:displays?|shows?|renders?)"
_ID_WORD = r"(?:(?:the |an? )?(?:HTML )?id(?: attribute)?(?: of| equal to)? ?[=:]? ?)"
ELEMENT = (
    rf"(?:(?:(?P<tag>{TAG}|<{TAG}>) )?(?:element |tag )?with {_ID_WORD}(?P<id>[\"'`]{ID}[\"'`]|{ID})|"
    rf"<(?P<mtag>{TAG}) id=[\"'`]?(?P<mid>{ID})[\"'`]?>(?: element| tag)?|"
    rf"(?:(?P<htag>{TAG}|<{TAG}>) )?[\"'`]?(?P<hid>#{BARE_ID})[\"'`]?(?: (?:element|(?P<etag>{TAG})))?)"
)
TAIL = r"(?:(?:,? ?(?:that|which) )?(?P<verb>displays|displaying|shows|showing|contains|containing|with) (?P<value>.+))?"


def statement(text: str, context: Context) -> Predicate | None:
    """A whole sentence about an element."""
    return _element(text, context) or _there_is(text, context) or _named(text)


def tailed(place: dict[str, Any], match: re.Match[str], context: Context) -> Predicate | None:
    """An element, perhaps with what it displays."""
    found = _found(place, match)
    value, verb = match["value"], (match["verb"] or "").lower()
    if not value:
        return found
    if verb == "with" and not whole(rf"(?:the )?text {QUOTED}", value):
        return None
    where: dict[str, Any] = {key: found[key] for key in ("path", "static", "id", "tag") if key in found}
    return together([found, _text(where, re.sub(r"^(?:the )?text ", "", value), context, exact="display" in verb or "show" in verb)])


def _found(place: dict[str, Any], match: re.Match[str]) -> Predicate:
    name = unquote(match["id"] or match["mid"] or match["hid"]).lstrip("#")
    tag = match["tag"] or match["mtag"] or match["htag"] or match["etag"]
    return {"op": "element", **place, "id": name, **({"tag": tag.strip("<>").lower()} if tag else {})}


def _text(where: dict[str, Any], text: str, context: Context, *, exact: bool) -> Predicate | None:
    """What an element displays: a quotation, a value of a JSON file, a number."""
    if whole(QUOTED, text):
        return {"op": "element_text", **where, "test": "contains", "text": unquote(text)}
    if whole(NUMBER, text):
        return {"op": "shows", **{key: value for key, value in where.items() if key in {"path", "id"}}, "number": constant(text)}
    source = value_of(text, context)
    return {"op": "element_text", **where, "test": "equals" if exact else "contains", **source} if source else None


def _there_is(text: str, context: Context) -> Predicate | None:
    """As in "there is an element with the id total"."""
    match = whole(rf"there (?:is|(?:must|should|shall|has to|needs to) be) (?:an? )?{ELEMENT}(?: (?:in|on) the page)?(?: {TAIL})?", text)
    return tailed({"static": True} if match["mtag"] else {}, match, context) if match else None


def _element(text: str, context: Context) -> Predicate | None:
    """As in "element with id 'x' exists", "index.html <h1 id='x'> contains the name from data.json", "#x is a <form>"."""
    match = whole(rf"(?:(?:in )?(?P<file>{NAME}),? )?(?:an? |the )?{ELEMENT} (?P<rest>.+)", text)
    if not match:
        match = whole(rf"(?:(?P<file>{NAME}) )?(?:the )?(?P<htag><?h1>?) (?P<rest>.+)", text)
        return _heading(match, context) if match else None
    place: dict[str, Any] = {"path": file_name(match["file"]), "static": True} if match["file"] else {"static": True} if match["mtag"] else {}
    found, rest = _found(place, match), match["rest"]
    if whole(rf"{EXISTS}|(?:{IS} |{MODAL}exists? )?(?:present )?(?:in|on) (?:the page|index\.html)", rest):
        return found
    if kind := whole(rf"{IS} an? <?(?P<tag>{TAG})>?(?: element| tag)?", rest):
        return {**found, "tag": kind["tag"].lower()}
    where: dict[str, Any] = {key: found[key] for key in ("path", "static", "id", "tag") if key in found}
    if shown := whole(rf"(?:{SHOWS}|{MODAL}(?P<loose>contains?|includes?)|{MODAL}(?:equals?|reads?)) (?:the text )?(?P<value>.+)", rest):
        return together([found, _text(where, shown["value"], context, exact=not shown["loose"])])
    return None


def _heading(match: re.Match[str], context: Context) -> Predicate | None:
    place: dict[str, Any] = {"path": file_name(match["file"])} if match["file"] else {}
    place |= {"static": True} if match["file"] or "<" in match["htag"] else {}
    rest = whole(rf"(?:{SHOWS}|{MODAL}(?P<loose>contains?|includes?)|{MODAL}(?:equals?|reads?)|{IS}) (?:the text )?(?P<value>.+)", match["rest"])
    if not rest:
        return None
    test = "contains" if rest["loose"] else "equals"
    if whole(QUOTED, rest["value"]):
        return {"op": "element_text", **place, "selector": "h1", "test": test, "text": unquote(rest["value"])}
    source = value_of(rest["value"], context)
    return {"op": "element_text", **place, "selector": "h1", "test": test, **source} if source else None


def _named(text: str) -> Predicate | None:
    match = whole(rf"(?:an? |the )?(?P<kind>[a-z -]+?) (?:{EXISTS}|exists? on the page)", text)
    kind = next((selector for words, selector in KINDS.items() if match and whole(words, match["kind"])), "")
    return {"op": "element", "selector": kind} if kind else None
