"""Reads YAML that a teacher wrote, and refuses what YAML would silently take for something else.

JavaScript and YAML share signs: `js: !!document` is a YAML tag, ` #total` begins a comment, a key that stands twice keeps its last value, `on` means
true, and nothing warns. Here each of these is an error with its line and its cure. There are no tags, anchors or aliases.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_COMMENT = re.compile(r"[ \t]+#")
QUOTE = "put the whole text in quotes, or on lines of its own after >- or |-"


class Unreadable(ValueError):
    """The message names the line and the cure."""


def read(text: str) -> Any:
    """The document's value."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_keys(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        there = text.splitlines()[line - 1].strip() if mark and line <= len(text.splitlines()) else ""
        said = f"line {line}: {error.problem or error.context} in {there!r}"
        raise Unreadable(f"{said}; where a text begins with a sign (! & * % @ ` [ {{) or holds ': ', {QUOTE}") from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"not YAML: {' '.join(str(error).split())}; save the file as UTF-8 text without control characters") from error
    except RecursionError as error:
        raise Unreadable("not YAML that can be read: it is nested too deeply") from error


class _Loader(yaml.SafeLoader):
    """Refuses a token before anything is made of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    def get_token(self) -> yaml.Token:
        token = super().get_token()
        _refuse(token, self._text)
        return token


def _refuse(token: yaml.Token, text: str) -> None:
    line = token.start_mark.line + 1
    if isinstance(token, yaml.TagToken):
        raise Unreadable(f"line {line}: a text that begins with ! is a tag to YAML; {QUOTE}")
    if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
        raise Unreadable(f"line {line}: a text that begins with & or * is a reference to YAML; {QUOTE}")
    if isinstance(token, yaml.ScalarToken) and token.plain and _COMMENT.match(text, token.end_mark.index):
        line = token.end_mark.line + 1
        raise Unreadable(f"line {line}: what stands after ' #' is a comment to YAML; {QUOTE}, or put the comment on a line of its own")


def _refuse_keys(node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                line = key.start_mark.line + 1
                raise Unreadable(f"line {line}: the key {key.value!r} is no text to YAML, where on, off, yes and no mean true and false; quote it")
            if key.value in seen:
                raise Unreadable(f"line {key.start_mark.line + 1}: {key.value!r} stands there twice; leave one out")
            seen.add(key.value)
            _refuse_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_keys(item)
