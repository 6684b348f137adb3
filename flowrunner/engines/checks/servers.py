"""Whether broker and result backend can be used, and a Redis server keeps what it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowrunner.engines.checks.scene import Scene, error, listed, ok, warning
from flowrunner.engines.server import RedisFacts, Server
from flowrunner.errors import Finding

__all__ = [
    "backend_reachable",
    "broker_reachable",
    "chords",
    "clock",
    "memory",
    "no_redis_cluster",
    "persistence",
    "version",
    "writable",
]


def broker_reachable(scene: Scene) -> Iterator[Finding]:
    """Look whether the broker answers."""
    return _reachable("broker", scene.broker)


def backend_reachable(scene: Scene) -> Iterator[Finding]:
    """Look whether the result backend answers."""
    return _reachable("result backend", scene.backend)


def _reachable(check: str, server: Server) -> Iterator[Finding]:
    option = "--broker" if server.role == "broker" else "--backend"
    if server.failure:
        yield error(
            check,
            f"{server.named} cannot be reached: {server.failure}",
            "without it, nothing can be queued or followed",
            f"start it, or name another: {option} URL",
        )
    elif not server.cannot_join:
        yield ok(check, f"{server.address} answers")


def no_redis_cluster(scene: Scene) -> Iterator[Finding]:
    """Refuse a Redis Cluster."""
    nodes = [
        server.named
        for server in (scene.broker, scene.backend)
        if server.redis is not None and server.redis.is_cluster
    ]
    if nodes:
        yield error(
            "redis cluster",
            f"{' and '.join(nodes)} {'are nodes' if len(nodes) > 1 else 'is a node'} of a Redis "
            "Cluster",
            "Celery's and kombu's commands and scripts use several keys at once, which a cluster "
            "keeps on different nodes and refuses (CROSSSLOT, MOVED)",
            "use a single Redis, or Redis with Sentinel for failover",
        )


def chords(scene: Scene) -> Iterator[Finding]:
    """Look whether the result backend runs chords by itself."""
    backend = scene.backend
    if backend.cannot_join:
        yield error(
            "chords",
            f"{backend.named} {backend.cannot_join}",
            "every parallel section of a workflow is a chord, which would never end",
            "use one that can: --backend redis://…",
        )
    elif not backend.failure and not (backend.redis is not None and backend.redis.is_cluster):
        yield ok("chords", "the result backend runs chords by itself")


def writable(scene: Scene) -> Iterator[Finding]:
    """Look whether a Redis server takes what is written."""
    for name, facts, _, _ in scene.redis():
        if facts.info.get("role") == "slave":
            yield error(
                "writes",
                f"{name} is a replica of {facts.info.get('master_host', 'another server')}",
                "a replica refuses writes, or loses them when it is synchronised",
                "name the primary, or let Sentinel find it: sentinel://…",
            )
        elif facts.write_error is not None and not facts.write_error.startswith("NOPERM"):
            cure = next(
                (cure for word, cure in _WRITE_CURES.items() if word in facts.write_error),
                "read the server's log",
            )
            yield error(
                "writes",
                f"{name} takes no writes: {facts.write_error}",
                "nothing can be queued, and no result can be stored",
                cure,
            )
        else:
            yield ok("writes", f"{name} takes writes")


_WRITE_CURES = {
    "MISCONF": "free space on its disk and make its folder writable: its last snapshot failed",
    "OOM": "give it more memory (maxmemory), or let results expire sooner",
    "maxmemory": "give it more memory (maxmemory), or let results expire sooner",
    "READONLY": "name the primary, or let Sentinel find it: sentinel://…",
    "NOREPLICAS": "start the replicas that min-replicas-to-write asks for",
}


#: Of ``maxmemory``: from here on eviction is near.
NEARLY_FULL: Final = 0.8
#: kombu looks for unacknowledged messages with ``ZRANGE … BYSCORE REV``.
OLDEST: Final = (6, 2)
#: Seconds that two clocks may differ by: those of machines that keep time differ by far less.
DRIFT: Final = 5.0


def memory(scene: Scene) -> Iterator[Finding]:
    """Look whether a server may throw away results or messages when its memory is full."""
    for name, facts, roles, redis_cli in scene.redis():
        policy, limit = str(facts.info.get("maxmemory_policy", "")), facts.number("maxmemory")
        if not policy:
            yield from _untold(scene, "memory policy", name, facts, "info")
            continue
        full = limit > 0 and facts.number("used_memory") > NEARLY_FULL * limit
        if limit > 0 and any(_may_go(role, policy) for role in roles):
            make = error if full or policy.startswith("allkeys") else warning
            lost = " and ".join(_KEPT[role] for role in sorted(roles) if _may_go(role, policy))
            yield make(
                "memory policy",
                f"{name} evicts keys when its memory is full: maxmemory-policy is {policy}"
                + (", and it nearly is" if full else ""),
                f"{lost} would vanish without an error, and runs would wait for them or fail",
                "set its policy, and keep it in its configuration:\n"
                f"{redis_cli} CONFIG SET maxmemory-policy noeviction",
            )
        elif full:
            yield warning(
                "memory policy",
                f"{name} uses more than {NEARLY_FULL:.0%} of its maxmemory",
                "when it is full, nothing can be queued and no result can be stored",
                "give it more memory (maxmemory), or let results expire sooner",
            )
        else:
            held = f"maxmemory-policy is {policy}" if limit else "it has no maxmemory"
            yield ok("memory policy", f"{name} evicts nothing that runs need: {held}")


_KEPT: Final = {"broker": "messages", "result backend": "results"}


def _may_go(role: str, policy: str) -> bool:
    """Tell whether a policy may take what is kept; a message, which has no expiry, stays long."""
    return policy.startswith("allkeys") or (role != "broker" and policy.startswith("volatile"))


def persistence(scene: Scene) -> Iterator[Finding]:
    """Look whether a server keeps its data on disk."""
    for name, facts, _, redis_cli in scene.redis():
        if facts.number("aof_enabled"):
            yield ok("persistence", f"{name} writes an append-only file")
        elif facts.save:
            yield ok(
                "persistence",
                f"{name} saves snapshots ({facts.save}); a crash loses the data after the last",
            )
        elif facts.save is None or "aof_enabled" not in facts.info:
            yield from _untold(scene, "persistence", name, facts, "save")
        else:
            yield warning(
                "persistence",
                f"{name} stores nothing on disk: it has no append-only file and no save points",
                "a restart loses all running runs, and the results of ended runs",
                "switch its append-only file on, and keep that in its configuration:\n"
                f"{redis_cli} CONFIG SET appendonly yes",
            )


def version(scene: Scene) -> Iterator[Finding]:
    """Look whether a server knows the commands that are used."""
    for name, facts, roles, _ in scene.redis():
        found = tuple(int(part) for part in re.findall(r"\d+", facts.version)[:2])
        oldest = ".".join(map(str, OLDEST))
        if not found:
            yield from _untold(scene, "redis version", name, facts, "info")
        elif found < OLDEST and "broker" not in roles:
            yield warning(
                "redis version",
                f"{name} has version {facts.version}, and flowrunner is tested on {oldest} and "
                "newer",
                "it may lack commands that Celery or flowrunner use",
                f"use Redis {oldest} or newer",
            )
        elif found < OLDEST:
            yield error(
                "redis version",
                f"{name} is of version {facts.version}, and kombu needs {oldest}",
                "the messages of a worker that dies are never delivered again: kombu asks for "
                "them with ZRANGE … BYSCORE, which came with 6.2",
                f"use Redis {oldest} or newer",
            )
        else:
            yield ok("redis version", f"{name} is of version {facts.version}")


def clock(scene: Scene) -> Iterator[Finding]:
    """Look whether this machine's clock, a server's and the workers' agree."""
    drifts: dict[str, float] = {}
    told = 0
    for name, facts, _, _ in scene.redis():
        if facts.ahead is None:
            yield from _untold(scene, "clocks", name, facts, "time")
            continue
        told += 1
        drifts[name] = _beyond(facts.ahead)
    for report in scene.reports:
        if report.ahead is not None:
            told += 1
            drifts[report.name] = _beyond(report.ahead)
    wrong = {name: drift for name, drift in drifts.items() if abs(drift) > DRIFT}
    for name, drift in wrong.items():
        yield warning(
            "clocks",
            f"the clock of {name} is {abs(drift):,.0f} s {'ahead of' if drift > 0 else 'behind'} "
            "this machine's",
            "countdowns, expiries and redeliveries depend on the clocks of several "
            "machines, and the times of runs would be wrong",
            "synchronise every machine's clock by NTP (timedatectl status)",
        )
    silent = [report.name for report in scene.reports if report.ahead is None]
    if told and not wrong:
        rest = f"; plain workers do not tell theirs: {listed(silent, '')}" if silent else ""
        yield ok("clocks", f"{told} clock{'s' * (told > 1)} asked: right to {DRIFT:g} s{rest}")


def _beyond(ahead: tuple[float, float]) -> float:
    """Return how far a clock is off at the least, from what it is at the least and the most."""
    low, high = ahead
    return low if low > 0 else min(high, 0.0)


def _untold(scene: Scene, check: str, name: str, facts: RedisFacts, kind: str) -> Iterator[Finding]:
    if scene.thorough:
        yield warning(
            check,
            f"{name} does not answer: {facts.untold.get(kind, 'it says nothing of it')}",
            "this cannot be checked from here",
            "look it up in the server's configuration; docs/running.md names the right value",
        )
