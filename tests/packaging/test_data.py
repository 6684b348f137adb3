"""The shipped files are found from a checkout, and so from an editable install."""

from pathlib import Path

from flowrunner.data import data_path

ROOT = Path(__file__).parent.parent.parent


def test_a_checkout_has_its_live_files() -> None:
    assert data_path() == ROOT
    assert data_path("workflows", "powersum.yaml") == ROOT / "workflows" / "powersum.yaml"


def test_every_shipped_folder_is_there() -> None:
    for name in ("plugins/arithmetic.py", "schemas/workflow.schema.json", "workflows/nested.yaml"):
        assert data_path(*name.split("/")).is_file()
