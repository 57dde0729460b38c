"""What Python's zipfile may raise for an archive that is broken, encrypted or packed in a way that it does not know."""

from __future__ import annotations

import lzma
import zipfile
import zlib

UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
