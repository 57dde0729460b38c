"""Reads a workflow file as plain YAML: every scalar is text, and tags, anchors and repeated keys are refused, so that nobody reads the file otherwise
than GitHub does. https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tasks.prose.formats import too_much

MAX_BYTES = 20_000
MAX_DEPTH = 12


class Unreadable(Exception):
    """Why the text is no workflow, in a sentence for its author."""


def read(text: str) -> dict[str, Any]:
    """The document with every scalar as text, as it stands there."""
    if len(text.encode("utf-8", errors="replace")) > MAX_BYTES:
        raise Unreadable(f"it is longer than {MAX_BYTES:,} bytes; write a shorter workflow")
    if reason := too_much("yaml", text):
        raise Unreadable(f"it {reason}")
    try:
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise Unreadable("it uses anchors, aliases or tags of YAML; write every value out")
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(f"it is not valid YAML: {' '.join(str(error).split())[:300]}") from error
    workflow = _value(node, 0)
    if not isinstance(workflow, dict) or "on" not in workflow or not isinstance(workflow.get("jobs"), dict) or not workflow["jobs"]:
        raise Unreadable("it is no workflow: the top level is a mapping that has `on:` and `jobs:`")
    return workflow


def _value(node: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Unreadable(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, depth + 1) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in made or key.value == "<<":
                raise Unreadable(f"line {key.start_mark.line + 1}: a key is given twice or is no plain word")
            made[key.value] = _value(value, depth + 1)
        return made
    return node.value if node is not None else ""


def jobs_of(workflow: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, job) for name, job in workflow["jobs"].items() if isinstance(job, dict)]


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    listed_steps = job.get("steps")
    return [step for step in listed_steps if isinstance(step, dict)] if isinstance(listed_steps, list) else []


def uses(job: dict[str, Any], action: str) -> bool:
    return any(str(step.get("uses", "")).lower().startswith(f"{action}@") for step in steps_of(job))


def runs_on_main(on: Any) -> bool:
    """Does a commit on main start it?"""
    if not isinstance(on, dict):
        return on == "push" or (isinstance(on, list) and "push" in on)
    push = on.get("push", False)
    if not isinstance(push, dict):
        return push is not False
    branches = push.get("branches")
    if branches is None:
        return "tags" not in push and "main" not in listed(push.get("branches-ignore"))
    return bool({"main", "*", "**"} & set(listed(branches)))


def listed(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else [value] if isinstance(value, str) else []


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(place, text) of every scalar and every key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path, key
            yield from texts(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, inner in enumerate(value, 1):
            yield from texts(inner, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value
