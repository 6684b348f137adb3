"""Only flowrunner.engines.celery_patches uses private parts of Celery, kombu and redis-py."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

import flowrunner
from flowrunner.engines import celery_patches

PACKAGE = Path(flowrunner.__file__).parent
PATCHES = Path(celery_patches.__file__).parent
#: Names with an underscore that are public, wherever they are found.
PUBLIC = {
    "_replace": "a method of every named tuple",
    "_exit": "os._exit ends a process without its handlers",
}
#: Classes that override private methods of the packages, or call them, and why they may.
SUBCLASSES = {
    "flowrunner.engines.memory_transport.Channel": (
        "kombu's virtual transports are written so: each one defines _put, _get, _size and _purge"
    ),
    "flowrunner.engines.memory_transport.Transport": "it hands messages to kombu's own _deliver",
}
FOREIGN = ("amqp", "billiard", "celery", "kombu", "redis", "vine")
NAMED = re.compile(r"``((?:celery|kombu|redis)\.[\w.]+)``")


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if PATCHES not in path.parents]


def own_names(tree: ast.AST) -> set[str]:
    """Return the private names that a module's own classes and functions define."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Assign(targets=[ast.Tuple(elts=targets)]):
                names |= {each.attr for each in targets if isinstance(each, ast.Attribute)}
    return names


def uses_of_others(path: Path) -> Iterator[str]:
    """Yield where a module uses a private part of something that it does not define."""
    tree = ast.parse(path.read_text())
    own = own_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(attr="__class__", ctx=ast.Store()) | ast.Constant("__class__"):
                found = "__class__ is replaced"
            case ast.Attribute(attr=name) if is_private(name) and name not in own | PUBLIC.keys():
                found = ast.unparse(node)
            case ast.ImportFrom(module=str(module), names=aliases) if module.startswith(FOREIGN):
                names = [*module.split("."), *(alias.name for alias in aliases)]
                if not any(map(is_private, names)):
                    continue
                found = ast.unparse(node)
            case _:
                continue
        yield f"{path.relative_to(PACKAGE)}:{node.lineno}: {found}"


def test_no_other_module_uses_private_parts() -> None:
    assert [use for path in modules() for use in uses_of_others(path)] == []


@pytest.mark.parametrize(
    "text",
    [
        "backend._store_result = store",
        "task.__class__ = kind",
        "object.__setattr__(app.conf, '__class__', kind)",
        "from celery._state import task_join_will_block",
        "from celery.app.trace import _install_stack_protection",
        "def f(channel): return channel.qos._delivered",
    ],
)
def test_a_use_of_private_parts_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    path = tmp_path / "module.py"
    path.write_text(text)
    assert len(list(uses_of_others(path))) == 1


@cache
def classes_of_engines() -> list[type[Any]]:
    """Return the classes of the engines that have a base in one of the packages."""
    found = []
    for info in pkgutil.walk_packages(flowrunner.__path__, "flowrunner."):
        if not info.name.startswith("flowrunner.engines"):
            continue
        module = importlib.import_module(info.name)
        found += [
            kind
            for kind in vars(module).values()
            if isinstance(kind, type)
            and kind.__module__ == info.name
            and any(base.__module__.startswith(FOREIGN) for base in kind.__mro__)
        ]
    return found


def private_names_of_bases(kind: type[Any]) -> set[str]:
    """Return the private names that a class has in common with its bases in the packages."""
    tree = ast.parse(dedent(inspect.getsource(kind)))
    names = {name for name in vars(kind) if is_private(name)} | {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and is_private(node.attr)
        and ast.unparse(node.value) in ("self", "cls", "super()")
    }
    bases = [base for base in kind.__mro__ if base.__module__.startswith(FOREIGN)]
    return {name for name in names if any(defines(base, name) for base in bases)}


def defines(kind: type[Any], name: str) -> bool:
    """Tell whether a class has an attribute, or gives it to its instances."""
    if name in vars(kind):
        return True
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError):  # written in C
        return False
    return re.search(rf"\bself\.{name}\s*(?::[^=]+)?=", source) is not None


def test_no_other_class_uses_private_parts_of_its_bases() -> None:
    assert len(classes_of_engines()) >= 8
    found = {
        f"{kind.__module__}.{kind.__qualname__}": private_names_of_bases(kind)
        for kind in classes_of_engines()
        if not kind.__module__.startswith(celery_patches.__name__)
    }
    assert {name for name, parts in found.items() if parts} == SUBCLASSES.keys()


def patch_modules() -> list[ModuleType]:
    return [
        importlib.import_module(f"{celery_patches.__name__}.{info.name}")
        for info in pkgutil.iter_modules(celery_patches.__path__)
    ]


PATCHED = {
    f"{module.__name__.rpartition('.')[2]}.{name}": getattr(module, name)
    for module in patch_modules()
    for name in module.__all__
}


def test_every_patch_is_public_and_is_called() -> None:
    code = "\n".join(path.read_text() for path in modules())
    for module in patch_modules():
        defined = [
            node.name
            for node in ast.parse(inspect.getsource(module)).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        assert sorted(defined) == module.__all__
    assert [name for name in PATCHED if name.partition(".")[2] not in code] == []


@pytest.mark.parametrize("patch", PATCHED.values(), ids=PATCHED)
def test_a_patch_says_what_it_needs_and_why(patch: Any) -> None:
    text = inspect.getdoc(patch) or ""
    assert re.search(r"^(Changes|Uses): ", text, re.MULTILINE)
    assert re.search(r"^Checked: (Celery|kombu) \d", text, re.MULTILINE)
    assert re.search(r"^Reason: \S", text, re.MULTILINE)
    assert re.search(r"\bIssue: (none known|https://github\.com/celery/)", text, re.MULTILINE)
    tree = ast.parse(dedent(inspect.getsource(patch)))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named = {name.rpartition(".")[2] for name in NAMED.findall(text)}
    own = {"_CHANGED", "_Function", "_Wrapper", "_"}
    assert {name for name in used if is_private(name)} - own - named == set()


@pytest.mark.parametrize(
    "name", sorted({name for patch in PATCHED.values() for name in NAMED.findall(patch.__doc__)})
)
def test_a_patched_part_exists_in_the_installed_version(name: str) -> None:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        break
    for part in parts[end:]:
        if isinstance(found, type) and part == parts[-1]:
            assert any(defines(kind, part) for kind in found.__mro__)
        else:
            found = getattr(found, part)
