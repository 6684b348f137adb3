"""Expressions: ``${ … }`` in any value (DESIGN section 1, *Expressions*).

A whitelisted subset of Python's expressions over JSON values, safe to evaluate whoever wrote
them: no attributes, no methods, no definitions, and caps on size, depth, magnitude and work.
"""

from __future__ import annotations

from flowrunner.expressions.errors import ExpressionError
from flowrunner.expressions.parser import Reference
from flowrunner.expressions.template import (
    Expression,
    Template,
    has_expression,
    parse_expression,
    parse_template,
)

__all__ = [
    "Expression",
    "ExpressionError",
    "Reference",
    "Template",
    "has_expression",
    "parse_expression",
    "parse_template",
]
