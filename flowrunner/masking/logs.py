"""Log lines without secrets, whichever handler writes them."""

from __future__ import annotations

import logging
from functools import wraps

from flowrunner.masking.masks import masked_text

__all__ = ["mask_logs"]

_MASKED = "flowrunner_masked"


def mask_logs() -> None:
    """Let every handler of this process, those that come later too, write no secret.

    In the handlers' class: a plugin or Celery may add one at any time, with any formatter, and a
    record has its message and its traceback as texts only there.
    """
    formatted = logging.Handler.format
    if hasattr(formatted, _MASKED):
        return

    @wraps(formatted)
    def masked(handler: logging.Handler, record: logging.LogRecord) -> str:
        return masked_text(formatted(handler, record))

    setattr(masked, _MASKED, True)
    logging.Handler.format = masked  # type: ignore[method-assign, assignment]
