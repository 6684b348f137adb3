"""The forms in which software writes a value, made with the standard library alone."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import quote, quote_plus

__all__ = ["FILLER", "forms", "planted", "secrets"]

#: What passwords, keys and tokens are made of, and what has to be escaped somewhere.
ALPHABET = string.ascii_letters + string.digits + "+/=_-.~!@#$%^&*()[]{}<>?|;:, \"'\\éß€語\t"
#: A text without a secret.
FILLER = 'GET /v1/orders?page=2%2F3 "200" b\'\\x00\' {"a": "\\u00e9"} QWxhZGRpbg== … 4d5e... \n'


def secrets(count: int, *, seed: int = 12) -> list[str]:
    """Return random secrets; every tenth has several lines."""
    source = random.Random(seed)
    found = []
    for number in range(count):
        size = source.randint(12, 40)
        value = "".join(source.choices(ALPHABET, k=size)).strip() + f"{number:04x}"
        if number % 10 == 9:
            value += "\n" + "".join(source.choices(string.ascii_letters, k=20))
        found.append(value)
    return found


def _lower(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


@cache
def forms(value: str) -> tuple[tuple[str, str], ...]:
    """Return the name of each form, and the value in it."""
    return tuple(_forms(value))


def _forms(value: str) -> Iterator[tuple[str, str]]:
    data = value.encode()
    yield "plain", value
    for name, quoted in (
        ("quote", quote(value, safe="")),
        ("quote /", quote(value, safe="/")),
        ("quote_plus", quote_plus(value)),
    ):
        yield name, quoted
        yield f"{name}, lower case", _lower(quoted)
    for outer in (True, False):
        once = json.dumps(value, ensure_ascii=outer)
        yield f"json {outer}", once[1:-1]
        for inner in (True, False):
            twice = json.dumps(json.dumps(value, ensure_ascii=inner), ensure_ascii=outer)
            yield f"json {inner} in json {outer}", twice[3:-3]
    yield "repr", repr(value)[1:-1]
    yield "repr of bytes", repr(data)[2:-1]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            # What of the text depends on the secret's bytes alone.
            start = (offset * 8 + 5) // 6
            end = (offset + len(data)) * 8 // 6
            text = encode(b"user:"[:offset] + data + b":more").decode()
            yield f"{encode.__name__} at {offset}", text[start:end]
    if "\n" in value:
        for number, line in enumerate(value.splitlines()):
            yield f"line {number}", line


def planted(values: Iterable[str], place: str) -> list[str]:
    """Return each value in one of its forms that fit into a line, another one in each place."""
    source = random.Random(place)
    return [
        source.choice([form for _, form in forms(value) if form.isprintable()]) for value in values
    ]
