"""The MIT license: the one that we publish, and telling whether a text is it."""

from __future__ import annotations

import re

from django.template.loader import render_to_string

_START = "Permission is hereby granted"
_COPYRIGHT = re.compile(r"^[^\S\n]*(?:copyright|\(c\)|©)[^\n]*", re.IGNORECASE | re.MULTILINE)
_TITLES = frozenset(("", "mit", "mit license", "the mit license", "the mit license mit"))


def license_text(year: int, holder: str) -> str:
    return render_to_string("site_files/LICENSE.txt", {"year": year, "holder": " ".join(holder.split())})


def is_mit(text: str) -> bool:
    """Every word of the license, none left out or added. Title, copyright lines, white space, punctuation and capitals may differ."""
    head, _, rest = text.partition(_START)
    ours = license_text(2000, "x").partition(_START)[2]
    return _words(_COPYRIGHT.sub("", head)) in _TITLES and _words(rest) == _words(ours)


def _words(text: str) -> str:
    return " ".join(re.sub(r"[\W_]", " ", text).lower().split())
