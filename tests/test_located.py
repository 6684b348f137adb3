"""A struct with a location compares, hashes and reads as if it had none."""

from __future__ import annotations

import pickle
import subprocess
import sys
from inspect import getmembers, isclass
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from flowrunner import model, node
from flowrunner.located import Located
from flowrunner.source import Location, Source
from tests.shipped import ROOT

SOURCE = Source("a.yaml", "abc")
HERE, THERE = Location(SOURCE, 0, 1), Location(SOURCE, 2, 3)
KINDS = sorted(
    {
        each
        for module in (model, node)
        for _, each in getmembers(module, isclass)
        if issubclass(each, Located) and each is not Located
    },
    key=lambda kind: kind.__name__,
)


def made(kind: type[Struct], location: Location, value: Any = "x") -> Any:
    fields = dict.fromkeys(kind.__struct_fields__, value)
    return kind(**{**fields, "location": location})


@pytest.mark.parametrize("kind", KINDS)
def test_values_at_other_locations_are_equal(kind: type[Struct]) -> None:
    one, same = made(kind, HERE), made(kind, THERE)
    assert one == same
    assert not one != same  # noqa: SIM202
    assert hash(one) == hash(same)
    assert repr(one) == repr(same)
    assert "location" not in repr(one)
    assert (one.location, same.location) == (HERE, THERE)


@pytest.mark.parametrize("kind", KINDS)
def test_each_other_field_is_compared(kind: type[Struct]) -> None:
    one = made(kind, HERE)
    for name in kind.__struct_fields__:
        if name != "location":
            other = replace(one, **{name: "y"})
            assert one != other
            assert not one == other  # noqa: SIM201
            assert getattr(other, name) == "y"


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_frozen_and_can_be_pickled(kind: type[Struct]) -> None:
    one = made(kind, HERE)
    with pytest.raises(AttributeError):
        one.location = THERE
    assert pickle.loads(pickle.dumps(one)) == one


def test_values_of_other_classes_differ() -> None:
    fields = {"steps": (), "location": HERE}
    assert model.Chain(**fields) != model.Graph(**fields)
    assert model.Chain(**fields) != "a"
    assert node.Sequence((), HERE) != node.Mapping((), HERE)


def test_the_text_of_a_value_shows_its_fields() -> None:
    assert repr(node.Scalar("a", HERE)) == "Scalar(value='a')"
    assert repr(model.Broken(HERE, "power")) == "Broken(task='power')"


def test_a_struct_without_the_base_class_compares_its_location() -> None:
    from flowrunner.loader.violation import Violation

    assert Violation("must be 1", HERE) != Violation("must be 1", THERE)


@pytest.mark.parametrize("command", ["--help", "--version"])
def test_help_imports_neither_msgspec_nor_jsonschema(command: str) -> None:
    code = (
        "import sys\nfrom flowrunner.__main__ import run\n"
        f"sys.argv = ['flowrunner', '{command}']\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        "assert not {'msgspec', 'jsonschema', 'yaml'} & sys.modules.keys()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
