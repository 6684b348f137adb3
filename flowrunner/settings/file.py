"""The configuration file: the nearest one that says anything of flowrunner."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from flowrunner.errors import ConfigurationError
from flowrunner.regular_file import IrregularFileError, read_regular_file

__all__ = ["MAXIMUM_BYTES", "find_table"]

#: The largest configuration file that is read, in bytes.
MAXIMUM_BYTES: Final = 4 * 1024 * 1024

#: Where a setting may stand, nearest folder first; flowrunner.toml wins in one folder.
FILE_NAMES: Final = ("flowrunner.toml", "pyproject.toml")


def find_table(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the file whose settings hold in a folder, and its table; empty where there is none.

    Raises :class:`~flowrunner.errors.ConfigurationError` for a file that cannot be read.
    """
    for parent in (folder, *folder.parents):
        for name in FILE_NAMES:
            file = parent / name
            table = _read_table(file)
            if table is not None:
                return file, table
    return folder, {}


def _read_table(file: Path) -> dict[str, Any] | None:
    try:
        content = read_regular_file(file, MAXIMUM_BYTES + 1)
        text = content.decode("utf-8")
    except IrregularFileError as error:
        raise ConfigurationError(f"{file} is {error.kind}, not a regular file") from error
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    if len(content) > MAXIMUM_BYTES:
        raise ConfigurationError(
            f"{file} is too large: the limit is {MAXIMUM_BYTES // 1024**2} MiB of settings"
        )
    is_own = file.name == "flowrunner.toml"
    if not is_own and "flowrunner" not in text:
        return None  # spares most projects the time that the parser takes
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from error
    tools = document.get("tool")
    table = document if is_own else tools.get("flowrunner") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{file}: [tool.flowrunner] must be a table")
    return table
