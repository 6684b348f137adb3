"""Settings that the whole suite shares."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from flowrunner.planner import continuations

#: ``FLOWRUNNER_EXAMPLES=5000`` runs the random proofs at that many examples each.
EXAMPLES = int(os.environ.get("FLOWRUNNER_EXAMPLES", "200"))

settings.register_profile(
    "flowrunner",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
    print_blob=True,
)
settings.load_profile("flowrunner")


@pytest.fixture
def continued_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a continuation wherever there can be one."""
    monkeypatch.setattr(continuations, "WORTH_CONTINUING", -(10**9))
    monkeypatch.setattr(continuations, "RIDING_ALONG", -1)
    monkeypatch.setattr(continuations, "SMALLEST_PART", 0)
