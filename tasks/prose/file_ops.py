"""What can be said of files: there or not, equal to an attachment, what they contain, how long they are, whether they can be read."""

from __future__ import annotations

from pathlib import PurePosixPath

from tasks.evaluators.readme import MIN_WORDS
from tasks.files import mit, readme
from tasks.prose import formats
from tasks.prose.json_ops import span
from tasks.prose.language import (
    Look,
    Op,
    Predicate,
    Settled,
    Verdict,
    a_count,
    a_flag,
    a_path,
    a_text,
    failed,
    one_of,
    passed,
    shown,
    some,
    undecided,
)

READMES = (".github/README.md", "README.md")  # GitHub shows the first one that exists


def file_exists(predicate: Predicate, look: Look) -> Verdict:
    return passed(bytes=len(look.data(predicate["path"])))


def file_absent(predicate: Predicate, look: Look) -> Verdict:
    path = predicate["path"]
    if path in look.subject.files:
        return failed(f"{path} is there, and must not be.", bytes=len(look.subject.files[path]))
    return passed()


def same_as_attachment(predicate: Predicate, look: Look) -> Verdict:
    path: str = predicate["path"]
    name: str = predicate.get("attachment", path)
    posted = attached(look, name)
    data = look.data(path)
    if data == posted:
        return passed(bytes=len(data))
    return failed(f"{path} has {len(data)} bytes that differ from the {len(posted)} bytes of the attachment {name}.")


def attached(look: Look, name: str) -> bytes:
    """The attachment's bytes, by path or by name; settled as undecided without one."""
    attachments = look.subject.attachments
    last = PurePosixPath(name).name.casefold()
    found = [name] if name in attachments else [path for path in attachments if PurePosixPath(path).name.casefold() == last]
    if len(found) != 1:
        raise Settled(undecided(f"No attachment is called {name}.", attachments=sorted(attachments)[:20]))
    return attachments[found[0]]


def contains(predicate: Predicate, look: Look) -> Verdict:
    path, wanted = predicate["path"], predicate["text"]
    if _holds(predicate, look):
        return passed()
    return failed(f"{path} does not contain {shown(wanted)}.")


def not_contains(predicate: Predicate, look: Look) -> Verdict:
    path, wanted = predicate["path"], predicate["text"]
    if _holds(predicate, look):
        return failed(f"{path} contains {shown(wanted)}.")
    return passed()


def _holds(predicate: Predicate, look: Look) -> bool:
    text, wanted = look.text(predicate["path"]), predicate["text"]
    if predicate.get("ignore_case"):
        text, wanted = text.casefold(), wanted.casefold()
    return wanted in text


def license_(predicate: Predicate, look: Look) -> Verdict:
    text = look.text("LICENSE")
    if mit.is_mit(text):
        return passed()
    return failed(f"LICENSE ({len(text)} characters) is not the whole text of the MIT license.", head=shown(text))


def readme_(predicate: Predicate, look: Look) -> Verdict:
    """Its structure alone: whether it reads well is for a reader, and the reason says so."""
    path = next((path for path in READMES if path in look.subject.files), "README.md")
    text = look.text(path)
    wanted = predicate.get("sections", list(readme.SECTIONS))
    lacking = readme.missing(text)
    missing = [section for section in wanted if section in lacking]
    words, least = len(text.split()), predicate.get("min", MIN_WORDS)
    if missing:
        return failed(f"{path} has no section for {', '.join(missing)}.", missing=missing)
    if words < least:
        return failed(f"{path} has {words} words; a reader needs at least {least}.", words=words)
    return passed("Judged by its sections and length alone.", sections=wanted, words=words)


def words(predicate: Predicate, look: Look) -> Verdict:
    """Counted by white space, and without what holds no letter or digit (a dash, a #); where the two disagree nobody can tell."""
    path = predicate["path"]
    least, most = predicate.get("min", 0), predicate.get("max")
    parts = look.text(path).split()
    counts = {len(parts), sum(any(character.isalnum() for character in part) for part in parts)}
    within = {least <= count and (most is None or count <= most) for count in counts}
    said = " or ".join(map(str, sorted(counts)))
    if within == {True}:
        return passed(f"{said} words", words=max(counts))
    if within == {False}:
        return failed(f"{path} has {said} words, not {span(least, most)}.", words=max(counts))
    return undecided(f"{path} has {said} words, as marks like # or - are counted or not; {span(least, most)} are asked for.", words=sorted(counts))


def valid(predicate: Predicate, look: Look) -> Verdict:
    path, kind = predicate["path"], predicate["format"]
    if kind == "html":
        return _valid_html(path, look)
    text = look.text(path)
    if not text.strip():
        return failed(f"{path} is empty.")
    if too_much := formats.too_much(kind, text):
        return undecided(f"{path} {too_much}")
    problem = formats.problem(kind, text)
    return failed(f"{path}: {problem}") if problem else passed()


def _valid_html(path: str, look: Look) -> Verdict:
    page = look.page(path)
    ids = [node.attributes["id"] for node in page.nodes if "id" in node.attributes]
    twice = sorted({name for name in ids if ids.count(name) > 1}) if len(ids) < 2_000 else []
    faults = [] if page.doctype else ["it has no <!doctype html>"]
    faults += [] if page.nodes else ["it has no element"]
    faults += page.faults + [f"the id {name} is given twice" for name in twice]
    if faults:
        return failed(f"{path}: {'; '.join(faults[:5])}."[:900], faults=faults[:20])
    return passed("Well-formed: a doctype, every element closed, no id twice.")


_PATH = {"path": a_path}
_TEXT = {"path": a_path, "text": a_text}

FILE_OPS: dict[str, Op] = {
    "file_exists": Op(file_exists, _PATH),
    "file_absent": Op(file_absent, _PATH),
    "same_as_attachment": Op(same_as_attachment, _PATH, {"attachment": a_path}),
    "contains": Op(contains, _TEXT, {"ignore_case": a_flag}),
    "not_contains": Op(not_contains, _TEXT, {"ignore_case": a_flag}),
    "license": Op(license_, {"kind": one_of("MIT")}),
    "readme": Op(readme_, {}, {"sections": some(one_of(*readme.SECTIONS)), "min": a_count}),
    "words": Op(words, _PATH, {"min": a_count, "max": a_count}, at_least=("min", "max")),
    "valid": Op(valid, {"path": a_path, "format": one_of(*formats.NAMES, "html")}),
}
