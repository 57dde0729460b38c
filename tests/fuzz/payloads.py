"""Requests to `/ready` as nobody would send them: strategies for values, for bodies made of them, and for the bytes and headers of a request."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

SECRET = "canary-7f3a2b9c1d8e"  # in no row, no log and no answer
FIELDS = ("email", "secret", "task", "round", "nonce", "brief", "checks", "evaluation_url", "attachments")
GOOD_URLS = ["https://example.org/", "http://127.0.0.1:9/notify", "https://example.org/?a=b#c", " https://example.org/x "]

# -- JSON ------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raw:
    """JSON text that no Python value stands for."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """An object whose keys may come twice."""

    items: tuple[tuple[str, Any], ...]


def render(value: Any) -> str:
    """JSON, with NaN, lone surrogates, double keys and whatever else Python and the above can say."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Pairs | dict):
        items = value.items if isinstance(value, Pairs) else tuple(value.items())
        return "{" + ", ".join(f"{json.dumps(key)}: {render(item)}" for key, item in items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(render, value)) + "]"
    return json.dumps(value)


# -- values ----------------------------------------------------------------------------------------------------------------------------

ODD = "\n\r\t\x1b\x7f\x85\u2028\u202e\ufeff\ufffe\U0001f4c8\U0010ffff'\"<&%\\"
plain_text = st.text(st.one_of(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), st.sampled_from(ODD)), max_size=40)
name_text = plain_text.filter(lambda text: text.strip() != "")
any_text = st.one_of(plain_text, st.text(st.sampled_from("a\0\ud800\udfff"), max_size=6))  # what no database takes
SIZES = [199, 200, 201, 254, 255, 500, 501, 2000, 2001, 100_000, 100_001]
long_text = st.builds(str.__mul__, st.sampled_from("aé\n\U0001f389"), st.sampled_from(SIZES))
NUMBERS = ["-0", "1e999", "-1E400", "1.0", "1e0", "01", "+1", "0x1", "1_0", "9" * 5000, "1" + "0" * 400 + ".5", ".5", "1.", "Infinity", "-NaN"]
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 1000, 1001, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400]),
    st.sampled_from(NUMBERS).map(Raw),
)
deep = st.builds(
    lambda pair, depth: Raw(pair[0] * depth + "1" + pair[1] * depth),
    st.sampled_from([("[", "]"), ('{"a":', "}")]),
    st.sampled_from([2, 60, 64, 66, 900, 3000, 20_000]),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, any_text, long_text, deep),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(any_text, inner, max_size=4),
        st.builds(Pairs, st.lists(st.tuples(st.sampled_from(["js", "name", "url", "a", ""]), inner), max_size=4).map(tuple)),
    ),
    max_leaves=6,
)

HOSTS = [
    "", "[::1", "]", "[fe80::1%25eth0]", "\u2100.example", "example.org:99999", "example.org:x", "example.org:\uff10\uff18", "0x7f.1", "2130706433",
    "xn--a", "xn--", "a" * 300 + ".org", "a..b", ".org", "\u4f8b\u3048.jp", "user:pw@example.org", "example.org\\@127.0.0.1", "exa mple.org",
    "%zz", "example.org\r\nX: y", "\uff25\uff38.org", "\u202eexample.org", "\u0663.\u0663.\u0663.\u0663", "1.1.1.1.", "a:80:80", "[v1.x]",
    "[::ffff:127.0.0.1]",
]  # fmt: skip
urls = st.one_of(
    st.builds(
        "{}//{}{}".format,
        st.sampled_from(["https:", "http:", "hTTp:", "ftp:", ""]),
        st.sampled_from(HOSTS),
        st.sampled_from(["", "/", "/%zz%00?\ufeff#"]),
    ),
    st.builds("https://{}".format, any_text),
    st.sampled_from(["javascript:alert(1)", "file:///etc/passwd", "http:", "https:/example.org", "mailto:a@b"]),
    any_text,
)
TYPES_OF_DATA = [
    "",
    "text/csv",
    "text/csv;charset=utf-16",
    "text/csv;charset=no-such",
    'a/b;x="1,2"',
    'a/b;x="',
    "base64",
    ";;;",
    "\u00e9/\U0001f389",
]
CONTENTS = ["%zz%", "%", "%00", "====", "A", "AA=A", "AAAA====", "Zm9v\nYmFy", "a b+c/d-_", "%5A%6D", "\u00e9" * 50, "UEsDBA==", "%FF%FE"]


def data_uris(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Data URIs of every kind of malformation."""
    return st.builds(
        "{}:{}{},{}".format,
        st.sampled_from(["data", "DATA"]),
        st.sampled_from(TYPES_OF_DATA),
        st.sampled_from(["", ";base64", ";BASE64", ";base64;base64", "; base64 ", ";base65"]),
        st.one_of(text, st.sampled_from(CONTENTS), st.binary(max_size=30).map(bytes.hex)),
    ) | st.sampled_from(["data:", "data:,", "data:;base64", "data:;base64,", "data:text/plain"])


# -- bodies ----------------------------------------------------------------------------------------------------------------------------

checks = st.lists(st.one_of(plain_text, st.dictionaries(st.sampled_from(["js", "check", "x"]), plain_text, max_size=2)), max_size=3)
attachments = st.lists(st.fixed_dictionaries({"name": name_text, "url": data_uris(plain_text)}), max_size=3)
extras = st.tuples(
    st.just("extra"),
    st.one_of(plain_text, st.sampled_from(["Secret", "SECRET", "secret ", "student_secret", SECRET])),
    st.one_of(plain_text, st.sampled_from([SECRET, [SECRET], {"secret": SECRET}, {SECRET: {"a": [f"x{SECRET}x", 1.5, None]}}])),
)


def orders(evaluation_urls: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Requests in form, whatever they say."""
    return st.fixed_dictionaries(
        {
            "email": st.sampled_from(["student@example.org", "\u00fc@\u4f8b\u3048.jp", '"a@b"@x', "a@b@c", " a@b "]),
            "secret": st.just(SECRET),
            "task": name_text,
            "round": st.sampled_from([1, 2, "1", "2", 1000, "007", " 3 "]),
            "nonce": name_text,
            "brief": name_text,
            "checks": st.one_of(st.none(), checks, plain_text, st.just({"js": "true"})),
            "evaluation_url": evaluation_urls,
            "attachments": st.one_of(st.none(), st.just({}), attachments),
        }
    )


changes = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(FIELDS), values),
    st.tuples(st.just("set"), st.sampled_from(["evaluation_url", "email", "task"]), urls),
    st.tuples(
        st.just("set"), st.just("attachments"), st.lists(st.fixed_dictionaries({"name": any_text, "url": data_uris(any_text) | urls}), max_size=25)
    ),
    st.tuples(st.just("set"), st.just("secret"), any_text.map(SECRET.__add__)),
    st.tuples(st.just("drop"), st.sampled_from(FIELDS), st.none()),
    st.tuples(st.just("twice"), st.sampled_from(FIELDS), values),
    st.tuples(st.just("extra"), any_text, values),
    extras,
)


def changed(order: dict[str, Any], steps: list[tuple[str, str, Any]]) -> dict[str, Any] | Pairs:
    """The order after these changes."""
    items = dict(order)
    twice: list[tuple[str, Any]] = []
    for how, name, value in steps:
        if how == "drop":
            items.pop(name, None)
        elif how == "twice":
            twice.append((name, value))
        else:
            items[name] = value
    return Pairs((*items.items(), *twice)) if twice else items


in_form = st.builds(changed, orders(st.sampled_from(GOOD_URLS)), st.lists(extras, max_size=2))
out_of_form = st.builds(changed, orders(st.sampled_from(GOOD_URLS)), st.lists(changes, min_size=1, max_size=3))

# -- requests --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire."""

    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


MEDIA_TYPES = [
    "application/json; charset=utf-8", "application/json;charset=utf-16", "APPLICATION/JSON", "application/problem+json", "application/json\xff",
    "application/json, text/html", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain",
    "*/*", "", ";",
]  # fmt: skip
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "utf-7", "cut", "gzip", "trash", "space", "surrogates"]
headers = st.dictionaries(
    st.sampled_from(["Accept", "X-API-KEY", "Cookie", "X-Forwarded-For", "Origin", "Content-Encoding", "X-HTTP-Method-Override"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20),
    max_size=2,
)


def encoded(text: str, how: str, share: float) -> bytes:
    """The text's bytes; `share` of them for "cut"."""
    plain = text.encode("utf-8", "surrogatepass")
    if how == "cut":
        return plain[: int(len(plain) * share)]
    if how == "gzip":
        return gzip.compress(plain, mtime=0)
    if how == "trash":
        return plain + b"\x00\xffx"
    if how == "space":
        return b" \r\n\t" + plain + b"\n\n"
    if how == "surrogates":  # written out, which UTF-8 forbids
        return text.replace("\\ud800", "\ud800").encode("utf-8", "surrogatepass")
    return text.encode(how, "surrogatepass" if how.startswith("utf") else "replace")


any_order = st.one_of(in_form, out_of_form, out_of_form).map(render)
requests = st.one_of(
    st.builds(Sent, any_order.map(str.encode), st.just("application/json"), headers),
    st.builds(Sent, any_order.map(str.encode)),
    st.builds(Sent, st.builds(encoded, any_order, st.sampled_from(ENCODINGS), st.floats(0, 1))),
    st.builds(Sent, any_order.map(str.encode), st.sampled_from(MEDIA_TYPES), headers),
    st.builds(Sent, st.one_of(st.binary(max_size=60), values.map(lambda value: render(value).encode()))),
)
