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
    "timeout": "seconds for a call are 'time_limit: N'; 'timeout' is the whole run's",
    "name": "a step's own name is its 'id'",
    "description": "it is the whole document's; a step has comments: # …",
    "finally": "'finally' is a key of the whole document; a step has 'on_error'",
    "inputs": "inputs are the document's; arguments of a call are its 'args' and 'kwargs'",
    "outputs": "outputs are the document's; a step's value has the name of its 'id'",
}

#: Names that mean something in every expression, so nothing else can have them.
RESERVED_NAMES: Final = frozenset(
    {
        *("inputs", "prev", "env", "errors", "true", "false", "null", "True", "False", "None"),
        *("and", "or", "not", "if", "else", "in", "is", "for", "while", "with", "as", "from"),
        *("import", "class", "def", "lambda", "return", "yield", "await"),
    }
)
