"""The wheel and the sdist hold what they have to, and work where there is no checkout."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent.parent
DATA = ("plugins/arithmetic.py", "schemas/workflow.schema.json", "workflows/powersum.yaml")

pytestmark = pytest.mark.slow


def python(*arguments: str, folder: Path, path: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--outdir", str(folder), str(ROOT), folder=folder)
    return folder


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_the_wheel_ships_plugins_schemas_and_workflows(distributions: Path) -> None:
    with ZipFile(only(distributions, "*.whl")) as wheel:
        names = set(wheel.namelist())
    assert {f"flowrunner/_data/{name}" for name in DATA} <= names
    assert "flowrunner/py.typed" in names
    assert not any(name.startswith("tests/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_ships_what_its_tests_need(distributions: Path) -> None:
    with tarfile.open(only(distributions, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {*DATA, "README.md", "LICENSE", "CHANGELOG.md", "tests/conftest.py", ".ci/run"}
    assert wanted <= names


def test_an_installed_wheel_runs_powersum_from_an_empty_folder(
    distributions: Path, tmp_path: Path
) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    wheel = str(only(distributions, "*.whl"))
    python(
        "-m", "pip", "install", "-q", "--no-deps", "--target", str(installed), wheel, folder=empty
    )
    show = "from flowrunner.data import data_path; print(data_path())"
    data = Path(python("-c", show, folder=empty, path=str(installed)).strip())
    assert data == installed / "flowrunner" / "_data"
    printed = python(
        *("-m", "flowrunner", "apply", str(data / "workflows" / "powersum.yaml")),
        *("--plugin", str(data / "plugins")),
        folder=empty,
        path=str(installed),
    )
    assert printed == "285\n"
