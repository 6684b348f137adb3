"""Names in ``only`` and ``never`` that no exception in reach of the task has, or that get lost."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celery.exceptions
import pytest
from kombu import exceptions as kombu_exceptions

from flowrunner.engines import application, continuation, process_pool, turn
from flowrunner.environment import EnvironmentValueError
from flowrunner.loader import load_workflow
from flowrunner.planner.exception_classes import survives_pickling
from flowrunner.planner.exception_names import ENGINE_EXCEPTIONS, exception_warnings
from flowrunner.plugins import PluginReference, load_plugins
from flowrunner.source import Source
from flowrunner.tasks import TaskRegistry
from flowrunner.values import NotJSONError

#: A plugin whose tasks raise what does not survive pickling.
RAISING = PluginReference(
    str(Path(__file__).parents[1] / "engines" / "raising_plugin.py"), "the tests"
)
raising_plugin: Any = load_plugins([RAISING]).loaded[0].module

PLUGIN = """
    from __future__ import annotations
    import functools
    import urllib.error
    from socket import timeout as SlowError
    import names_errors
    from names_models import Order
    from flowrunner import hookimpl

    class ShopError(Exception):
        class Declined(Exception):
            pass

    def wrapped(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)
        return wrapper

    def pay():
        import names_later

    @wrapped
    def ship():
        pass

    @hookimpl
    def flowrunner_register_tasks(registry):
        registry.add(pay)
        registry.add(ship)
        registry.add(print)
"""
ERRORS = """
    class RefusedError(Exception):
        pass

    class Proxy:
        def __getattribute__(self, name):
            raise RuntimeError("outside of a request")

    request = Proxy()
"""
MODELS = """
    import decimal
    class Order:
        class DoesNotExist(LookupError):
            pass
"""
LATER = "class LaterError(Exception): pass\n"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[TaskRegistry]:
    modules = {
        "names_plugin": PLUGIN,
        "names_errors": ERRORS,
        "names_models": MODELS,
        "names_later": LATER,
    }
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    before = list(sys.path)
    yield load_plugins([PluginReference(str(tmp_path / "names_plugin.py"), "--plugin")]).tasks()
    sys.path[:] = before
    for name in modules:
        sys.modules.pop(name, None)


def labels(text: str, registry: TaskRegistry, *, pickled: bool = False) -> list[tuple[str, str]]:
    """Return the place and the label of each warning."""
    workflow = load_workflow(Source("w.yaml", text))
    assert not workflow.problems
    unknown, lost = exception_warnings([workflow], registry, pickled=pickled)
    found = [*unknown, *lost]
    return [(each.location.text, each.label) for each in found if each.location is not None]


KNOWN = [
    *("HTTPError", "error.HTTPError", "ShopError", "names_plugin.ShopError"),
    *("Declined", "ShopError.Declined", "RefusedError", "names_errors.RefusedError"),
    *("DoesNotExist", "Order.DoesNotExist", "names_models.Order.DoesNotExist"),
    *("ConnectionError", "IOError", "Exception", "BaseException", "ExceptionGroup"),
    *("SoftTimeLimitExceeded", "celery.exceptions.TimeLimitExceeded", "WorkerLostError"),
    *("NotJSONError", "TaskLostError", "ValidationError"),
]


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("key", ["only", "never"])
def test_a_name_that_an_exception_in_reach_has_is_no_warning(
    registry: TaskRegistry, name: str, key: str
) -> None:
    assert import_later()
    assert labels(f"{{task: pay, retry: {{max: 1, {key}: [{name}]}}}}", registry) == []


def import_later() -> bool:
    import names_later  # type: ignore[import-not-found]

    return bool(names_later.LaterError)


UNKNOWN = {
    "HTTPEror": "did you mean 'HTTPError'?",
    "ConectionError": "did you mean 'ConnectionError'?",
    "Order.DoesNotExists": "did you mean 'DoesNotExist'?",
    "SlowError": "did you mean 'TimeoutError'?",  # what the class calls itself
    "decimal.Overflow": "write the class's own name",  # imported by an imported module
    "print": "write the class's own name",
    "Order": "write the class's own name",
}


@pytest.mark.parametrize(("name", "label"), UNKNOWN.items(), ids=UNKNOWN)
def test_any_other_name_is_a_warning_with_a_suggestion(
    registry: TaskRegistry, name: str, label: str
) -> None:
    assert import_later()
    text = f"{{task: pay, retry: {{max: 1, only: [{name}, ValueError]}}}}"
    found = labels(text, registry)
    assert [place for place, _ in found] == [name]
    assert "did you mean" not in label or [said for _, said in found] == [label]


def test_the_warning_names_the_module(registry: TaskRegistry) -> None:
    assert import_later()
    workflow = load_workflow(Source("w.yaml", "{task: ship, retry: {max: 1, only: [Nowhere]}}"))
    (warning,) = exception_warnings([workflow], registry, pickled=False).unknown
    assert warning.message == "unknown exception 'Nowhere'"
    assert warning.notes == (
        "neither Python nor the module names_plugin, nor a module that it imports, defines it: "
        "no failure matches it",
    )


def test_an_import_that_has_not_run_leaves_a_name_unjudged(registry: TaskRegistry) -> None:
    assert "names_later" not in sys.modules
    assert labels("{task: pay, retry: {max: 1, only: [LaterError]}}", registry) == []


def test_a_task_without_a_function_in_python_leaves_a_name_unjudged(
    registry: TaskRegistry,
) -> None:
    assert labels("{task: print, retry: {max: 1, only: [Nowhere]}}", registry) == []
    assert labels("{task: missing, retry: {max: 1, only: [Nowhere]}}", registry) == []


PLACES = {
    "a member": "group: [{chain: [{task: pay, retry: {max: 1, only: [Nowhere]}}]}]",
    "map": "map: {task: pay, over: [1], retry: {max: 1, never: [Nowhere]}}",
    "chunks": "chunks: {task: pay, over: [1], size: 1, retry: {max: 1, never: [Nowhere]}}",
    "a handler": "task: pay\non_error: {task: pay, retry: {max: 1, only: [Nowhere]}}",
    "finally": "task: pay\nfinally: {task: pay, retry: {max: 1, only: [Nowhere]}}",
    "defaults": "task: pay\ndefaults: {pay: {retry: {max: 1, only: [Nowhere]}}}",
    "defaults of all": ('group: [pay, ship]\ndefaults: {"*": {retry: {max: 1, only: [Nowhere]}}}'),
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_name_is_found_wherever_a_retry_is_written(registry: TaskRegistry, text: str) -> None:
    assert import_later()
    assert [place for place, _ in labels(text, registry)] == ["Nowhere"]


def test_names_of_the_engines_are_those_of_celery_and_flowrunner() -> None:
    def raised_in(module: Any) -> set[str]:
        return {
            name
            for name in module.__all__
            if isinstance(getattr(module, name, None), type)
            and issubclass(getattr(module, name), Exception)
            and not issubclass(getattr(module, name), (Warning, celery.exceptions.TaskPredicate))
        }

    own = (
        *(application.TaskExitedError, continuation.PartLostError, turn.TaskLostError),
        *(process_pool.ProcessDiedError, NotJSONError, EnvironmentValueError),
    )
    known = raised_in(celery.exceptions) - {
        "AlreadyRegistered",
        "CeleryCommandException",
        "TimeoutError",
    }
    assert known <= ENGINE_EXCEPTIONS
    assert {each.__name__ for each in own} <= ENGINE_EXCEPTIONS
    assert hasattr(kombu_exceptions, "OperationalError")


class PlainError(Exception):
    pass


class PassingError(Exception):
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status)


class RebuildingError(raising_plugin.PaymentError):  # type: ignore[misc]
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.status)


def test_a_class_survives_pickling_or_does_not() -> None:
    class LocalError(Exception):
        pass

    survive: list[Callable[..., Any]] = [PlainError, PassingError, RebuildingError]
    survive += [raising_plugin.Order.DoesNotExist, raising_plugin.ShopError, UnicodeDecodeError]
    lost: list[Callable[..., Any]] = [raising_plugin.PaymentError, raising_plugin.KeywordError]
    lost += [raising_plugin.OrderError, raising_plugin.LockError, raising_plugin.FrozenError]
    lost += [LocalError]
    assert [each for each in survive if not survives_pickling(each)] == []  # type: ignore[arg-type]
    assert [each for each in lost if survives_pickling(each)] == []  # type: ignore[arg-type]


def test_what_does_not_survive_pickling_is_a_warning_where_workers_are_plain() -> None:
    registry = load_plugins([RAISING]).tasks()
    text = """
    group:
      - {task: pay, retry: {max: 3, only: [PaymentError, ShopError, OSError, HTTPError]}}
      - {task: pay, retry: {max: 3, never: [PaymentError]}}
    """
    assert labels(text, registry) == []
    found = labels(text, registry, pickled=True)
    assert [place for place, _ in found] == ["PaymentError", "HTTPError"]
