"""What a row of the form's sheet, or the admin's form, must be: e-mail address, endpoint and secret, each with the sentence that names the cure.

No sentence quotes what it is about: students type their secret into the wrong field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tasks import address_guard, http
from tasks.classroom.sheet import Line
from tasks.errors import AddressRefused
from tasks.storable import storable

MAX_EMAIL, MAX_ENDPOINT, MAX_SECRET = 254, 500, 200


class Unfit(ValueError):
    """A value cannot be taken; the message is for the person who can change it."""


@dataclass(frozen=True)
class BadRow:
    """`email` is empty where that cell holds no address."""

    line: int
    email: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """A row that can be stored. `moment` is None where the sheet's timestamp could not be read; `hints` are no reason to leave it out."""

    line: int
    email: str
    endpoint: str
    secret: str
    moment: datetime | None
    hints: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Entry(line={self.line}, email={self.email!r})"  # never the secret: a trace or an assertion may print it


def entry(line: Line, moment: datetime | None) -> Entry | BadRow:
    """The row as it can be stored, or everything that is wrong with it."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for name, check in (("email", email), ("endpoint", endpoint), ("secret", secret)):
        try:
            found[name] = check(line.cells[name])
        except Unfit as error:
            wrong.append(str(error))
    if line.surplus:
        wrong = ["The row has more cells than the header: put a value that holds the separator in quotation marks."]
    if wrong:
        return BadRow(line.number, found.get("email", ""), " ".join(wrong))
    hints = list(endpoint_hints(found["endpoint"]))
    if found["secret"] != line.cells["secret"]:
        hints.append("White space around the secret was left out.")
    if moment is None and line.cells["timestamp"].strip():
        hints.append("The timestamp could not be read: the line's place in the file counts instead. Write it as 2026-10-05 14:30:00.")
    return Entry(line.number, **found, moment=moment, hints=tuple(hints))


def email(text: str) -> str:
    address = text.strip()
    if not address:
        raise Unfit("The e-mail address is empty: fill it in.")
    if len(address) > MAX_EMAIL:
        raise Unfit(f"The e-mail address has more than {MAX_EMAIL} characters: correct it.")
    try:
        validate_email(address)
    except ValidationError:
        raise Unfit("The e-mail address is none: it must be like name@example.org.") from None
    if storable(address) != address:
        raise Unfit("The e-mail address holds a character that is no text: type it anew.")
    return address


def endpoint(text: str) -> str:
    """Where a task can be posted to, as far as its form tells. Whether that is a public address is asked when something is sent there."""
    address = text.strip()
    if not address:
        raise Unfit("The endpoint is empty: fill in the whole address of the student's /ready.")
    if not address.lower().startswith(("http://", "https://")):
        raise Unfit("The endpoint does not begin with https:// or http://: give the whole address, such as https://host.example.org/ready.")
    if len(address) > MAX_ENDPOINT:
        raise Unfit(f"The endpoint has more than {MAX_ENDPOINT} characters: correct it.")
    try:
        address_guard.parse_url(address)
    except AddressRefused as error:
        raise Unfit(f"The endpoint cannot be used. {error.message}") from None
    return address


def endpoint_hints(address: str) -> list[str]:
    hints = []
    if "/ready" not in urlsplit(address).path:
        hints.append("The endpoint does not end in /ready: make sure that it is the whole address.")
    try:
        http.check_url(address)
    except AddressRefused as error:
        hints.append(f"Nothing will reach the endpoint. {error.message}")
    return hints


def secret(text: str) -> str:
    value = text.strip()
    if not value:
        raise Unfit("The secret is empty: ask the student for it.")
    if len(value) > MAX_SECRET:
        raise Unfit(f"The secret has more than {MAX_SECRET} characters: agree on a shorter one.")
    if storable(value) != value:
        raise Unfit("The secret holds a character that is no text: agree on one of letters and digits.")
    return value
