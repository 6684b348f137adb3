"""Whether workers are there, take what is queued, know it, and run the producer's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from flowrunner import __version__
from flowrunner.engines.checks.scene import Scene, error, listed, ok, warning
from flowrunner.engines.workers import Worker
from flowrunner.errors import Finding
from flowrunner.message_format import is_builtin_task
from flowrunner.plugin_code import PluginDigest

__all__ = [
    "alive",
    "connections",
    "continuations",
    "node_names",
    "prefetch",
    "queues",
    "same_plugins",
    "settings_told",
    "tasks",
    "versions",
]


def alive(scene: Scene) -> Iterator[Finding]:
    """Look whether a worker answers."""
    if scene.workers is None:
        return
    if scene.workers:
        yield ok("workers", f"{listed(scene.workers, '')} answered")
        return
    what = f"no worker answers on {scene.broker.address}"
    start = f"start one that has the tasks:\n{scene.start_worker(scene.needs.calls)}"
    if not scene.remote_control or scene.consumers:
        seen = f", though {scene.consumers} wait for messages there" if scene.consumers else ""
        yield error(
            "workers",
            f"{what}{seen}",
            "without remote control (worker_enable_remote_control) no worker can say what it "
            "consumes and knows; one with the pool solo says nothing while a task runs",
            f"switch worker_enable_remote_control on where workers run, or {start}",
        )
        return
    yield error("workers", what, "queued tasks would wait until a worker starts", start)


def queues(scene: Scene) -> Iterator[Finding]:
    """Look whether somebody consumes every queue that is needed."""
    if not scene.workers:
        return
    missing: dict[str, set[str]] = defaultdict(set)
    for queue, task in scene.needs.calls:
        if not _consumers(scene, queue):
            missing[queue].add(task)
    if not missing:
        needed = {queue for queue, _ in scene.needs.calls}
        yield ok("queues", f"every queue is consumed: {listed(needed)}")
        return
    every = {task for waiting in missing.values() for task in waiting}
    wanted = [need for need in scene.needs.calls if need[0] in missing]
    queue_s, task_s = "s" * (len(missing) > 1), "s" * (len(every) > 1)
    goes = "go" if task_s else "goes"
    yield error(
        "queues",
        f"no worker consumes the queue{queue_s} {listed(missing)}, where task{task_s} "
        f"{listed(every)} {goes} (asked: {listed(scene.workers, '')})",
        "messages there would wait until a worker consumes the queue",
        f"start one:\n{scene.start_worker(wanted)}",
    )


def tasks(scene: Scene) -> Iterator[Finding]:
    """Look whether whoever consumes a queue knows the tasks that come from it."""
    if not scene.workers:
        return
    unknown, known_by_some, asked = set[str](), set[str](), set[str]()
    ignorant: set[str] = set()
    for queue, task in scene.needs.calls:
        consumers = _consumers(scene, queue)
        lacking = {name for name, worker in consumers.items() if task not in worker.tasks}
        if is_builtin_task(task) or not lacking:
            continue
        if len(lacking) == len(consumers):
            unknown.add(task)
            asked |= lacking
        else:
            known_by_some.add(task)
            ignorant |= lacking
    why = "a worker discards a task that it does not know, and the step fails"
    wanted = [need for need in scene.needs.calls if need[1] in unknown | known_by_some]
    cure = f"{scene.tasks_hint}\n{scene.start_worker(wanted)}"
    if unknown:
        yield error(
            "tasks",
            f"no worker knows the task{'s' * (len(unknown) > 1)} {listed(unknown)} (asked: "
            f"{listed(asked, '')})",
            why,
            cure,
        )
    if known_by_some:
        # A run may be lucky, and doctor is asked before it is tried.
        report = error if scene.thorough else warning
        yield report(
            "tasks",
            f"{listed(ignorant, '')} may get but not know the task{'s' * (len(known_by_some) > 1)} "
            f"{listed(known_by_some)}",
            why,
            cure,
        )
    if not unknown and not known_by_some:
        count = len({task for queue, task in scene.needs.calls if _consumers(scene, queue)})
        yield ok("tasks", f"{count} task{'s' * (count != 1)} known where they go")


def continuations(scene: Scene) -> Iterator[Finding]:
    """Look whether a plan's continuations are known; without, it costs more."""
    lacking = {
        name
        for queue, task in scene.needs.continuing
        for name, worker in _consumers(scene, queue).items()
        if task not in worker.tasks
    }
    if lacking:
        yield warning(
            "continuations",
            f"workers do not know flowrunner's continuations: {listed(lacking, '')}",
            f"the workflow is queued as one canvas, of {scene.needs.one_canvas / 1e6:,.1f} MB",
            "start workers with flowrunner, or your own with "
            "--include flowrunner.engines.continuation",
        )
    elif scene.needs.continuing:
        yield ok("continuations", "every worker that may receive one knows them")


def node_names(scene: Scene) -> Iterator[Finding]:
    """Look whether each worker has a unique name."""
    twice = [report.name for report in scene.reports if report.same_name > 1]
    if twice:
        yield warning(
            "node names",
            f"several workers are called {listed(twice, '')}",
            "their answers are mixed up, and a task that one has lost may seem to run on the other",
            "give each worker a unique name: -n NAME@%h",
        )
    elif len(scene.reports) > 1:
        yield ok("node names", "each worker has a unique name")


def connections(scene: Scene) -> Iterator[Finding]:
    """Look whether the tasks of one process can queue headers side by side."""
    wrong = False
    for report in scene.reports:
        limit, nesting = report.conf.pool_limit, scene.needs.nesting
        threads = (report.concurrency or 1) if report.shares_connections else 1
        if not limit:
            continue
        # All hold one less than they need, and wait for the last.
        stuck = nesting > 1 and threads * (nesting - 1) >= limit
        if stuck or nesting > limit:
            wrong = True
            yield error(
                "connections",
                f"{report.name} queues headers that are nested {nesting} deep from "
                f"{threads} task{'s' * (threads != 1)} "
                f"at a time, and has {limit} connections (broker_pool_limit)",
                "each task holds one for every header until the inner ones are queued, and waits "
                "for ever for the next",
                f"set broker_pool_limit of the workers to 0, or to more than {threads * nesting}",
            )
        elif not scene.needs.of_plan and threads >= limit:
            wrong = True
            yield warning(
                "connections",
                f"{report.name} runs {threads} task{'s' * (threads != 1)} in one process, and has "
                f"{limit} connections (broker_pool_limit)",
                "tasks that queue headers inside headers at the same time wait for ever",
                "set broker_pool_limit of the workers to 0",
            )
    if scene.reports and not wrong:
        yield ok("connections", "workers have enough connections (broker_pool_limit)")


def prefetch(scene: Scene) -> Iterator[Finding]:
    """Look whether workers take more messages than they can run."""
    many = {
        report.name: report.prefetch_multiplier
        for report in scene.reports
        if report.prefetch_multiplier not in (None, 1)
    }
    if many:
        values = sorted({f"{value:g}" for value in many.values() if value is not None})
        yield warning(
            "prefetch",
            f"worker_prefetch_multiplier is {' and '.join(values)} on {listed(many, '')}",
            "a worker reserves more tasks than it runs: tasks that wait there behind a long task "
            "could run elsewhere at once",
            "set worker_prefetch_multiplier to 1, unless all tasks are short",
        )
    elif any(report.prefetch_multiplier == 1 for report in scene.reports):
        yield ok("prefetch", "workers take one message for each task that they can run")


def versions(scene: Scene) -> Iterator[Finding]:
    """Look whether workers with flowrunner have this version of it."""
    told = {report.name: report.flowrunner for report in scene.reports if report.flowrunner}
    other = {name: version for name, version in told.items() if version != __version__}
    if other:
        yield warning(
            "versions",
            f"flowrunner is {__version__} here, and {' and '.join(sorted(set(other.values())))} on "
            f"{listed(other, '')}",
            "one version may not understand what another stores of a run",
            "install one version everywhere, and restart the workers",
        )
    elif told:
        yield ok("versions", f"workers have flowrunner {__version__}, as here")


def settings_told(scene: Scene) -> Iterator[Finding]:
    """Say of which workers too little is known."""
    silent = {report.name for report in scene.reports if report.silent}
    if silent:
        yield warning(
            "settings",
            f"{listed(silent, '')} did not answer every question",
            "their settings cannot be checked: they are busy, or far away",
            "run flowrunner doctor again",
        )


def _consumers(scene: Scene, queue: str) -> dict[str, Worker]:
    workers = scene.workers or {}
    return {name: worker for name, worker in workers.items() if queue in worker.queues}


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
            f"the plugin {plugin.name}{_versions(plugin.version, version)} than this machine has",
            "the checks before a run read the code here, but these workers run theirs",
            f"install the same code there, and restart them:\n{scene.start_worker(needs)}",
        )
    if is_told and not others:
        yield ok(CHECK, "workers have loaded the same plugins as this machine")


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
