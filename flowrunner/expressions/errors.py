"""What is wrong with an expression, and where."""

from __future__ import annotations

__all__ = ["ExpressionError", "OperandError"]


class ExpressionError(Exception):
    """An expression cannot be read, or has no value.

    ``message`` names the culprit and the cure. ``offset`` and ``length`` are in characters,
    into the whole text that was parsed.
    """

    def __init__(self, message: str, offset: int, length: int) -> None:
        super().__init__(message, offset, length)
        self.message = message
        self.offset = offset
        self.length = length

    def __str__(self) -> str:
        return self.message


class OperandError(Exception):
    """An operation refuses its operands; who called it knows their places.

    ``operand`` is the position of the guilty one, ``None`` where only the operation as a whole
    can be blamed. Never leaves the package.
    """

    def __init__(self, message: str, operand: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.operand = operand
