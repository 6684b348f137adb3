"""Inputs of many megabytes in JSON: read in few times their size, refused beyond a limit."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from flowrunner import given_inputs
from flowrunner.errors import WorkflowError
from flowrunner.loader import load_workflow, reading
from flowrunner.model import Workflow
from flowrunner.node import plain
from flowrunner.source import Source


@pytest.fixture
def workflow() -> Workflow:
    return load_workflow(Source("a.yaml", "{inputs: {rows: {type: array}}, task: a}"))


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reading, given_inputs):
        monkeypatch.setattr(module, "MAXIMUM_BYTES", 1_000)
    monkeypatch.setattr(given_inputs, "MAXIMUM_JSON_BYTES", 40_000)


@pytest.mark.parametrize("item", ["[]", "{}", "1", '"a"', '{"a": 1}', "null"])
def test_json_is_read_in_few_times_its_size(tmp_path: Path, workflow: Workflow, item: str) -> None:
    file = tmp_path / "inputs.json"
    count = 30_000 // (len(item) + 1)
    file.write_text(f'{{"rows": [{",".join([item] * count)}]}}', encoding="utf-8")
    tracemalloc.start()
    found = given_inputs.given_inputs(workflow, [], file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plain(found)["rows"]) == count
    assert most < 30 * file.stat().st_size


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("inputs.json", "[" * 50_000, "is too large"),
        ("inputs.json", f"[{'1,' * 1_000}1]", "is not a JSON object"),
        ("inputs.json", f'{{"a": [{"1," * 1_000}}}', "is not a JSON object"),
        ("inputs.json", "[" * 2_000, "is not a JSON object"),
        ("inputs.yaml", f"a: [{'1,' * 1_000}1]", "is too large"),
    ],
)
def test_what_is_too_large_or_no_json_is_refused(
    tmp_path: Path, workflow: Workflow, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(WorkflowError, match=message):
        given_inputs.given_inputs(workflow, [], tmp_path / name)
