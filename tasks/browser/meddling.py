"""Whether a check changes the page that it looks at, told from its text alone: such a check may rightly be false when it is asked twice.

In doubt it does: text inside strings is not read, and a call of a function that is not known to be harmless counts.
"""

from __future__ import annotations

import re

_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
_DEED = re.compile(
    r"""\.(?:click|submit|requestSubmit|reset|dispatchEvent|focus|blur|select|play|pause|scroll\w*|remove\w*|append\w*|prepend|before|after|insert\w+
    |replaceWith|replaceChildren|replaceState|pushState|set[A-Z]\w*|toggle\w*|add\w*|clear|reload|assign|back|forward|showModal|show|hide|close|open
    |write)\(""",
    re.VERBOSE,
)
_MEMBER_SET = re.compile(r"(?:\.\s*[\w$]+|\])\s*(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])?=(?![=>])")
_NAME_SET = re.compile(r"(?<![\w$.])([A-Za-z_$][\w$]*)\s*(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])?=(?![=>])")
_COUNTED = re.compile(r"(?:\+\+|--)\s*([\w$.\])]+)|([\w$.\])]+)\s*(?:\+\+|--)")
_CALL = re.compile(r"(?<![\w$.])([A-Za-z_$][\w$]*)\s*\(")
_DECLARED = re.compile(r"\b(?:const|let|var|function)\s+([A-Za-z_$][\w$]*)|,\s*([A-Za-z_$][\w$]*)\s*=(?![=>])")
_HARMLESS = re.compile(
    r"""if|for|while|switch|catch|function|return|await|async|typeof|void|in|of|new|throw|case|else|do|yield
    |Array|BigInt|Boolean|Date|Error|Map|Number|Object|Promise|RegExp|Set|String|Symbol|URL|URLSearchParams|DOMParser
    |parseFloat|parseInt|isNaN|isFinite|fetch|getComputedStyle|matchMedia|setTimeout|atob|btoa|(?:de|en)codeURIComponent""",
    re.VERBOSE,
)


def meddles(expression: str) -> bool:
    code = _STRING.sub("''", expression)
    if _DEED.search(code) or _MEMBER_SET.search(code) or re.search(r"\bdelete\b", code):
        return True
    own = {name for match in _DECLARED.finditer(code) for name in match.groups() if name}
    written = {match[1] for match in _NAME_SET.finditer(code)} | {match[1] or match[2] for match in _COUNTED.finditer(code)}
    called = {match[1] for match in _CALL.finditer(code) if not _HARMLESS.fullmatch(match[1])}
    return bool((written | called) - own)
