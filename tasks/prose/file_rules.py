"""Phrases about a file: "… exists", "… equals the attachment", "… is valid JSON", "… has 40 to 60 words"."""

from __future__ import annotations

import re

from tasks.files.paths import extension
from tasks.prose.grammar import EXISTS, HAS, IS, MODAL, NAME, QUOTED, WHERE, Context, and_more, file_name, quotations, together, whole
from tasks.prose.language import Predicate
from tasks.prose.numbers import RANGE, bounds
from tasks.prose.wants import asked_of, shapes

NOT = r"(?:not|never|no longer)"
ABSENT = (
    rf"(?:(?:is|are|was|were) {NOT} (?:committed|present|included|there|part of the repo(?:sitory)?)|"
    rf"(?:(?:must|should|shall|may|does|do|can) {NOT}|(?:doesn|don|mustn|shouldn|can)'t|cannot|no longer) "
    r"(?:exists?|be (?:committed|present|included)|have been committed)|"
    rf"(?:(?:isn|aren|wasn|weren)'t) (?:committed|present|included)|{IS} (?:absent|missing|deleted|removed)|(?:has|have) {NOT} been committed)"
    rf"{WHERE}"
)
_ATTACHED = r"(?:attached|original|posted|provided|given|supplied)"
SAME = (
    r"(?:contents? )?(?P<verb>equals?|match(?:es)?|(?:is|are|must be|should be) (?:exactly )?(?:equal to|identical to|the same as|"
    r"an? (?:exact|verbatim|byte[- ]for[- ]byte|identical) copy of|byte[- ]for[- ]byte (?:identical|equal) to)) "
    rf"(?:(?:the )?contents? of )?(?:the )?(?:(?P<how>{_ATTACHED})\s*)?(?:(?P<noun>attachment|file)\s*)?(?:[\"'`]?(?P<other>{NAME})[\"'`]?)?"
    r"(?:\s*\(?(?P<tail>the attachment|attachment|attached)\)?)?(?: (?:exactly|byte[- ]for[- ]byte|verbatim))?"
)
AS_IS = (
    rf"{IS} (?:(?:committed |uploaded |included |published |copied |served )?(?:as[- ]is|verbatim|unchanged|unmodified|byte[- ]for[- ]byte){WHERE}|"
    rf"(?:exactly |byte[- ]for[- ]byte )?the {_ATTACHED} file|exactly as {_ATTACHED})"
)
SAME_TABLE = (
    rf"{HAS} (?:exactly )?the same (?:contents?|data) as (?:the )?(?:{_ATTACHED} )?(?:workbook |spreadsheet |file )?[\"'`]?(?P<other>{NAME})[\"'`]?"
)
_FORMATS = {
    "json": "json",
    "svg": "svg",
    "csv": "csv",
    "yaml": "yaml",
    "yml": "yaml",
    "xml": "xml",
    "html": "html",
    "htm": "html",
    "html5": "html",
    "geojson": "json",
}
VALID = (
    rf"(?:contents? )?(?:(?:{IS} (?:an? )?|{HAS} )(?:syntactically )?(?:valid|well[- ]formed|parse?able)(?: (?P<format>[A-Za-z0-9]{{3,7}}))?|"
    rf"{MODAL}(?:parses?|(?:can )?be parsed) as (?:valid )?(?P<parsed>[A-Za-z0-9]{{3,7}}))(?: (?:file|document|image|markup|content|syntax))?"
)
_QUOTES = rf"{QUOTED}(?:(?:\s*,\s*(?:and )?| and ){QUOTED})*"
_WORDING = r"(?:exact )?(?:typo|text|string|word|phrase|line|sentence|words|texts|strings|spelling)"
CONTAINS = rf"(?:{HAS} (?:the )?(?:{_WORDING}\s*:?\s*)?|{MODAL}mentions? )(?P<texts>{_QUOTES})(?: (?:text|string))?"
CONTAINS_NOT = (
    rf"(?:(?:does|do|must|should|shall|may) not|(?:doesn|don|mustn|shouldn)'t|no longer) (?:contains?|includes?|have|has) "
    rf"(?:the |any )?(?:{_WORDING}\s*:?\s*)?(?P<texts>{_QUOTES})(?: (?:anywhere|any\s*more|typo))?"
)
MENTIONS = rf"{MODAL}mentions? (?P<word>[A-Za-z][\w.+#-]{{1,30}})(?P<more> support)?"
WORDS = rf"(?:{HAS}|{IS}|{MODAL}consists? of) {RANGE} words?(?: (?:long|in length|in total))?"
_GOOD = r"(?:professional|complete|comprehensive|thorough|detailed|well[- ](?:written|structured|organi[sz]ed|documented))"
GOOD = rf"(?:{IS}|{MODAL}looks?) (?:an? )?{_GOOD}(?:(?:\s*,\s*(?:and )?| and ){_GOOD})*"
SECTIONS = (
    rf"{HAS} (?:an? |the )?(?:(?:following )?sections?(?: (?:for|on|about|named|titled|called))?\s*:?\s+)?(?P<list>[\w\s,\"'`-]+?)(?: sections?)?"
)
_SECTION_NAMES = {
    "summary": r"summary|project summary|overview|description|introduction",
    "setup": r"set-?up|setup instructions|installation|installation instructions|install",
    "usage": r"usage|usage instructions|usage guide|usage examples?|how to use",
    "code": r"code explanation|code|explanation of the code|how it works|code structure",
    "license": r"licen[cs]e|licen[cs]e information|licen[cs]e info|licen[cs]e section",
}
MIT = rf"(?:{HAS}|{IS}|{MODAL}holds?) (?:an? |the )?(?:full |complete |standard |valid )?(?:text of the )?MIT(?: licen[cs]e)?(?: (?:text|file))?"
BY_BRIEF = (
    rf"(?:{MODAL}(?:follows?|match(?:es)?|uses?)|{HAS}) (?:the )?(?:required|requested|specified|exact|given|expected) "
    r"(?:JSON )?(?:structure|schema|shape|fields|keys)"
)
# What a reader has to judge. The brief's own demands that can be counted have to hold in any case.
TASTE = (
    rf"(?:{MODAL}meets? (?:all )?(?:the )?(?:content )?requirements|{MODAL}match(?:es)? the (?:assigned|given|described) (?:scenario|topic|task)|"
    rf"(?:data |content )?{IS} (?:internally )?(?:consistent|plausible|reasonable|realistic|sensible|correct)|"
    rf"{HAS} (?:an? )?(?:reasonable|plausible|sensible|realistic) [a-z]+)"
)


def phrase(path: str, text: str, context: Context) -> Predicate | None:
    """What `text`, which follows the file's name, says of it."""
    for rule in (_existence, _attachment, _validity, _content, _length, _readme, _license, _brief):
        found = rule(path, text, context)
        if found:
            return found
    return None


def _existence(path: str, text: str, _context: Context) -> Predicate | None:
    if whole(EXISTS, text):
        return {"op": "file_exists", "path": path}
    return {"op": "file_absent", "path": path} if whole(ABSENT, text) else None


def _attachment(path: str, text: str, _context: Context) -> Predicate | None:
    if whole(AS_IS, text):
        return {"op": "same_as_attachment", "path": path}
    if match := whole(SAME_TABLE, text):
        other = file_name(match["other"])
        workbook = extension(path) == "csv" and extension(other) == "xlsx"
        return {"op": "csv_equals_xlsx", "path": path, "attachment": other} if workbook else None
    match = whole(SAME, text)
    if not match:
        return None
    other = file_name(match["other"]) if match["other"] else ""
    of_attachment = match["how"] or match["tail"] or match["noun"] == "attachment"
    if extension(path) == "csv" and extension(other) == "xlsx":
        return {"op": "csv_equals_xlsx", "path": path, "attachment": other}
    if not of_attachment:
        return None
    if not other:
        return {"op": "same_as_attachment", "path": path} if match["noun"] or match["tail"] else None
    if other.rpartition("/")[2] == path.rpartition("/")[2]:
        return {"op": "same_as_attachment", "path": path, "attachment": other}
    if extension(other) == extension(path) and not match["verb"].lower().startswith("match"):
        return {"op": "same_as_attachment", "path": path, "attachment": other}
    return None


def _validity(path: str, text: str, _context: Context) -> Predicate | None:
    match = whole(VALID, text)
    if not match:
        return None
    named = (match["format"] or match["parsed"] or "").lower()
    if named in {"file", "document", "image", "content", "syntax", "markup"}:
        named = ""
    kind = _FORMATS.get(named or extension(path))
    return {"op": "valid", "path": path, "format": kind} if kind else None


def _content(path: str, text: str, _context: Context) -> Predicate | None:
    if match := whole(CONTAINS_NOT, text):
        return together({"op": "not_contains", "path": path, "text": quoted} for quoted in quotations(match["texts"]))
    if match := whole(CONTAINS, text):
        mentioned = {"ignore_case": True} if "mention" in text.lower() else {}
        return together(_holds(path, quoted, mentioned) for quoted in quotations(match["texts"]))
    match = whole(MENTIONS, text) if extension(path) in {"md", "txt"} else None
    if match:
        word: Predicate = {"op": "contains", "path": path, "text": match["word"], "ignore_case": True}
        return and_more([word], f"Whether what it says of {match['word']} is what is meant, a reader has to tell.") if match["more"] else word
    return None


def _holds(path: str, text: str, options: dict[str, bool]) -> Predicate:
    """Words in a page may be split by tags or written by its script; code is where it is."""
    written: Predicate = {"op": "contains", "path": path, "text": text, **options}
    if extension(path) in {"html", "htm"} and not re.search(r"[<>(){}=;#/_]", text):
        return {"op": "any", "of": [written, {"op": "shows", "path": path, "text": text}]}
    return written


def _length(path: str, text: str, _context: Context) -> Predicate | None:
    match = whole(WORDS, text) if extension(path) in {"txt", "md"} else None
    limits = bounds(match) if match else None
    return {"op": "words", "path": path, **limits} if limits else None


def _readme(path: str, text: str, _context: Context) -> Predicate | None:
    if path != "README.md":
        return None
    if whole(GOOD, text):
        return {"op": "readme"}
    match = whole(SECTIONS, text)
    if not match:
        return None
    items = [
        re.sub(r"^(?:an?|the) ", "", item.strip(" \"'`"), flags=re.I) for item in re.split(r"\s*,\s*(?:and )?| and ", match["list"]) if item.strip()
    ]
    items = [re.sub(r" section$", "", item, flags=re.I) for item in items]
    sections = [next((name for name, words in _SECTION_NAMES.items() if whole(words, item)), "") for item in items]
    return {"op": "readme", "sections": list(dict.fromkeys(sections)), "min": 0} if sections and all(sections) else None


def _license(path: str, text: str, _context: Context) -> Predicate | None:
    return {"op": "license", "kind": "MIT"} if path == "LICENSE" and whole(MIT, text) else None


def _brief(path: str, text: str, context: Context) -> Predicate | None:
    if whole(BY_BRIEF, text):
        return together(shapes(context.brief).get(path, []))
    wanted = asked_of(path, context.brief) if whole(TASTE, text) else []
    return and_more(wanted, "What can be counted is as asked; the rest a reader has to judge.") if wanted else None
