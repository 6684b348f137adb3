"""What a worker with flowrunner tells of itself: the control command ``flowrunner_facts``.

Whoever imports this module answers it once Celery's worker has started. Celery's own ``conf`` and
``stats`` tell neither the time nor what a task's ``acks_late`` comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import time
from typing import Any, Final

from celery.signals import celeryd_after_setup

from flowrunner import __version__
from flowrunner.plugin_code import PluginDigest

__all__ = ["FACTS", "note_guard", "note_plugins", "note_supervisor", "plugins_told"]

FACTS: Final = "flowrunner_facts"

_supervises = [False]
_plugins: list[dict[str, Any]] = []
_keeps_exceptions = [False]


def note_supervisor() -> None:
    """Note that this worker goes on with runs that nobody drives."""
    _supervises[0] = True


def note_guard() -> None:
    """Note that this worker keeps what a task of a run has raised, whether or not it pickles."""
    _keeps_exceptions[0] = True


def plugins_told(facts: Any) -> tuple[PluginDigest, ...]:
    """Return the plugins that a worker has told among its facts; an older one tells none."""
    told = facts.get("plugins") or () if isinstance(facts, Mapping) else ()
    return tuple(PluginDigest.from_json(each) for each in told if isinstance(each, Mapping))


def note_plugins(digests: Iterable[PluginDigest]) -> None:
    """Note which plugins this worker has loaded."""
    _plugins[:] = [digest.to_json() for digest in digests]


@celeryd_after_setup.connect(weak=False)  # type: ignore[untyped-decorator]
def _answer(**_: Any) -> None:
    # Imported by now; a producer, which imports this too, has no use for it.
    from celery.worker.control import inspect_command

    inspect_command(name=FACTS)(_facts)


def _facts(state: Any, **_: Any) -> dict[str, Any]:
    """Return this worker's time, version and settings that runs depend on."""
    conf, controller = state.app.conf, state.consumer.controller
    return {
        "time": time(),
        "flowrunner": __version__,
        "pool": str(controller.pool_cls.__module__),
        "supervises": _supervises[0],
        "plugins": _plugins,
        "keeps_exceptions": _keeps_exceptions[0],
        "concurrency": controller.concurrency,
        "acks_late": bool(conf.task_acks_late),
        "track_started": bool(conf.task_track_started),
        "broker_pool_limit": conf.broker_pool_limit,
    }
