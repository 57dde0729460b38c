"""Which names may be published.

Every path of a commit passes here: `clean_path` for what a model names, `attachment_path` for what a request names. Both give a path that is
safe on GitHub, on Pages, in a URL and on every file system; the rules are an allow-list, so that a trick nobody thought of is refused too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import NamedTuple

from tasks.errors import NameRefused

MAX_PARTS = 4
MAX_LENGTH = 100


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEXT_EXTENSIONS = _words(
    """html htm xhtml css scss less js mjs cjs jsx ts tsx vue svelte json jsonl ndjson json5 jsonc csv tsv md markdown mdx txt text svg xml xsl
    rss atom yml yaml toml ini cfg conf properties py pyi ipynb r rmd jl sql sh bash c h cpp hpp go rs java kt rb php lua rst adoc tex bib map
    webmanifest geojson topojson gpx kml ics vtt srt glsl vert frag wgsl hbs mustache tmpl njk j2 dot gv mmd log diff patch graphql proto"""
)
BINARY_EXTENSIONS = _words(
    """png jpg jpeg gif webp avif ico bmp woff woff2 ttf otf eot pdf wasm mp3 wav ogg oga m4a mp4 webm xlsx xls ods docx pptx parquet sqlite db glb"""
)
EXTENSIONS = TEXT_EXTENSIONS | BINARY_EXTENSIONS
PLAIN_NAMES = _words(
    "Dockerfile Makefile Procfile README CHANGELOG AUTHORS CONTRIBUTORS NOTICE VERSION CITATION Pipfile _headers _redirects",
)
PROGRAMS = _words("exe dll so dylib bat cmd com msi ps1 scr vbs app apk jar class bin deb rpm dmg pkg lnk reg")
ARCHIVES = _words("zip tar gz tgz bz2 xz 7z rar zst iso whl egg")

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_WORKFLOW = re.compile(r"\.github/workflows/[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)")
_LICENSES = _words("license licence unlicense unlicence copying license-mit licence-mit mit-license mit-licence license-apache")
_SERVICE_NAMES = frozenset({".nojekyll", "cname", "_config.yml", "_config.yaml", ".gitmodules", ".gitattributes", ".env"})
_LETTERS = str.maketrans(dict(zip("ßæÆøØłŁđĐœŒı", ["ss", "ae", "AE", "o", "O", "l", "L", "d", "D", "oe", "OE", "i"], strict=True)))


class Conflict(NamedTuple):
    """`second` cannot stand beside `first`, which came earlier."""

    first: str
    second: str
    reason: str


def clean_path(name: str, *, allow_workflows: bool = False) -> str:
    """The repository path for a file that a model named; `NameRefused` says why there is none.

    Mended, because nothing can be meant but this: spaces around the name, a leading `./` or `/`, backslashes as separators, and spaces inside,
    which become `-` (a space in a link is the commonest reason for a dead one). Everything else that is not on the allow-list is refused, names
    that belong to the service among it. `allow_workflows` lets `.github/workflows/<name>.yml` through, and nothing else below `.github`."""
    path = unicodedata.normalize("NFC", name).strip(" ").replace("\\", "/")
    while path.startswith(("./", "/")):
        path = path.removeprefix("./").lstrip("/")
    if any(_invisible(character) for character in path):
        raise _refused(name, "it holds a control, direction or invisible character")
    parts = [part.replace(" ", "-") if part == part.strip(" ") else part for part in path.split("/")]
    path = "/".join(parts)
    if allow_workflows and len(path) <= MAX_LENGTH and _WORKFLOW.fullmatch(path):
        return path
    if reason := _reason_against(path, parts) or reserved(path) or _reason_against_kind(parts[-1]):
        raise _refused(name, reason)
    return path


def reserved(path: str) -> str:
    """Why this name is the service's own, or an empty text. `README.md` is not: the model writes it."""
    folded = fold(path)
    first = folded.split("/")[0]
    if "/" not in folded and folded.split(".")[0] in _LICENSES:
        return "the licence is written by the service"
    if first == ".github":
        return "only the service writes below .github"
    if folded in _SERVICE_NAMES or first == ".env" or folded.startswith(".env."):
        return "this name changes how the site is published and is the service's own"
    return ""


def attachment_path(name: str, taken: Collection[str]) -> str:
    """Where an attachment is published: its own name made safe, never one of `taken` (compared without case). Never raises.

    Only the last component counts. Latin letters lose their accents, other letters stay (Pages serves them percent-encoded), all the rest becomes
    `-`. Names that the service needs go to `attachments/`, taken ones get `-2`, `-3`, and a name that nothing is left of is `attachment-<n>`."""
    component = next((part for part in reversed(re.split(r"[\\/]", str(name))) if part.strip(" .")), "")
    dotted = component.strip().startswith(".")
    stem, suffix = _split(_plain_letters(component))
    if not suffix and stem.lower() in EXTENSIONS and component.rstrip(" ").endswith("." + stem):
        stem, suffix = "", "." + stem
    if not stem or _DEVICE.fullmatch(stem.split(".")[0].casefold()) or not any(character.isalnum() for character in stem):
        return _untaken("attachment", suffix, taken, 1)
    if dotted and not fold(stem).startswith("git"):
        stem = "." + stem
    room = MAX_LENGTH - len(suffix) - len("attachments/-999")  # in bytes: file systems stop at 255 of them
    stem = stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").rstrip(".-")
    if dotted or reserved(stem + suffix) or fold(stem + suffix) == "attachments":
        stem = f"attachments/{stem}"
    return _untaken(stem, suffix, taken, 2, plain=True)


def conflicts(paths: Iterable[str]) -> list[Conflict]:
    """Every path that cannot stand beside an earlier one: a twin in other letter case, or a file where another needs a folder."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    found = []
    for path in paths:
        folded = fold(path)
        parts = folded.split("/")
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
        if folded in files:
            found.append(Conflict(files[folded], path, "the same name but for its letter case"))
        elif folded in folders:
            found.append(Conflict(folders[folded], path, "a file where another file needs a folder"))
        elif clash := next((files[folder] for folder in above if folder in files), None):
            found.append(Conflict(clash, path, "a folder where another name is a file"))
        else:
            files[folded] = path
            for folder in above:
                folders.setdefault(folder, path)
    return found


def fold(path: str) -> str:
    """The form in which two names are the same to a file system that ignores case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def extension(path: str) -> str:
    """Lower case, without the dot; empty when there is none."""
    stem, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return suffix.lower() if dot and stem else ""


def _reason_against(path: str, parts: list[str]) -> str:
    if not path or not parts[-1]:
        return "it names no file"
    if len(path) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    if len(parts) > MAX_PARTS:
        return f"it lies more than {MAX_PARTS - 1} folders deep"
    if ".." in parts:
        return "it leaves the repository"
    for part in parts:
        folded = fold(part).strip(" .")
        if folded == "git~1" or (part.startswith(".") and folded.startswith("git") and folded != "github"):
            return "names of git itself are not allowed"
        if part.endswith((".", " ")) or part.startswith(" "):
            return "a part of it starts with a space or ends with a dot or a space"
        if _DEVICE.fullmatch(folded.split(".")[0].strip()):
            return "Windows keeps that name for a device"
        if not _PART.fullmatch(part) and not reserved(path):
            return "only letters, digits, dots, dashes and underscores are allowed, and no dot in front"
    return ""


def _reason_against_kind(part: str) -> str:
    kind = extension(part)
    if kind in PROGRAMS:
        return f"programs (.{kind}) are not published"
    if kind in ARCHIVES:
        return f"archives (.{kind}) are not published"
    if kind in EXTENSIONS or part in PLAIN_NAMES:
        return ""
    return f"files of the kind .{kind} are not published" if kind else "it has no extension, so its kind is unknown"


def _refused(name: str, reason: str) -> NameRefused:
    shown = name if len(name) <= 80 else name[:79] + "…"
    return NameRefused(f"{shown!a} cannot be published: {reason}.")


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _plain_letters(component: str) -> str:
    """Letters, digits, dots, dashes and underscores; no dot, dash or space at either end."""
    kept = []
    for character in unicodedata.normalize("NFC", component).translate(_LETTERS):
        plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii() and part.isalnum())
        if character.isascii():
            kept.append(character if character.isalnum() or character in "._-" else "-" if character.isprintable() else "")
        elif plain:
            kept.append(plain)
        elif unicodedata.category(character)[0] in "LNM":
            kept.append(character)
        elif not _invisible(character):
            kept.append("-")
    return re.sub(r"-*\.[.-]*", ".", re.sub(r"-+", "-", "".join(kept))).strip(".-")


def _split(name: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.+)(\.[A-Za-z0-9]{1,12})", name)
    return (match[1], match[2]) if match else (name, "")


def _untaken(stem: str, suffix: str, taken: Collection[str], number: int, *, plain: bool = False) -> str:
    names = {fold(path) for path in taken}
    names |= {"/".join(name.split("/")[:depth]) for name in list(names) for depth in range(1, name.count("/") + 1)}
    path = stem + suffix if plain else f"{stem}-{number}{suffix}"
    while fold(path) in names:
        path = f"{stem}-{number}{suffix}"
        number += 1
    return path
