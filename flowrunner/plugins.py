"""Finding and loading plugins.

A plugin is a module, a ``.py`` file, a folder of them, a package, or an installed package with
an entry point in the group ``flowrunner``. Local code runs only when it is named.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar
from urllib.parse import quote

import pluggy
from msgspec import Struct

from flowrunner import hooks
from flowrunner.entry_points import may_have_entry_points
from flowrunner.errors import FlowrunnerError, PluginError
from flowrunner.raised import described, place_of
from flowrunner.regular_file import irregular_kind
from flowrunner.suggestion import did_you_mean
from flowrunner.tasks import TaskRegistry

__all__ = ["LoadedPlugin", "PluginManager", "PluginReference", "load_plugins", "nearby_plugins"]

T = TypeVar("T")

ENTRY_POINT_GROUP: Final = "flowrunner"


@dataclass(frozen=True)
class PluginReference:
    """A plugin as somebody named it.

    ``name`` is a path or a dotted module; ``origin`` says who named it (``--plugin``,
    ``FLOWRUNNER_PLUGINS``, a configuration file); ``folder`` is what a path is relative to.
    """

    name: str
    origin: str
    folder: Path = Path()


class LoadedPlugin(Struct, frozen=True):
    """A plugin that is loaded: its name, its version where it has one, and who named it.

    ``code`` is the file or the folder that was named, and ``named`` how: a folder is many plugins.
    """

    name: str
    origin: str
    module: Any
    version: str = ""
    code: Path | None = None
    named: str = ""


class PluginManager:
    """The loaded plugins; every process that runs tasks builds its own: :func:`load_plugins`."""

    def __init__(self) -> None:
        self.loaded: list[LoadedPlugin] = []
        self._manager = pluggy.PluginManager("flowrunner")
        self._manager.add_hookspecs(hooks)

    def register(self, plugin: LoadedPlugin) -> None:
        """Add a plugin; one that is there already stays as it is.

        Raises :class:`~flowrunner.errors.PluginError` when a hook takes arguments that
        flowrunner does not give.
        """
        if self._manager.is_registered(plugin.module):
            return
        try:
            self._manager.register(plugin.module)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {plugin.name} ({plugin.origin}): {error}") from error
        self.loaded.append(plugin)

    def check(self) -> None:
        """Raise :class:`~flowrunner.errors.PluginError` for hooks that do not exist."""
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(self._unknown_hook_message(error)) from error

    def _unknown_hook_message(self, error: pluggy.PluginValidationError) -> str:
        name = next(
            implementation.function.__name__
            for implementation in self._implementations(error.plugin)
            if not hasattr(hooks, implementation.function.__name__)
        )
        cure = did_you_mean(name, hooks.__all__, f"hooks: {', '.join(hooks.__all__)}")
        plugin = next(each.name for each in self.loaded if each.module is error.plugin)
        return f"plugin {plugin} implements '{name}', which is not a hook of flowrunner; {cure}"

    def _implementations(self, plugin: object) -> Iterator[pluggy.HookImpl]:
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    yield implementation

    def has_hooks(self, plugin: LoadedPlugin) -> bool:
        """Tell whether a plugin implements any hook at all."""
        return any(self._implementations(plugin.module))

    def tasks(self) -> TaskRegistry:
        """Return the tasks that the plugins register."""
        registry = TaskRegistry()
        for plugin in self.loaded:
            self._call(
                plugin, "flowrunner_register_tasks", registry=registry.for_plugin(plugin.name)
            )
        return registry

    def configure_app(self, app: Any) -> None:
        """Let every plugin change a Celery app."""
        for plugin in self.loaded:
            self._call(plugin, "flowrunner_configure_app", app=app)

    def _call(self, plugin: LoadedPlugin, hook: str, **arguments: Any) -> None:
        others = [other.module for other in self.loaded if other is not plugin]
        try:
            with redirect_stdout(sys.stderr):
                self._manager.subset_hook_caller(hook, others)(**arguments)
        except FlowrunnerError:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(
                f"plugin {plugin.name}: {hook} raised {described(error)}"
                f"{place_of(error, plugin.module)}"
            ) from error


def load_plugins(references: Iterable[PluginReference] = ()) -> PluginManager:
    """Load the installed plugins and those that are named.

    Raises :class:`~flowrunner.errors.PluginError` for one that is not there, cannot be
    imported, implements an unknown hook, or was named on purpose and implements none.
    """
    manager = PluginManager()
    for plugin in _installed():
        manager.register(plugin)
    for reference in references:
        for plugin in _find(reference):
            manager.register(plugin)
            if reference.name == plugin.name and not manager.has_hooks(plugin):
                raise PluginError(
                    f"plugin {plugin.name} ({plugin.origin}) implements no hook; mark its "
                    f"functions with @flowrunner.hookimpl: {', '.join(hooks.__all__)}"
                )
    manager.check()
    return manager


def nearby_plugins(file: Path, plugins: PluginManager) -> tuple[str, ...]:
    """Return how to name a folder of plugins that stands near and is not loaded."""
    loaded = {Path(getattr(plugin.module, "__file__", None) or "") for plugin in plugins.loaded}
    folders = [Path("plugins"), file.parent / "plugins"]
    if file.resolve().parent.name == "workflows":
        folders.append(file.parent / ".." / "plugins")
    for folder in folders:
        files = {found.resolve() for found in folder.glob("*.py")} if folder.is_dir() else set()
        if files and not files & loaded:
            return (
                f"{folder}/ is nearby but not loaded; to load it, use --plugin {folder}, or "
                f'plugins = ["{folder}"] under [tool.flowrunner] in pyproject.toml',
            )
    return ()


def _installed() -> Iterator[LoadedPlugin]:
    if not may_have_entry_points(ENTRY_POINT_GROUP):
        return
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = entry_point.dist
        origin = f"installed, {distribution.name}" if distribution else "installed"
        module = _imported(entry_point.name, origin, entry_point.load)
        version = distribution.version if distribution else ""
        yield LoadedPlugin(entry_point.name, origin, module, version)


def _find(reference: PluginReference) -> Iterator[LoadedPlugin]:
    if not reference.name.strip():
        raise PluginError(f"a plugin without a name ({reference.origin}); '.' is this folder")
    try:
        path = reference.folder / Path(reference.name).expanduser()
        path.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        raise PluginError(f"plugin {reference.name} ({reference.origin}): {error}") from error
    if (path / "__init__.py").is_file():
        module = _load_file(path / "__init__.py", reference)
        yield LoadedPlugin(reference.name, reference.origin, module, code=path.resolve())
    elif path.is_dir():
        yield from _folder(path, reference)
    elif path.is_file():
        module = _load_file(path, reference)
        yield LoadedPlugin(reference.name, reference.origin, module, code=path.resolve())
    elif (kind := irregular_kind(path)) is not None:
        raise PluginError(
            f"plugin {reference.name} ({reference.origin}) is {kind}; name a regular file"
        )
    elif path.suffix == ".py" or "/" in reference.name:
        raise PluginError(
            f"plugin {reference.name} ({reference.origin}): there is no such file or folder"
            f"{_relative_to(reference)}"
        )
    else:
        yield LoadedPlugin(reference.name, reference.origin, _load_module(reference))


def _relative_to(reference: PluginReference) -> str:
    return "" if Path(reference.name).is_absolute() else f" in {reference.folder.resolve()}"


def _folder(folder: Path, reference: PluginReference) -> Iterator[LoadedPlugin]:
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    if not files:
        raise PluginError(
            f"plugin {reference.name} ({reference.origin}): there is no .py file in "
            f"{folder.resolve()}"
        )
    for file in files:
        name = str(Path(reference.name) / file.name)
        module = _load_file(file, reference)
        yield LoadedPlugin(
            name, reference.origin, module, code=folder.resolve(), named=reference.name
        )


def _load_module(reference: PluginReference) -> ModuleType:
    # As Celery does for -A: a module that is named may stand in the working directory.
    working_directory = str(Path.cwd())
    if working_directory not in sys.path:
        sys.path.append(working_directory)
    return _imported(reference.name, reference.origin, lambda: import_module(reference.name))


def _load_file(file: Path, reference: PluginReference) -> ModuleType:
    if (kind := irregular_kind(file)) is not None:
        raise PluginError(f"plugin {file} ({reference.origin}) is {kind}, not a regular file")
    file = file.resolve()
    is_package = file.name == "__init__.py"
    beside = str(file.parent.parent if is_package else file.parent)
    if beside not in sys.path:
        sys.path.append(beside)  # for what stands beside it; last, so it hides nothing
    name = _module_name(file)
    if name in sys.modules:
        return sys.modules[name]
    inner = [str(file.parent)] if is_package else None
    spec = spec_from_file_location(name, file, submodule_search_locations=inner)
    if spec is None or spec.loader is None:
        raise PluginError(f"plugin {file} ({reference.origin}) is not a Python file")
    module, loader = module_from_spec(spec), spec.loader
    sys.modules[name] = module

    def execute() -> ModuleType:
        loader.exec_module(module)
        return module

    try:
        return _imported(str(file), reference.origin, execute)
    except PluginError:
        del sys.modules[name]
        raise


def _module_name(file: Path) -> str:
    """Return the module that a file is: ``plugin`` for ``plugin.py``, as an import would name it.

    Where that is another module, the file's folder comes first: ``plugins/queue.py`` must not
    stand in for the standard library's ``queue`` and is ``plugins_queue``.
    """
    parts = (file.parent if file.name == "__init__.py" else file.with_suffix("")).parts
    for start in reversed(range(1, len(parts))):
        name = re.sub(r"\W", "_", "_".join(parts[start:]))
        if _is_free(name, file):
            return name
    return "plugin_" + quote(str(file), safe="").replace(".", "%2E")


def _is_free(name: str, file: Path) -> bool:
    """Tell whether an import of this name would find this file, or nothing."""
    if name in sys.modules:
        found = getattr(sys.modules[name], "__file__", None)
    else:
        try:
            spec = find_spec(name)
        except Exception:  # whatever finds modules here fails in words of its own
            return False
        if spec is None or (spec.origin is None and spec.loader is None):  # a folder alone
            return True
        found = spec.origin
    return found is not None and Path(found).resolve() == file


def _imported(name: str, origin: str, load: Callable[[], T]) -> T:
    try:
        with redirect_stdout(sys.stderr):  # stdout is for flowrunner's own output
            return load()
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise PluginError(
                f"plugin {name} ({origin}): there is no module {error.name}; name a file by "
                f"its path, for instance plugins/tasks.py"
            ) from error
        raise PluginError(_import_message(name, origin, error)) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(_import_message(name, origin, error)) from error


def _import_message(name: str, origin: str, error: BaseException) -> str:
    return f"plugin {name} ({origin}) cannot be loaded: {described(error)}{place_of(error)}"
