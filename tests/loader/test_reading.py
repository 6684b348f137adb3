"""Files to texts: what cannot be read is said with a cure."""

import os
from pathlib import Path

import pytest

from flowrunner.errors import WorkflowError
from flowrunner.loader.reading import MAXIMUM_BYTES, read_source


def refusal(path: Path) -> str:
    with pytest.raises(WorkflowError) as caught:
        read_source(path)
    (problem,) = caught.value.diagnostics
    return "\n".join([problem.message, *problem.notes])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\x02\x01\x00\x00", ["is not a text file", "null bytes"]),
        (b"task: caf\xe9\n", ["is not UTF-8: byte 0xe9 in line 1", "save it as UTF-8"]),
        *(
            ("task: power\n".encode(encoding), [encoding[:6].upper(), "save it as UTF-8"])
            for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
        ),
        ("\ufefftask: power\n".encode("utf-16-be"), ["is in UTF-16"]),
        ("\ufefftask: power\n".encode("utf-32-be"), ["is in UTF-32"]),
        ("{}".encode("utf-16-le"), ["is in UTF-16"]),
        (b"\0\0\0\0task", ["is not a text"]),
        (b"#" * (MAXIMUM_BYTES + 1), ["is too large", "4 MiB"]),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, words: list[str]) -> None:
    file = tmp_path / "workflow.yaml"
    file.write_bytes(content)
    said = refusal(file)
    assert all(word in said for word in words), said


def test_a_file_that_is_not_there_is_named_with_one_that_is(tmp_path: Path) -> None:
    (tmp_path / "powersum.yaml").touch()
    assert f"did you mean {tmp_path / 'powersum.yaml'}?" in refusal(tmp_path / "powersun.yaml")
    assert f"did you mean {tmp_path / 'powersum.yaml'}?" in refusal(tmp_path / "powersum")


def test_a_folder_is_refused_with_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    assert refusal(tmp_path) == f"{tmp_path} is a folder\nname a file in it: {tmp_path / 'a.yaml'}"


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert refusal(tmp_path / "pipe.yaml") == (
        f"{tmp_path / 'pipe.yaml'} is a FIFO; name a regular file\nto read standard input, name '-'"
    )


def test_a_byte_order_mark_and_windows_line_endings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "workflow.yaml"
    file.write_bytes(b"\xef\xbb\xbfchain:\r\n  - power\r\n")
    source = read_source(file)
    assert source.line(1) == "chain:"
    assert source.line(2) == "  - power"
