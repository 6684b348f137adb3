"""Whether results and messages live as long as a run, and no message comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowrunner.duration import exact_duration as duration
from flowrunner.engines.checks.scene import VISIBILITY, Scene, error, listed, ok, warning
from flowrunner.engines.needs import Lasting
from flowrunner.errors import Finding

__all__ = ["expiry", "one_visibility_timeout", "redelivery"]

#: Seconds for which results should be kept when nobody says how long a run takes.
SHORT_EXPIRY: Final = 3600.0
#: Seconds after which RabbitMQ leaves a consumer that does not acknowledge (consumer_timeout).
RABBITMQ_PATIENCE: Final = 1800.0


def expiry(scene: Scene) -> Iterator[Finding]:
    """Look whether results are kept for longer than a run takes."""
    found = {
        setting: min(kept)
        for setting, kept in {
            "result_expires": [
                conf.result_expires
                for conf in (scene.conf, *(report.conf for report in scene.reports))
                if conf.result_expires
            ],
            "result_chord_expires": [
                conf.chord_expires
                for conf in (scene.conf, *(report.conf for report in scene.reports))
                if conf.chord_expires
            ],
        }.items()
        if kept
    }
    timeout, wrong = scene.needs.timeout, False
    for setting, seconds in found.items():
        if timeout is not None and seconds < timeout:
            wrong = True
            yield error(
                "result expiry",
                f"{setting} is {duration(seconds)}, and the run may take {duration(timeout)}",
                "a result that expires before the join that waits for it leaves the run waiting",
                f"set {setting} of app and workers to more than {timeout:,.0f}, or the workflow's "
                f"timeout to less than {seconds:,.0f}",
            )
        elif timeout is None and seconds < SHORT_EXPIRY:
            wrong = True
            yield warning(
                "result expiry",
                f"{setting} is {duration(seconds)}",
                "a run that takes longer misses the results that have expired",
                f"set {setting} of app and workers to longer than runs take (Celery's is a day), "
                "or give workflows a timeout that is shorter",
            )
    if not wrong:
        kept = ", ".join(f"{setting} {duration(seconds)}" for setting, seconds in found.items())
        yield ok("result expiry", f"results are stored long enough: {kept or 'they do not expire'}")


def redelivery(scene: Scene) -> Iterator[Finding]:
    """Look whether a message may be held for longer than the broker waits."""
    needs = scene.needs
    late = [scene.conf.acks_late, *(report.conf.acks_late for report in scene.reports)]
    limit = needs.limit if any(late) else needs.late_limit
    held = [("waits (countdown)", needs.countdown), ("may run (late acks)", limit)]
    visibility = scene.visibility()
    if scene.broker.transport == "amqp":
        if scene.needs.waiting and all(queue in scene.delayed for queue, _ in scene.needs.waiting):
            del held[0]  # RabbitMQ holds those messages, not a worker
        yield from _too_long_for_rabbitmq(held)
        return
    if visibility is None:
        return
    wrong = False
    for how, lasting in held:
        if lasting is not None and lasting.seconds >= visibility:
            wrong = True
            yield error(
                "redelivery",
                f"task '{lasting.task}' {how} for {duration(lasting.seconds)}, and the broker "
                f"redelivers messages that are not acknowledged within {duration(visibility)} "
                "(visibility_timeout)",
                "it would be delivered to another worker while it waits or runs, repeatedly",
                "set visibility_timeout in the broker_transport_options of every worker to more "
                f"than {lasting.seconds:,.0f}",
            )
    if not wrong:
        yield ok(
            "redelivery",
            f"no message is held longer than the visibility timeout, {duration(visibility)}",
        )


def _too_long_for_rabbitmq(held: list[tuple[str, Lasting | None]]) -> Iterator[Finding]:
    for how, lasting in held:
        if lasting is not None and lasting.seconds >= RABBITMQ_PATIENCE:
            yield warning(
                "redelivery",
                f"task '{lasting.task}' {how} for {duration(lasting.seconds)}; RabbitMQ leaves a "
                f"worker that acknowledges nothing for {duration(RABBITMQ_PATIENCE)}",
                "its messages are delivered to another worker while they wait or run",
                f"set consumer_timeout in rabbitmq.conf to more than {lasting.seconds:,.0f} s, "
                "unless that has been done",
            )


def one_visibility_timeout(scene: Scene) -> Iterator[Finding]:
    """Look whether all that use a broker wait for acknowledgements as long as each other."""
    if scene.broker.transport != "redis" or not scene.reports:
        return
    here = scene.conf.visibility_timeout or VISIBILITY
    told = {
        report.name: report.conf.visibility_timeout or VISIBILITY
        for report in scene.reports
        if "conf" not in report.silent
    }
    other = {name: seconds for name, seconds in told.items() if seconds != here}
    if other:
        each = ", ".join(duration(seconds) for seconds in sorted(set(other.values())))
        yield warning(
            "visibility timeout",
            f"it is {duration(here)} here and {each} on {listed(other, '')}",
            "each worker redelivers messages of the others by its own timeout: the shortest wins",
            "set one visibility_timeout in the broker_transport_options of all of them",
        )
    elif told:
        yield ok("visibility timeout", f"it is {duration(here)} here and on every worker")
