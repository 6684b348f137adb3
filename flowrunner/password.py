"""Passwords in what is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["MASK", "masked", "without_password"]

MASK: Final = "**"

#: Keys of tables whose value nobody is to see. "keyfile" and "keyprefix" are not among them.
_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|signature|private|(^|_)key$|api_?key"
    r"|access_key",
    re.IGNORECASE,
)
#: Up to the last @ before the next URL: a password may hold what ought to be encoded.
_IN_URL: Final = re.compile(r"://([^:/@\s]*):(?:(?!\b[\w+.-]+://)\S)*@")
_IN_QUERY: Final = re.compile(r"((?:password|passwd|secret|token|sig)=)[^&\s;'\"]*", re.IGNORECASE)
_IN_TABLE: Final = re.compile(
    r"""((["'])\w*(?:password|passwd|secret|token)\2\s*[:=]\s*)(["']).*?\3""", re.IGNORECASE
)


def without_password(text: str) -> str:
    """Return a text with the passwords of the URLs and tables in it replaced by ``**``."""
    text = _IN_URL.sub(rf"://\1:{MASK}@", text)
    text = _IN_QUERY.sub(rf"\1{MASK}", text)
    return _IN_TABLE.sub(rf"\1\3{MASK}\3", text)


def masked(value: Any) -> Any:
    """Return a setting's value with the passwords in it replaced, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: MASK if _SECRET.search(str(key)) and option else masked(option)
            for key, option in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return without_password(value) if isinstance(value, str) else value
