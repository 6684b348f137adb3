"""What an existing app's configuration must not have, said before anything is queued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from celery import Celery
from kombu.serialization import prepare_accept_content

from flowrunner.engines.cluster_settings import lacking_options
from flowrunner.plan import Fork, Plan, Sequence

__all__ = ["nesting_in_workers", "unfit_nesting", "unfit_settings", "unfit_tasks"]

_JSON: Final = "application/json"
#: Seconds for which results have to be kept: a run that cannot reach the backend tries for as long.
SHORTEST_EXPIRY: Final = 60.0


def unfit_settings(app: Celery) -> Iterator[str]:
    """Yield what is wrong with an app's configuration, each with its cure."""
    conf = app.conf
    if not conf.broker_write_url:
        yield "no broker is configured in it: set broker_url there, or give --broker"
    if not conf.result_backend and app.backend_cls is None:
        yield "it has no result backend: set result_backend there, or give --backend redis://…"
    yield from lacking_options(
        {
            "broker_url": conf.broker_write_url,
            "broker_transport_options": conf.broker_transport_options,
            "result_backend": conf.result_backend,
            "result_backend_transport_options": conf.result_backend_transport_options,
        }
    )
    if conf.task_always_eager:
        yield (
            "task_always_eager is on, so nothing would be queued: switch it off; it is "
            "meant for tests"
        )
    if conf.task_protocol != 2:
        yield (
            f"task_protocol is {conf.task_protocol}, which loses the later steps of a "
            f"chain: set it to 2, Celery's default since version 4"
        )
    if conf.result_serializer != "json":
        yield (
            f"result_serializer is '{conf.result_serializer}', but tasks of a workflow exchange "
            f"JSON: set it to 'json'"
        )
    if not _takes_json(conf.accept_content or []):
        yield "accept_content lacks 'json', in which workflows are queued: add it"
    if conf.result_accept_content and not _takes_json(conf.result_accept_content):
        yield "result_accept_content lacks 'json': add it"
    if not (conf.result_backend_transport_options or {}).get("result_chord_ordered", True):
        yield (
            "result_chord_ordered is off in result_backend_transport_options, so that the results "
            "of a group would come in any order: switch it on"
        )
    for setting in ("result_expires", "result_failure_expires"):
        seconds = _seconds(conf.get(setting))
        if seconds is not None and 0 < seconds < SHORTEST_EXPIRY:
            yield (
                f"{setting} is {seconds:g} s, within which a run could miss a result: set it to "
                f"at least {SHORTEST_EXPIRY:g}"
            )


def _takes_json(content: Iterable[str]) -> bool:
    return _JSON in prepare_accept_content(content)  # type: ignore[no-untyped-call]


def _seconds(value: Any) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value


def unfit_tasks(app: Celery, plan: Plan) -> Iterator[str]:
    """Yield which tasks of a plan a workflow cannot wait for, and why."""
    transport = app.connection_for_write().transport.driver_type
    if transport == "redis":
        return  # there the worker looks, and says that the task was revoked
    for name in sorted({call.task for call in plan.calls()}):
        task = app.tasks.get(name)
        if task is not None and task.expires is not None:
            yield (
                f"task '{name}' has expires={task.expires!r}, and the broker drops a message that "
                f"expires without an error: the run would wait for ever"
            )


def unfit_nesting(plan: Plan, connections: int | None) -> Iterator[str]:
    """Yield what is wrong with how deep a plan's headers are nested.

    Whoever queues a header holds one of its ``connections`` to the broker until every header in
    it is queued, and waits without end for the next one (``celery/canvas.py``,
    ``group._apply_tasks``). Without a pool (``None`` or 0) there is always one.
    """
    deepest = nesting_in_workers(plan)
    if connections and deepest > connections:
        yield (
            f"a worker would queue headers that are nested {deepest} deep, and broker_pool_limit "
            f"is {connections}, so that it would wait for ever: set it to 0, or to more than "
            f"{deepest}"
        )


def nesting_in_workers(plan: Plan) -> int:
    """Return how many headers of a plan a worker queues one inside another at the most."""
    sequences = [plan.sequence, *(handler.sequence for handler in plan.handlers)]
    return max(_queued_by_a_worker(sequence, by_producer=True) for sequence in sequences)


def _queued_by_a_worker(sequence: Sequence, *, by_producer: bool) -> int:
    """Return how many headers a worker queues one inside another at the most."""
    deepest = 0
    for position, item in enumerate(sequence):
        if isinstance(item, Fork):
            first = by_producer and not position
            inner = (_queued_by_a_worker(member, by_producer=first) for member in item.members)
            deepest = max(deepest, *inner, 0 if first else _headers_at_once(item))
    return deepest


def _headers_at_once(fork: Fork) -> int:
    starts = (member[0] for member in fork.members)
    return 1 + max((_headers_at_once(each) for each in starts if isinstance(each, Fork)), default=0)
