"""What people ask of each construct, with its value written out, or what has to fail."""

from __future__ import annotations

from typing import Any

from tests.conformance.combinations import COMBINATIONS
from tests.conformance.decisions import DECISIONS
from tests.conformance.fan_outs import FAN_OUTS
from tests.conformance.mishaps import MISHAPS
from tests.conformance.shape import Shape

CONSTRUCTS: dict[str, tuple[Shape, Any]] = {**FAN_OUTS, **DECISIONS, **MISHAPS, **COMBINATIONS}
