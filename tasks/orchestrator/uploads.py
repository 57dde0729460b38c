"""Code that agents upload: versions under the agent's own label, file by file or as a zip."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from tasks.errors import Conflict, NameRefused, TooLarge
from tasks.files.paths import clean_path, conflicts
from tasks.files.zips import UNREADABLE
from tasks.hosts.base import blob_sha
from tasks.models import CodeVersion, Deployment, GeneratedFile, Message, TaskRequest
from tasks.orchestrator.assignments import wake

MAX_FILES = 200
MAX_BYTES = 15 * 1024 * 1024  # of one upload, unpacked
MAX_LABEL = 100


class Deployed(Conflict):
    """The version was published; upload another one."""


@dataclass(frozen=True)
class Uploaded:
    version: CodeVersion
    files: list[GeneratedFile]


def upload(task: TaskRequest, label: str, files: Mapping[str, bytes], agent: str, note: str = "") -> Uploaded:
    """Add the files to the version of that label, made if it is not there; one of the same path is replaced. A blank label gets the next number.

    `NameRefused`, `TooLarge` for what cannot be kept, `Deployed` for a version that was published already."""
    if not files:
        raise NameRefused("An upload needs at least one file.")
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise TooLarge(f"An upload may hold {MAX_FILES} files and {MAX_BYTES // 1024 // 1024} MB.")
    paths = [clean_path(name, allow_workflows=True) for name in files]
    contents = dict(zip(paths, files.values(), strict=True))
    with transaction.atomic():
        version = version_of(task, label, agent)
        if is_published(version):
            raise Deployed(f"{version.label} is published already; upload under another label.")
        there = version.files.exclude(path__in=paths).values_list("path", flat=True)
        if clash := next(iter(conflicts([*there, *paths])), None):
            raise NameRefused(f"{clash.second} cannot stand beside {clash.first}: {clash.reason}.")
        GeneratedFile.objects.filter(version=version, path__in=contents).delete()
        rows = [
            GeneratedFile.objects.create(
                version=version, path=path, origin=GeneratedFile.Origin.UPLOAD, content=content, size=len(content), blob_sha=blob_sha(content)
            )
            for path, content in contents.items()
        ]
        names = ", ".join(contents)
        Message.objects.create(
            task_request=task,
            version=version,
            round=version.round,
            sender=agent,
            kind=Message.Kind.EVENT,
            body=f"uploaded {version.label}: {names}"[:1000] + (f"\n{note}" if note else ""),
        )
        wake(task)
    return Uploaded(version, rows)


def version_of(task: TaskRequest, label: str, agent: str) -> CodeVersion:
    """The uploaded version of that label, made if need be, in the caller's transaction."""
    TaskRequest.objects.select_for_update().get(pk=task.pk)
    number = (task.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    label = label.strip()[:MAX_LABEL] or f"v{number}"
    found = task.versions.filter(label=label, kind=CodeVersion.Kind.UPLOAD).first()
    return found or CodeVersion.objects.create(
        task_request=task, number=number, label=label, kind=CodeVersion.Kind.UPLOAD, status=CodeVersion.Status.READY, generator=agent[:40]
    )


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of a zip: never a link or a folder, no more than an upload may hold even where its headers lie. Nothing is written to disk."""
    try:
        opened = zipfile.ZipFile(io.BytesIO(archive))
    except UNREADABLE as error:
        raise NameRefused(f"That is no zip: {error}.") from error
    files: dict[str, bytes] = {}
    left = MAX_BYTES
    with opened:
        plain = [item for item in opened.infolist() if not item.is_dir()]
        if len(plain) > MAX_FILES:
            raise TooLarge(f"The zip holds {len(plain)} files; at most {MAX_FILES} are taken.")
        for item in plain:
            if stat.S_IFMT(item.external_attr >> 16) not in (0, stat.S_IFREG):
                raise NameRefused(f"{item.filename!a} is a link or a device; put the file itself into the zip.")
            if item.filename in files:
                raise NameRefused(f"{item.filename!a} is in the zip twice.")
            try:
                with opened.open(item) as file:
                    content = file.read(left + 1)
            except UNREADABLE as error:
                raise NameRefused(f"{item.filename!a} cannot be read: {str(error)!a}.") from error
            left -= len(content)
            if left < 0:
                raise TooLarge(f"The zip unpacks to more than {MAX_BYTES // 1024 // 1024} MB.")
            files[item.filename] = content
    return files


def delete_file(file: GeneratedFile) -> None:
    """Remove one uploaded file; the version goes with its last one. `Deployed` when it was published."""
    with transaction.atomic():
        version = file.version
        if is_published(version):
            raise Deployed(f"{version.label} is published; what was published stays in the records.")
        file.delete()
        if not version.files.exists():
            version.delete()


def is_published(version: CodeVersion) -> bool:
    """Itself, or the version that a round made of it."""
    return Deployment.objects.filter(Q(version=version) | Q(version__based_on=version, version__kind__in=["build", "repair"])).exists()


def label_of(version: CodeVersion) -> str:
    """What agents call it."""
    return version.label or f"v{version.number}"


def find(task: TaskRequest, label: str) -> CodeVersion | None:
    """The newest version that is called so."""
    named = task.versions.filter(label=label).order_by("-id").first()
    if named is None and label.removeprefix("v").isdecimal():
        named = task.versions.filter(label="", number=int(label.removeprefix("v")[:9])).first()
    return named


def as_zip(version: CodeVersion) -> bytes:
    """All files of a version, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(version.tree().items()):
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


assert MAX_BYTES <= settings.MAX_BODY_BYTES  # noqa: S101 - what may be uploaded must fit into a request  # nosec B101
