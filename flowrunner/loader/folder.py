"""The workflow files of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowrunner.errors import Diagnostic, WorkflowError

__all__ = ["workflow_files"]

_SUFFIXES: Final = (".yaml", ".yml")


def workflow_files(path: Path) -> list[Path]:
    """Return the files below a folder that are named like workflows; anything else is returned.

    Links and whatever is hidden are left out. Raises :class:`~flowrunner.errors.WorkflowError` for
    a folder without such files, and for one that cannot be read.
    """
    if not path.is_dir():
        return [path]
    try:
        found = sorted(_below(path))
    except OSError as error:
        raise WorkflowError(
            [Diagnostic(f"{error.filename or path} cannot be read: {error.strerror}")]
        ) from error
    if not found:
        raise WorkflowError(
            [
                Diagnostic(
                    f"there is no {' or '.join(_SUFFIXES)} file in the folder {path}",
                    notes=("links, hidden files and hidden folders are skipped",),
                )
            ]
        )
    return found


def _below(folder: Path) -> Iterator[Path]:
    folders = [folder]  # not recursive: folders may be nested deeper than Python's calls
    while folders:
        here = folders.pop()
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir():
                    folders.append(here / entry.name)
                elif entry.name.endswith(_SUFFIXES):
                    yield here / entry.name
