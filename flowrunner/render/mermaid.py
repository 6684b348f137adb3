"""A plan's graph for mermaid, which code hosts and wikis draw in place.

The rules are those of https://mermaid.js.org/syntax/flowchart.html: labels stand in double
quotes, and what has a meaning in them is written as an entity code, ``#35;``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from flowrunner.plan import Plan
from flowrunner.render.flow import flow_of
from flowrunner.render.flow_graph import FlowEdge, FlowNode, NodeShape
from flowrunner.render.value import shown_name

__all__ = ["render_mermaid"]

_BRACKETS: dict[NodeShape, tuple[str, str]] = {
    "call": ("[", "]"),
    "stack": ("[[", "]]"),
    "list": ("([", "])"),
    "more": ("(", ")"),
    "handler": ("{{", "}}"),
    "choice": ("{", "}"),
    "skipped": ("[", "]"),
}

_SKIPPED_STYLE = "classDef skipped color:#888,stroke:#bbb,stroke-dasharray:4"

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
            *_skipped(flow.nodes),
        ]
    )


def _node(node: FlowNode) -> str:
    opening, closing = _BRACKETS[node.shape]
    label = "<br>".join(_escaped(line) for line in node.lines)
    return f'{node.key}{opening}"{label}"{closing}'


def _edge(edge: FlowEdge) -> str:
    arrow = "-->" if edge.kind == "data" else "-.->"
    label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _skipped(nodes: Sequence[FlowNode]) -> Iterator[str]:
    keys = [node.key for node in nodes if node.shape == "skipped"]
    if keys:
        yield f"    {_SKIPPED_STYLE}"
        yield f"    class {','.join(keys)} skipped"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: "#quot;" if match[0] == '"' else f"#{ord(match[0])};", text)
