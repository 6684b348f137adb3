"""What README.md shows is what happens.

Its two commands install into new environments and one of them runs this suite, so ``.ci/run``
runs those; here is everything else. ``UPDATE_GOLDEN=1`` writes the outputs anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowrunner.plugins import PluginReference, load_plugins

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")

OUTPUT = re.compile(r"<!-- output -->\n```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)*?)```\n")
CLUSTER = re.compile(r"<!-- cluster: (\w+) -->\n```bash\n((?:.*\n)*?)```\n")
COMMANDS = re.compile(r"<!-- command: (\w+) -->\n```bash\n((?:.*\n)*?)```\n")
FILE = re.compile(r"<!-- file: (\S+) -->\n```yaml\n((?:.*\n)*?)```\n")
PYTHON = re.compile(r"```python\n((?:.*\n)*?)```\n")


def printed_by(command: str) -> str:
    """Return what a command prints on stdout and stderr, run as the README's reader would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
    return subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


@pytest.mark.parametrize("command", [found["command"] for found in OUTPUT.finditer(TEXT)])
def test_a_command_prints_what_the_readme_says(command: str) -> None:
    shown = next(found for found in OUTPUT.finditer(TEXT) if found["command"] == command)
    output = printed_by(command)
    if os.environ.get("UPDATE_GOLDEN"):
        block = f"<!-- output -->\n```console\n$ {command}\n{output}```\n"
        README.write_text(README.read_text("utf-8").replace(shown[0], block), encoding="utf-8")
        return
    assert output == shown["output"]


def test_every_block_of_commands_is_run_by_a_test_or_by_ci() -> None:
    blocks = re.findall(r"```(bash|console)\n", TEXT)
    assert len(blocks) == sum(len(pattern.findall(TEXT)) for pattern in (OUTPUT, COMMANDS, CLUSTER))
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [name for name, _ in COMMANDS.findall(TEXT)] == ["run", "test"]
    assert all(f"readme_command {name}" in ci for name, _ in COMMANDS.findall(TEXT))


def test_figures_are_given_with_the_command_that_measured_them() -> None:
    shown = dict(re.findall(r"<!-- benchmark: (.+) -->\n```text\n((?:.*\n)*?)```\n", TEXT))
    comparison, startup, cost = shown
    assert (ROOT / f"{cost.removeprefix('python -m ').replace('.', '/')}.py").is_file()
    assert "16 chords of 100" in shown[cost]
    assert (ROOT / startup.removeprefix("python ")).is_file()
    assert "flowrunner validate takes 0." in shown[startup]
    module, count = comparison.removeprefix("python -m ").split()
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    first, *rows = shown[comparison].splitlines()
    assert first.startswith(f"{int(count):,} random shapes")
    assert any(re.fullmatch(r"  the value that the nesting says .* 100\.0%", row) for row in rows)


def test_a_file_is_shown_as_it_is() -> None:
    shown = FILE.findall(TEXT)
    assert shown
    for name, content in shown:
        assert (ROOT / name).read_text(encoding="utf-8") == content


@pytest.mark.parametrize("document", ["README.md", "docs/plugins.md"])
def test_a_plugin_that_is_shown_works(document: str, tmp_path: Path) -> None:
    snippets = PYTHON.findall((ROOT / document).read_text(encoding="utf-8"))
    (tmp_path / "shown.py").write_text(snippets[0], encoding="utf-8")
    registry = load_plugins([PluginReference("shown.py", "test", tmp_path)]).tasks()
    assert registry.names()
