"""Makes files of a model's answer, whatever shape it has.

In comes the raw text, with the files that it was asked to change; out come whole files, copies of attachments and deletions, each under a name
that may be published, and a reason for everything that was not used. The shapes are `answer_shapes`' part, names are `tasks.files.paths`', and
putting the files beside those that stay is the caller's: `{**base, **parsed.files}` without `parsed.deleted`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tasks.errors import AnswerUnusable
from tasks.files import paths
from tasks.generators import answer_shapes
from tasks.generators.answer_shapes import document, mend, tags
from tasks.generators.answer_shapes.file_set import MAX_PIECES, FileSet

MAX_ANSWER = 4_000_000  # characters; the longest that a model writes is a tenth of it

_CUT_TAG = re.compile(r"^<(?:file|edit|delete)\b[^>\n]{0,300}\Z", re.MULTILINE)
_THOUGHT = re.compile(r"\s{0,50}<(think|thinking|thought)>", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:I(?:'|’)?m (?:sorry|unable|not able)|I (?:can(?:'|’)?t|cannot|can not|am unable|am not able|won(?:'|’)?t)|sorry, (?:but )?I|as an AI)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Parsed:
    """What an answer holds. `files` are complete; `copies` name an attachment, with `#csv` and the like for a conversion; `dropped` and
    `failed_edits` are (name, reason). A name in `failed_edits` kept its present content: ask for that file whole. `truncated`: the last file
    looks cut off."""

    files: dict[str, bytes] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    failed_edits: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    shape: str = ""
    truncated: bool = False


def parse(text: str, *, base: Mapping[str, bytes] | None = None, attachments: Collection[str] = (), allow_workflows: bool = False) -> Parsed:
    """The files of an answer. `base` are the present files, for changes to them; `attachments` the paths that may be copied.

    Raises `AnswerUnusable`, with what the text looks like, when it gives no file, no copy, no deletion and no change that failed; nothing else."""
    if len(text) > MAX_ANSWER:
        raise AnswerUnusable(f"The answer has more than {MAX_ANSWER:,} characters; write fewer and shorter files.", detail=text[:500])
    cleaned = _cleaned(text)
    shape, pieces = answer_shapes.read(cleaned)
    made = FileSet(dict(base or {}), attachments, allow_workflows)
    for piece in pieces[:MAX_PIECES]:
        made.take(piece)
    if len(pieces) > MAX_PIECES:
        made.dropped.append((f"({len(pieces) - MAX_PIECES} more)", f"an answer may hold at most {MAX_PIECES} files"))
    parsed = Parsed(
        files=made.files,
        copies=made.copies,
        deleted=tuple(made.deleted),
        dropped=tuple(made.dropped),
        failed_edits=tuple(made.failed.items()),
        notes=tuple(made.notes),
        shape=shape,
        truncated=made.truncated or _CUT_TAG.search(cleaned[-400:]) is not None,
    )
    if not (parsed.files or parsed.copies or parsed.deleted or parsed.failed_edits):
        raise AnswerUnusable(_why_unusable(cleaned, parsed), detail=cleaned[:500])
    return parsed


def render(files: Mapping[str, bytes]) -> str:
    """The files in our own format: `parse(render(files)).files == files` for any content, binary content being written as base64."""
    return "\n".join(_rendered(path, content) for path, content in files.items())


def _rendered(path: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or mend.as_text(text) != text or paths.extension(path) in paths.BINARY_EXTENSIONS:
        return f'<file path="{path}" encoding="base64">\n{base64.b64encode(content).decode()}\n</file>\n'
    plain = f'<file path="{path}">\n{text}</file>\n'
    if _reads_as(plain, path, content):
        return plain
    number = 1
    while f"=== end of file {number} ===" in text:
        number += 1
    return f'<file path="{path}" until="=== end of file {number} ===">\n{text}=== end of file {number} ===\n'


def _reads_as(plain: str, path: str, content: bytes) -> bool:
    """Would this be read as that one file, even with others after it? Tags in the content make that doubtful."""
    if sum(line.lstrip().lower().startswith(("<file", "</file", "<edit", "</edit", "<delete")) for line in plain.split("\n")) != 2:
        return False
    made = FileSet({}, (), allow_workflows=True)
    for piece in tags.read(plain):
        made.take(piece)
    return made.files == {path: content}


def _cleaned(text: str) -> str:
    """LF line ends, and neither a byte order mark nor thoughts in front."""
    cleaned = mend.as_text(text.removeprefix("\ufeff")).strip("\n")
    if match := _THOUGHT.match(cleaned):
        end = cleaned.lower().find(f"</{match[1].lower()}>")
        if end >= 0:
            cleaned = cleaned[end + len(match[1]) + 3 :].strip("\n")
    return cleaned.removeprefix("\ufeff")


def _why_unusable(text: str, parsed: Parsed) -> str:
    """One sentence on what the text looks like."""
    if parsed.dropped:
        return "The answer holds no usable file: " + "; ".join(f"{name}: {reason.rstrip('.')}" for name, reason in parsed.dropped[:5]) + "."
    if not text.strip():
        return "The answer is empty."
    if document.is_error_page(text):
        return "The answer is an error page of a server on the way, not the model's."
    if re.match(r"\s{0,50}\{\s{0,50}\"(?:error|errors|detail|message)\"", text):
        return "The answer is an error message in JSON, not the model's files."
    if _REFUSAL.search(text[:2000]):
        return "The answer is a refusal: it says that it cannot do this and holds no file."
    if text.rstrip().endswith("?") and len(text) < 4000:
        return "The answer is a question and holds no file."
    return "The answer is prose and holds no file."
