"""The words of the language, and those that a later version brings.

What a file may hold is said by ``schemas/workflow.schema.json``; these tables are what messages
need besides: which keys are step keys, and which ones are refused on purpose.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LATER_KEYS", "OPTIONS", "RESERVED_NAMES", "STEP_KEYS"]

STEP_KEYS: Final = ("task", "chain", "group", "chord", "map", "starmap", "chunks")

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

#: Keys of the language that this version does not have: refused, never ignored. Of a step, that
#: is: a document has ``on_error`` and ``finally``.
LATER_KEYS: Final = frozenset(
    {
        "each",
        "do",
        "switch",
        "use",
        "with",
        "graph",
        "retry",
        "when",
        "on_error",
        "finally",
        "tolerate",
        "max_parallel",
    }
)

#: Names that mean something in every expression, so nothing else can have them.
RESERVED_NAMES: Final = frozenset(
    {
        *("inputs", "prev", "true", "false", "null", "True", "False", "None"),
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
