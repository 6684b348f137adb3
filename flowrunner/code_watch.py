"""Waiting for a change in files of Python code."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from time import time_ns
from typing import Final, TypeAlias

from flowrunner.plugin_code import code_of, is_installed, python_files
from flowrunner.plugins import LoadedPlugin, PluginReference

__all__ = ["CodeWatch", "code_of_references", "watched_code"]

#: Seconds between two looks.
LOOK_EVERY: Final = 0.5

#: Modification time and size; ``None`` for a file that is not there.
_State: TypeAlias = tuple[int, int] | None
_OWN_FOLDER: Final = Path(__file__).resolve().parent


class CodeWatch:
    """Looks at plugins' files and at the modules that were imported, all but installed packages.

    A file that has changed after ``since``, in nanoseconds, was read too early: it counts.
    """

    def __init__(self, roots: Iterable[Path], *, since: int) -> None:
        self._roots = tuple(roots)
        self._is_own: dict[str, bool] = {}
        self._before = self._states()
        self._early = next(
            (
                file
                for file, state in self._before.items()
                if state and since < state[0] < time_ns()
            ),
            None,
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is no file to look at."""
        return not self._before

    def wait(self, stopped: Event, *, every: float = LOOK_EVERY) -> Path | None:
        """Return a file that has changed, once none changes any more; ``None`` if stopped."""
        changed, self._early = self._early, None
        while True:
            if stopped.wait(every):
                return None
            before, self._before = self._before, self._states()
            now_changed = self._difference(before)
            if changed is not None and now_changed is None:
                return changed
            changed = now_changed or changed

    def _difference(self, before: dict[Path, _State]) -> Path | None:
        """Return a file whose state has changed; a module that was imported since is none."""
        now, in_roots = self._before, set(self._in_roots())
        for file in sorted(before.keys() | now.keys()):
            if file in before and file in now:
                if before[file] != now[file]:
                    return file
            elif file in in_roots or file in before:
                return file
        return None

    def _in_roots(self) -> Iterable[Path]:
        return (file for root in self._roots for file in python_files(root))

    def _states(self) -> dict[Path, _State]:
        return {file: _state(file) for file in (*self._in_roots(), *self._imported())}

    def _imported(self) -> Iterable[Path]:
        files = {getattr(module, "__file__", None) for module in tuple(sys.modules.values())}
        return (Path(name) for name in files if isinstance(name, str) and self._counts(name))

    def _counts(self, name: str) -> bool:
        if name not in self._is_own:
            file = Path(name).resolve()
            is_code = file.suffix == ".py" and not file.is_relative_to(_OWN_FOLDER)
            self._is_own[name] = is_code and not is_installed(file)
        return self._is_own[name]


def _state(file: Path) -> _State:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def watched_code(plugins: Iterable[LoadedPlugin]) -> tuple[Path, ...]:
    """Return the files and folders that plugins were loaded from, all but installed packages."""
    found = (code_of(plugin) for plugin in plugins)
    return tuple(dict.fromkeys(code for code in found if code is not None))


def code_of_references(references: Iterable[PluginReference]) -> tuple[Path, ...]:
    """Return the files and folders of plugins that may not load, as far as they can be told."""
    return tuple(code for reference in references for code in _places(reference))


def _places(reference: PluginReference) -> Iterable[Path]:
    path = reference.folder / Path(reference.name).expanduser()
    if path.exists() or path.suffix == ".py" or "/" in reference.name:
        return [path]
    spec = find_spec(reference.name.partition(".")[0])
    if spec is None:
        return [path]
    return map(Path, spec.submodule_search_locations or filter(None, [spec.origin]))
