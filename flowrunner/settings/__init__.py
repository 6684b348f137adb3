"""Settings: defaults, then the configuration file, then ``FLOWRUNNER_…``, then options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowrunner.errors import ConfigurationError
from flowrunner.password import masked
from flowrunner.plugins import PluginReference
from flowrunner.settings.definitions import DEFINITIONS
from flowrunner.settings.file import find_table
from flowrunner.settings.model import NO_RUNS, AppReference, Settings
from flowrunner.settings.reading import Place
from flowrunner.suggestion import did_you_mean, nearest

__all__ = [
    "NO_RUNS",
    "VARIABLES",
    "AppReference",
    "Settings",
    "load_settings",
    "misspelt_variables",
    "shown_settings",
]

PREFIX: Final = "FLOWRUNNER_"
#: The variables of the environment that say settings.
VARIABLES: Final = tuple(PREFIX + name.upper() for name in DEFINITIONS)


def load_settings(
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    plugins: tuple[str, ...] = (),
    **options: str | bool | int | None,
) -> Settings:
    """Return the settings that hold in ``folder`` (the working directory by default).

    ``options`` are what the command line says, by the names of settings. Plugins of all origins
    are loaded; of every other setting the strongest origin wins, as a whole. With ``no_plugins``
    the plugins that a file or the environment names are left out, and an option that names one
    is refused. Raises :class:`~flowrunner.errors.ConfigurationError` for a file or a value that
    is wrong.
    """
    try:
        folder = folder or Path.cwd()
    except FileNotFoundError as error:
        raise ConfigurationError("the working directory has been deleted") from error
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for place, name, raw in (
        *_in_file(folder),
        *_in_environment(environment),
        *_in_options({**options, "plugins": plugins}),
    ):
        definition = DEFINITIONS[name]
        value = definition.read(raw, place)
        if value is None:
            continue
        added = definition.adds_up and name in values
        values[name] = values[name] + value if added else value
        origins[name] = f"{origins[name]}, {place.shown}" if added else place.shown
    if values.get("no_plugins"):
        _refuse_named_code(origins)
        values.pop("plugins", None)
        origins.pop("plugins", None)
    return Settings(**values, origins=origins)


def _refuse_named_code(origins: Mapping[str, str]) -> None:
    """Refuse an option that names code to load beside ``--no-plugins``."""
    for name in ("plugins", "app"):
        option = DEFINITIONS[name].option
        if option in origins.get(name, "").split(", "):
            raise ConfigurationError(
                f"{option} names code to load, and {origins['no_plugins']} loads none; "
                f"choose one of them"
            )


def shown_settings(settings: Settings) -> list[tuple[str, Any, str]]:
    """Return each setting's name, its value without passwords and where it comes from."""
    return [
        (name, masked(_plain(getattr(settings, name))), settings.origins.get(name, "default"))
        for name in DEFINITIONS
    ]


def _plain(value: Any) -> Any:
    match value:
        case AppReference() | PluginReference():
            return value.name
        case tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def misspelt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that look like a setting's and are none, each with the right one."""
    known = [name.upper() for name in DEFINITIONS]
    found = {
        name: nearest(name.removeprefix(PREFIX), known)
        for name in environment
        if name.startswith(PREFIX) and name not in VARIABLES
    }
    return {name: PREFIX + right for name, right in found.items() if right is not None}


def _in_file(folder: Path) -> list[tuple[Place, str, Any]]:
    file, table = find_table(folder)
    names = [name for name, definition in DEFINITIONS.items() if definition.in_file]
    for key in table:
        if key in DEFINITIONS and key not in names:
            raise ConfigurationError(
                f"{file}: '{key}' cannot be set in a file; use {DEFINITIONS[key].option}, or "
                f"{PREFIX}{key.upper()}=1"
            )
        if key not in names:
            cure = did_you_mean(key, names, f"settings: {', '.join(names)}")
            raise ConfigurationError(f"{file}: unknown setting '{key}'; {cure}")
    return [(Place.of_file(file, name), name, raw) for name, raw in table.items()]


def _in_environment(environment: Mapping[str, str]) -> list[tuple[Place, str, Any]]:
    found = []
    for name, definition in DEFINITIONS.items():
        variable = PREFIX + name.upper()
        text = environment.get(variable)
        if text:
            place = Place(variable, variable, f"{variable}: '{name}'")
            found.append((place, name, definition.parse(text, place)))
    return found


def _in_options(options: Mapping[str, Any]) -> list[tuple[Place, str, Any]]:
    found = []
    for name, raw in options.items():
        if raw:
            option = DEFINITIONS[name].option
            found.append((Place(option, option, option), name, raw))
    return found
