"""What a Redis server says of itself, asked in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Any, Final
from uuid import uuid4

from redis import Redis

__all__ = ["RedisFacts", "ask_redis", "is_redis_cluster"]

#: Milliseconds that the key lives which is written to see whether any can be.
PROBE_LIFE: Final = 1_000


@dataclass(frozen=True)
class RedisFacts:
    """A server's ``INFO`` and what else was asked; ``None`` is what it did not tell.

    ``ahead`` is how far its clock is ahead of this machine's, at the least and at the most, in
    seconds. ``save`` are its save points, empty without any. ``untold`` says why something is
    ``None``; ``write_error`` why a key could not be written.
    """

    info: Mapping[str, Any] = field(default_factory=dict)
    save: str | None = None
    ahead: tuple[float, float] | None = None
    write_error: str | None = None
    untold: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return a number of ``INFO``; 0 where it is not told."""
        value = self.info.get(name, 0)
        return int(value) if isinstance(value, (int, float)) else 0

    @property
    def is_cluster(self) -> bool:
        """Whether it is a node of a Redis Cluster."""
        return self.number("cluster_enabled") == 1

    @property
    def version(self) -> str:
        """The version of Redis that it is, or is compatible with."""
        return str(self.info.get("redis_version", ""))


def ask_redis(client: Redis, key: str) -> RedisFacts:
    """Return what the server behind a client says; ``key`` begins the name of what it writes.

    Raises what the client raises when the server cannot be reached.
    """
    probe = f"{key}flowrunner-probe-{uuid4()}"
    pipeline = client.pipeline(transaction=False)
    pipeline.set(probe, 1, px=PROBE_LIFE)
    pipeline.delete(probe)
    pipeline.time()
    pipeline.info()
    pipeline.config_get("save")
    before = time()
    written, _, told, info, config = pipeline.execute(raise_on_error=False)
    after = time()
    untold = {
        name: str(answer)
        for name, answer in (("time", told), ("info", info), ("save", config))
        if isinstance(answer, Exception)
    }
    ahead = None
    if not isinstance(told, Exception):
        seconds = told[0] + told[1] / 1e6
        ahead = (seconds - after, seconds - before)
    return RedisFacts(
        info={} if isinstance(info, Exception) else info,
        save=config.get("save") if isinstance(config, dict) else None,
        ahead=ahead,
        write_error=str(written) if isinstance(written, Exception) else None,
        untold=untold,
    )


def is_redis_cluster(url: str) -> bool:
    """Tell whether a URL leads to a node of a Redis Cluster, which has no database but 0.

    A client that asks for another one is told that there is no such database, and no more.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in ("redis", "rediss"):
        return False
    address = f"{scheme}://{rest.partition('/')[0].partition('?')[0]}/0"
    with suppress(Exception):
        client = Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2)
        return bool(client.info("cluster").get("cluster_enabled"))
    return False
