"""Elements as HTML. Everything that comes from a brief or a file passes through `format_html`."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tasks.generators.fallback.plan import Plan
from tasks.generators.fallback.wants import Element

NOT_AVAILABLE = "not available: this page was made without a model"
CONTROLS = frozenset({"input", "textarea", "button"})


def elements_html(elements: Iterable[Element], plan: Plan) -> SafeString:
    """All wanted elements. Inputs and buttons stand in the wanted form, or in one of their own."""
    listed = list(elements)
    controls = [element for element in listed if element.tag in CONTROLS]
    forms = [element for element in listed if element.tag == "form"]
    others = [element for element in listed if element.tag not in CONTROLS and element.tag != "form"]
    html = [_field(element, plan) for element in others]
    if forms or controls:
        html.insert(0, _form(forms[0] if forms else None, controls, plan))
        html += [_form(form, [], plan) for form in forms[1:]]
    return mark_safe("".join(html))  # noqa: S308 - parts made by format_html  # nosec B308, B703


def label(element: Element) -> str:
    text = element.id.replace("-", " ").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _form(form: Element | None, controls: list[Element], plan: Plan) -> SafeString:
    inside = format_html_join("", "{}", ((_field(control, plan),) for control in controls))
    if not any(control.tag in {"input", "textarea"} for control in controls) and form:
        inside = format_html('<label>{} <input name="value" type="text"></label>\n', label(form)) + inside
    if not any(control.tag == "button" for control in controls):
        inside += mark_safe('<button type="submit">Send</button>\n')  # a constant # nosec B308
    return format_html("<form{}>\n{}</form>\n", _attributes(form) if form else "", inside)


def _field(element: Element, plan: Plan) -> SafeString:
    attributes = _attributes(element)
    name = label(element)
    if element.tag in {"h1", "h2", "h3", "h4"}:
        return format_html("<{}{}>{}</{}>\n", element.tag, attributes, _content(element, plan), element.tag)
    if element.tag == "button":
        return format_html('<button type="button"{}>{}</button>\n', attributes, element.text or name)
    if element.tag == "input":
        return format_html('<div class="field"><label>{} <input type="text" name="{}"{}></label></div>\n', name, element.id, attributes)
    if element.tag == "textarea":
        return format_html(
            '<div class="field"><label>{} <textarea name="{}" rows="6"{}>{}</textarea></label></div>\n', name, element.id, attributes, element.text
        )
    if element.tag == "select":
        options = plan.selects.get(element.id) or element.options or [""]
        shown = format_html_join("", '<option value="{}">{}</option>', ((option, option or "All") for option in options))
        return format_html('<div class="field"><label>{} <select{}>{}</select></label></div>\n', name, attributes, shown)
    if element.tag == "table":
        return format_html(
            '<div class="field"><span class="name">{}</span><table class="table"{}><thead></thead><tbody></tbody></table></div>\n', name, attributes
        )
    if element.tag == "canvas":
        return format_html('<div class="field"><canvas width="600" height="200" role="img" aria-label="{}"{}></canvas></div>\n', name, attributes)
    if element.tag == "img" and plan.image:
        return format_html('<div class="field"><img src="{}" alt="{}"{}></div>\n', quote(plan.image), name, attributes)
    if element.buttons:
        panels: list[str] = next((tab["panels"] for tab in plan.json["tabs"] if tab["id"] == element.id), [])
        names = [panel.replace("-", " ") for panel in panels] + [f"{name} {number + 1}" for number in range(len(panels), element.buttons)]
        buttons = format_html_join("\n", '<button type="button">{}</button>', ((text,) for text in names))
        return format_html('<div class="field" role="group" aria-label="{}"{}>\n{}\n</div>\n', name, attributes, buttons)
    tag = "div" if element.tag == "img" else element.tag
    return format_html('<div class="field"><span class="name">{}</span><{}{}>{}</{}></div>\n', name, tag, attributes, _content(element, plan), tag)


def _content(element: Element, plan: Plan) -> str:
    if element.text:
        return element.text
    if element.id in plan.filled:
        return plan.currency if "currency" in element.words else ""
    text = "" if element.attributes.get("aria-live") else NOT_AVAILABLE
    return format_html("<li>{}</li>", text) if element.tag in {"ul", "ol"} else text


def _attributes(element: Element) -> SafeString:
    return format_html_join("", ' {}="{}"', [("id", element.id), *sorted(element.attributes.items())])
