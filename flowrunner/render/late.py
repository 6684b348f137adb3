"""How what run time decides reads in a graph: fan-outs, conditions, needs, other files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowrunner.plan import Deferred, Each, Given, Skipped, Used
from flowrunner.render.value import (
    ARGUMENTS_ROOM,
    alternatives,
    items_text,
    late_text,
    shown_name,
    value_text,
)

__all__ = ["condition", "each_text", "item_note", "needs_note", "reason", "use_text"]

_WHEN = "when "
_ATOM = re.compile(r"[\w.]+")


def condition(when: Deferred) -> str:
    """Return a condition as people read it: ``when prev > 3``."""
    return f"{_WHEN}{late_text(when)}"


def each_text(eaches: Sequence[Each]) -> str:
    """Return what a fan-out goes through: ``each item of ${prev}``."""
    items = alternatives([each.items for each in eaches], value_text)
    return f"each {shown_name(eaches[0].variable)} of {items}"


def item_note(members: Sequence[Given]) -> str:
    """Return what the members of a fan-out are given: ``item = a, b, c``."""
    return f"{shown_name(members[0].variable)} = {items_text([each.value for each in members])}"


def needs_note(names: Sequence[str]) -> str:
    """Return what a graph's step needs: ``needs a, b``."""
    return f"needs {shown_name(', '.join(names))}"


def reason(skipped: Skipped) -> str:
    """Return why a step is skipped: ``skipped: inputs.fast is false``."""
    why = " ".join(skipped.why.split())
    said = why.removeprefix(_WHEN)
    if said != why and said not in ("false", "False"):
        said = shown_name(said)
        return f"skipped: {said if _ATOM.fullmatch(said) else f'({said})'} is false"
    return f"skipped: {shown_name(why)}"


def use_text(used: Used) -> str:
    """Return which file a step uses: ``use resize.yaml``."""
    name = used.step.location.source.name
    if len(name) > ARGUMENTS_ROOM:
        name = f"…{name[1 - ARGUMENTS_ROOM :]}"  # the end of a path tells more
    return f"use {shown_name(name)}"
