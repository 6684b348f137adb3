"""Tasks that tell their secrets in every place, each in another form."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from flowrunner import hookimpl
from flowrunner.masking import Masks
from tests.written_forms import planted

if os.environ.get("UNMASKED"):  # what the test would find without masking
    Masks.text = lambda self, text: text  # type: ignore[method-assign]

log = logging.getLogger("shop")
if file := os.environ.get("SHOP_LOG"):
    log.addHandler(logging.FileHandler(file, encoding="utf-8"))


def prints(*tokens: str) -> int:
    for text in planted(tokens, "printed"):
        print(f"[{text}]")
    for text in planted(tokens, "printed in parts"):
        sys.stdout.write(f"[{text[:5]}")
        sys.stdout.flush()
        sys.stdout.write(f"{text[5:]}]\n")
    for text in planted(tokens, "printed to stderr"):
        print(f"[{text}]", file=sys.stderr)
    return len(tokens)


def logs(*tokens: str) -> int:
    for text in planted(tokens, "logged"):
        log.warning("token is [%s]", text)
    try:
        raise KeyError("\n".join(planted(tokens, "logged traceback")))
    except KeyError as error:
        log.exception("failed: %s", error.args[0])
    return len(tokens)


def raises(*tokens: str) -> NoReturn:
    cause = ValueError("\n".join(planted(tokens, "cause")))
    error = ConnectionError("\n".join(planted(tokens, "message")))
    error.add_note("\n".join(planted(tokens, "note")))
    raise error from cause


@hookimpl
def flowrunner_register_tasks(registry) -> None:  # type: ignore[no-untyped-def]
    for task in (prints, logs, raises):
        registry.add(task)
