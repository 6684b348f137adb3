"""The files that a workflow uses: found beside the file that uses them, each read once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from msgspec import Struct

from flowrunner.errors import WorkflowError
from flowrunner.model import Workflow
from flowrunner.planner.problems import Problems
from flowrunner.regular_file import real_path
from flowrunner.source import Location, Source

__all__ = ["MOST_FILES", "MOST_NESTED", "MOST_USES", "UsedFiles", "Uses"]

#: How many files a workflow may use.
MOST_FILES: Final = 200
#: How deep: a file that uses one that uses one …
MOST_NESTED: Final = 16
#: How many steps of a plan may be used files: each is planned with its inputs.
MOST_USES: Final = 10_000


#: A folder that holds one of these is a project.
MARKERS: Final = ("flowrunner.toml", "pyproject.toml", ".git")


class Uses(Struct, frozen=True):
    """How one comes to a file: the files from the workflow's own to it, and where each is used."""

    sources: tuple[Source, ...]
    files: tuple[Path | None, ...]
    places: tuple[Location, ...] = ()

    @classmethod
    def of(cls, source: Source) -> Uses:
        """Return how one comes to the workflow's own file."""
        return cls((source,), (None if source.path is None else real_path(source.path),))

    def and_then(self, source: Source, file: Path, place: Location) -> Uses:
        """Return how one comes to a file that the last one uses."""
        return Uses((*self.sources, source), (*self.files, file), (*self.places, place))


class _File(Struct, frozen=True):
    """A file: its path as it was found, and what tells it from others."""

    path: Path
    key: Path


class _Project(Struct, frozen=True):
    """The folder that all files of a workflow lie in: as people name it, and without links."""

    folder: Path
    real: Path
    first: str

    @property
    def explanation(self) -> tuple[str, tuple[str, ...]]:
        """The label and the notes of a diagnostic about a file elsewhere."""
        return f"the project is the folder {self.folder}", (
            f"a project is the nearest folder upward from {self.first} that contains "
            f"{', '.join(MARKERS[:-1])} or {MARKERS[-1]}; without one, the folder of that file",
        )


class UsedFiles:
    """Finds the files that a workflow uses, and reports what is wrong with that.

    ``load`` gives the workflow of a file in a folder, the same each time, or raises
    :class:`~flowrunner.errors.WorkflowError`.
    """

    def __init__(self, load: Callable[[Path, Path], Workflow]) -> None:
        self._load = load
        self._projects: dict[Source, _Project] = {}
        self._paths: dict[tuple[Source, str], _File | None] = {}
        self._sources: dict[Source, None] = {}
        self._workflows: dict[Path, Workflow | None] = {}
        self._uses = 0

    def load(
        self, name: str, place: Location, uses: Uses, problems: Problems
    ) -> tuple[Workflow, Uses] | None:
        """Return a used file's workflow and how one came to it; ``None`` where it is reported.

        ``name`` is relative to the file that uses it, and stands at ``place`` there.
        """
        using, project = uses.sources[-1], self._project(uses.sources[0])
        if (using, name) not in self._paths:
            path = _path(name, place, using, project, problems)
            self._paths[using, name] = None if path is None else _File(path, real_path(path))
        file = self._paths[using, name]
        if file is None or not self._is_allowed(file.key, place, uses, problems):
            return None
        if file.key not in self._workflows:
            self._workflows[file.key] = self._read(file.path, project, place, problems)
        workflow = self._workflows[file.key]
        if workflow is None:
            return None
        for problem in workflow.problems:
            problems.add(problem)
        return workflow, uses.and_then(workflow.source, file.key, place)

    def _project(self, first: Source) -> _Project:
        if first not in self._projects:
            self._projects[first] = _project_of(first)
        return self._projects[first]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read, in the order in which they were met."""
        return tuple(self._sources)

    def _is_allowed(self, key: Path, place: Location, uses: Uses, problems: Problems) -> bool:
        if key in uses.files:
            _report_circle(uses.files.index(key), place, uses, problems)
            return False
        if len(uses.places) >= MOST_NESTED:
            start = f"the first use is at {uses.places[0]}"
            problems.report(
                f"used files are nested more than {MOST_NESTED} levels deep", place, start
            )
            return False
        if key not in self._workflows and len(self._workflows) >= MOST_FILES:
            problems.report(f"the workflow uses more than {MOST_FILES} files", place)
            return False
        self._uses += 1
        if self._uses == MOST_USES + 1:
            problems.report(f"the workflow has more than {MOST_USES:,} steps that use files", place)
        return self._uses <= MOST_USES

    def _read(
        self, path: Path, project: _Project, place: Location, problems: Problems
    ) -> Workflow | None:
        try:
            workflow = self._load(path, project.real)
        except WorkflowError as error:
            for each in error.diagnostics:
                if each.location is None:  # it is about the file as a whole
                    problems.report(each.message, place, each.label, each.notes)
                else:
                    self._sources[each.location.source] = None
                    problems.add(each)
            return None
        self._sources[workflow.source] = None
        return workflow


def _path(
    name: str, place: Location, source: Source, project: _Project, problems: Problems
) -> Path | None:
    if not name.strip():
        problems.report("'use' names no file", place)
        return None
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive:
        problems.report(
            f"'use' needs a path relative to {source.name}",
            place,
            "write a relative path: other machines may not have this file",
        )
        return None
    if "\0" in name:
        problems.report("the path contains a null byte", place)
        return None
    path = (Path() if source.path is None else source.path.parent) / name
    if not Path(os.path.abspath(path)).is_relative_to(project.folder):  # noqa: PTH100
        problems.report(f"'{name}' is outside the project", place, *project.explanation)
        return None
    real = real_path(path)
    if not real.is_relative_to(project.real):
        problems.report(f"{name} is a link that leaves the project", place, *project.explanation)
        return None
    plain = Path(os.path.normpath(path))
    # Not if a folder on the way is a link: '..' leads elsewhere then.
    return plain if real_path(plain) == real else path


def _project_of(first: Source) -> _Project:
    """Return the project of a workflow's own file: the nearest folder upward that holds a marker.

    Without one it is the file's own folder.
    """
    folder = Path() if first.path is None else first.path.parent
    here = Path(os.path.abspath(folder))  # noqa: PTH100
    marked = (
        parent
        for parent in (here, *here.parents)
        if any(os.path.lexists(parent / name) for name in MARKERS)
    )
    project = next(marked, here)
    return _Project(project, real_path(project), first.name)


def _report_circle(position: int, place: Location, uses: Uses, problems: Problems) -> None:
    names = [source.name for source in uses.sources[position:]]
    if len(names) == 1:
        problems.report(f"{names[0]} uses itself", place)
        return
    following = [*names[1:], names[0]]
    places = (*uses.places[position:], place)
    problems.report(
        f"cycle of used files: {' → '.join([*names, names[0]])}",
        place,
        notes=tuple(f"{where} uses {name}" for where, name in zip(places, following, strict=True)),
    )
