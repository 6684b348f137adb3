"""Keys that are not known where they stand: what was meant, or where they belong."""

from __future__ import annotations

from typing import Final

from flowrunner.errors import Diagnostic
from flowrunner.loader.language import DOCUMENT_KEYS, FOREIGN_KEYS, MEANT_KEYS, STEP_KEYS
from flowrunner.loader.schema import known_keys, referred, workflow_schema
from flowrunner.node import Mapping
from flowrunner.suggestion import did_you_mean

__all__ = ["BELONGS", "is_meant", "key_cure", "unknown_key"]

#: Keys that stand beside one step key only, and where they belong.
BELONGS: Final = {
    "do": "'do' is the step of 'each: LIST', or of a branch of 'switch'",
    "as": "'as' names the index of 'times', or the item of 'each'",
    "with": "'with' gives inputs to 'use: FILE'",
    "needs": "'needs' is a key of the steps of a 'graph'",
    "else": "'else' is a branch of 'switch'",
}


def unknown_key(mapping: Mapping, key: str, cure: str) -> Diagnostic:
    """Return the diagnostic that says that a key is not known."""
    place = mapping.key(key)
    return Diagnostic(f"unknown key '{key}'", place.location if place else mapping.location, cure)


def is_meant(mapping: Mapping, title: str) -> bool:
    """Tell whether one of the keys stands in place of one that the mapping lacks."""
    meant = MEANT_KEYS.get(title, {})
    steps = STEP_KEYS if title == "Branch" else ()
    return any(key in meant or key in steps for key in mapping.names())


def key_cure(mapping: Mapping, key: str, known: list[str], title: str) -> str:
    """Return what to do about a key of a mapping, of which the schema says this ``title``."""
    if key in MEANT_KEYS.get(title, {}):
        return f"did you mean '{MEANT_KEYS[title][key]}'?"
    found = None
    if title == "Branch" and key in STEP_KEYS:
        return "the step of a branch stands under 'do'"
    if title in ("Step", "flowrunner workflow"):
        found = _step_key_cure(mapping, key, title)
    elif title == "Default keys" and key in _step_keys(mapping):
        found = f"'{key}' is a key of a single step, not of 'defaults'"
    return found or did_you_mean(key, known, f"keys here: {', '.join(known)}")


def _step_key_cure(mapping: Mapping, key: str, title: str) -> str | None:
    step = next((name for name in STEP_KEYS if name in mapping), "")
    if key in ("in", "over", "items") and step == "each":
        return "the items stand under 'each' itself: each: LIST"
    if key in BELONGS:
        return BELONGS[key]
    if key in ("max_parallel", "tolerate"):
        return f"'{key}' is for members side by side, and '{step}' has none"
    if title == "Step" and key in workflow_schema()["properties"]:
        return DOCUMENT_KEYS.get(key, f"'{key}' is a key of the whole document")
    if key in known_keys(referred("taskKeys"), mapping):
        return f"'{key}' is a key of a task call, not of '{step}'"
    return FOREIGN_KEYS.get(key)


def _step_keys(mapping: Mapping) -> dict[str, None]:
    return {
        **known_keys(referred("taskKeys"), mapping),
        **dict.fromkeys(("id", "when", "on_error")),
    }
