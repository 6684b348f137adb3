"""A quick look whether any installed package has entry points of a group.

``importlib.metadata`` answers that too, but importing it takes longer than all the rest of
loading plugins, and on most machines the answer is no.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
from typing import Final

__all__ = ["may_have_entry_points"]

_PACKAGE_SUFFIXES: Final = (".dist-info", ".egg-info")
_PLAIN_FINDERS: Final = (BuiltinImporter, FrozenImporter, PathFinder)


def may_have_entry_points(group: str) -> bool:
    """Tell whether ``importlib.metadata.entry_points(group=group)`` may find any.

    Only packages that are installed as files can be looked through; where there is anything
    else (an archive on the path, a finder that brings packages of its own) the answer is yes.
    """
    brings_packages = (
        finder
        for finder in sys.meta_path
        if finder not in _PLAIN_FINDERS and hasattr(finder, "find_distributions")
    )
    if next(brings_packages, None) is not None:
        return True
    heading = f"[{group}]".encode()
    return any(_names_group(entry, heading) for entry in sys.path)


def _names_group(folder: str, heading: bytes) -> bool:
    try:
        with os.scandir(folder or ".") as entries:
            packages = [each.path for each in entries if each.name.endswith(_PACKAGE_SUFFIXES)]
    except NotADirectoryError:
        return True  # an archive, which importlib.metadata can read
    except OSError:
        return False
    return any(_holds(Path(package) / "entry_points.txt", heading) for package in packages)


def _holds(file: Path, heading: bytes) -> bool:
    try:
        return heading in file.read_bytes()
    except OSError:
        return False
