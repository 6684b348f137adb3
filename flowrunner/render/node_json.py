"""The nodes of a plan as JSON documents."""

from __future__ import annotations

from flowrunner.plan import (
    Call,
    Chain,
    Chord,
    Constant,
    Each,
    Failing,
    Given,
    Graph,
    Group,
    Named,
    Node,
    Repeat,
    Rescue,
    Retry,
    Skipped,
    Switch,
    Tolerance,
    Used,
)
from flowrunner.render.node_documents import (
    CallDocument,
    EachDocument,
    GraphDocument,
    GroupDocument,
    NodeDocument,
    PlaceDocument,
    RepeatDocument,
    RetryDocument,
    SwitchDocument,
)
from flowrunner.render.policy import tolerance_text
from flowrunner.render.value_json import value_document

__all__ = ["node_document"]


def node_document(node: Node, *, expand: bool) -> NodeDocument:
    """Return a node's document; with ``expand`` each call of a fan-out stands in it."""
    return _Writer(expand).node(node)


class _Writer:
    def __init__(self, expand: bool) -> None:
        self._expand = expand

    def node(self, node: Node) -> NodeDocument:
        match node:
            case Call():
                return _call(node)
            case Chain():
                return {"kind": "chain", **_place(node), "steps": list(map(self.node, node.steps))}
            case Group():
                return self._group(node)
            case Chord():
                header, body = self.node(node.header), self.node(node.body)
                return {"kind": "chord", **_place(node), "header": header, "body": body}
            case Each():
                return self._each(node)
            case Switch():
                return self._switch(node)
            case Skipped():
                step = self.node(node.step)
                return {"kind": "skipped", **_place(node), "why": node.why, "step": step}
            case Rescue():
                step, handler = self.node(node.step), self.node(node.handler)
                return {"kind": "rescue", **_place(node), "step": step, "on_error": handler}
            case Named():
                step = self.node(node.step)
                return {"kind": "named", **_place(node), "name": node.name, "step": step}
            case Given():
                return {
                    "kind": "given",
                    **_place(node),
                    "variable": node.variable,
                    "value": value_document(node.value),
                    "step": self.node(node.step),
                }
            case Constant():
                return {"kind": "constant", **_place(node), "value": value_document(node.value)}
            case Used():
                inputs, step = value_document(node.inputs), self.node(node.step)
                return {"kind": "use", **_place(node), "inputs": inputs, "step": step}
            case Graph():
                return self._graph(node)
            case Failing():
                what, why = node.step, node.message
                return {"kind": "failing", **_place(node), "step": what, "message": why}

    def _group(self, group: Group) -> GroupDocument:
        return {
            "kind": "group",
            **_place(group),
            "batched": group.batched,
            "count": group.count,
            "max_parallel": group.max_parallel,
            "tolerate": _tolerate(group.tolerate),
            "members": [
                self._repeat(member) if isinstance(member, Repeat) else self.node(member)
                for member in group.members
            ],
        }

    def _repeat(self, repeat: Repeat) -> RepeatDocument:
        ends = [_call(call) for call in repeat.ends()]
        return {
            "kind": "repeat",
            **_place(repeat),
            "variable": repeat.index,
            "count": repeat.count,
            "first": ends[0] if ends else None,
            "last": ends[-1] if ends else None,
            "calls": [_call(call) for call in repeat.calls()] if self._expand else None,
        }

    def _each(self, each: Each) -> EachDocument:
        return {
            "kind": "each",
            **_place(each),
            "items": value_document(each.items),
            "variable": each.variable,
            "max_parallel": each.max_parallel,
            "tolerate": _tolerate(each.tolerate),
            "step": self.node(each.do),
        }

    def _switch(self, switch: Switch) -> SwitchDocument:
        return {
            "kind": "switch",
            **_place(switch),
            "written": switch.written,
            "branches": [
                {"when": branch.when.text, "step": self.node(branch.step)}
                for branch in switch.branches
            ],
            "otherwise": None if switch.otherwise is None else self.node(switch.otherwise),
        }

    def _graph(self, graph: Graph) -> GraphDocument:
        return {
            "kind": "graph",
            **_place(graph),
            "result": graph.result,
            "steps": [
                {"name": step.name, "needs": list(step.needs), "step": self.node(step.step)}
                for step in graph.steps
            ],
        }


def _call(call: Call) -> CallDocument:
    return {
        "kind": call.kind,
        **_place(call),
        "task": call.task,
        "args": value_document(call.args),
        "kwargs": value_document(call.kwargs),
        "options": value_document(call.options),
        "immutable": call.immutable,
        "index": call.index,
        "id": call.id,
        "retry": None if call.retry is None else _retry(call.retry),
    }


def _retry(retry: Retry) -> RetryDocument:
    return {
        "max": retry.maximum,
        "delay": retry.delay,
        "backoff": retry.backoff,
        "cap": retry.cap,
        "jitter": retry.jitter,
        "only": list(retry.only),
        "never": list(retry.never),
    }


def _tolerate(tolerate: Tolerance | None) -> str | None:
    return None if tolerate is None else tolerance_text(tolerate)


def _place(node: Node | Repeat) -> PlaceDocument:
    source = node.location.source
    line, column = source.position(node.location.start)
    return {"path": node.path, "file": source.name, "line": line, "column": column}
