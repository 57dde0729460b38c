"""Renders what a model is asked: `templates/prompts` filled with a round's inputs.

In: `Inputs`. Out: `Prompt`, the same for the same inputs, so that its hash tells a repeat. The brief, the checks, the attachments and the present
files are hostile text: each stands between lines with a code made from all of them, which none of them can contain by design. Secrets of this
installation that somebody wrote into a brief or a file are blanked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.template.loader import render_to_string

from tasks.generators.base import AttachedFile, Image, Inputs, Prompt
from tasks.redaction import secret_values

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
MAX_IMAGE_BYTES = 4 * 1024 * 1024
LONG_FILE_LINES = 400  # from here on a model may send <edit> blocks; system.txt says the same number
MAX_CODE_CHARS = 100_000  # of a present file that is code
MAX_DATA_CHARS = 30_000  # of any other present text
MAX_FILES_CHARS = 200_000  # of all present files together
MAX_PROFILE_CHARS = 20_000
MAX_ATTACHED_CODE_CHARS = 30_000
MAX_FEEDBACK_CHARS = 30_000
BAR = "====="
CODE_SUFFIXES = frozenset({".html", ".htm", ".css", ".js", ".mjs", ".ts", ".py", ".sh", ".sql", ".yml", ".yaml", ".toml", ".md"})
SERVICE_FILES = frozenset({"LICENSE", ".nojekyll"})


@dataclass(frozen=True)
class ShownFile:
    """A present file as the template prints it."""

    path: str
    text: str
    lines: int
    cut: bool
    long: bool


@dataclass(frozen=True)
class ShownAttachment:
    """An attachment as the template prints it; `shown` is its profile, or the whole of a short program."""

    path: str
    media_type: str
    size: int
    shown: str


def render(inputs: Inputs, images_supported: bool) -> Prompt:
    """The prompt for these inputs. `images_supported`: the generator takes PNG, JPEG, WebP and GIF attachments of up to 4 MB as they are."""
    images = _images(inputs.attachments) if images_supported else ()
    files, unshown = _present_files(inputs)
    context = {
        "task": _clean(inputs.task),
        "round": inputs.round,
        "brief": _clean(inputs.brief),
        "checks": [_clean(check) for check in inputs.checks],
        "required": inputs.required,
        "attachments": [_attachment(file) for file in inputs.attachments],
        "images": [image.path for image in images],
        "files": files,
        "unshown": unshown,
        "feedback": _cut(_clean(inputs.feedback), MAX_FEEDBACK_CHARS),
        "bar": BAR,
        "code": _code(inputs),
    }
    return Prompt(
        system=render_to_string("prompts/system.txt"),
        user=render_to_string(f"prompts/{inputs.kind}.txt", context),
        inputs=inputs,
        images=images,
    )


def fit_images(images: Iterable[Image], types: Collection[str], room: int) -> tuple[list[Image], list[str]]:
    """The images of these types that fit into `room` bytes together, first come first served, and the paths of the others."""
    chosen: list[Image] = []
    left_out: list[str] = []
    for image in images:
        if image.media_type in types and len(image.content) <= room:
            chosen.append(image)
            room -= len(image.content)
        else:
            left_out.append(image.path)
    return chosen, left_out


def not_shown(paths: Collection[str]) -> str:
    """The note that a generator puts behind the user's text when it could not send these images."""
    return f"\n\nThese images are among the attachments but not shown to you: {', '.join(paths)}." if paths else ""


def _images(attachments: Iterable[AttachedFile]) -> tuple[Image, ...]:
    return tuple(
        Image(file.path, file.media_type, file.content)
        for file in attachments
        if file.media_type in IMAGE_TYPES and 0 < len(file.content) <= MAX_IMAGE_BYTES
    )


def _attachment(file: AttachedFile) -> ShownAttachment:
    """A program is shown whole, since the brief may ask to mend it; anything else by its profile."""
    text = _text(file.content) if PurePosixPath(file.path).suffix.lower() in CODE_SUFFIXES else None
    shown = text if text and len(text) <= MAX_ATTACHED_CODE_CHARS else file.profile
    return ShownAttachment(file.path, file.media_type, file.size, _cut(_clean(shown), max(MAX_PROFILE_CHARS, MAX_ATTACHED_CODE_CHARS)))


def _present_files(inputs: Inputs) -> tuple[list[ShownFile], list[str]]:
    """The present files that the model sees, the page first, and the paths of those it does not. Attachments of this round are shown above."""
    attached = {file.path: file.content for file in inputs.attachments}
    room = MAX_FILES_CHARS
    shown: list[ShownFile] = []
    unshown: list[str] = []
    for path in sorted(inputs.files, key=_rank):
        content = inputs.files[path]
        if path in attached and attached[path] == content:
            continue
        text = None if path in SERVICE_FILES else _text(content)
        if text is None or room <= 0:
            unshown.append(path)
            continue
        most = min(room, MAX_CODE_CHARS if PurePosixPath(path).suffix.lower() in CODE_SUFFIXES else MAX_DATA_CHARS)
        lines = len(text.splitlines())
        shown.append(ShownFile(path, _clean(text[:most]), lines, cut=len(text) > most, long=lines > LONG_FILE_LINES))
        room -= min(len(text), most)
    return shown, unshown


def _rank(path: str) -> tuple[int, str]:
    """The page, other code, the README, then data: what a change needs most comes before the room is used up."""
    suffix = PurePosixPath(path).suffix.lower()
    first = 0 if path == "index.html" else 2 if path == "README.md" else 1 if suffix in CODE_SUFFIXES else 3
    return first, path


def _text(content: bytes) -> str | None:
    """The content as text, None for binary."""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n[{len(text) - most} more characters are not shown]"


def _clean(text: str) -> str:
    """The text without this installation's secrets, and without half characters that no model's service takes."""
    for name, value in secret_values().items():
        text = text.replace(value, f"[{name} removed]")
    return text.encode("utf-8", "replace").decode()


def _code(inputs: Inputs) -> str:
    """What marks the borders of quoted text. Whoever wrote one of the texts would have to know its own hash to forge it."""
    digest = hashlib.sha256()
    for text in (inputs.task, inputs.brief, *inputs.checks, inputs.feedback, *(file.profile for file in inputs.attachments)):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for path, content in (*((file.path, file.content) for file in inputs.attachments), *sorted(inputs.files.items())):
        digest.update(path.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:12]
