"""UUIDs of version 7, which begin with their time: Python 3.11 has none.

https://www.rfc-editor.org/rfc/rfc9562#section-5.7
"""

from __future__ import annotations

import secrets
import time
import uuid

RANDOM_A, RANDOM_B = 12, 62  # bits beside the 48 of the milliseconds, the version's four and the variant's two


def uuid7(milliseconds: int | None = None) -> uuid.UUID:
    """A new one, of now unless another moment since 1970 is given. Its 74 random bits cannot be guessed."""
    moment = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    value = (moment & (2**48 - 1)) << 80 | 7 << 76 | secrets.randbits(RANDOM_A) << 64 | 0b10 << 62 | secrets.randbits(RANDOM_B)
    return uuid.UUID(int=value)
