"""Whether a text is what its format asks for; one judgement for named checks and for the look at all files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from xml.parsers import expat

import yaml

from tasks.files.tables import delimiter

MAX_YAML = 200_000  # characters: the parser takes seconds for a megabyte
MAX_BRACKETS = 100  # within one another: its time grows with the square of their number


def problem(name: str, text: str) -> str:
    """Empty when the text is valid, else a clause that says why not."""
    return _PROBLEMS[name](text)


def too_much(name: str, text: str) -> str:
    """Why a text is not given to its parser, a clause; empty for nearly all."""
    if name != "yaml":
        return ""
    if len(text) > MAX_YAML:
        return f"has more than {MAX_YAML:,} characters and was not read as YAML."
    depth = deepest = 0
    for bracket in re.findall(r"[\[{\]}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return f"has more than {MAX_BRACKETS} brackets within one another and was not read as YAML." if deepest > MAX_BRACKETS else ""


def json_problem(text: str) -> str:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return "it is nested too deeply."
    except ValueError as error:
        hint = " (line breaks are written as \\n between the values)" if re.match(r"\s*[\[{]\\n", text) else ""
        return f"it is not valid JSON: {error}{hint}."
    return ""


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value, browsers refuse it")


def xml_problem(text: str) -> str:
    roots: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _attributes: roots.append(name) if not roots else None
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), True)
    except (expat.ExpatError, ValueError) as error:
        return f"it is not well-formed: {error}."
    return "" if roots else "it has no element."


def svg_problem(text: str) -> str:
    problem = xml_problem(text)
    if not problem and not re.search(r"<(?:\w+:)?svg\b", text):
        return "its root is not an svg element."
    if not problem and "http://www.w3.org/2000/svg" not in text:
        return 'the svg element lacks xmlns="http://www.w3.org/2000/svg", so browsers do not draw the file.'
    return problem


def _refuse_entity(*_arguments: object) -> None:
    raise ValueError("it declares entities of its own")


def csv_problem(text: str) -> str:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True) if row]
    except csv.Error as error:
        return f"it is not valid CSV: {error}."
    uneven = next((index for index, row in enumerate(rows, 1) if len(row) != len(rows[0])), None)
    return f"record {uneven} has {len(rows[uneven - 1])} fields where the first has {len(rows[0])}." if uneven else ""


def yaml_problem(text: str) -> str:
    if reason := too_much("yaml", text):
        return f"it {reason}"
    try:
        holds_something = [event for event in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(event, yaml.NodeEvent)]
    except yaml.YAMLError as error:
        return f"it is not valid YAML: {' '.join(str(error).split())[:300]}."
    except (RecursionError, ValueError):
        return "it cannot be read as YAML."
    return "" if holds_something else "it is empty."


_PROBLEMS: dict[str, Callable[[str], str]] = {
    "json": json_problem,
    "svg": svg_problem,
    "xml": xml_problem,
    "csv": csv_problem,
    "yaml": yaml_problem,
}
NAMES = tuple(_PROBLEMS)
