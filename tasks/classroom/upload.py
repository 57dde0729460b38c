"""A sheet between its preview and "import it": sealed, in the preview's own form, so that students' secrets stand nowhere in clear text.

The server keeps nothing of it: there is no session, cache or file to forget when nobody confirms, and any web process can go on. What comes back
is exactly what was previewed, from the same person, within half an hour, or it is refused.
"""

from __future__ import annotations

import json
import zlib

from cryptography.fernet import InvalidToken

from tasks.classroom.sealing import box
from tasks.errors import SheetRefused

SECONDS = 30 * 60
PURPOSE = "deployer: a sheet to be imported"


def pack(text: str, zone: str, owner: int) -> str:
    return box(PURPOSE).encrypt(zlib.compress(json.dumps([owner, zone, text]).encode())).decode()


def unpack(packed: str, owner: int) -> tuple[str, str]:
    """The sheet and its time zone; `SheetRefused` for anything that `pack` did not make for this owner half an hour ago or later."""
    try:
        whose, zone, text = json.loads(zlib.decompress(box(PURPOSE).decrypt(packed.encode(), ttl=SECONDS)))
    except (InvalidToken, UnicodeEncodeError):
        raise SheetRefused("The preview is older than half an hour, or not one of this service: choose the file again.") from None
    if whose != owner:
        raise SheetRefused("This preview was made for somebody else: choose the file again.")
    return text, zone
