"""Tasks that build a small Python project: compile, test, pack, publish into a folder."""

import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from flowrunner import hookimpl
from flowrunner.tasks import PluginTasks

__all__ = [
    "compile_sources",
    "find_sources",
    "flowrunner_register_tasks",
    "pack_files",
    "publish_files",
    "run_examples",
    "write_notes",
]


def find_sources(project: str) -> list[str]:
    """Return the paths of a project's modules. Raises FileNotFoundError for none."""
    found = sorted(str(path) for path in Path(project).glob("*.py"))
    if not found:
        raise FileNotFoundError(f"{project} has no modules")
    return found


def compile_sources(sources: list[str], folder: str) -> list[str]:
    """Compile modules into a folder and return the paths of what is compiled."""
    compiled = []
    for source in sources:
        target = str(Path(folder) / f"{Path(source).stem}.pyc")
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(source, target, doraise=True, invalidation_mode=mode)
        compiled.append(target)
    return compiled


def run_examples(sources: list[str]) -> int:
    """Run the examples in the docstrings of modules, and return how many there are.

    Raises ValueError with what was printed where one of them goes wrong.
    """
    passed = 0
    for source in sources:
        command = [sys.executable, "-B", "-m", "doctest", "-v", source]
        # The command is this interpreter's own; a source is a path and never an option.
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise ValueError(f"an example of {source} went wrong:\n{done.stdout}{done.stderr}")
        count = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
        passed += int(count[1]) if count else 0
    return passed


def pack_files(files: list[str], target: str) -> str:
    """Pack files into a ZIP archive, the same bytes each time, and return its path."""
    with ZipFile(target, "w") as archive:
        for file in files:
            archive.writestr(ZipInfo(Path(file).name), Path(file).read_bytes())
    return target


def write_notes(built: list[Any], target: str) -> str:
    """Write what was built, and how many examples have passed; return the path of the notes.

    ``built`` is a list of the two: one path or several, and a number.
    """
    what, passed = built
    names = ", ".join(Path(file).name for file in ([what] if isinstance(what, str) else what))
    Path(target).write_text(f"{names}: {passed} examples passed\n", encoding="utf-8")
    return target


def publish_files(files: list[str], folder: str) -> list[str]:
    """Copy files into a folder for all to see, and return their names there."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(file, folder)).name for file in files]


@hookimpl
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register every task of this file."""
    makers = (compile_sources, pack_files, write_notes, publish_files)
    for task in (find_sources, run_examples, *makers):
        registry.add(task)
