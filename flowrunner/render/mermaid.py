"""A plan's graph for mermaid, which code hosts and wikis draw in place.

The rules are those of https://mermaid.js.org/syntax/flowchart.html: labels stand in double
quotes, and what has a meaning in them is written as an entity code, ``#35;``.
"""

from __future__ import annotations

import json
import re

from flowrunner.plan import Plan
from flowrunner.render.flow import FlowEdge, FlowNode, NodeShape, flow_of
from flowrunner.render.label import shown_name

__all__ = ["render_mermaid"]

_BRACKETS: dict[NodeShape, tuple[str, str]] = {
    "call": ("[", "]"),
    "stack": ("[[", "]]"),
    "list": ("([", "])"),
    "more": ("(", ")"),
    "handler": ("{{", "}}"),
}

# Labels are read as markdown once the diagram is parsed, and some words before that.
_SPECIAL = re.compile(
    r"""
      [^\w\s.,()='×…-]     # punctuation: quotes, brackets, HTML, markdown, colons of links
    | (?<![^\W_])_ | _(?![^\W_])  # emphasis; within a word an underscore is itself
    | (?<=www)\.           # a link
    | [.-](?=\s)           # a list
    """,
    re.VERBOSE,
)


def render_mermaid(plan: Plan, expand: bool = False) -> str:
    """Return a flowchart; ``expand`` gives every call a node of its own.

    Mermaid itself draws at most 500 edges unless its ``maxEdges`` is raised.
    """
    flow = flow_of(plan, expand=expand)
    title = json.dumps(shown_name(flow.name), ensure_ascii=False)
    return "\n".join(
        [
            "---",
            f"title: {title}",
            "---",
            "flowchart TD",
            *(f"    {_node(node)}" for node in flow.nodes),
            *(f"    {_edge(edge)}" for edge in flow.edges),
        ]
    )


def _node(node: FlowNode) -> str:
    opening, closing = _BRACKETS[node.shape]
    label = "<br>".join(_escaped(line) for line in node.lines)
    return f'{node.key}{opening}"{label}"{closing}'


def _edge(edge: FlowEdge) -> str:
    return f"{edge.source} {'-->' if edge.data else '-.->'} {edge.target}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: "#quot;" if match[0] == '"' else f"#{ord(match[0])};", text)
