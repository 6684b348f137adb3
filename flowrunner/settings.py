"""Settings: defaults, then the configuration file, then ``FLOWRUNNER_…``, then options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from flowrunner.errors import ConfigurationError
from flowrunner.plugins import PluginReference
from flowrunner.suggestion import did_you_mean

__all__ = ["AppReference", "Settings", "load_settings"]

#: Where a setting may stand, nearest folder first; flowrunner.toml wins in one folder.
FILE_NAMES: Final = ("flowrunner.toml", "pyproject.toml")
KNOWN: Final = ("app", "backend", "broker", "concurrency", "plugins")


@dataclass(frozen=True)
class AppReference:
    """An existing Celery app as somebody named it, the way that ``celery -A`` takes it.

    ``origin`` says who named it; its modules may stand in ``folder``.
    """

    name: str
    origin: str
    folder: Path = Path()


@dataclass(frozen=True)
class Settings:
    """What is configured.

    ``broker`` and ``backend`` are URLs and win over those of ``app``. Without any of the three
    runs are embedded.
    """

    plugins: tuple[PluginReference, ...] = ()
    app: AppReference | None = None
    broker: str | None = None
    backend: str | None = None
    concurrency: int | None = None


def load_settings(
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    plugins: tuple[str, ...] = (),
    app: str | None = None,
    broker: str | None = None,
    backend: str | None = None,
    concurrency: int | None = None,
) -> Settings:
    """Return the settings that hold in ``folder`` (the working directory by default).

    Plugins of all origins are loaded; of every other setting the strongest origin wins.
    Raises :class:`~flowrunner.errors.ConfigurationError` for a file or a value that is wrong.
    """
    try:
        folder = folder or Path.cwd()
    except FileNotFoundError as error:
        raise ConfigurationError("the working directory has been deleted") from error
    environment = os.environ if environment is None else environment
    settings = _from_environment(_from_file(folder), environment)
    return replace(
        settings,
        plugins=settings.plugins + tuple(PluginReference(name, "--plugin") for name in plugins),
        app=AppReference(app, "-A") if app else settings.app,
        broker=broker or settings.broker,
        backend=backend or settings.backend,
        concurrency=concurrency or settings.concurrency,
    )


def _from_file(folder: Path) -> Settings:
    for parent in (folder, *folder.parents):
        for name in FILE_NAMES:
            file = parent / name
            table = _read_table(file)
            if table is not None:
                return _from_table(table, file)
    return Settings()


def _read_table(file: Path) -> dict[str, Any] | None:
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    is_own = file.name == "flowrunner.toml"
    if not is_own and "flowrunner" not in text:
        return None  # spares most projects the time that the parser takes
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from error
    tools = document.get("tool")
    table = document if is_own else tools.get("flowrunner") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{file}: [tool.flowrunner] must be a table")
    return table


def _from_table(table: dict[str, Any], file: Path) -> Settings:
    for key in table:
        if key not in KNOWN:
            cure = did_you_mean(key, KNOWN, f"settings: {', '.join(KNOWN)}")
            raise ConfigurationError(f"{file}: there is no setting '{key}'; {cure}")
    names = table.get("plugins", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(
            f"{file}: 'plugins' must be a list of paths and modules, for instance [\"plugins\"]"
        )
    for key in ("broker", "backend"):
        if not isinstance(table.get(key, ""), str):
            raise ConfigurationError(f"{file}: '{key}' must be a URL in quotes")
    app = table.get("app", "")
    if not isinstance(app, str):
        raise ConfigurationError(
            f"{file}: 'app' must name a Celery app in quotes, for instance \"proj.celery:app\""
        )
    return Settings(
        plugins=tuple(PluginReference(name, file.name, file.parent) for name in names),
        app=AppReference(app, file.name, file.parent) if app else None,
        broker=table.get("broker"),
        backend=table.get("backend"),
        concurrency=_concurrency(table.get("concurrency"), str(file)),
    )


def _from_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    names = environment.get("FLOWRUNNER_PLUGINS", "").split(os.pathsep)
    text = environment.get("FLOWRUNNER_CONCURRENCY") or None
    try:
        number = None if text is None else int(text)
    except ValueError:
        number = 0
    concurrency = _concurrency(number, "FLOWRUNNER_CONCURRENCY")
    app = environment.get("FLOWRUNNER_APP")
    return replace(
        settings,
        plugins=settings.plugins
        + tuple(PluginReference(name, "FLOWRUNNER_PLUGINS") for name in names if name),
        app=AppReference(app, "FLOWRUNNER_APP") if app else settings.app,
        broker=environment.get("FLOWRUNNER_BROKER") or settings.broker,
        backend=environment.get("FLOWRUNNER_BACKEND") or settings.backend,
        concurrency=concurrency or settings.concurrency,
    )


def _concurrency(value: Any, origin: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{origin}: 'concurrency' must be a whole number from 1")
    return value
