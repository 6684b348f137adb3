"""The words of the language.

What a file may hold is said by ``schemas/workflow.schema.json``; these are needed besides.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DOCUMENT_KEYS", "OPTIONS", "RESERVED_NAMES", "STEP_KEYS"]

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
