"""``retry``, ``max_parallel`` and ``tolerate``: what is written to what a plan says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from flowrunner import model
from flowrunner.duration import DELAY, MOST_SECONDS, in_seconds
from flowrunner.node import Node, Scalar
from flowrunner.plan import Retry, Tolerance
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Resolver
from flowrunner.planner.scope import Scope, is_unknown
from flowrunner.values import shown

__all__ = ["Limits", "resolve_limits", "resolve_retry", "retry_nodes"]

#: How often a call may be made again.
MOST_RETRIES: Final = 1_000

_PER_CENT = re.compile(r"(\d+(?:\.\d+)?) *%", re.ASCII)


class Limits(NamedTuple):
    """What is asked of members side by side."""

    max_parallel: int | None = None
    tolerate: Tolerance | None = None

    def of(self, members: int) -> Limits:
        """Return what is left of them for so many members: what asks nothing is dropped."""
        most, tolerate = self
        return Limits(
            None if most is not None and most >= members else most,
            None if tolerate is not None and not tolerate.most(members) else tolerate,
        )


def resolve_limits(
    parallel: model.Parallel, resolver: Resolver, problems: Problems, scope: Scope
) -> Limits:
    """Return what a step asks of its members."""
    most = tolerate = None
    if parallel.max_parallel is not None:
        node = parallel.max_parallel
        value = resolver.known(node, scope, "'max_parallel'")
        if _is_whole(value) and value >= 1:
            most = value
        elif not is_unknown(value):
            problems.report(
                f"'max_parallel' must be an integer from 1, not {shown(value)}", node.location
            )
    if parallel.tolerate is not None:
        node = parallel.tolerate
        value = resolver.known(node, scope, "'tolerate'")
        tolerate = _tolerance(value)
        if tolerate is None and not is_unknown(value):
            problems.report(
                f"'tolerate' must be an integer from 0, or a percentage from 0% to 100%, "
                f"not {shown(value)}",
                node.location,
            )
    return Limits(most, tolerate)


def _tolerance(value: Any) -> Tolerance | None:
    if _is_whole(value):
        return Tolerance(value) if value >= 0 else None
    match = _PER_CENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        return None
    return Tolerance(float(match[1]), percent=True)


def retry_nodes(retry: model.RetryKeys | None) -> list[Node]:
    """Return what of a ``retry`` may hold expressions."""
    if retry is None:
        return []
    written = (retry.maximum, retry.delay, retry.backoff, retry.cap, *retry.only, *retry.never)
    return [node for node in written if node is not None]


def resolve_retry(
    written: model.RetryKeys | None,
    resolver: Resolver,
    problems: Problems,
    scope: Scope,
    names: Mapping[str, Any],
) -> Retry | None:
    """Return how often a call is made again; ``None`` where it is made once."""
    if written is None:
        return None

    def number(node: Scalar | None, name: str, least: float, most: float, default: Any) -> Any:
        if node is None:
            return default
        value = given = resolver.known(node, scope, f"'{name}' of 'retry'", names)
        whole, is_duration = name == "max", name in ("delay", "cap")
        seconds = in_seconds(value) if is_duration and isinstance(value, str) else None
        value = value if seconds is None else seconds
        if _is_whole(value) if whole else _is_number(value):
            if least <= value <= most:
                return value
        elif is_unknown(value):
            return default
        kind = "an integer" if whole else "a number"
        wanted = DELAY if is_duration else f"{kind} from {least:g} to {most:,}"
        problems.report(f"'{name}' of 'retry' must be {wanted}, not {shown(given)}", node.location)
        return default

    retry = Retry(
        number(written.maximum, "max", 0, MOST_RETRIES, 0),
        number(written.delay, "delay", 0, MOST_SECONDS, 0),
        number(written.backoff, "backoff", 1, 1_000, 1),
        number(written.cap, "cap", 0, MOST_SECONDS, None),
        written.jitter or "none",
        tuple(str(name.value) for name in written.only),
        tuple(str(name.value) for name in written.never),
    )
    return retry if retry.maximum else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))
