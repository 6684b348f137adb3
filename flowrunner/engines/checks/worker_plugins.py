"""Whether workers run the code that the producer has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowrunner.engines.checks.scene import Scene, listed, ok, warning
from flowrunner.engines.workers import Worker
from flowrunner.finding import Finding
from flowrunner.plugin_code import PluginDigest

__all__ = ["same_plugins"]

CHECK: Final = "worker plugins"


def same_plugins(scene: Scene) -> Iterator[Finding]:
    """Look whether each worker has loaded the plugins of the tasks that it may get as they are."""
    here = {task: plugin for plugin in scene.plugins for task in plugin.tasks}
    others: dict[tuple[PluginDigest, str], set[str]] = {}
    is_told = False
    for name, worker in (scene.workers or {}).items():
        for plugin, theirs in _compared(scene, worker, here):
            is_told = True
            if plugin.digest != theirs.digest:
                others.setdefault((plugin, theirs.version), set()).add(name)
    for (plugin, version), workers in others.items():
        needs = [need for need in scene.needs.calls if need[1] in plugin.tasks]
        yield warning(
            CHECK,
            f"{listed(workers, '')} {'has' if len(workers) == 1 else 'have'} loaded other code of "
            f"the plugin {plugin.name}{_versions(plugin.version, version)} than is here",
            "the checks before a run look at the code here, and these workers run theirs",
            f"bring the same code to where they run, and restart them:\n"
            f"{scene.start_worker(needs)}",
        )
    if is_told and not others:
        yield ok(CHECK, "workers have loaded the plugins as they are here")


def _compared(
    scene: Scene, worker: Worker, here: Mapping[str, PluginDigest]
) -> set[tuple[PluginDigest, PluginDigest]]:
    """Return the plugins of the tasks that a worker may get, as they are here and there."""
    theirs = {task: plugin for plugin in worker.plugins for task in plugin.tasks}
    return {
        (here[task], theirs[task])
        for queue, task in scene.needs.calls
        if queue in worker.queues and task in here and task in theirs
    }


def _versions(here: str, there: str) -> str:
    return f" ({there} there, {here} here)" if here and there and here != there else ""
