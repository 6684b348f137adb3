"""The words of the language, and those of others.

What a file may hold is said by ``schemas/workflow.schema.json``; these tables are what messages
need besides: which keys are step keys, and what other systems call them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FOREIGN_KEYS", "OPTIONS", "RESERVED_NAMES", "STEP_KEYS"]

STEP_KEYS: Final = (
    *("task", "chain", "group", "chord", "each", "switch", "use", "graph"),
    *("map", "starmap", "chunks"),
)

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

#: What people write who come from somewhere else, and how that is said here.
FOREIGN_KEYS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("foreach", "for_each", "forEach", "for", "loop", "with_items", "withItems", "matrix"),
        "a step once per item is 'each: LIST' with 'do: STEP'",
    ),
    "withParam": "a step once per item is 'each: ${prev}' with 'do: STEP'",
    "parallel": "steps side by side are 'group: [steps]'",
    "steps": "steps one after the other are 'chain: [steps]'",
    "sequence": "steps one after the other are 'chain: [steps]'",
    "dag": "steps that need each other are 'graph: {name: step}'",
    "jobs": "steps that need each other are 'graph: {name: step}'",
    "tasks": "steps that need each other are 'graph: {name: step}'",
    **dict.fromkeys(
        ("depends_on", "depends", "dependencies", "after", "upstream"),
        "a step of a 'graph' says 'needs: [names]'",
    ),
    "if": "a condition is 'when: EXPRESSION'",
    "unless": "a condition is 'when: not (EXPRESSION)'",
    "retries": "calls are made again with 'retry: 3', or 'retry: {max: 3, delay: 1}'",
    "max_retries": "calls are made again with 'retry: 3', or 'retry: {max: 3, delay: 1}'",
    "catch": "a step that runs when another has failed is its 'on_error: STEP'",
    "except": "a step that runs when another has failed is its 'on_error: STEP'",
    "continue_on_error": "failures of members are let pass by 'tolerate: N'",
    "parallelism": "so many members at a time is 'max_parallel: N'",
    "concurrency": "so many members at a time is 'max_parallel: N'",
    "template": "another file as a step is 'use: FILE'",
    "include": "another file as a step is 'use: FILE'",
    "uses": "another file as a step is 'use: FILE'",
    "parameters": "what a run is given stands under 'inputs:'",
    "params": "what a run is given stands under 'inputs:'",
}

#: Names that mean something in every expression, so nothing else can have them.
RESERVED_NAMES: Final = frozenset(
    {
        *("inputs", "prev", "env", "errors", "true", "false", "null", "True", "False", "None"),
        *("and", "or", "not", "if", "else", "in", "is"),
        *(
            "for",
            "lambda",
            "await",
            "yield",
            "class",
            "def",
            "import",
            "from",
            "return",
            "while",
            "with",
            "as",
        ),
    }
)
