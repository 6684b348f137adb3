"""The files that come with flowrunner: schemas, example workflows and plugins."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["data_path"]


def data_path(*parts: str) -> Traversable:
    """Return a shipped file or folder: ``data_path("workflows", "powersum.yaml")``.

    Without parts it is the folder that holds ``plugins``, ``schemas`` and ``workflows``.

    In a checkout, and so in an editable install, these are the live files at its top; in a
    wheel they lie in ``flowrunner/_data``.
    """
    checkout = Path(__file__).parent.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "schemas").is_dir():
        return checkout.joinpath(*parts)
    return files("flowrunner").joinpath("_data", *parts)
