"""Values that this process must not show, and what replaces them in texts, logs and streams."""

from __future__ import annotations

from flowrunner.masking.masks import (
    Masks,
    known_secrets,
    knows_secrets,
    learn,
    masked_data,
    masked_text,
)

__all__ = [
    "Masks",
    "known_secrets",
    "knows_secrets",
    "learn",
    "masked_data",
    "masked_text",
]
