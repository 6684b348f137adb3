"""The tasks that workflows can call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from msgspec import Struct, field

from flowrunner.duration import read_duration
from flowrunner.errors import PluginError
from flowrunner.message_format import is_builtin_task
from flowrunner.suggestion import did_you_mean

__all__ = ["OpenRegistry", "TaskDefinition", "TaskRegistry", "signature_of"]

#: Celery's task options that a plugin can set; the others are flowrunner's to decide.
TASK_OPTIONS: Final = (
    *("queue", "routing_key", "priority", "rate_limit", "time_limit", "soft_time_limit"),
    *("acks_late", "acks_on_failure_or_timeout", "reject_on_worker_lost", "throws"),
    *("autoretry_for", "dont_autoretry_for", "max_retries", "default_retry_delay"),
    *("retry_backoff", "retry_backoff_max", "retry_jitter", "retry_kwargs"),
)
#: Those in seconds.
_DURATIONS: Final = ("time_limit", "soft_time_limit", "default_retry_delay", "retry_backoff_max")
_ROUTING_TYPES: Final[dict[str, type]] = {"queue": str, "routing_key": str, "priority": int}

#: Task options that say where a message goes.
ROUTING_OPTIONS: Final = ("queue", "routing_key", "priority")


class TaskDefinition(Struct, frozen=True, dict=True):
    """A task: its name, the function that does the work and who provides it.

    ``function`` is what a caller's arguments are bound to; ``celery_task`` is the existing
    Celery task where there is one; ``options`` are Celery task options for every call.
    """

    name: str
    function: Callable[..., Any]
    plugin: str
    options: Mapping[str, Any] = field(default_factory=dict)
    celery_task: Any = None

    @cached_property
    def signature(self) -> inspect.Signature:
        """The parameters that a call can give, without a bound task's ``self``."""
        return signature_of(self.function)  # a bound task's run is a method

    @property
    def routing(self) -> dict[str, Any]:
        """The options that every message to this task carries: Celery does not hand them on."""
        return {name: self.options[name] for name in ROUTING_OPTIONS if name in self.options}

    @property
    def description(self) -> str:
        """The function's docstring, or an empty text."""
        return inspect.getdoc(self.function) or ""


class TaskRegistry:
    """Collects the tasks that plugins register.

    A plugin is given its own view of the registry by :meth:`for_plugin`, so that each task
    knows where it came from. ``app`` names the Celery app whose tasks are among them, if any.
    """

    def __init__(self) -> None:
        self.app: str | None = None
        self._definitions: dict[str, TaskDefinition] = {}

    def for_plugin(self, plugin: str) -> PluginTasks:
        """Return the view in which ``plugin`` registers its tasks."""
        return PluginTasks(self, plugin)

    def register(self, definition: TaskDefinition) -> None:
        """Add a definition.

        Raises :class:`~flowrunner.errors.PluginError` when another plugin, or the same one,
        has registered the name already.
        """
        known = self._definitions.get(definition.name)
        if known is not None:
            raise PluginError(
                f"two plugins register the task '{definition.name}': {known.plugin} and "
                f"{definition.plugin}; give one of them another name with "
                f"registry.add(function, name=…)"
            )
        self._definitions[definition.name] = definition

    def get(self, name: str) -> TaskDefinition | None:
        """Return the task of that name, or ``None``."""
        return self._definitions.get(name)

    def names(self) -> list[str]:
        """Return the tasks' names, sorted."""
        return sorted(self._definitions)

    def __iter__(self) -> Iterator[TaskDefinition]:
        return (self._definitions[name] for name in self.names())

    def __len__(self) -> int:
        return len(self._definitions)

    @property
    def unchecked(self) -> int:
        """How many tasks were asked for whose functions are not at hand."""
        return 0


class OpenRegistry(TaskRegistry):
    """The registry without plugins: it has every task that a workflow names, and checks none.

    A task takes any arguments and returns anything. Nothing can be run with this registry.
    """

    def __init__(self) -> None:
        super().__init__()
        self._named: dict[str, TaskDefinition] = {}

    def get(self, name: str) -> TaskDefinition | None:
        """Return a definition that fits every call of the task; ``None`` for the empty name."""
        if not name:
            return None
        if name not in self._named:
            self._named[name] = TaskDefinition(name, lambda *args, **kwargs: None, "")
        return self._named[name]

    @property
    def unchecked(self) -> int:
        """How many tasks workflows have named so far."""
        return len(self._named)


class PluginTasks:
    """The registry as one plugin sees it; hooks receive it as ``registry``."""

    def __init__(self, registry: TaskRegistry, plugin: str) -> None:
        self._registry = registry
        self._plugin = plugin

    def add(self, task: Any, *, name: str | None = None, **options: Any) -> None:
        """Register a plain function, or an existing Celery task.

        ``name`` defaults to the function's name, or the Celery task's own. ``options`` are
        Celery task options that every call takes unless the workflow says otherwise
        (``queue``, ``priority``, ``time_limit``, …).

        Raises :class:`~flowrunner.errors.PluginError` for anything that is not callable, for
        a coroutine function (Celery cannot run one) and for a name that is taken.
        """
        self._check_options(options)
        options = {name: self._in_seconds(name, value) for name, value in options.items()}
        if is_celery_task(task):
            if name is not None and name != task.name:
                raise PluginError(
                    f"plugin {self._plugin}: the Celery task '{task.name}' cannot be renamed "
                    f"to '{name}': workers know it by its own name"
                )
            definition = TaskDefinition(task.name, task.run, self._plugin, options, task)
        else:
            definition = TaskDefinition(self._checked_name(task, name), task, self._plugin, options)
        self._registry.register(definition)

    def _check_options(self, options: Mapping[str, Any]) -> None:
        for option, value in options.items():
            if option not in TASK_OPTIONS:
                cure = did_you_mean(option, TASK_OPTIONS, f"options: {', '.join(TASK_OPTIONS)}")
                raise PluginError(
                    f"plugin {self._plugin}: registry.add() takes no option '{option}'; {cure}"
                )
            wanted = _ROUTING_TYPES.get(option)
            if wanted is not None and type(value) is not wanted:
                raise PluginError(
                    f"plugin {self._plugin}: the option '{option}' takes a {wanted.__name__}, "
                    f"not {value!r}"
                )

    def _in_seconds(self, option: str, value: Any) -> Any:
        if option not in _DURATIONS or not isinstance(value, str):
            return value
        seconds = read_duration(value)
        if seconds is None:
            raise PluginError(
                f"plugin {self._plugin}: the option '{option}' takes seconds, or a string like "
                f"'5m' or '1h30m', not {value!r}"
            )
        return seconds

    def _checked_name(self, task: Any, name: str | None) -> str:
        if not callable(task):
            raise PluginError(
                f"plugin {self._plugin}: registry.add() takes a function or a Celery task, "
                f"not {task!r}"
            )
        if inspect.iscoroutinefunction(task):
            raise PluginError(
                f"plugin {self._plugin}: {getattr(task, '__name__', task)} is a coroutine "
                f"function, which Celery cannot run; wrap it in one that calls asyncio.run(…)"
            )
        chosen = name if name is not None else getattr(task, "__name__", "")
        if not isinstance(chosen, str):
            raise PluginError(
                f"plugin {self._plugin}: a task's name must be a string, not {chosen!r}"
            )
        if is_builtin_task(chosen):
            raise PluginError(
                f"plugin {self._plugin}: '{chosen}' cannot be registered: names that begin with "
                f"'celery.' are Celery's own"
            )
        if not chosen or chosen == "<lambda>" or any(character.isspace() for character in chosen):
            raise PluginError(
                f"plugin {self._plugin}: {task!r} needs a name without spaces: "
                f"registry.add(function, name='…')"
            )
        return chosen


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return a function's signature, its annotations as the types that they name if they do."""
    for eval_str in (True, False):  # any expression can stand in an annotation, and fail
        with suppress(Exception):
            return inspect.signature(function, eval_str=eval_str)
    return inspect.signature(lambda *args, **kwargs: None)  # some builtins do not tell


def is_celery_task(candidate: Any) -> bool:
    """Tell whether this is a Celery task, without importing Celery."""
    return all(hasattr(candidate, name) for name in ("apply_async", "run", "name", "request_stack"))
