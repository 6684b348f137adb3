"""The words of the language.

What a file may hold is said by ``schemas/workflow.schema.json``; these are needed besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["DOCUMENT_KEYS", "OPTIONS", "RESERVED_NAMES", "STEPS", "STEP_KEYS"]


class StepWords(NamedTuple):
    """What messages say of a step's key: what its value looks like, and whose keys are whose.

    ``own_keys`` are keys that no other place has, each with what to say of it elsewhere.
    """

    example: str = ""
    own_keys: Mapping[str, str] = {}


_ITEMS: Final = {
    "over": "write 'over' inside 'map', 'starmap' or 'chunks'",
}

#: The keys that say what a step is.
STEPS: Final[dict[str, StepWords]] = {
    "task": StepWords(),
    "chain": StepWords("write a list of steps: [STEP, STEP]"),
    "group": StepWords(),
    "chord": StepWords(
        "write {header: …, body: …}",
        dict.fromkeys(("header", "body"), "write 'header' and 'body' inside 'chord:'"),
    ),
    "each": StepWords(
        "write a list, or an expression that gives one: ${prev}",
        {
            "do": "write 'do' beside 'each: LIST', or in a branch of 'switch'",
            "as": "write 'as' beside 'times' or 'each'",
        },
    ),
    "switch": StepWords(
        "write a list of branches: [{when: CONDITION, do: STEP}, {else: STEP}]",
        {"else": "write 'else' in a branch of 'switch'"},
    ),
    "use": StepWords(
        "write the path of another workflow file: FILE.yaml",
        {"with": "write 'with' beside 'use: FILE'"},
    ),
    "graph": StepWords(
        "write names and steps: {NAME: STEP, NAME: {task: TASK, needs: [NAME]}}",
        {"needs": "write 'needs' in a step of a 'graph'"},
    ),
    "map": StepWords("write {task: …, over: […]}", _ITEMS),
    "starmap": StepWords("write {task: …, over: […]}", _ITEMS),
    "chunks": StepWords(
        "write {task: …, over: […], size: 10}", {"size": "write 'size' inside 'chunks'"}
    ),
}
STEP_KEYS: Final = tuple(STEPS)

#: Celery's own option names of a call.
OPTIONS: Final = (
    "queue",
    "routing_key",
    "priority",
    "countdown",
    "time_limit",
    "soft_time_limit",
    "headers",
)

#: What is said of a key of the whole document that stands in a step.
DOCUMENT_KEYS: Final[dict[str, str]] = {
    "timeout": "to limit a call, use 'time_limit: N'; 'timeout' limits the run",
    "name": "to name a step, use 'id: NAME'",
    "description": "write it at the top level of the document, or use a comment: # …",
    "finally": "write 'finally' at the top level of the document; a step takes 'on_error'",
    "inputs": "write arguments in 'args' and 'kwargs'; only the document has 'inputs'",
    "outputs": "to name a step's result, use 'id: NAME'; only the document has 'outputs'",
}

#: Names that mean something in every expression, so nothing else can have them.
RESERVED_NAMES: Final = frozenset(
    {
        *("inputs", "prev", "env", "errors", "true", "false", "null", "True", "False", "None"),
        *("and", "or", "not", "if", "else", "in", "is", "for", "while", "with", "as", "from"),
        *("import", "class", "def", "lambda", "return", "yield", "await"),
    }
)
