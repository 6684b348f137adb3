"""Everything that is looked at before a run and by ``flowrunner doctor``, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from flowrunner.engines.checks import (
    crew,
    lifetimes,
    lost_workers,
    servers,
)
from flowrunner.engines.checks.scene import Scene
from flowrunner.errors import Finding

__all__ = ["CHECKS", "Check", "Scene", "Stage", "look"]


class Stage(IntEnum):
    """When a check is made, at the earliest: a run makes the first two, ``doctor`` all."""

    CONNECTING = 1
    QUEUING = 2
    DOCTOR = 3


class Check(NamedTuple):
    """A check; one that ``needs_servers`` is left out where broker or backend are of no use."""

    stage: Stage
    look: Callable[[Scene], Iterator[Finding]]
    needs_servers: bool = True


CHECKS: Final[tuple[Check, ...]] = (
    Check(Stage.CONNECTING, servers.broker_reachable, needs_servers=False),
    Check(Stage.CONNECTING, servers.backend_reachable, needs_servers=False),
    Check(Stage.CONNECTING, servers.no_redis_cluster, needs_servers=False),
    Check(Stage.CONNECTING, servers.chords, needs_servers=False),
    Check(Stage.CONNECTING, servers.writable, needs_servers=False),
    Check(Stage.CONNECTING, servers.memory, needs_servers=False),
    Check(Stage.CONNECTING, servers.persistence, needs_servers=False),
    Check(Stage.CONNECTING, servers.version, needs_servers=False),
    Check(Stage.CONNECTING, servers.clock, needs_servers=False),
    Check(Stage.QUEUING, lifetimes.expiry),
    Check(Stage.QUEUING, lifetimes.redelivery),
    Check(Stage.QUEUING, lost_workers.countdowns),
    Check(Stage.QUEUING, crew.alive),
    Check(Stage.QUEUING, crew.queues),
    Check(Stage.QUEUING, crew.tasks),
    Check(Stage.QUEUING, crew.same_plugins),
    Check(Stage.DOCTOR, crew.continuations),
    Check(Stage.DOCTOR, crew.node_names),
    Check(Stage.DOCTOR, crew.connections),
    Check(Stage.DOCTOR, crew.prefetch),
    Check(Stage.DOCTOR, lifetimes.one_visibility_timeout),
    Check(Stage.DOCTOR, lost_workers.redeliveries),
    Check(Stage.DOCTOR, lost_workers.retries),
    Check(Stage.DOCTOR, lost_workers.soft_shutdown),
    Check(Stage.DOCTOR, crew.versions),
    Check(Stage.DOCTOR, crew.settings_told),
)


def look(scene: Scene, stages: Iterable[Stage] = Stage) -> list[Finding]:
    """Return what the checks of these stages find."""
    wanted = frozenset(stages)
    return [
        finding
        for check in CHECKS
        if check.stage in wanted and (scene.answers or not check.needs_servers)
        for finding in check.look(scene)
    ]
