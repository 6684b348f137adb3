"""The forms in which software writes a value: quoted, escaped, encoded, line by line."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["SHORTEST_ENCODED", "SHORTEST_VALUE", "forms_of", "has_short_forms", "levelled"]

#: Shorter values are part of too many other texts to be searched for.
SHORTEST_VALUE: Final = 4
#: The same for what an encoding makes of a value.
SHORTEST_ENCODED: Final = 8

#: What is not escaped in a URL: urllib's two choices, encodeURIComponent's, and requests' for
#: a whole URL (``requests/utils.py``, ``requote_uri``).
_SAFE: Final = ("", "/", "!'()*", "!#$%&'()*+,/:;=?@[]~")

#: Those that have a capital letter.
_ESCAPE: Final = re.compile(
    r"(?:%|\\x)(?:[A-F][0-9a-fA-F]|[0-9a-f][A-F])|\\u(?=[0-9a-f]{0,3}[A-F])[0-9a-fA-F]{4}"
)


def levelled(text: str) -> str:
    """Return a text, as long as it was, with its escapes (``%2F``, ``\\u00E9``) in lower case."""
    if "%" not in text and "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: match.group().lower(), text)


def forms_of(value: str) -> frozenset[str]:
    """Return the forms of a value that are long enough to be searched for."""
    parts = {value, value.strip()}
    if len(lines := value.splitlines()) > 1:
        parts.update(lines, (line.strip() for line in lines))
    plain = {part for part in parts if len(part.strip()) >= SHORTEST_VALUE}
    encoded = {form for part in plain for form in _encoded(part) if len(form) >= SHORTEST_ENCODED}
    found = plain | encoded
    return frozenset(found | {levelled(form) for form in found})


def has_short_forms(value: str) -> bool:
    """Tell whether an encoding makes a form of a value that is too short to be searched for."""
    if len(value) >= SHORTEST_ENCODED:  # no encoding makes a value shorter
        return False
    return any(len(form) < SHORTEST_ENCODED for form in _encoded(value) - {value})


def _encoded(text: str) -> set[str]:
    in_json = set(_in_json(text))
    once = {text, *in_json, *_in_python(text)}
    twice = {form for each in once for write in (_in_json, _in_python) for form in write(each)}
    carried = {text, *in_json}  # by a URL or a header
    coded = {form for each in carried for form in _in_base64(_bytes(each))}
    quoted = {form for each in carried for form in _in_url(_bytes(each))}
    quoted |= {quote(form, safe="") for form in coded}
    return once | twice | coded | quoted | {escape(text), escape(text, quote=False)}


def _in_json(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield written
        yield written.replace("/", r"\/")  # as PHP does


def _in_python(text: str) -> Iterator[str]:
    data = _bytes(text)
    # The quotes of a longer text decide which of them are escaped in it.
    yield from (repr(text)[1:-1], repr(f'"{text}')[2:-1])
    yield from (ascii(text)[1:-1], ascii(f'"{text}')[2:-1])
    yield from (repr(data)[2:-1], repr(b'"' + data)[3:-1])


def _in_url(data: bytes) -> Iterator[str]:
    yield from (quote(data, safe=safe) for safe in _SAFE)
    yield quote_plus(data)


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield what does not depend on the bytes around the data, which may be inside of others."""
    for encode in (b64encode, urlsafe_b64encode):
        # So many characters depend on the bytes before.
        for before, skipped in enumerate((0, 2, 3)):
            padded = encode(bytes(before) + data).decode()[skipped:]
            at_the_end = padded.rstrip("=")
            yield from (padded, at_the_end)
            if (before + len(data)) % 3:
                yield at_the_end[:-1]


def _bytes(text: str) -> bytes:
    """Return a text's bytes; a variable may hold some that are not UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
