"""JSON data as bytes that take little room, and back to the last character."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

__all__ = ["packed", "unpacked"]

#: Shorter texts would not get much shorter, in bytes.
WORTH_COMPRESSING: Final = 500
#: What zlib's format begins with; no JSON does.
_ZLIB: Final = b"x"

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def packed(data: Any) -> bytes:
    """Return JSON data as bytes; :func:`unpacked` gives exactly the same again."""
    text = _encode(data)
    # The name of a file may hold a byte that is no text, as half of a surrogate pair.
    stored = text.encode("utf-8", "surrogatepass")
    return zlib.compress(stored, 1) if len(stored) >= WORTH_COMPRESSING else stored


def unpacked(stored: bytes) -> Any:
    """Return the data of :func:`packed`."""
    if stored.startswith(_ZLIB):
        stored = zlib.decompress(stored)
    return json.loads(stored.decode("utf-8", "surrogatepass"))
