"""Turn what the request attached into bytes that the later stages can trust.

In: Attachment rows with a data URI or an http(s) address. Out: the same rows with path, content, real type, size, sha256 and profile, each committed
on its own; of a data URI only the prefix stays. An attachment that cannot be had keeps its reason, is told in the conversation and marks the round
as degraded; the others go on without it. Data that the brief names by its address is read as well, as a row marked `fetched` that is shown to the
model; when it cannot be had, that is told and nothing more: the page may still reach it.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from tasks import http, references
from tasks.errors import AttachmentUnusable, ContentError, RemoteError, RemoteUnavailable, TaskError, TooLarge
from tasks.files import data_uri
from tasks.files.paths import attachment_path
from tasks.files.profiles import profile
from tasks.files.sniff import XLSX, sniff, text_of
from tasks.models import Attachment
from tasks.stages import base

FETCH_SECONDS = 20.0  # for all fetches of one run together
TRIES = 3
PAUSE_SECONDS = 0.3  # between the tries of one address
REDIRECTS = 3
REFERENCE_SECONDS = 10.0  # for one address in a brief
REFERENCES_SECONDS = 20.0  # for all of them
REFERENCE_BYTES = 1_000_000
REFERENCES_POSITION = 1000  # behind everything that was posted
TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504))


class Stage(base.Stage):
    name = "attachments"

    def run(self, work: base.Work) -> base.Outcome:
        rows = list(work.round.attachments.filter(fetched=False).order_by("position", "pk"))
        taken = {row.path for row in rows if row.content is not None}
        total = sum(row.size or 0 for row in rows if row.content is not None)
        fetching_ends = time.monotonic() + FETCH_SECONDS
        missing: list[str] = []
        for row in rows:
            if row.content is not None:
                continue
            try:
                path = attachment_path(row.name, taken)
                room = min(settings.MAX_ATTACHMENT_BYTES, settings.MAX_ATTACHMENTS_BYTES - total)
                declared, content = read(row.url, room, fetching_ends)
            except (ContentError, RemoteError) as error:
                self.fail(work, row, error)
                missing.append(row.name)
                continue
            self.keep(work, row, path, declared, content)
            taken.add(path)
            total += len(content)
        if missing:
            work.degrade("attachment-missing", f"{len(missing)} of {len(rows)} attachments could not be used: {', '.join(missing)}"[:500])
        read_too = self.read_references(work)
        also = f"; {read_too} read from the brief's addresses" if read_too else ""
        if not rows:
            return base.Done(f"no attachments{also}")
        return base.Done(f"{len(rows) - len(missing)} of {len(rows)} attachments, {total:,} bytes{also}")

    def read_references(self, work: base.Work) -> int:
        """Fetch the data that the brief names; how many answers are there now."""
        round_ = work.round
        present = {row.url: row.path for row in round_.attachments.filter(fetched=True)}
        ends = time.monotonic() + REFERENCES_SECONDS
        for address in references.addresses(round_.brief, but=(round_.evaluation_url,)):
            if address in present:
                continue
            try:
                declared, content = fetch_reference(address, ends)
                media_type = sniff(content, references.name_for(address, declared, ()))
                if media_type == "text/html" or (text_of(content) is None and media_type != XLSX):
                    raise AttachmentUnusable(f"The answer is no data but {media_type}.")
            except (ContentError, RemoteError) as error:
                host = urlsplit(address).hostname
                work.say(
                    "event", f"The data at {host} could not be read for the model: {error.message}", data={"error": error.id, "address": address}
                )
                continue
            path = references.name_for(address, media_type, present.values())
            self.keep_reference(work, address, path, declared, content)
            present[address] = path
        return len(present)

    def keep_reference(self, work: base.Work, address: str, path: str, declared: str, content: bytes) -> None:
        media_type = sniff(content, path)
        told = profile(content, media_type, path)
        note = render_to_string("prompts/_reference.txt", {"address": address, "path": path}).strip()
        with work.commit():
            Attachment.objects.create(
                round_id=work.round.pk,
                position=REFERENCES_POSITION,
                fetched=True,
                name=path,
                path=path,
                url=address,
                declared_type=declared[:200],
                media_type=media_type,
                content=content,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                profile=f"{note}\n{told}".replace("\0", ""),
            )

    def keep(self, work: base.Work, row: Attachment, path: str, declared: str, content: bytes) -> None:
        media_type = sniff(content, path)
        fields: dict[str, Any] = {
            "path": path,
            "url": data_uri.prefix(row.url) if data_uri.is_data_uri(row.url) else row.url,
            "declared_type": declared[:200],
            "media_type": media_type,
            "content": content,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "profile": profile(content, media_type, path).replace("\0", ""),
            "error_id": "",
            "error": "",
        }
        with work.commit():
            Attachment.objects.filter(pk=row.pk, content=None).update(**fields)

    def fail(self, work: base.Work, row: Attachment, error: TaskError) -> None:
        told = row.error_id == error.id and row.error == error.message[:500]  # a run before this one said it already
        with work.commit():
            Attachment.objects.filter(pk=row.pk).update(error_id=error.id, error=error.message[:500])
        if not told:
            work.say("event", f"Attachment {row.name!r} could not be used: {error.message}", data={"error": error.id, "attachment": row.pk})


def fetch_reference(address: str, ends: float) -> tuple[str, bytes]:
    """Declared type and bytes of what a brief names, asked for once. `ends` is a moment of the monotonic clock."""
    left = min(REFERENCE_SECONDS, ends - time.monotonic())
    if left <= 0:
        raise AttachmentUnusable(f"There was no time left to fetch it: all addresses together have {REFERENCES_SECONDS:g} s.")
    headers = {"User-Agent": f"{http.USER_AGENT} (+{settings.PUBLIC_URL})", "Accept": "application/json, text/csv, text/plain, */*;q=0.5"}
    answer = http.fetch(address, headers=headers, seconds=left, max_bytes=REFERENCE_BYTES, redirects=REDIRECTS)
    if answer.status != 200 or not answer.body:
        raise AttachmentUnusable(f"The server answered {answer.status} {'with nothing' if answer.status == 200 else 'instead of the data'}.")
    return answer.headers.get("content-type", "").split(";")[0].strip().lower(), answer.body


def read(url: str, room: int, fetching_ends: float) -> tuple[str, bytes]:
    """Declared type and bytes of one attachment, at most `room` bytes. `fetching_ends` is a moment of the monotonic clock."""
    if data_uri.is_data_uri(url):
        declared, content = data_uri.decode(url)
    elif url.strip().lower().startswith(("http://", "https://")):
        declared, content = fetch(url.strip(), room, fetching_ends)
    else:
        raise AttachmentUnusable("The address is neither a data URI nor an http(s) URL; post the file as a base64 data URI.")
    if len(content) > room:
        raise TooLarge(f"The file has {len(content):,} bytes and there is room for {max(room, 0):,}; send a smaller one.")
    return declared, content


def fetch(url: str, room: int, fetching_ends: float) -> tuple[str, bytes]:
    """The file at an address, asked for up to three times while the trouble looks passing."""
    trouble: TaskError = AttachmentUnusable(f"There was no time left to fetch it: all attachments together have {FETCH_SECONDS:g} s.")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        left = fetching_ends - time.monotonic()
        if left <= 0:
            break
        try:
            answer = http.fetch(url, seconds=left, max_bytes=max(room, 0), redirects=REDIRECTS)
        except RemoteUnavailable as error:
            trouble = error
            continue
        if answer.status == 200:
            return answer.headers.get("content-type", "").split(";")[0].strip().lower(), answer.body
        trouble = AttachmentUnusable(f"The server answered {answer.status} instead of the file; post it as a base64 data URI.")
        if answer.status not in TRANSIENT:
            break
    raise trouble
