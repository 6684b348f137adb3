"""A plan's graph in Graphviz's language, for ``dot -Tsvg``.

Escapes are those of https://graphviz.org/doc/info/lang.html and, as labels are read once more
after the file, of https://graphviz.org/docs/attr-types/escString/.
"""

from __future__ import annotations

from flowrunner.plan import Plan
from flowrunner.render.flow import flow_of
from flowrunner.render.flow_graph import EdgeKind, FlowEdge, FlowNode, NodeShape
from flowrunner.render.value import shown_name

__all__ = ["render_dot"]

_ATTRIBUTES: dict[NodeShape, str] = {
    "call": "",
    "stack": ", peripheries=2",
    "list": ", shape=oval, fontsize=11, height=0.3",
    "more": ", shape=plain",
    "handler": ", shape=hexagon",
    "choice": ", shape=diamond, fontsize=11, height=0.3",
    "skipped": ', style="rounded,dashed", color=gray, fontcolor=gray',
}

_LINES: dict[EdgeKind, str] = {
    "data": "",
    "order": "style=dashed",
    "id": "style=dotted",
    "condition": "style=dashed",
    "failure": "style=dashed, color=firebrick, fontcolor=firebrick",
}

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;"})


def render_dot(plan: Plan, expand: bool = False) -> str:
    """Return a digraph; ``expand`` gives every call a node of its own."""
    flow = flow_of(plan, expand=expand)
    name = _quoted(shown_name(flow.name))
    return "\n".join(
        [
            f"digraph {name} {{",
            f'    graph [rankdir=TB, label={name}, labelloc=t, fontname="Helvetica"];',
            '    node [shape=box, style=rounded, fontname="Helvetica"];',
            *(f"    {_node(node)}" for node in flow.nodes),
            *(f"    {_edge(edge)}" for edge in flow.edges),
            "}",
        ]
    )


def _node(node: FlowNode) -> str:
    return f"{node.key} [label={_quoted(*node.lines)}{_ATTRIBUTES[node.shape]}];"


def _edge(edge: FlowEdge) -> str:
    label = f"label={_quoted(edge.label)}, fontsize=11" if edge.label else ""
    attributes = ", ".join(filter(None, [_LINES[edge.kind], label]))
    return f"{edge.source} -> {edge.target}{f' [{attributes}]' if attributes else ''};"


def _quoted(*lines: str) -> str:
    text = r"\n".join(line.translate(_ESCAPES) for line in lines)
    return f'"{text}"'
