"""Whether broker and result backend are there and can be used."""

from __future__ import annotations

from collections.abc import Iterator

from flowrunner.engines.checks.scene import Scene, error, ok
from flowrunner.engines.server import Server
from flowrunner.finding import Finding

__all__ = ["backend_reachable", "broker_reachable", "chords", "no_redis_cluster", "writable"]


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
            "nothing can be queued or followed without it",
            f"start it, or name the one that runs: {option} URL",
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
            "every parallel section of a workflow is a chord, and would never end",
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
                "a replica refuses what is written, or loses it when it is synchronised",
                "name the primary, or let Sentinel find it: sentinel://…",
            )
        elif facts.write_error is not None and not facts.write_error.startswith("NOPERM"):
            cure = next(
                (cure for word, cure in _WRITE_CURES.items() if word in facts.write_error),
                "look into the server's log",
            )
            yield error(
                "writes",
                f"{name} takes no writes: {facts.write_error}",
                "nothing can be queued, and no result be stored",
                cure,
            )
        else:
            yield ok("writes", f"{name} takes writes")


_WRITE_CURES = {
    "MISCONF": "make room on its disk and let its folder be writable: its last snapshot failed",
    "OOM": "give it more memory (maxmemory), or let results expire sooner",
    "maxmemory": "give it more memory (maxmemory), or let results expire sooner",
    "READONLY": "name the primary, or let Sentinel find it: sentinel://…",
    "NOREPLICAS": "start the replicas that min-replicas-to-write asks for",
}
