"""Collects what the pieces of an answer give: names are checked, bodies mended, changes applied, and a reason is kept for what is not used."""

from __future__ import annotations

from collections.abc import Callable, Collection

from tasks.errors import NameRefused
from tasks.files import paths
from tasks.generators import edits
from tasks.generators.answer_shapes import mend, patches, whole
from tasks.generators.answer_shapes.pieces import Piece

MAX_PIECES = 300


class FileSet:
    """Collects what the pieces give, in order: a later piece of the same name replaces an earlier one."""

    def __init__(self, base: dict[str, bytes], attachments: Collection[str], allow_workflows: bool) -> None:
        self.base = base
        self.attachments = attachments
        self.allow_workflows = allow_workflows
        self.files: dict[str, bytes] = {}
        self.copies: dict[str, str] = {}
        self.deleted: dict[str, None] = {}
        self.dropped: list[tuple[str, str]] = []
        self.failed: dict[str, str] = {}
        self.notes: list[str] = []
        self.truncated = False

    def take(self, piece: Piece) -> None:
        if piece.kind == "dropped":
            self.dropped.append((piece.name, piece.reason))
            self.truncated = self.truncated or piece.cut
            return
        if piece.kind in {"edit", "diff"} and not piece.name:
            self._change_unnamed(piece)
            return
        name = piece.name.strip().strip("`'\"*")
        try:
            path = name if name in self.attachments and piece.kind == "copy" else paths.clean_path(name, allow_workflows=self.allow_workflows)
        except NameRefused as refusal:
            self.dropped.append((piece.name, refusal.message))
            return
        if path != piece.name:
            self.notes.append(f"{path}: was called {piece.name!a}")
        if clash := paths.conflicts([*self._present(path), path]):
            self.dropped.append((piece.name, f"{clash[-1].reason}: {clash[-1].first}"))
            return
        takers: dict[str, Callable[[str, Piece], None]] = {
            "copy": self._copy,
            "delete": self._delete,
            "edit": self._change,
            "diff": self._change,
            "file": self._write,
        }
        takers[piece.kind](path, piece)

    def _present(self, path: str) -> list[str]:
        """The other files that are there in the end, as far as is known."""
        there = [*(name for name in self.base if name not in self.deleted), *self.files, *self.copies]
        return [name for name in dict.fromkeys(there) if name != path]

    def _write(self, path: str, piece: Piece) -> None:
        present = _as_text(self.base.get(path))
        if not piece.encoding and not piece.exact:
            if edits.begins_with_block(piece.body):
                self._change(path, Piece(piece.name, piece.body, kind="edit", cut=piece.cut))
                return
            if line := whole.left_out(path, piece.body, present):
                self._fail(path, f"a part is left out ({line[:80]})")
                return
        try:
            content, notes = mend.content(path, piece.body, piece.encoding) if not piece.exact else (mend.as_text(piece.body).encode(), [])
        except mend.Unusable as unusable:
            self.dropped.append((piece.name, str(unusable)))
            self.truncated = piece.cut
            return
        self.truncated = piece.cut and whole.looks_cut(path, content.decode("utf-8", "replace"))
        if piece.cut:
            self.notes.append(f"{path}: {'looks cut off' if self.truncated else 'its end was not marked'}")
        if path in self.files and self.files[path] != content:
            self.notes.append(f"{path}: given more than once, the last one is used")
        self._put(path, content)
        self.notes += notes

    def _put(self, path: str, content: bytes) -> None:
        self.files[path] = content
        self.copies.pop(path, None)
        self.deleted.pop(path, None)
        self.failed.pop(path, None)

    def _fail(self, path: str, reason: str) -> None:
        """A file of which only a part was given: one made earlier or the present one is kept."""
        if path in self.files or path not in self.base:
            self.dropped.append((path, reason))
        else:
            self.failed[path] = reason

    def _copy(self, path: str, piece: Piece) -> None:
        source = piece.source.strip().removeprefix("attachment:").strip()
        name, mark, conversion = source.partition("#")
        found = next((known for known in self.attachments if paths.fold(known) == paths.fold(name.removeprefix("./"))), None)
        if found is None:
            self.dropped.append((piece.name, f"there is no attachment {name!a} to copy"))
            return
        self.copies[path] = found + mark + conversion.strip().lower()
        self.files.pop(path, None)
        self.deleted.pop(path, None)

    def _delete(self, path: str, piece: Piece) -> None:
        if path not in self.base:
            self.dropped.append((piece.name, "there is no such file to delete"))
            return
        self.deleted[path] = None
        self.files.pop(path, None)

    def _change(self, path: str, piece: Piece) -> None:
        present = _as_text(self.files.get(path, self.base.get(path)))
        try:
            changed = _changed(present or "", piece)
        except edits.EditFailed as failure:
            self.truncated = self.truncated or piece.cut
            if present is None:
                self.dropped.append((piece.name, "it is a change to a file that does not exist"))
            elif path in self.base:
                self.failed[path] = str(failure)
                self.files.pop(path, None)
            else:
                self.dropped.append((piece.name, str(failure)))
            return
        self._put(path, mend.as_text(changed).encode("utf-8", "replace"))

    def _change_unnamed(self, piece: Piece) -> None:
        """A change that names no file belongs to the only file it fits; a diff may hold several files."""
        if piece.kind == "diff" and (several := list(patches.diffs(piece.body))):
            for each in several:
                self.take(each)
            return
        fitting = []
        for path in {**self.base, **self.files}:
            present = _as_text(self.files.get(path, self.base.get(path)))
            try:
                if present and _changed(present, piece) != present:
                    fitting.append(path)
            except edits.EditFailed:
                continue
        if len(fitting) == 1:
            self._change(fitting[0], piece)
            self.notes.append(f"{fitting[0]}: the change did not name its file, and fits this one only")
        else:
            self.dropped.append(("(a change)", "nothing says which file it belongs to"))


def _changed(present: str, piece: Piece) -> str:
    if piece.kind == "diff":
        return edits.apply_unified_diff(present, piece.body)
    blocks = edits.read_blocks(piece.body)
    if not blocks:
        raise edits.EditFailed(1, "it holds no SEARCH/REPLACE block")
    return edits.apply_edits(present, blocks)


def _as_text(content: bytes | None) -> str | None:
    """A file as text, or nothing when there is none or it is not text."""
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
