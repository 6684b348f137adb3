"""The exception classes that a task's module can raise, and whether they survive pickling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, TypeAlias, TypeGuard

__all__ = ["Reach", "survives_pickling"]

_ExceptionClass: TypeAlias = type[BaseException]

#: Classes inside classes that are looked at.
DEEPEST: Final = 3
#: What pickle asks of a class that rebuilds its instances itself.
_REBUILDING: Final = ("__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__")


class Reach:
    """The modules in which the exceptions of a task are looked for.

    These are the modules of its function, and of what is around it, and the modules that they
    import. Without ``known`` nothing can be told: the function is not written in Python, its
    module has no source, or it imports a module that is not loaded.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.own = list(dict.fromkeys(_modules_of(function)))
        self.imported: dict[str, ModuleType] = {}
        self.known = bool(self.own)
        self._found: dict[str, _ExceptionClass | None] = {}
        for module in self.own:
            self._add_imports(module)

    def find(self, name: str) -> _ExceptionClass | None:
        """Return an exception class that calls itself by this name, also one inside a class."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> _ExceptionClass | None:
        for module in self._modules():
            found = vars(module).get(name)
            if _is_exception(found) and found.__name__ == name:
                return found
        for module in self._modules():
            for each in _classes_in(module):
                if each.__name__ == name and _is_exception(each):
                    return each
        return None

    def alias_of(self, name: str) -> str | None:
        """Return what an exception calls itself that the task's modules know by another name."""
        found = (vars(module).get(name) for module in self._modules())
        return next((each.__name__ for each in found if _is_exception(each)), None)

    def names(self) -> Iterator[str]:
        """Yield the names of the exceptions that the modules themselves hold."""
        for module in self._modules():
            for each in list(vars(module).values()):
                if _is_exception(each):
                    yield each.__name__
        for module in self.own:
            yield from (each.__name__ for each in _classes_in(module) if _is_exception(each))

    def _modules(self) -> Iterator[ModuleType]:
        yield from self.own
        yield from self.imported.values()

    def _add_imports(self, module: ModuleType) -> None:
        names = _imports(module)
        if names is None:
            self.known = False
            return
        for name, whole in names:
            found = _loaded(name)
            if found is None:
                self.known = self.known and not _is_there(name)
                continue
            self.imported[name] = found
            if whole and hasattr(found, "__path__"):
                inner = [each for each in sys.modules if each.startswith(f"{name}.")]
                loaded = {each: part for each in inner if (part := _loaded(each)) is not None}
                self.imported |= loaded
        for value in list(vars(module).values()):
            # By their types: a proxy for an object that is not there fails at any attribute.
            if issubclass(type(value), ModuleType):
                self.imported.setdefault(vars(value).get("__name__", ""), value)
            elif issubclass(type(value), (type, FunctionType)):
                origin = _module_of(value)
                if origin is not None:
                    self.imported.setdefault(origin.__name__, origin)


def _modules_of(function: Any) -> Iterator[ModuleType]:
    """Yield the modules of a function and of what it wraps; none for one without Python code."""
    is_python = False
    for _ in range(100):  # what wraps itself ends somewhere
        is_python = is_python or hasattr(function, "__code__")
        module = _module_of(function) or _module_of(type(function))
        if module is not None and is_python:
            yield module
        inner = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
        inner = inner or getattr(function, "func", None)  # a partial's
        if inner is None:
            call = vars(type(function)).get("__call__")  # of an object that is no function
            inner = call if not is_python and hasattr(call, "__code__") else None
        if inner is None:
            return
        function = inner


def _module_of(value: Any) -> ModuleType | None:
    name = getattr(value, "__module__", None)
    return _loaded(name) if isinstance(name, str) else None


def _loaded(name: str) -> ModuleType | None:
    found = sys.modules.get(name)
    return found if issubclass(type(found), ModuleType) else None


def _imports(module: ModuleType) -> list[tuple[str, bool]] | None:
    """Return the modules that a module imports anywhere, and whether by ``import`` itself.

    ``None`` for a module whose source cannot be read.
    """
    import ast
    from importlib.util import resolve_name

    try:
        tree = ast.parse(Path(str(module.__file__)).read_bytes())
    except (OSError, ValueError, SyntaxError, AttributeError):
        return None
    package = getattr(module, "__package__", None) or ""
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, True) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            try:
                name = resolve_name("." * node.level + (node.module or ""), package)
            except ImportError:
                continue
            found.append((name, False))
            inner = [f"{name}.{alias.name}" for alias in node.names]
            found += [(each, True) for each in inner if each in sys.modules]
    return found


def _is_there(name: str) -> bool:
    """Tell whether a module that is not loaded could be imported."""
    from importlib.util import find_spec

    try:
        return find_spec(name.partition(".")[0]) is not None
    except Exception:  # whatever finds modules here fails in words of its own
        return False


def _classes_in(module: ModuleType) -> Iterator[type[Any]]:
    seen: set[int] = set()
    waiting = [(value, 0) for value in list(vars(module).values())]
    while waiting:
        value, depth = waiting.pop()
        if not issubclass(type(value), type) or id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        if depth < DEEPEST:
            parts = [part for base in value.__mro__ for part in list(vars(base).values())]
            waiting += [(part, depth + 1) for part in parts if issubclass(type(part), type)]


def _is_exception(value: Any) -> TypeGuard[_ExceptionClass]:
    return issubclass(type(value), type) and BaseException in value.__mro__


def survives_pickling(kind: _ExceptionClass) -> bool:
    """Tell whether instances of an exception class come out of pickling as what they were.

    Pickle calls the class with ``args``. A class with a constructor of its own is tried, with
    its parameters by position and by name.
    """
    written = [base for base in kind.__mro__ if base.__module__ != "builtins"]
    if not _is_importable(kind):
        return False
    if not any(name in vars(base) for base in written for name in ("__init__", "__new__")):
        return True
    if any(name in vars(base) for base in written for name in _REBUILDING):
        return True
    with _quiet():
        return all(_comes_back(make) for make in _instances(kind))


@contextmanager
def _quiet() -> Iterator[None]:
    """Let what constructors print, and what destructors raise, not get in the way."""
    told, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with redirect_stdout(sys.stderr):  # stdout is for flowrunner's own output
            yield
    finally:
        sys.unraisablehook = told


def _is_importable(kind: type[Any]) -> bool:
    found: Any = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is kind


def _instances(kind: _ExceptionClass) -> Iterator[Callable[[], BaseException]]:
    """Yield what makes instances, of arguments that stand for any."""
    import inspect

    try:
        parameters = list(inspect.signature(kind).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    needed = [
        each
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    positional = ["text" for each in needed if each.kind is not each.KEYWORD_ONLY]
    by_name = {each.name: "text" for each in needed if each.kind is not each.POSITIONAL_ONLY}
    only_by_name = {each.name: "text" for each in needed if each.kind is each.KEYWORD_ONLY}
    yield lambda: kind(*positional, **only_by_name)
    if len(by_name) == len(needed):
        yield lambda: kind(**by_name)


def _comes_back(make: Callable[[], BaseException]) -> bool:
    import pickle

    try:
        error = make()
        found = pickle.loads(pickle.dumps(error))  # noqa: S301  # what has just been dumped
    except Exception:
        return False
    return type(found) is type(error)
