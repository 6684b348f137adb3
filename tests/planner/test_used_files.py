"""Files that a workflow uses are found beside it and read once; what is wrong has its place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest

from flowrunner.loader import WorkflowFiles, read_source
from flowrunner.model import Workflow
from flowrunner.planner import used_files
from flowrunner.planner.problems import Problems
from flowrunner.planner.used_files import MOST_NESTED, UsedFiles, Uses
from flowrunner.source import Location, Source

#: A user who owns nothing.
NOBODY = 65_534


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a project of a few files."""
    project = tmp_path / "project"
    (project / "parts").mkdir(parents=True)
    for name in ("main.yaml", "parts/load.yaml", "../outside.yaml", "beside.yaml"):
        (project / name).write_text("task: call\n")
    (project / "pyproject.toml").touch()
    monkeypatch.chdir(project)


class Files:
    """Loads files as if they used each other."""

    def __init__(self) -> None:
        self.files = UsedFiles(WorkflowFiles().load)
        self.problems = Problems()

    def use(self, name: str, uses: Uses) -> tuple[Workflow, Uses] | None:
        place = Location(uses.sources[-1], 0, 4)
        return self.files.load(name, place, uses, self.problems)

    @property
    def told(self) -> list[str]:
        return [
            ": ".join(filter(None, (str(each.location), each.message, each.label, *each.notes)))
            for each in self.problems.in_order()
        ]


def main(name: str = "main.yaml") -> Uses:
    return Uses.of(read_source(Path(name)))


@pytest.mark.parametrize(
    ("using", "name", "found"),
    [
        ("main.yaml", "beside.yaml", "beside.yaml"),
        ("main.yaml", "./parts/load.yaml", "parts/load.yaml"),
        ("parts/load.yaml", "../beside.yaml", "beside.yaml"),
    ],
)
def test_a_path_is_relative_to_the_file_that_uses_it(using: str, name: str, found: str) -> None:
    files = Files()
    loaded = files.use(name, main(using))
    assert loaded is not None
    assert loaded[0].source.name == found
    assert not files.told


def test_standard_input_uses_what_is_in_the_working_directory() -> None:
    loaded = Files().use("parts/load.yaml", Uses.of(Source("<stdin>", "use: parts/load.yaml")))
    assert loaded is not None
    assert loaded[0].source.name == "parts/load.yaml"


def test_a_file_is_read_once() -> None:
    files = Files()
    first, second = (files.use("beside.yaml", main()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first[0] is second[0]
    assert [source.name for source in files.files.sources] == ["beside.yaml"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "'use' names no file"),
        ("besides.yaml", "the file besides.yaml does not exist: did you mean beside.yaml?"),
        ("parts", "parts is a folder: name a file in it: parts/load.yaml"),
        (
            "/etc/hosts",
            "'use' needs a path relative to main.yaml: "
            "write a relative path: other machines may not have this file",
        ),
        (
            "C:\\work\\load.yaml",
            "'use' needs a path relative to main.yaml: "
            "write a relative path: other machines may not have this file",
        ),
        ("main.yaml", "main.yaml uses itself"),
        ("parts/../main.yaml", "main.yaml uses itself"),
        ("a\0b", "the path contains a null byte"),
    ],
)
def test_problems_stand_where_the_file_is_named(name: str, problem: str) -> None:
    files = Files()
    assert files.use(name, main()) is None
    assert files.told == [f"main.yaml:1:1: {problem}"]


def test_what_is_outside_the_project_is_not_there_elsewhere() -> None:
    files = Files()
    assert files.use("../outside.yaml", main()) is None
    (told,) = files.told
    assert told.startswith("main.yaml:1:1: '../outside.yaml' is outside the project: ")
    assert "flowrunner.toml, pyproject.toml or .git" in told


@pytest.mark.parametrize("marker", ["flowrunner.toml", "pyproject.toml", ".git"])
def test_the_project_is_the_nearest_folder_with_a_marker(marker: str) -> None:
    Path("../.git").mkdir()  # a repository of several projects
    assert Files().use("../outside.yaml", main()) is None
    Path("pyproject.toml").unlink()
    assert Files().use("../outside.yaml", main()) is not None
    Path("parts", marker).touch()
    assert Files().use("../beside.yaml", main("parts/load.yaml")) is None
    parts = Files().use("parts/load.yaml", main())
    assert parts is not None
    assert (
        Files().use("../../outside.yaml", parts[1]) is not None
    )  # the first file's project counts


def test_without_a_marker_the_project_is_the_files_own_folder() -> None:
    Path("pyproject.toml").unlink()
    files = Files()
    assert files.use("parts/load.yaml", main()) is not None
    assert files.use("../beside.yaml", main("parts/load.yaml")) is None
    assert files.use("../outside.yaml", Uses.of(Source("<stdin>", "use: …"))) is None


@pytest.mark.parametrize(
    ("link", "target", "name"),
    [
        ("link.yaml", "../outside.yaml", "link.yaml"),
        ("shared", "..", "shared/outside.yaml"),
        ("shared", "parts/out", "shared/outside.yaml"),
        ("link.yaml", "../nothing.yaml", "link.yaml"),
        ("link.yaml", "/dev/zero", "link.yaml"),
    ],
)
def test_links_may_not_lead_out_of_it(link: str, target: str, name: str) -> None:
    Path("parts/out").symlink_to("../..")
    Path(link).symlink_to(target)
    Path("../outside.yaml").write_text("password: [")
    files = Files()
    assert files.use(name, main()) is None
    (told,) = files.told
    assert told.startswith(
        f"main.yaml:1:1: {name} is a link that leaves the project: the project is "
    )
    assert "password" not in told


def test_links_inside_it_are_followed() -> None:
    Path("link.yaml").symlink_to("parts/load.yaml")
    Path("more").symlink_to("parts")
    files = Files()
    assert files.use("link.yaml", main()) is not None
    assert files.use("more/load.yaml", main()) is not None
    assert files.told == []


def test_a_project_behind_a_link_is_the_same_project(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("../linked").symlink_to("project")
    monkeypatch.chdir("..")
    assert Files().use("parts/load.yaml", main("linked/main.yaml")) is not None
    assert Files().use("../outside.yaml", main("linked/main.yaml")) is None


def test_a_file_that_was_read_as_a_workflow_is_still_outside() -> None:
    read = WorkflowFiles()
    read.load(Path("../outside.yaml"))
    Path("link.yaml").symlink_to("../outside.yaml")
    files = Files()
    files.files = UsedFiles(read.load)
    assert files.use("link.yaml", main()) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("pipe.yaml", "pipe.yaml is a FIFO; name a regular file"),
        ("-", "the file - does not exist"),
        ("loop.yaml", "loop.yaml cannot be read: Too many levels of symbolic links"),
    ],
)
def test_only_regular_files_are_read(
    name: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo("pipe.yaml")
    Path("loop.yaml").symlink_to("loop.yaml")
    monkeypatch.setattr("sys.stdin", None)
    files = Files()
    assert files.use(name, main()) is None
    assert files.told == [f"main.yaml:1:1: {problem}"]


def test_what_is_wrong_in_a_used_file_points_into_it() -> None:
    Path("beside.yaml").write_text("task: call\nkwargs: 3\nchain: [\n")
    files = Files()
    assert files.use("beside.yaml", main()) is None
    assert files.use("beside.yaml", main()) is None
    (told,) = files.told
    assert told.startswith("beside.yaml:")


def test_a_circle_is_told_whole() -> None:
    files = Files()
    beside = files.use("beside.yaml", main())
    assert beside is not None
    parts = files.use("parts/load.yaml", beside[1])
    assert parts is not None
    assert files.use("../main.yaml", parts[1]) is None
    assert files.told == [
        "parts/load.yaml:1:1: cycle of used files: "
        "main.yaml → beside.yaml → parts/load.yaml → main.yaml: "
        "main.yaml:1:1 uses beside.yaml: beside.yaml:1:1 uses parts/load.yaml: "
        "parts/load.yaml:1:1 uses main.yaml"
    ]
    assert files.use("../beside.yaml", parts[1]) is None
    assert "cycle of used files: beside.yaml → parts/load.yaml → beside.yaml" in files.told[-1]


def test_depth_and_numbers_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files()
    uses = main()
    for number in range(MOST_NESTED + 1):
        Path(f"deep{number}.yaml").write_text("task: call\n")
        found = files.use(f"deep{number}.yaml", uses)
        assert (found is None) == (number == MOST_NESTED)
        uses = uses if found is None else found[1]
    assert files.told == [
        f"deep{MOST_NESTED - 1}.yaml:1:1: used files are nested more than "
        f"{MOST_NESTED} levels deep: "
        f"the first use is at main.yaml:1:1"
    ]

    monkeypatch.setattr(used_files, "MOST_FILES", 1)
    files = Files()
    assert files.use("beside.yaml", main()) is not None
    assert files.use("beside.yaml", main()) is not None
    assert files.use("parts/load.yaml", main()) is None
    assert files.told == ["main.yaml:1:1: the workflow uses more than 1 files"]

    monkeypatch.setattr(used_files, "MOST_USES", 2)
    files = Files()
    assert [files.use("beside.yaml", main()) is None for _ in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert files.told == ["main.yaml:1:1: the workflow has more than 2 steps that use files"]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be another user if this is root, who can read every file."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Files().use("none.yaml", main())  # imports what another user may not be able to read
    with TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        Path(folder).chmod(0o755)
        project = copytree(Path.cwd(), Path(folder, "project"))
        with monkeypatch.context() as patch:
            patch.chdir(project)
            Path("beside.yaml").chmod(0)
            files, uses = Files(), main()
            with unprivileged():
                assert files.use("beside.yaml", uses) is None
    assert files.told == ["main.yaml:1:1: beside.yaml cannot be read: Permission denied"]
