"""Which tests are marked ``cluster``: the ordinary run leaves them to ``.ci/run``."""

from __future__ import annotations

from typing import Final

import pytest

from tests.summary import is_full

__all__ = ["ORDINARY_FAULTS", "needs_cluster"]

#: Fixtures that start RabbitMQ, directly or for a worker.
_FIXTURES: Final = {"rabbitmq", "rabbitmq_worker"}
#: Fixture → its parameters that start RabbitMQ or a pool of processes.
_PARAMETERS: Final = {
    "engine": {"rabbitmq"},
    "laboratory": {"redis, prefork", "rabbitmq + redis"},
}
#: The faults that the ordinary run tries.
ORDINARY_FAULTS: Final = {"kill -9 the worker: header", "a broker that hangs"}


def needs_cluster(item: pytest.Item) -> bool:
    """Tell whether a test is marked ``cluster``; those of a kit that runs in full are not."""
    folder = item.path.parent.name
    if is_full(folder):
        return False
    if _FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    called = getattr(item, "callspec", None)
    parameters = {} if called is None else called.params
    if folder == "chaos" and called is not None:
        return called.id not in ORDINARY_FAULTS
    return any(parameters.get(name) in values for name, values in _PARAMETERS.items())
