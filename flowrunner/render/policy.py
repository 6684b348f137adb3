"""What is asked of a call or of members side by side, as short notes."""

from __future__ import annotations

from collections.abc import Iterator

from flowrunner.plan import Each, Group, Retry, Tolerance
from flowrunner.render.value import shown_name

__all__ = ["limits", "retry_note", "tolerance_text"]


def retry_note(retry: Retry) -> str:
    """Return ``retry=3 after 2 s ×2 up to 60 s, only OSError``."""
    pauses = f"retry={retry.maximum}"
    if retry.delay:
        pauses += f" after {retry.delay:g} s"
        if retry.backoff != 1:
            pauses += f" ×{retry.backoff:g}"
        if retry.cap is not None:
            pauses += f" up to {retry.cap:g} s"
    parts = [pauses]
    if retry.delay and retry.jitter == "full":
        parts.append("with jitter")
    if retry.only:
        parts.append(f"only {_names(retry.only)}")
    if retry.never:
        parts.append(f"never {_names(retry.never)}")
    return ", ".join(parts)


def limits(members: Group | Each) -> Iterator[str]:
    """Yield how many members run at a time, and how many may fail."""
    if members.max_parallel is not None:
        yield f"max_parallel={members.max_parallel:,}"
    if members.tolerate is not None:
        yield f"tolerate={tolerance_text(members.tolerate)}"


def tolerance_text(tolerate: Tolerance) -> str:
    """Return a tolerance as it is written: ``2`` or ``5%``."""
    return f"{tolerate.amount:g}{'%' if tolerate.percent else ''}"


def _names(names: tuple[str, ...]) -> str:
    return shown_name(", ".join(names))
