"""The complete publishable tree of a version: what the model wrote, what was there before, what was attached, and what the service adds.

In: the parsed answer, the files to start from, the attachments. Out: a `FileSet`, each file with its origin. Who wins where two want one name:

1. an attachment, byte for byte, unless the brief asks to change that file, or an earlier round did (then it is an ordinary file);
2. the service: LICENSE, `.nojekyll`, a conversion of a workbook that the brief or the model asked for;
3. the model; 4. what was there before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from tasks.errors import AttachmentUnusable, TooLarge
from tasks.files import mit, readme
from tasks.files.paths import conflicts, fold, reserved
from tasks.files.sniff import text_of
from tasks.files.wording import asks_to_change, conversions
from tasks.files.workbooks import xlsx_to_csv
from tasks.hosts.base import blob_sha
from tasks.models import Attachment, CodeVersion, GeneratedFile, Round
from tasks.required import check_texts

__all__ = ["FileSet", "NewEntry", "all_attachments", "asks_to_change", "assemble", "references", "revised_in", "store"]

MAX_FILES = 60
MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_TOTAL_BYTES = 20 * 1024 * 1024
LICENSE, NO_JEKYLL, README, SHOWN_README = "LICENSE", ".nojekyll", "README.md", ".github/README.md"
_README_NAMES = frozenset(("readme", "readme.md"))

Origin = GeneratedFile.Origin


@dataclass(frozen=True)
class NewEntry:
    """One file to be stored. A verbatim attachment is named, so that its bytes are stored once."""

    origin: str
    data: bytes = field(repr=False)
    attachment: Attachment | None = None


@dataclass(frozen=True)
class FileSet:
    """`revised`: attachments whose published content is not the posted one. `notes`: what was decided, for people."""

    files: dict[str, NewEntry]
    revised: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    def tree(self) -> dict[str, bytes]:
        return {path: entry.data for path, entry in self.files.items()}


def all_attachments(round_: Round) -> dict[str, Attachment]:
    """Path to the newest attachment with content, of this round and all earlier ones of the task. The same name posted again replaces the former,
    also when it differs in letter case only. All of them are published; what was fetched for the model is not among them."""
    return _newest(round_, fetched=False)


def references(round_: Round) -> dict[str, Attachment]:
    """What was read from addresses in the task's briefs: shown to the model, which may copy it, and else in no repository."""
    return _newest(round_, fetched=True)


def _newest(round_: Round, *, fetched: bool) -> dict[str, Attachment]:
    rows = (
        Attachment.objects.filter(round__task_request_id=round_.task_request_id, content__isnull=False, fetched=fetched)
        .filter(Q(round__number__lt=round_.number) | Q(round_id=round_.pk))
        .select_related("round")
        .order_by("round__number", "round_id", "position", "pk")
    )
    newest = {fold(row.path): row for row in rows}
    return {row.path: row for row in newest.values()}


def revised_in(version: CodeVersion, attachments: Collection[str]) -> frozenset[str]:
    """The attachments that this version changes on purpose, for the evaluators: stored as something else than the attachment itself."""
    stored = version.files.filter(path__in=list(attachments)).exclude(origin=Origin.ATTACHMENT)
    return frozenset(stored.values_list("path", flat=True))


def assemble(
    *,
    task: str,
    brief: str,
    checks: Iterable[Any],
    model_files: Mapping[str, bytes],
    copies: Mapping[str, str],
    deleted: Collection[str],
    base: Mapping[str, bytes],
    attachments: Mapping[str, Attachment],
    references: Mapping[str, Attachment] | None = None,
    pages_url: str = "",
    repo_url: str = "",
) -> FileSet:
    """The whole tree. `base` are the files to start from (none for a build), `copies` maps a path to `data.xlsx` or `data.xlsx#csv`,
    of an attachment or of one of the `references`, which are published only in this way.

    Raises `TooLarge` when the tree is more than may be committed at once."""
    made = _Assembly(brief, base, attachments, references or {})
    made.put({path: data for path, data in base.items() if path not in deleted and path not in made.pinned}, Origin.BASE)
    made.take_model_files(model_files)
    made.copy({**copies, **{path: f"{source}#csv" for path, source in conversions(brief, attachments).items()}})
    made.add_attachments()
    made.add_license()
    made.files[NO_JEKYLL] = NewEntry(Origin.SERVICE, b"")
    made.add_readme(task, check_texts(checks), pages_url, repo_url)
    made.settle_names()
    return made.finished()


class _Assembly:
    """The tree while it is being put together."""

    def __init__(self, brief: str, base: Mapping[str, bytes], attachments: Mapping[str, Attachment], references: Mapping[str, Attachment]) -> None:
        self.brief = brief
        self.base = base
        self.attachments = attachments
        self.content = {path: bytes(item.content or b"") for path, item in attachments.items()}
        self.sources = {**references, **attachments}
        self.pinned = {path for path in attachments if not self.may_change(path)}
        self.files: dict[str, NewEntry] = {}
        self.notes: list[str] = []
        self.model_readme: bytes | None = None

    def may_change(self, path: str) -> bool:
        """The brief asks for it; or an earlier round's brief did, or someone changed the file in the repository since: the file that we start
        from differs from the one attached back then."""
        earlier = self.attachments[path].round.brief != self.brief
        return asks_to_change(self.brief, path) or (earlier and self.base.get(path, self.content[path]) != self.content[path])

    def put(self, files: Mapping[str, bytes], origin: str) -> None:
        for path, data in files.items():
            verbatim = self.content.get(path) == data
            self.files[path] = NewEntry(Origin.ATTACHMENT, data, self.attachments[path]) if verbatim else NewEntry(origin, data)

    def take_model_files(self, model_files: Mapping[str, bytes]) -> None:
        kept: dict[str, bytes] = {}
        for path, data in model_files.items():
            if path in self.pinned and fold(path) != fold(README):
                if data != self.content[path]:
                    self.notes.append(f"{path}: the attachment is published as it was posted, not the model's version of it.")
            elif fold(path) in _README_NAMES and (path in self.pinned or path not in self.attachments):
                self.model_readme = data
            elif reserved(path) and not path.startswith(".github/workflows/"):
                self.notes.append(f"{path}: left out, {reserved(path)}.")
            else:
                kept[path] = data
        self.put(kept, Origin.MODEL)

    def copy(self, copies: Mapping[str, str]) -> None:
        for path, source in copies.items():
            name, _, conversion = source.removeprefix("attachment:").partition("#")
            item = self.sources.get(name)
            if path in self.pinned:
                continue
            if item is None:
                self.notes.append(f"{path}: there is no attachment {name!r} to copy.")
            elif not conversion:
                self.files[path] = NewEntry(Origin.ATTACHMENT, bytes(item.content or b""), item)
            elif conversion != "csv":
                self.notes.append(f"{path}: there is no conversion to {conversion!r}, only to csv.")
            else:
                self.convert(path, name, bytes(item.content or b""))

    def convert(self, path: str, name: str, workbook: bytes) -> None:
        try:
            data = xlsx_to_csv(workbook)
        except AttachmentUnusable as error:
            self.notes.append(f"{path}: {name} could not be converted: {error.message}")
            return
        if path in self.files and self.files[path].data != data:
            self.notes.append(f"{path}: converted from {name} by the service, in place of what was there.")
        self.files[path] = NewEntry(Origin.SERVICE, data)

    def add_attachments(self) -> None:
        for path, item in self.attachments.items():
            if path in self.pinned or path not in self.files:
                self.files[path] = NewEntry(Origin.ATTACHMENT, self.content[path], item)

    def add_license(self) -> None:
        """Ours; one that we (or the student) put there in an earlier round stays, with its year and name."""
        former = self.base.get(LICENSE, b"")
        if former and mit.is_mit(former.decode("utf-8", errors="replace")):
            self.files[LICENSE] = NewEntry(Origin.BASE, former)
            return
        holder = settings.GITHUB_USERNAME or "the author"
        self.files[LICENSE] = NewEntry(Origin.SERVICE, mit.license_text(timezone.now().year, holder).encode())

    def add_readme(self, task: str, checks: tuple[str, ...], pages_url: str, repo_url: str) -> None:
        """The model's, completed, or one from the template. Where an attachment has the name, ours stands where GitHub looks first."""
        path = SHOWN_README if any(fold(name) == fold(README) for name in self.attachments) else README
        text = _text(self.model_readme) if self.model_readme else ""
        former = _text(self.base.get(path, b""))
        about = readme.About(
            task=task,
            brief=self.brief,
            files={name: str(entry.origin) for name, entry in self.files.items()} | {path: str(Origin.SERVICE)},
            page=_text(self.files["index.html"].data) if "index.html" in self.files else "",
            checks=checks,
            pages_url=pages_url,
            repo_url=repo_url,
        )
        if text.strip():
            whole, origin = readme.complete(text, about), Origin.MODEL
        elif readme.MARK in former:
            whole, origin = readme.rewrite(former, about), Origin.SERVICE
        elif former.strip():
            whole, origin = readme.complete(former, about), Origin.BASE
        else:
            whole, origin = readme.write(about), Origin.SERVICE
        if text.strip() and whole != text:
            self.notes.append(f"{path}: the sections {', '.join(readme.missing(text))} were missing and are from the template.")
        data = self.model_readme if whole == text and self.model_readme else whole.encode()
        self.files[path] = NewEntry(origin, data)

    def settle_names(self) -> None:
        """A name that cannot stand beside a better one (`data.csv/x`, another letter case) gives way."""
        rank = {Origin.ATTACHMENT: 0, Origin.SERVICE: 1, Origin.MODEL: 2, Origin.BASE: 3}
        for clash in conflicts(sorted(self.files, key=lambda path: (rank[Origin(self.files[path].origin)], path))):
            del self.files[clash.second]
            self.notes.append(f"{clash.second}: left out beside {clash.first}: {clash.reason}.")

    def finished(self) -> FileSet:
        sizes = {path: len(entry.data) for path, entry in self.files.items()}
        largest = max(sizes, key=lambda path: sizes[path])
        if len(sizes) > MAX_FILES:
            raise TooLarge(f"The repository would have {len(sizes)} files; at most {MAX_FILES} are published.")
        if sizes[largest] > MAX_FILE_BYTES:
            raise TooLarge(f"{largest} has {sizes[largest]:,} bytes; at most {MAX_FILE_BYTES:,} are published in one file.")
        if sum(sizes.values()) > MAX_TOTAL_BYTES:
            raise TooLarge(f"The files have {sum(sizes.values()):,} bytes together; at most {MAX_TOTAL_BYTES:,} are published.")
        revised = frozenset(path for path, data in self.content.items() if path in self.files and self.files[path].data != data)
        return FileSet(dict(sorted(self.files.items())), revised, self.notes)


def _text(data: bytes) -> str:
    decoded = text_of(data)
    return decoded.text if decoded else ""


def store(version: CodeVersion, fileset: FileSet) -> None:
    """Write the rows of a version that has none yet; the caller's transaction is around it."""
    GeneratedFile.objects.bulk_create(
        GeneratedFile(
            version=version,
            path=path,
            origin=entry.origin,
            content=None if entry.attachment else entry.data,
            attachment=entry.attachment,
            size=len(entry.data),
            blob_sha=blob_sha(entry.data),
        )
        for path, entry in fileset.files.items()
    )
