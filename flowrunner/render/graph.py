"""The formats in which a plan can be printed; Mermaid and DOT are written here.

Mermaid, which code hosts and wikis draw in place, follows
https://mermaid.js.org/syntax/flowchart.html: labels stand in double quotes, and what has a meaning
in them is written as an entity code, ``#35;``. The escapes for ``dot -Tsvg`` are those of
https://graphviz.org/doc/info/lang.html and, as labels are read once more after the file, of
https://graphviz.org/docs/attr-types/escString/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from flowrunner.plan import Plan
from flowrunner.render.flow import flow_of
from flowrunner.render.flow_graph import EdgeKind, FlowEdge, FlowNode, NodeShape
from flowrunner.render.plan_json import render_json
from flowrunner.render.tree import render_tree
from flowrunner.render.value import shown_name

__all__ = ["GRAPH_FORMATS", "render_dot", "render_mermaid"]

_MERMAID_BRACKETS: dict[NodeShape, tuple[str, str]] = {
    "call": ("[", "]"),
    "stack": ("[[", "]]"),
    "list": ("([", "])"),
    "more": ("(", ")"),
    "handler": ("{{", "}}"),
    "choice": ("{", "}"),
    "skipped": ("[", "]"),
}

_MERMAID_SKIPPED = "classDef skipped color:#888,stroke:#bbb,stroke-dasharray:4"

# Labels are read as markdown once the diagram is parsed, and some words before that.
_MERMAID_SPECIAL = re.compile(
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
            *(f"    {_mermaid_node(node)}" for node in flow.nodes),
            *(f"    {_mermaid_edge(edge)}" for edge in flow.edges),
            *_mermaid_skipped(flow.nodes),
        ]
    )


def _mermaid_node(node: FlowNode) -> str:
    opening, closing = _MERMAID_BRACKETS[node.shape]
    label = "<br>".join(_mermaid_text(line) for line in node.lines)
    return f'{node.key}{opening}"{label}"{closing}'


def _mermaid_edge(edge: FlowEdge) -> str:
    arrow = "-->" if edge.kind == "data" else "-.->"
    label = f'|"{_mermaid_text(edge.label)}"|' if edge.label else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _mermaid_skipped(nodes: Sequence[FlowNode]) -> Iterator[str]:
    keys = [node.key for node in nodes if node.shape == "skipped"]
    if keys:
        yield f"    {_MERMAID_SKIPPED}"
        yield f"    class {','.join(keys)} skipped"


def _mermaid_text(text: str) -> str:
    return _MERMAID_SPECIAL.sub(
        lambda match: "#quot;" if match[0] == '"' else f"#{ord(match[0])};", text
    )


_DOT_SHAPES: dict[NodeShape, str] = {
    "call": "",
    "stack": ", peripheries=2",
    "list": ", shape=oval, fontsize=11, height=0.3",
    "more": ", shape=plain",
    "handler": ", shape=hexagon",
    "choice": ", shape=diamond, fontsize=11, height=0.3",
    "skipped": ', style="rounded,dashed", color=gray, fontcolor=gray',
}

_DOT_LINES: dict[EdgeKind, str] = {
    "data": "",
    "order": "style=dashed",
    "id": "style=dotted",
    "condition": "style=dashed",
    "failure": "style=dashed, color=firebrick, fontcolor=firebrick",
}

_DOT_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;"})


def render_dot(plan: Plan, expand: bool = False) -> str:
    """Return a digraph; ``expand`` gives every call a node of its own."""
    flow = flow_of(plan, expand=expand)
    name = _dot_text(shown_name(flow.name))
    return "\n".join(
        [
            f"digraph {name} {{",
            f'    graph [rankdir=TB, label={name}, labelloc=t, fontname="Helvetica"];',
            '    node [shape=box, style=rounded, fontname="Helvetica"];',
            *(f"    {_dot_node(node)}" for node in flow.nodes),
            *(f"    {_dot_edge(edge)}" for edge in flow.edges),
            "}",
        ]
    )


def _dot_node(node: FlowNode) -> str:
    return f"{node.key} [label={_dot_text(*node.lines)}{_DOT_SHAPES[node.shape]}];"


def _dot_edge(edge: FlowEdge) -> str:
    label = f"label={_dot_text(edge.label)}, fontsize=11" if edge.label else ""
    attributes = ", ".join(filter(None, [_DOT_LINES[edge.kind], label]))
    return f"{edge.source} -> {edge.target}{f' [{attributes}]' if attributes else ''};"


def _dot_text(*lines: str) -> str:
    text = r"\n".join(line.translate(_DOT_ESCAPES) for line in lines)
    return f'"{text}"'


#: Each takes a plan and whether to show every call, and returns text without a line ending.
GRAPH_FORMATS: dict[str, Callable[[Plan, bool], str]] = {
    "tree": render_tree,
    "mermaid": render_mermaid,
    "dot": render_dot,
    "json": render_json,
}
