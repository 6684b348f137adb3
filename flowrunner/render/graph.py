"""The formats in which a plan can be printed."""

from __future__ import annotations

from collections.abc import Callable

from flowrunner.plan import Plan
from flowrunner.render.dot import render_dot
from flowrunner.render.mermaid import render_mermaid
from flowrunner.render.plan_json import render_json
from flowrunner.render.tree import render_tree

__all__ = ["GRAPH_FORMATS"]

#: Each takes a plan and whether to show every call, and returns text without a line ending.
GRAPH_FORMATS: dict[str, Callable[[Plan, bool], str]] = {
    "tree": render_tree,
    "mermaid": render_mermaid,
    "dot": render_dot,
    "json": render_json,
}
