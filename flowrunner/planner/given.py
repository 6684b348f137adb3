"""A sequence whose first calls are given a value, as if a step before them had returned it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowrunner.plan import Call, Fork, Sequence

__all__ = ["given"]


def given(sequence: Sequence, value: Any) -> Sequence:
    """Return the sequence with ``value`` before the arguments of its first calls."""
    first, *rest = sequence
    if isinstance(first, Fork):
        members = tuple(given(member, value) for member in first.members)
        return (replace(first, members=members), *rest)
    return (_call_given(first, value), *rest)


def _call_given(call: Call, value: Any) -> Call:
    if call.immutable or call.kind in ("map", "starmap"):
        return call
    return call.given(value)
