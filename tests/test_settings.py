"""Settings: defaults, then the file, then the environment, then options."""

import os
from pathlib import Path
from typing import Any

import pytest

from flowrunner.errors import ConfigurationError
from flowrunner.settings import AppReference, Settings, load_settings, misspelt_variables


def test_nothing_has_to_be_configured(tmp_path: Path) -> None:
    assert load_settings(folder=tmp_path, environment={}) == Settings()


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.flowrunner]\nbroker = "file"\nbackend = "file"\nconcurrency = 1\n'
    )
    environment = {"FLOWRUNNER_BROKER": "environment", "FLOWRUNNER_CONCURRENCY": "2"}
    found = load_settings(folder=tmp_path, environment=environment, broker="option")
    assert (found.broker, found.backend, found.concurrency) == ("option", "file", 2)


def test_a_namespace_comes_from_the_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "flowrunner.toml").write_text('namespace = "shop"\n')
    environment = {"FLOWRUNNER_NAMESPACE": "bank-2_b"}
    assert load_settings(folder=tmp_path, environment={}).namespace == "shop"
    assert load_settings(folder=tmp_path, environment=environment).namespace == "bank-2_b"


def test_a_namespace_is_refused_with_an_existing_app(tmp_path: Path) -> None:
    (tmp_path / "flowrunner.toml").write_text('namespace = "shop"\n')
    with pytest.raises(ConfigurationError, match=r"'shop' \(.*flowrunner\.toml\)") as caught:
        load_settings(folder=tmp_path, environment={}, app="proj:app")
    assert "the Celery app proj:app (-A)" in str(caught.value)
    assert "remove the setting 'namespace', or set global_keyprefix" in str(caught.value)


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


@pytest.mark.parametrize(
    ("file", "variable", "runs"),
    [
        ("", None, None),
        ("a/b.sqlite3", None, "FOLDER/a/b.sqlite3"),
        ("/a/b.sqlite3", None, "/a/b.sqlite3"),
        ("none", None, "none"),
        ("none", "/b.sqlite3", "/b.sqlite3"),
        ("a.sqlite3", "none", "none"),
        ("~/b", "", str(Path.home() / "b")),
    ],
)
def test_the_file_of_runs_stands_beside_the_file_that_names_it(
    tmp_path: Path, file: str, variable: str | None, runs: str | None
) -> None:
    if file:
        (tmp_path / "flowrunner.toml").write_text(f'runs = "{file}"\n')
    environment = {} if variable is None else {"FLOWRUNNER_RUNS": variable}
    found = load_settings(folder=tmp_path, environment=environment).runs
    assert found == (runs and runs.replace("FOLDER", str(tmp_path)))


@pytest.mark.parametrize("name", ["flowrunner.toml", "pyproject.toml"])
def test_a_fifo_is_no_file_of_settings(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigurationError, match=f"{name} is a FIFO, not a regular file"):
        load_settings(folder=tmp_path, environment={})


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
        ('pluggins = ["one"]', "unknown setting 'pluggins'; did you mean 'plugins'?"),
        ("app = 1", "'app' must name a Celery app in quotes"),
        ("broker = 1", "'broker' must be a URL in quotes"),
        *(
            (f"namespace = {value}", "'namespace' must be up to 63 letters, digits, '-' and '_'")
            for value in ("1", '""', '"a:b"', '"a.b"', '"a*"', '"-a"', '"é"', f'"{"a" * 64}"')
        ),
        ("runs = 1", "'runs' must be the path of a file in quotes, or \"none\""),
        ('runs = "~nobody-of-that-name/b"', "home folder"),
        ("concurrency = 0", "'concurrency' must be an integer from 1"),
        ("concurrency = true", "'concurrency' must be an integer from 1"),
        ('broker = "redis://:pa/ss@host"', "is not a URL: redis://:**@host; in a user name"),
        ("broker_transport_options = 1", "'broker_transport_options' must be a table"),
        (
            "result_backend_transport_options = { result_chord_ordered = false }",
            "must leave result_chord_ordered on",
        ),
        ("broker_use_ssl = 1", "'broker_use_ssl' must be true or a table"),
        (
            'broker_use_ssl = { ssl_ca_cert = "x" }',
            "'broker_use_ssl' has no 'ssl_ca_cert'; did you mean 'ssl_ca_certs'?",
        ),
        ('broker_use_ssl = { ssl_ca_certs = "none.pem" }', "that cannot be read: "),
        ('redis_backend_use_ssl = { ssl_cert_reqs = "no" }', "required, optional, none"),
        ("result_expires = 5", "'result_expires' must be at least 60 seconds"),
        ("result_expires = true", "'result_expires' must be seconds or a string like"),
        ("result_expires = nan", "'result_expires' must be at least 60 seconds"),
        ('result_expires = "2 moons"', "'result_expires' must be seconds or a string like"),
        ('result_expires = "36h ago"', "'result_expires' must be seconds or a string like"),
        ('result_expires = ""', "'result_expires' must be seconds or a string like"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "flowrunner.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"flowrunner\.toml") as caught:
        load_settings(folder=tmp_path, environment={})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("FLOWRUNNER_CONCURRENCY", "many", "must be an integer from 1"),
        ("FLOWRUNNER_RESULT_EXPIRES", "long", "must be seconds or a string like"),
        ("FLOWRUNNER_BROKER_TRANSPORT_OPTIONS", '{"password": secret}', "must be JSON"),
        ("FLOWRUNNER_BROKER_USE_SSL", "[1]", "must be true or a table"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_settings(folder=tmp_path, environment={variable: text})
    assert str(caught.value).startswith(f"{variable}: ")
    assert "secret" not in str(caught.value)


def test_tables_come_from_the_environment_as_json(tmp_path: Path) -> None:
    (tmp_path / "flowrunner.toml").write_text("broker_transport_options = { a = 1, b = 1 }\n")
    environment = {"FLOWRUNNER_BROKER_TRANSPORT_OPTIONS": '{"b": 2}'}
    found = load_settings(folder=tmp_path, environment=environment)
    assert found.broker_transport_options == {"b": 2}  # the strongest origin wins as a whole


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("3600", 3_600),
        ("2 days", 172_800),
        ("36h", 129_600),
        ("1h30m", 5_400),
        ("1 hour and 30 minutes", 5_400),
        ("1.5 weeks", 907_200),
        ("0", 0),
    ],
)
def test_result_expires_is_a_span_of_time(tmp_path: Path, text: str, seconds: int) -> None:
    environment = {"FLOWRUNNER_RESULT_EXPIRES": text}
    assert load_settings(folder=tmp_path, environment=environment).result_expires == seconds


def test_files_of_tls_stand_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    (tmp_path / "flowrunner.toml").write_text(
        'broker_use_ssl = { ca_certs = "ca.pem", ssl_cert_reqs = "CERT_REQUIRED" }\n'
    )
    assert load_settings(folder=tmp_path, environment={}).broker_use_ssl == {
        "ssl_ca_certs": str(tmp_path / "ca.pem"),
        "ssl_cert_reqs": "required",
    }


def test_every_setting_knows_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "flowrunner.toml"
    file.write_text('plugins = ["one"]\nbackend = "file"\nbroker = "file"\napp = ""\n')
    found = load_settings(
        folder=tmp_path,
        environment={"FLOWRUNNER_BROKER": "variable", "FLOWRUNNER_RESULT_EXPIRES": "2 days"},
        plugins=("two",),
        concurrency=3,
    )
    assert found.origins == {
        "plugins": f"{file}, --plugin",
        "backend": str(file),
        "broker": "FLOWRUNNER_BROKER",
        "result_expires": "FLOWRUNNER_RESULT_EXPIRES",
        "concurrency": "--concurrency",
    }
    assert found.of_celery == {"result_expires": 172_800}  # no default: an app has its own


def test_a_misspelt_variable_is_found() -> None:
    environment = {"FLOWRUNNER_BROKR": "x", "FLOWRUNNER_BROKER": "x", "FLOWRUNNER_EXAMPLES": "5"}
    assert misspelt_variables(environment) == {"FLOWRUNNER_BROKR": "FLOWRUNNER_BROKER"}


def test_a_pyproject_that_is_not_toml_and_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    assert load_settings(folder=tmp_path, environment={}) == Settings()
