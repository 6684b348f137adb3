"""Keys that are not known where they stand: what was meant, or where they belong."""

from __future__ import annotations

from typing import Final

from flowrunner.errors import Diagnostic
from flowrunner.loader.foreign_words import FOREIGN_KEYS, MEANT_KEYS
from flowrunner.loader.language import DOCUMENT_KEYS, STEP_KEYS, STEPS
from flowrunner.loader.schema import known_keys, referred, workflow_schema
from flowrunner.node import Mapping
from flowrunner.suggestion import did_you_mean

__all__ = ["BELONGS", "is_meant", "key_cure", "unknown_key"]

#: Keys that stand in one place only, and where that is.
BELONGS: Final = {
    **{key: text for words in STEPS.values() for key, text in words.own_keys.items()},
    **dict.fromkeys(("backoff", "cap", "jitter", "only", "never"), "write it inside 'retry: {…}'"),
}

_ITEM_CALLS: Final = ("map", "starmap", "chunks")
_PARALLEL: Final = ("max_parallel", "tolerate")
#: Step keys whose value is a mapping, by the title of its schema.
_INSIDE: Final = {name.capitalize(): name for name in (*_ITEM_CALLS, "chord")}


def unknown_key(mapping: Mapping, key: str, cure: str) -> Diagnostic:
    """Return the diagnostic that says that a key is not known."""
    place = mapping.key(key)
    return Diagnostic(f"unknown key '{key}'", place.location if place else mapping.location, cure)


def is_meant(mapping: Mapping, missing: str, title: str) -> bool:
    """Tell whether a key stands in place of one that a mapping misses."""
    if title == "Branch":
        ways = MEANT_KEYS[title]
        return any(
            key in STEP_KEYS or ways.get(key) in (missing, "else") for key in mapping.names()
        )
    if "each" in mapping and missing == "do":
        inside = mapping.get("each")
        if isinstance(inside, Mapping) and "do" in inside:
            return True
        title = "Each"
    ways = MEANT_KEYS.get(title, {})
    return any(ways.get(key) == missing for key in mapping.names())


def key_cure(mapping: Mapping, key: str, known: list[str], title: str) -> str:
    """Return what to do about a key of a mapping, of which the schema says this ``title``."""
    if title in ("Step", "flowrunner workflow"):
        found = _step_key_cure(mapping, key, title)
    else:
        found = _inner_key_cure(mapping, key, title)
    return found or did_you_mean(key, known, _keys_here(mapping, known, title))


def _keys_here(mapping: Mapping, known: list[str], title: str) -> str:
    step = next((name for name in STEP_KEYS if name in mapping), None)
    if title != "flowrunner workflow" or step is None:
        return f"known keys: {', '.join(known)}"
    own = [name for name in known if name in workflow_schema()["properties"]]
    others = [name for name in known if name not in own]
    return f"keys of a workflow: {', '.join(own)}; keys of its step: {', '.join(others)}"


def foreign_cure(mapping: Mapping, key: str) -> str:
    """Return what another system's key is called here."""
    if key == "if" and ("then" in mapping or "else" in mapping):
        key = "case"
    return FOREIGN_KEYS[key]


def _step_key_cure(mapping: Mapping, key: str, title: str) -> str | None:
    step = next((name for name in STEP_KEYS if name in mapping), "")
    if step == "each":
        if key in ("in", "over", "items"):
            return "write the items in 'each' itself: each: LIST"
        meant = MEANT_KEYS["Each"].get(key)
        if meant is not None and meant not in mapping:
            return f"did you mean '{meant}'?"
    if key == "with" and step == "task":
        return "write arguments in 'args' and 'kwargs'; 'with' is for 'use: FILE'"
    if step in _ITEM_CALLS and key in known_keys(referred("itemKeys"), mapping):
        return f"write '{key}' inside '{step}', beside 'task'"
    if key in BELONGS:
        return BELONGS[key]
    if key in _PARALLEL:
        return f"remove it: '{step}' has no parallel members"
    if title == "Step" and key in workflow_schema()["properties"]:
        if key == "inputs" and step == "use":
            return "write the inputs of the used file in 'with'"
        return DOCUMENT_KEYS.get(key, f"write '{key}' at the top level of the document")
    if key in known_keys(referred("taskKeys"), mapping):
        return f"write '{key}' in a task call, not beside '{step}'"
    return foreign_cure(mapping, key) if key in FOREIGN_KEYS else None


def _inner_key_cure(mapping: Mapping, key: str, title: str) -> str | None:
    meant = MEANT_KEYS.get(title, {}).get(key)
    if meant is not None:
        return f"did you mean '{meant}'?"
    of_steps = {
        **referred("stepMapping")["properties"],
        **known_keys(referred("taskKeys"), mapping),
    }
    if title == "Branch" and key in STEP_KEYS:
        return "write the step of the branch in 'do'"
    if title == "Default keys" and key in of_steps:
        return f"write '{key}' in the step, not in 'defaults'"
    step = _INSIDE.get(title)
    if step is not None and (
        key in referred("stepMapping")["properties"] or key in referred(f"{step}Keys")["properties"]
    ):
        return f"write it beside '{step}'"
    if step is not None and key in _PARALLEL:
        return f"remove it: '{step}' has no parallel members"
    return None
