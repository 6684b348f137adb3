"""Reading files that other people may have put in place: regular ones only, never blocking."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

__all__ = [
    "IrregularFileError",
    "OutsideError",
    "irregular_kind",
    "read_regular_file",
    "real_path",
]

#: Opening a FIFO waits for a writer without these, and a terminal may become this process's own.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

_KINDS: Final = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


class IrregularFileError(OSError):
    """A path names a FIFO, a socket or a device; ``kind`` says which, with its article."""

    def __init__(self, kind: str) -> None:
        super().__init__(errno.EINVAL, f"it is {kind}, not a regular file")
        self.kind = kind


class OutsideError(OSError):
    """A path leads out of the folder that it has to stay in."""

    def __init__(self) -> None:
        super().__init__(errno.EXDEV, "it leads out of the project")


def irregular_kind(path: Path) -> str | None:
    """Return what a path names, ``"a FIFO"``, unless it is a regular file or missing."""
    try:
        return _kind(path.stat().st_mode)
    except (OSError, ValueError):
        return None


def real_path(path: Path) -> Path:
    """Return a path without links, also where links lead to each other."""
    return Path(os.path.realpath(path))


def read_regular_file(path: Path, most: int, *, within: Path | None = None) -> bytes:
    """Return the first ``most`` bytes of a regular file.

    ``within`` is a real path that the file's own has to lie in. Raises :class:`OSError`:
    :class:`IsADirectoryError` for a folder, :class:`IrregularFileError` for anything else that is
    no regular file, :class:`OutsideError` for a file elsewhere.
    """
    # Before the file is opened, since opening a device may change it; and again afterwards,
    # since another file may have taken the place of this one.
    if within is not None:
        _require(real_path(path), within)
    _require_regular(path.stat().st_mode)
    descriptor = os.open(path, _FLAGS)
    try:
        _require_regular(os.fstat(descriptor).st_mode)
        if within is not None:
            _require(_path_of(descriptor, path), within)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str | None:
    if stat.S_ISREG(mode):
        return None
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "no file")


def _require_regular(mode: int) -> None:
    kind = _kind(mode)
    if kind == "a folder":
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind is not None:
        raise IrregularFileError(kind)


def _require(path: Path, within: Path) -> None:
    if not path.is_relative_to(within):
        raise OutsideError


def _path_of(descriptor: int, path: Path) -> Path:
    """Return the real path of an open file, whatever its path leads to by now."""
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
    except OSError:  # no Linux
        real = real_path(path)
        if not os.path.samestat(real.lstat(), os.fstat(descriptor)):
            raise OutsideError from None
        return real
