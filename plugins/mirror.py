"""Tasks that fetch files from a mirror, which is a folder here: no network is needed to try it."""

import shutil
from pathlib import Path
from typing import Any

from flowrunner import hookimpl
from flowrunner.tasks import PluginTasks

__all__ = ["fetch_file", "flowrunner_register_tasks", "list_fetched"]


def fetch_file(name: str, mirror: str, folder: str, busy: int = 0) -> str:
    """Copy a file from a mirror into a folder and return the path of the copy.

    As busy mirrors do, it raises ConnectionError first: ``busy`` times for each file, counted in
    a hidden file beside the copy. Raises FileNotFoundError for a file that the mirror lacks.
    """
    target = Path(folder) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    source = Path(mirror) / name
    if not source.is_file():
        raise FileNotFoundError(f"{mirror} has no file {name}")
    tries = target.with_name(f".{name}.tries")
    tried = len(tries.read_text(encoding="utf-8")) if tries.is_file() else 0
    if tried < busy:
        tries.write_text("x" * (tried + 1), encoding="utf-8")
        raise ConnectionError(f"{mirror} is busy: try {tried + 1} for {name}")
    shutil.copyfile(source, target)
    return str(target)


def list_fetched(files: list[str | None], errors: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the names of the files that were fetched, and what was said of the others."""
    return {
        "fetched": [Path(file).name for file in files if file is not None],
        "missing": [error["message"] for error in errors],
    }


@hookimpl
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register every task of this file."""
    registry.add(fetch_file)
    registry.add(list_fetched)
