"""What can be said of a page: elements, texts, title.

First by the HTML as it is written, as a program without a browser sees it. What a script may still change is asked of the browser, each time with
an expression that is truthy when the check holds, and stays undecided where there is none; `static` keeps to what is written.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from tasks.prose.json_paths import a_json_path, get, is_number
from tasks.prose.language import (
    Look,
    Op,
    Predicate,
    Settled,
    Verdict,
    a_count,
    a_flag,
    a_number,
    a_path,
    a_selector,
    a_text,
    an_expression,
    an_id,
    failed,
    one_of,
    passed,
    shown,
)
from tasks.prose.pages import Node, Page
from tasks.prose.selectors import select

INDEX = "index.html"
BY_SCRIPT = "a script of the page may do it, and no browser has looked."
_SQUEEZE = '.replace(/\\s+/g, " ").trim()'
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def element(predicate: Predicate, look: Look) -> Verdict:
    """An element with this id or selector, of this tag if one is named, at least `min` times."""
    path, least = predicate.get("path", INDEX), predicate.get("min", 1)
    page = look.page(path)
    found = _elements(predicate, page)
    name, tag = _name(predicate), predicate.get("tag", "").lower()
    of_tag = [node for node in found if not tag or node.tag == tag]
    if len(of_tag) >= least:
        return passed(found=len(of_tag))
    if found and tag and not of_tag:
        problem = f"{name} in {path} is a <{shown(found[0].tag)[1:-1]}>, not a <{tag}>."
    else:
        problem = f"{path} has {len(of_tag) or 'no'} {name}" + (f", not {least}." if least > 1 else ".")
    if predicate.get("static") or not page.scripted:
        return failed(problem)
    condition = f" && e.tagName.toLowerCase() === {as_js(tag)}" if tag else ""
    return look.ask(
        f"[...document.querySelectorAll({as_js(_selector(predicate))})].filter((e) => e{condition}).length >= {least}", f"{problem[:-1]}; {BY_SCRIPT}"
    )


def element_text(predicate: Predicate, look: Look) -> Verdict:
    """The text of the first such element equals or contains a text, or a value of a JSON file."""
    path = predicate.get("path", INDEX)
    page = look.page(path)
    wanted = _wanted(predicate, look)
    found = _elements(predicate, page)
    if tag := predicate.get("tag", "").lower():
        found = [node for node in found if node.tag == tag]
    name = _name(predicate)
    text = found[0].text() if found else ""
    if found and _says(text, predicate["test"], wanted):
        return passed(found=shown(text))
    relation = "equal" if predicate["test"] == "equals" else "contain"
    if not found:
        problem = f"{path} has no {name}."
    elif is_number(wanted) and predicate["test"] == "equals":
        problem = f"{name} in {path} holds {shown(text)}, not the plain digits {shown(wanted)}."
    else:
        problem = f"{name} in {path} holds {shown(text)}, which does not {relation} {shown(wanted)}."
    if predicate.get("static") or not page.scripted:
        return failed(problem, found=shown(text))
    content = f'(document.querySelector({as_js(_selector(predicate))})?.textContent ?? ""){_SQUEEZE}'
    return look.ask(f"((t) => {_condition('t', predicate['test'], wanted)})({content})", f"{problem[:-1]}; {BY_SCRIPT}")


def title(predicate: Predicate, look: Look) -> Verdict:
    path = predicate.get("path", INDEX)
    page = look.page(path)
    wanted = _wanted(predicate, look)
    text = page.title
    if text is not None and _says(text, predicate["test"], wanted):
        return passed(found=shown(text))
    problem = f"{path} has no title." if text is None else f"The title of {path} is {shown(text)}, not {_relation(predicate)} {shown(wanted)}."
    if predicate.get("static") or not page.scripted:
        return failed(problem, found=shown(text or ""))
    return look.ask(f"((t) => {_condition('t', predicate['test'], wanted)})(document.title)", f"{problem[:-1]}; {BY_SCRIPT}")


def shows(predicate: Predicate, look: Look) -> Verdict:
    """The text or the number stands in the page, or in one element of it. A number may have commas between its thousands."""
    path = predicate.get("path", INDEX)
    page = look.page(path)
    wanted = predicate["text"] if "text" in predicate else predicate["number"]
    inside = _elements(predicate, page)[:1] if _limited(predicate) else [page.root]
    place = f"{_name(predicate)} of {path}" if _limited(predicate) else path
    if any(_shows(node.text(), wanted) for node in inside):
        return passed()
    problem = f"{place} does not show {shown(wanted)}."
    if not page.scripted:
        return failed(problem)
    scope = f"document.querySelector({as_js(_selector(predicate))})" if _limited(predicate) else "document.body"
    if isinstance(wanted, str):
        # Styles may show other capitals than the text has; then the text itself has to be right.
        test = "t.includes(w) || (s.includes(w) && t.toLowerCase().includes(w.toLowerCase()))"
        texts = f'(e?.innerText ?? ""){_SQUEEZE}, (e?.textContent ?? ""){_SQUEEZE}'
        expression = f"((e, w) => ((t, s) => {test})({texts}))({scope}, {as_js(' '.join(wanted.split()))})"
    else:
        digits = re.escape(_plain(wanted))
        pattern = f"/(?<![\\d.]){digits}(?:\\.?0+)?(?![\\d]|\\.\\d)/" if "." in digits else f"/(?<![\\d.]){digits}(?:\\.0+)?(?![\\d]|\\.\\d)/"
        expression = f'((e) => !!e && {pattern}.test(e.innerText.replace(/(\\d),(?=\\d{{3}}(?!\\d))/g, "$1")))({scope})'
    return look.ask(expression, f"{problem[:-1]} as it is written; {BY_SCRIPT}")


def js(predicate: Predicate, look: Look) -> Verdict:
    return look.ask(predicate["expression"], "Only the page in a browser can tell, and none has looked.")


# -- the parts -------------------------------------------------------------------------------------------------------------------------


def _elements(predicate: Predicate, page: Page) -> list[Node]:
    if "id" in predicate:
        return [node for node in page.nodes if node.attributes.get("id") == predicate["id"]]
    return select(page, predicate["selector"])


def _selector(predicate: Predicate) -> str:
    """The browser's selector; an id may be anything, so it is asked for as an attribute."""
    return f"[id={as_js(predicate['id'])}]" if "id" in predicate else str(predicate["selector"])


def _limited(predicate: Predicate) -> bool:
    return "id" in predicate or "selector" in predicate


def _name(predicate: Predicate) -> str:
    return f"#{predicate['id']}" if "id" in predicate else f"element {predicate['selector']}"


def _wanted(predicate: Predicate, look: Look) -> Any:
    """The text of the predicate, or the single value of a JSON file."""
    if "text" in predicate:
        return predicate["text"]
    source = predicate["json"]
    found = get(look, source, predicate.get("at", ""))
    if len(found) != 1 or not (isinstance(found[0], str) or is_number(found[0])):
        raise Settled(failed(f"{predicate.get('at') or 'The value'} in {source} is neither a text nor a number."))
    if found[0] == "":
        raise Settled(failed(f"{predicate.get('at')} in {source} is empty."))
    return found[0]


def _says(text: str, test: str, wanted: Any) -> bool:
    if isinstance(wanted, str):
        wanted = " ".join(wanted.split())
        return text == wanted if test == "equals" else wanted in text
    if test == "contains":
        return _shows(text, wanted)
    try:
        return Decimal(text) == Decimal(str(wanted))
    except (InvalidOperation, ValueError):
        return False


def _shows(text: str, wanted: str | float) -> bool:
    if isinstance(wanted, str):
        return " ".join(wanted.split()) in text
    digits = _plain(wanted)
    zeros = r"(?:\.?0+)?" if "." in digits else r"(?:\.0+)?"
    return bool(re.search(rf"(?<![\d.]){re.escape(digits)}{zeros}(?!\d|\.\d)", _THOUSANDS.sub("", text)))


def _plain(number: float) -> str:
    """Digits without an exponent: 3029.75, 12."""
    text = format(Decimal(str(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _condition(name: str, test: str, wanted: Any) -> str:
    """JavaScript for `_says`."""
    if isinstance(wanted, str):
        text = as_js(" ".join(wanted.split()))
        return f"{name} === {text}" if test == "equals" else f"{name}.includes({text})"
    if test == "contains":
        return f"{name}.replace(/,/g, '').includes({as_js(_plain(wanted))})"
    return f"{name} !== '' && Number({name}) === {_plain(wanted)}"


def _relation(predicate: Predicate) -> str:
    return "equal to" if predicate["test"] == "equals" else "one that contains"


def as_js(value: Any) -> str:
    """As a literal of JavaScript that can stand in a script element too."""
    return json.dumps(value).replace("</", "<\\/")


_AT = {"path": a_path, "id": an_id, "selector": a_selector}
_SOURCE = {"text": a_text, "json": a_path, "at": a_json_path, "static": a_flag}
_TEST = {"test": one_of("equals", "contains")}

PAGE_OPS: dict[str, Op] = {
    "element": Op(element, {}, {**_AT, "tag": a_text, "min": a_count, "static": a_flag}, either=(("id", "selector"),)),
    "element_text": Op(element_text, _TEST, {**_AT, **_SOURCE, "tag": a_text}, either=(("id", "selector"), ("text", "json"))),
    "title": Op(title, _TEST, {"path": a_path, **_SOURCE}, either=(("text", "json"),)),
    "shows": Op(shows, {}, {**_AT, "text": a_text, "number": a_number}, either=(("text", "number"),)),
    "js": Op(js, {"expression": an_expression}),
}
