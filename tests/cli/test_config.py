"""``flowrunner config``: each setting and where it comes from."""

import json

from tests.cli.commands import Folder


def test_each_setting_is_listed_with_its_origin(folder: Folder) -> None:
    file = folder.path / "pyproject.toml"
    ended = folder.run("config", "--broker", "redis://host/0", FLOWRUNNER_RESULT_EXPIRES="2 days")
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}
    assert rows["plugins"] == ['["plugins"]', str(file)]
    assert rows["broker"] == ["redis://host/0", "--broker"]
    assert rows["result_expires"] == ["172800", "FLOWRUNNER_RESULT_EXPIRES"]
    assert rows["backend"] == ["-", "default"]
    assert (ended.code, ended.err) == (0, "")


def test_json_is_for_programs(folder: Folder) -> None:
    ended = folder.run("config", "--output", "json", FLOWRUNNER_BROKER_USE_SSL="true")
    found = json.loads(ended.out)
    assert found["broker_use_ssl"] == {"value": True, "origin": "FLOWRUNNER_BROKER_USE_SSL"}
    assert found["result_expires"] == {"value": 86400, "origin": "default"}


def test_what_is_wrong_is_refused_with_its_place(folder: Folder) -> None:
    ended = folder.run("config", FLOWRUNNER_RESULT_EXPIRES="soon")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: FLOWRUNNER_RESULT_EXPIRES: 'result_expires' must be")
    ended = folder.run("config", "--output", "json", FLOWRUNNER_RESULT_EXPIRES="soon")
    assert (ended.code, json.loads(ended.out)["state"]) == (2, "REFUSED")


def test_a_misspelt_variable_is_told(folder: Folder) -> None:
    ended = folder.run("config", FLOWRUNNER_BROKR="redis://:pw@host")
    assert ended.err == "unknown setting FLOWRUNNER_BROKR; did you mean FLOWRUNNER_BROKER?\n"
