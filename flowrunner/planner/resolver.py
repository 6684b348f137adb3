"""Values of a workflow: nodes with ``${…}`` in them to JSON data, or to what is deferred."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Lookup
from typing import Any, Final, TypeAlias

from flowrunner.budget import Budget
from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression
from flowrunner.plan import Deferred
from flowrunner.planner.problems import Problems
from flowrunner.planner.scope import LATE, SECRET, UNKNOWN, Scope
from flowrunner.planner.secrets import Secrets
from flowrunner.planner.texts import Text, Texts, texts_in
from flowrunner.suggestion import did_you_mean, listed

__all__ = ["Explanation", "Resolver"]

#: Why a name cannot be used where it stands: a message, a label and notes.
Explanation: TypeAlias = tuple[str, str, tuple[str, ...]]

#: Names that only some steps have.
_ABSENT: Final[dict[str, Explanation]] = {
    "prev": ("this step has no 'prev'", "no step runs before it", ()),
    "errors": ("this step has no 'errors'", "use it in the body of a chord with 'tolerate'", ()),
}

#: Steps of the budget for each item of a list or mapping whose value is made.
_STEPS_PER_NODE: Final = 4
#: Steps of the budget for a name among those that a message lists or suggests one of.
_STEPS_PER_KNOWN_NAME: Final = 10
_MISSING: Final = object()
_NOTHING: Final[Lookup[str, Any]] = {}


class Resolver:
    """Gives nodes their values, and collects what is wrong with their expressions.

    ``explain`` says why a name is not known though a step has it as its id.
    """

    def __init__(
        self,
        problems: Problems,
        explain: Callable[[str], Explanation | None] = lambda _: None,
        environment: Lookup[str, str] | None = None,
        *,
        budget: Budget | None = None,
    ) -> None:
        self._problems = problems
        self._explain = explain
        self.budget = budget or Budget()
        self._texts = Texts(problems, self.budget)
        self.secrets = Secrets(self._texts, environment)
        #: The paths of the named steps whose values are used.
        self.used: set[str] = set()
        #: How many values were deferred so far.
        self.deferred = 0

    def value(self, node: Node, scope: Scope, names: Lookup[str, Any] = _NOTHING) -> Any:
        """Return a node's value, some of which may be :class:`~flowrunner.plan.Deferred`.

        :data:`UNKNOWN` stands where it is not known or was reported. ``names`` go before the
        scope's.
        """
        match node:
            case Scalar():
                if isinstance(node.value, str) and has_expression(node.value):
                    return self._evaluated(self._texts.read(node), scope, names)
                return node.value
            case Sequence():
                self.budget.spend(len(node.items) * _STEPS_PER_NODE)
                return [self.value(item, scope, names) for item in node.items]
            case Mapping():
                self.budget.spend(len(node.entries) * _STEPS_PER_NODE)
                return {
                    str(key.value): self.value(item, scope, names) for key, item in node.entries
                }

    def known(
        self,
        node: Node,
        scope: Scope,
        what: str,
        names: Lookup[str, Any] = _NOTHING,
        *,
        cure: str = "",
    ) -> Any:
        """Return the value of a node that has to be known before the run.

        ``what`` is its name, and ``cure`` what else one can do.
        """
        if self.refuses_secrets(node, scope, what):
            return UNKNOWN
        before = self.deferred
        value = self.value(node, scope, names)
        if self.deferred == before:
            return value
        self.deferred = before
        if not scope.idle:
            self._report_late(node, scope, what, names, cure)
        return UNKNOWN

    def _report_late(
        self, node: Node, scope: Scope, what: str, names: Lookup[str, Any], cure: str
    ) -> None:
        for scalar in texts_in(node):
            text = self._texts.read(scalar)
            for name in () if text is None else text.names:
                if text is not None and self._named(name, text, scope, names) is LATE:
                    self._problems.report(
                        f"{what} must be known before the run",
                        scalar.location,
                        f"'{name}' is known only at run time",
                        (cure,) if cure else (),
                    )
                    break

    def condition(self, node: Scalar, scope: Scope) -> Any:
        """Return the value of a condition: a bare expression, or a boolean."""
        if not isinstance(node.value, str):
            return node.value
        text = self._texts.read(node, bare=True)
        if self._refuses_secret(text, scope, "a condition"):
            return UNKNOWN
        return self._evaluated(text, scope, _NOTHING)

    def refuses_secrets(self, node: Node, scope: Scope, what: str) -> bool:
        """Tell whether a node uses secrets, which cannot be ``what``: that is reported."""
        texts = [self._texts.read(text) for text in texts_in(node)]
        return sum(self._refuses_secret(text, scope, what) for text in texts) > 0

    def _refuses_secret(self, text: Text | None, scope: Scope, what: str) -> bool:
        name = None if text is None else self.secrets.first_in(text, scope)
        if text is None or name is None:
            return False
        if self.secrets.are_right(text, scope):
            self._problems.report(
                f"{what} cannot use a secret",
                text.node.location,
                f"'{name}' is a secret: use it only in arguments of tasks and in 'with'",
            )
        self._texts.give_up(text)
        return True

    def late(self, node: Node, scope: Scope, *, bare: bool = False) -> Any:
        """Return a node as run time evaluates it, all of it; ``bare`` says it is a condition."""
        match node:
            case Scalar():
                if not (bare or texts_in(node)):
                    return node.value
                if not isinstance(node.value, str):
                    return Deferred(str(node.value).lower(), node.location, bare=True)
                text = self._texts.read(node, bare=bare)
                return UNKNOWN if text is None else self._deferred(text, scope, _NOTHING)
            case Sequence():
                return [self.late(item, scope) for item in node.items]
            case Mapping():
                return {str(key.value): self.late(item, scope) for key, item in node.entries}

    def depends_on(self, nodes: Iterable[Node], name: str) -> bool:
        """Tell whether the value of one of the nodes may change with the name."""
        texts = (self._texts.read(text) for node in nodes for text in texts_in(node))
        return any(text is not None and name in text.names for text in texts)

    def _evaluated(self, text: Text | None, scope: Scope, names: Lookup[str, Any]) -> Any:
        if text is None:
            return UNKNOWN
        known: dict[str, Any] = {}
        late, unknown, secret, wrong = scope.idle, False, False, False
        for name in text.names:
            value = self._named(name, text, scope, names)
            if value is LATE:
                late = True
            elif value is UNKNOWN:
                unknown = True
            elif value is SECRET:
                secret = True
            elif value is _MISSING:
                wrong = True
            else:
                known[name] = value
        if wrong:
            self._texts.give_up(text)
            return UNKNOWN
        if late:
            return self._deferred(text, scope, names)
        if unknown:
            return UNKNOWN
        if secret:
            return self._secret(text, scope, known)
        return self._texts.value(text, known)

    def _secret(self, text: Text, scope: Scope, known: dict[str, Any]) -> Any:
        if "inputs" in text.names:
            known["inputs"] = self._used_inputs(text, scope)
        found = self.secrets.secret(text, known)
        if found is None:
            self._texts.give_up(text)
            return UNKNOWN
        return found

    def _named(self, name: str, text: Text, scope: Scope, names: Lookup[str, Any]) -> Any:
        """Return what a name stands for; what is wrong with it is reported."""
        if name == "inputs":
            return self._inputs(text, scope)
        if name == "env":
            return SECRET if self.secrets.are_right(text, scope) else _MISSING
        value = names.get(name, _MISSING)
        if value is _MISSING:
            value = scope.names.get(name, _MISSING)
        if value is not _MISSING:
            return value
        step = scope.ids.get(name)
        if step is not None:
            return None if step.passed_nothing_on else LATE
        self._report_name(name, text, scope)
        return _MISSING

    def _inputs(self, text: Text, scope: Scope) -> Any:
        inputs = scope.inputs
        used = text.inputs
        if used is not None and not used <= inputs.values.keys():
            for reference in text.references_to("inputs"):
                (name, *_) = reference.path
                if name not in inputs.values:
                    label = self._suggestion(name, inputs.values, "inputs")
                    self._texts.report(
                        text.node,
                        f"unknown input '{name}'",
                        reference.offset,
                        reference.length,
                        label,
                    )
            return _MISSING
        if inputs.late if used is None else not inputs.late.isdisjoint(used):
            return LATE
        if inputs.unknown if used is None else not inputs.unknown.isdisjoint(used):
            return UNKNOWN
        if inputs.secret if used is None else not inputs.secret.isdisjoint(used):
            return SECRET
        return inputs.values

    @staticmethod
    def _used_inputs(text: Text, scope: Scope) -> dict[str, Any]:
        used, every = text.inputs, scope.inputs.values
        return {name: every[name] for name in every if used is None or name in used}

    def _report_name(self, name: str, text: Text, scope: Scope) -> None:
        explanation = self._explain(name)
        if explanation is None:
            explanation = _ABSENT.get(name)
        if explanation is None:
            own = ("inputs", "env") if scope.env else ("inputs",)
            known = {*own, *scope.names, *scope.ids} - _ABSENT.keys()
            if name in scope.inputs.values:
                label = f"'{name}' is an input: write inputs.{name}"
            else:
                label = self._suggestion(name, known, "known names")
            explanation = (f"unknown name '{name}'", label, ())
        for reference in text.references_to(name):
            self._texts.report(
                text.node, explanation[0], reference.offset, reference.length, *explanation[1:]
            )

    def _suggestion(self, name: str, known: Collection[str], heading: str) -> str:
        self.budget.spend(_STEPS_PER_KNOWN_NAME * len(known))
        names = sorted(known)
        otherwise = f"{heading}: {listed(names)}" if names else f"there are no {heading}"
        return did_you_mean(name, names, otherwise)

    def _deferred(self, text: Text, scope: Scope, names: Lookup[str, Any]) -> Deferred:
        """Return a text as run time evaluates it, with what is known of its names."""
        self.deferred += 1
        known: dict[str, Any] = {}
        steps: dict[str, str] = {}
        for name in text.names:
            value = self._named(name, text, scope, names)
            if name == "inputs":
                if value is not LATE:
                    known[name] = self._used_inputs(text, scope)
            elif name == "env":
                continue
            elif name in names or name in scope.names:
                if value is not LATE and name != "prev":
                    known[name] = value
            elif value is LATE:
                steps[name] = scope.ids[name].path
                if not scope.idle:
                    self.used.add(steps[name])
            else:
                known[name] = value
        return Deferred(str(text.node.value), text.node.location, known, steps, text.bare)
