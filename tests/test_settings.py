"""Settings: defaults, then the file, then the environment, then options."""

from pathlib import Path
from typing import Any

import pytest

from flowrunner.errors import ConfigurationError
from flowrunner.settings import AppReference, Settings, load_settings


def test_nothing_has_to_be_configured(tmp_path: Path) -> None:
    assert load_settings(folder=tmp_path, environment={}) == Settings()


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.flowrunner]\nbroker = "file"\nbackend = "file"\nconcurrency = 1\n'
    )
    environment = {"FLOWRUNNER_BROKER": "environment", "FLOWRUNNER_CONCURRENCY": "2"}
    found = load_settings(folder=tmp_path, environment=environment, broker="option")
    assert (found.broker, found.backend, found.concurrency) == ("option", "file", 2)


@pytest.mark.parametrize("key", ["broker", "backend", "concurrency"])
def test_each_setting_goes_from_the_file_over_the_environment_to_the_option(
    tmp_path: Path, key: str
) -> None:
    values: list[Any] = [1, 2, 3] if key == "concurrency" else ["file", "environment", "option"]
    assert getattr(load_settings(folder=tmp_path, environment={}), key) is None
    (tmp_path / "flowrunner.toml").write_text(f"{key} = {values[0]!r}\n")
    environment = {f"FLOWRUNNER_{key.upper()}": str(values[1])}
    found = [
        load_settings(folder=tmp_path, environment={}),
        load_settings(folder=tmp_path, environment=environment),
        load_settings(folder=tmp_path, environment=environment, **{key: values[2]}),
    ]
    assert [getattr(each, key) for each in found] == values


def test_an_app_goes_the_same_way_and_knows_who_named_it(tmp_path: Path) -> None:
    environment = {"FLOWRUNNER_APP": "environment"}
    (tmp_path / "flowrunner.toml").write_text('app = "file"\n')
    assert [
        load_settings(folder=tmp_path, environment={}).app,
        load_settings(folder=tmp_path, environment=environment).app,
        load_settings(folder=tmp_path, environment=environment, app="option").app,
    ] == [
        AppReference("file", "flowrunner.toml", tmp_path),
        AppReference("environment", "FLOWRUNNER_APP"),
        AppReference("option", "-A"),
    ]


def test_the_nearest_file_holds_and_flowrunner_toml_before_pyproject(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "flowrunner.toml").write_text('broker = "far"\n')
    assert load_settings(folder=inner, environment={}).broker == "far"
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert load_settings(folder=inner, environment={}).broker == "far"
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.flowrunner]\nbroker = "near"\n')
    assert load_settings(folder=inner, environment={}).broker == "near"
    (tmp_path / "a" / "flowrunner.toml").write_text('broker = "own"\n')
    assert load_settings(folder=inner, environment={}).broker == "own"


def test_plugins_of_all_origins_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "flowrunner.toml").write_text('plugins = ["one"]\n')
    found = load_settings(
        folder=tmp_path, environment={"FLOWRUNNER_PLUGINS": "two:three"}, plugins=("four",)
    )
    assert [(plugin.name, plugin.origin) for plugin in found.plugins] == [
        ("one", "flowrunner.toml"),
        ("two", "FLOWRUNNER_PLUGINS"),
        ("three", "FLOWRUNNER_PLUGINS"),
        ("four", "--plugin"),
    ]
    assert found.plugins[0].folder == tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plugins = [", "is not TOML"),
        ('plugins = "one"', "'plugins' must be a list"),
        ("plugins = [1]", "'plugins' must be a list"),
        ('pluggins = ["one"]', "there is no setting 'pluggins'; did you mean 'plugins'?"),
        ("app = 1", "'app' must name a Celery app in quotes"),
        ("broker = 1", "'broker' must be a URL in quotes"),
        ("concurrency = 0", "'concurrency' must be a whole number from 1"),
        ("concurrency = true", "'concurrency' must be a whole number from 1"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "flowrunner.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"flowrunner\.toml") as caught:
        load_settings(folder=tmp_path, environment={})
    assert words in str(caught.value)


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FLOWRUNNER_CONCURRENCY"):
        load_settings(folder=tmp_path, environment={"FLOWRUNNER_CONCURRENCY": "many"})


def test_a_pyproject_that_is_not_toml_and_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    assert load_settings(folder=tmp_path, environment={}) == Settings()
