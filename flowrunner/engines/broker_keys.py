"""The keys of a Redis broker by their full names.

kombu's client puts an app's ``global_keyprefix`` before the keys of the commands that kombu itself
sends, and of no others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from redis import Redis

__all__ = ["BrokerKeys", "broker_keys"]


class BrokerKeys(NamedTuple):
    """A client that adds nothing to keys, and the prefix that every key of the broker has."""

    client: Any  # what Redis says of its answers differs between versions
    prefix: str

    def named(self, key: str) -> str:
        """Return the full name of a key that kombu knows by this one."""
        return f"{self.prefix}{key}"


def broker_keys(channel: Any) -> BrokerKeys:
    """Return the keys of a Redis channel of kombu's."""
    client = Redis(connection_pool=channel.client.connection_pool)
    return BrokerKeys(client, str(channel.global_keyprefix))
