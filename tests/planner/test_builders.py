"""The table of builders."""

from __future__ import annotations

from typing import get_args

from flowrunner import model
from flowrunner.planner.builder import BUILDERS


def test_every_type_of_step_has_a_builder() -> None:
    assert BUILDERS.keys() == set(get_args(model.Step))
