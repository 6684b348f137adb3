"""What of a plan that unfolds is the same in a later version of its file."""

from __future__ import annotations

import pytest

from flowrunner.planner.unchanged import unchanged_paths
from tests.planner.planning import planned

EACH = "{each: '${prev}', do: call}"


@pytest.mark.parametrize(
    ("before", "after", "same", "other"),
    [
        (f"chain: [call, {EACH}]", f"chain: [call, {EACH}]", ["chain[0]", "chain[1].each[3]"], []),
        (
            f"chain: [call, {EACH}]",
            f"chain: [call, {EACH}, call]",
            ["chain[1].each[0]"],
            ["chain[2]"],
        ),
        (f"chain: [call, {EACH}]", f"chain: [queued, {EACH}]", [], ["chain[0]", "chain[1].each"]),
        (
            f"{{outputs: {{a: '${{prev}}'}}, chain: [call, {EACH}]}}",
            f"{{outputs: {{a: '${{prev}}'}}, chain: [call, {EACH}]}}",
            ["chain[0]", "chain[1].each[3]"],
            [],
        ),
        (
            f"{{outputs: {{a: '${{prev}}'}}, chain: [call, {EACH}]}}",
            f"{{outputs: {{a: 1}}, chain: [call, {EACH}, call]}}",
            ["chain[0]"],
            ["chain[2]"],
        ),
    ],
)
def test_paths(before: str, after: str, same: list[str], other: list[str]) -> None:
    is_same = unchanged_paths(planned(before), planned(after))
    assert [path for path in (*same, *other) if is_same(path)] == same
