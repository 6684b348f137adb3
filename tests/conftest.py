"""Settings that the whole suite shares."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: ``FLOWRUNNER_EXAMPLES=5000`` runs the random proofs at that many examples each.
EXAMPLES = int(os.environ.get("FLOWRUNNER_EXAMPLES", "200"))

settings.register_profile(
    "flowrunner",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    print_blob=True,
)
settings.load_profile("flowrunner")
