"""Files are read without blocking, and only where they have to be."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from flowrunner import regular_file
from flowrunner.regular_file import IrregularFileError, OutsideError, read_regular_file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, beside another one, outside of it."""
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "file").write_text("content")
    monkeypatch.chdir(folder)
    return folder


def test_a_file_is_read_up_to_a_limit(project: Path) -> None:
    assert read_regular_file(Path("file"), 100) == b"content"
    assert read_regular_file(Path("file"), 4, within=project) == b"cont"


def test_anything_else_is_refused_without_being_opened(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo("fifo")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket")
    Path("null").symlink_to("/dev/null")

    def opened(*arguments: object) -> int:
        raise AssertionError("it was opened")

    monkeypatch.setattr(os, "open", opened)
    for name, kind in {"fifo": "a FIFO", "socket": "a socket", "null": "a device"}.items():
        with pytest.raises(IrregularFileError) as caught:
            read_regular_file(Path(name), 1)
        assert caught.value.kind == kind
    with pytest.raises(IsADirectoryError):
        read_regular_file(Path(), 1)
    listening.close()


def replaced_before_the_open(
    monkeypatch: pytest.MonkeyPatch, name: str, *, by: Path | None
) -> None:
    """Put a FIFO, or a link, in the place of a file after it was looked at."""
    really_open = os.open

    def replace_and_open(path: Path, flags: int) -> int:
        Path(name).unlink()
        os.mkfifo(name) if by is None else Path(name).symlink_to(by)
        return really_open(path, flags)

    monkeypatch.setattr(regular_file.os, "open", replace_and_open)


def test_a_fifo_that_takes_the_files_place_does_not_block(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_before_the_open(monkeypatch, "file", by=None)
    with pytest.raises(IrregularFileError):
        read_regular_file(Path("file"), 1)


@pytest.mark.parametrize("system", ["Linux", "another"])
def test_a_link_that_takes_the_files_place_is_not_read(
    project: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    if system == "another":

        def no_such_file(path: str) -> str:
            raise FileNotFoundError(path)

        monkeypatch.setattr(os, "readlink", no_such_file)
        assert read_regular_file(Path("file"), 100, within=project) == b"content"
        monkeypatch.setattr(regular_file, "real_path", lambda path: project / path)
    replaced_before_the_open(monkeypatch, "file", by=project.parent / "outside")
    with pytest.raises(OutsideError):
        read_regular_file(Path("file"), 100, within=project)
