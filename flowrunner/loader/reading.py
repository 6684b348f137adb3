"""Files to texts, and the workflow files of a folder."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowrunner.errors import Diagnostic, WorkflowError
from flowrunner.regular_file import IrregularFileError, OutsideError, read_regular_file
from flowrunner.source import Source
from flowrunner.suggestion import nearest

__all__ = ["MAXIMUM_BYTES", "MAXIMUM_JSON_BYTES", "read_source", "workflow_files"]

#: The largest file that is read, in bytes: some 40,000 steps.
MAXIMUM_BYTES: Final = 4 * 1024 * 1024
#: The largest file of inputs in JSON (``--inputs FILE.json``), in bytes.
MAXIMUM_JSON_BYTES: Final = 64 * 1024 * 1024

#: How a text in one of these begins: with a byte order mark, or with a letter that is ASCII. UTF-32
#: comes first, since its mark begins like that of UTF-16.
_WIDE_ENCODINGS: Final = (
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|[^\0]\0\0\0|\0\0\0[^\0]"), "UTF-32"),
    (re.compile(rb"\xff\xfe|\xfe\xff|[^\0]\0[^\0]\0|\0[^\0]\0[^\0]"), "UTF-16"),
)


def read_source(path: Path, within: Path | None = None, most: int = MAXIMUM_BYTES) -> Source:
    """Return the text of a UTF-8 file; ``-`` is standard input, unless the file is ``within``.

    ``within`` is the real path of the folder that the file has to lie in. More than ``most`` bytes
    are refused before they are decoded. Raises
    :class:`~flowrunner.errors.WorkflowError` when there is no such file, or when it is not a
    regular file, is elsewhere, too large or not a text.
    """
    name = str(path)
    from_user = within is None and name == "-"
    try:
        content = (
            sys.stdin.buffer.read(most + 1)
            if from_user
            else read_regular_file(path, most + 1, within=within)
        )
    except OSError as error:
        raise WorkflowError([_unreadable(path, error, within)]) from error
    if len(content) > most:
        raise WorkflowError(
            [
                Diagnostic(
                    f"{name} is too large",
                    notes=(_limit(most),),
                )
            ]
        )
    if from_user:
        return Source("<stdin>", _decoded("standard input", content))
    return Source(name, _decoded(name, content), path)


def _limit(most: int) -> str:
    if most <= MAXIMUM_BYTES:
        return f"the limit is {most // 1024**2} MiB of YAML"
    return f"the limit is {most // 1024**2} MiB of JSON"


def _unreadable(path: Path, error: OSError, within: Path | None) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        return Diagnostic(f"the file {path} does not exist", notes=_similar(path))
    if isinstance(error, IsADirectoryError):
        files = sorted(str(file) for file in path.glob("*.y*ml"))[:8]
        cure = f"name a file in it: {', '.join(files)}" if files else "name a YAML file"
        return Diagnostic(f"{path} is a folder", notes=(cure,))
    if isinstance(error, IrregularFileError):
        standard_input = ("to read standard input, name '-'",) if within is None else ()
        return Diagnostic(f"{path} is {error.kind}; name a regular file", notes=standard_input)
    if isinstance(error, OutsideError):
        return Diagnostic(f"{path} is a link that leaves the project")
    return Diagnostic(f"{path} cannot be read: {error.strerror or error}")


def _similar(path: Path) -> tuple[str, ...]:
    for folder in (path.parent, Path("workflows")):
        try:
            files = {each.stem: each for each in folder.iterdir() if each.suffix in _SUFFIXES}
        except OSError:
            continue
        close = nearest(path.stem if path.suffix in _SUFFIXES else path.name, sorted(files))
        if close is not None:
            return (f"did you mean {files[close]}?",)
    return ()


_SUFFIXES: Final = (".yaml", ".yml", ".json")


def _decoded(name: str, content: bytes) -> str:
    encoding = next((name for start, name in _WIDE_ENCODINGS if start.match(content)), None)
    if encoding is not None:
        raise WorkflowError([Diagnostic(f"{name} is in {encoding}", notes=("save it as UTF-8",))])
    if b"\0" in content:
        raise WorkflowError(
            [
                Diagnostic(
                    f"{name} is not a text file",
                    notes=("it contains null bytes: name a text file",),
                )
            ]
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WorkflowError(
            [
                Diagnostic(
                    f"{name} is not UTF-8: byte 0x{content[error.start]:02x} in line {line}",
                    notes=("save it as UTF-8, or name a text file",),
                )
            ]
        ) from error


_WORKFLOW_SUFFIXES: Final = (".yaml", ".yml")


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
                    f"there is no {' or '.join(_WORKFLOW_SUFFIXES)} file in the folder {path}",
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
                elif entry.name.endswith(_WORKFLOW_SUFFIXES):
                    yield here / entry.name
