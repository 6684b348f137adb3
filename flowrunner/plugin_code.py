"""The code of plugins: its files, and a digest that tells whether two machines have the same."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from flowrunner.plugins import LoadedPlugin
from flowrunner.regular_file import irregular_kind
from flowrunner.tasks import TaskRegistry

__all__ = ["PluginDigest", "code_of", "is_installed", "plugin_digests", "python_files"]


@dataclass(frozen=True)
class PluginDigest:
    """A plugin as it was named, with the tasks that it registers and a digest of its code.

    ``version`` is that of an installed package, else empty.
    """

    name: str
    digest: str
    version: str = ""
    tasks: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the digest as a worker tells it."""
        return {**vars(self), "tasks": sorted(self.tasks)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the digest that a worker has told."""
        tasks = frozenset(str(task) for task in told.get("tasks", ()))
        name, digest, version = (str(told.get(key, "")) for key in ("name", "digest", "version"))
        return cls(name, digest, version, tasks)


def plugin_digests(
    plugins: Iterable[LoadedPlugin], registry: TaskRegistry
) -> tuple[PluginDigest, ...]:
    """Return the digest of each plugin, as its files are now.

    The files of a folder are one plugin. Of an installed package name and version count, and
    its files if it is editable.
    """
    tasks: dict[str, set[str]] = {}
    for definition in registry:
        tasks.setdefault(definition.plugin, set()).add(definition.name)
    by_name: dict[str, list[LoadedPlugin]] = {}
    for plugin in plugins:
        by_name.setdefault(plugin.named or plugin.name, []).append(plugin)
    return tuple(
        PluginDigest(
            name,
            _digest(members),
            members[0].version,
            frozenset().union(*(tasks.get(member.name, set()) for member in members)),
        )
        for name, members in by_name.items()
    )


def _digest(members: Iterable[LoadedPlugin]) -> str:
    found = sha256()
    roots = dict.fromkeys((code_of(member), _installed_as(member)) for member in members)
    for code, installed_as in roots:
        found.update(installed_as.encode())
        if code is not None:
            folder = code if code.is_dir() else code.parent
            for file in python_files(code):
                found.update(f"\0{file.relative_to(folder).as_posix()}\0".encode())
                found.update(sha256(_content(file)).digest())
    return found.hexdigest()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # removed a moment ago, or unreadable
        return b""


def code_of(plugin: LoadedPlugin) -> Path | None:
    """Return the file or the folder that a plugin's code is in; ``None`` if it is installed."""
    if plugin.code is not None:
        return plugin.code
    module = plugin.module
    if plugin.version:  # an entry point, whose package is all of its code
        name = str(getattr(module, "__module__", None) or getattr(module, "__name__", ""))
        module = sys.modules.get(name.partition(".")[0])
    file = getattr(module, "__file__", None)
    if file is None or is_installed(Path(file)):
        return None
    return Path(file).parent if hasattr(module, "__path__") else Path(file)


def _installed_as(plugin: LoadedPlugin) -> str:
    """Return the name and the version of an installed package; empty for other code."""
    if plugin.version:
        return f"{plugin.name} {plugin.version}"
    if code_of(plugin) is not None:
        return ""
    from importlib.metadata import packages_distributions, version

    package = str(getattr(plugin.module, "__name__", plugin.name)).partition(".")[0]
    names = sorted(set(packages_distributions().get(package, ())))
    return " ".join([plugin.name, *(f"{name} {version(name)}" for name in names)])


@cache
def _library_folders() -> tuple[Path, ...]:
    from sysconfig import get_paths

    paths = get_paths()
    return tuple(Path(paths[name]).resolve() for name in ("purelib", "platlib", "stdlib"))


def is_installed(file: Path) -> bool:
    """Tell whether a file is the standard library's or an installed package's."""
    file = file.resolve()
    if any(file.is_relative_to(folder) for folder in _library_folders()):
        return True
    return any(part in ("site-packages", "dist-packages") for part in file.parts)


def python_files(code: Path) -> tuple[Path, ...]:
    """Return a file, or the ``.py`` files of a folder and of the packages below it, sorted."""
    if not code.is_dir():
        return (code,)
    return tuple(sorted(file for file in _below(code) if irregular_kind(file) is None))


def _below(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.py")
    for package in folder.glob("*/__init__.py"):
        if not package.parent.is_symlink() and not package.parent.name.startswith("."):
            yield from _below(package.parent)
