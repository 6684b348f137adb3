"""Tasks that read folders of texts, tell things about them and write reports."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

from flowrunner import hookimpl
from flowrunner.tasks import PluginTasks

__all__ = [
    "count_words",
    "describe_text",
    "first_line",
    "flowrunner_register_tasks",
    "list_files",
    "longest_words",
    "sign_file",
    "write_report",
]


def list_files(folder: str, pattern: str = "*.txt") -> list[str]:
    """Return the paths of a folder's files that match a pattern, in the order of their names.

    Raises NotADirectoryError where there is no such folder.
    """
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    return [str(path) for path in sorted(Path(folder).glob(pattern)) if path.is_file()]


def count_words(file: str) -> int:
    """Return how many words a text has."""
    return len(_read(file).split())


def first_line(file: str) -> str:
    """Return the first line of a text; an empty text for none."""
    return next(iter(_read(file).splitlines()), "")


def longest_words(file: str, count: int = 3) -> list[str]:
    """Return the longest words of a text, the longest first, each once."""
    words = {word.strip(".,;:!?()\"'").lower() for word in _read(file).split()}
    return sorted(words, key=lambda word: (-len(word), word))[:count]


def describe_text(file: str) -> dict[str, Any]:
    """Return a text's name, its first line as its title, and how many words it has."""
    return {"name": Path(file).name, "title": first_line(file), "words": count_words(file)}


def write_report(texts: list[dict[str, Any]], title: str, target: str) -> str:
    """Write a table of texts, as ``describe_text`` gives them, and return the file's path."""
    rows = [f"| {text['name']} | {text['title']} | {text['words']} |" for text in texts]
    lines = [f"# {title}", "", "| file | title | words |", "| --- | --- | ---: |", *rows]
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def sign_file(file: str, key: str) -> str:
    """Write a signature (HMAC-SHA256) beside a file and return the signature's path."""
    signature = hmac.new(key.encode(), Path(file).read_bytes(), hashlib.sha256).hexdigest()
    target = f"{file}.sig"
    Path(target).write_text(f"{signature}  {Path(file).name}\n", encoding="utf-8")
    return target


def _read(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


@hookimpl
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register every task of this file."""
    readers = (list_files, count_words, first_line, longest_words, describe_text)
    for task in (*readers, write_report, sign_file):
        registry.add(task)
