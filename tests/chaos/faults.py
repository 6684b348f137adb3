"""The faults: each does something to a cluster while a run goes on, and tells how that ended."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Any, Final, TypeAlias

from tests.chaos.cluster import BOUND, STEPS, Cluster, HungError

__all__ = ["FAULTS", "SAMPLE", "Fault"]

Told: TypeAlias = dict[str, Any]

#: Seconds for which Redis is away.
AWAY: Final = 3.0
#: Seconds within which a phase is hit, anywhere: tasks take longer.
WITHIN: Final = 0.4
#: Seconds within which a broker that hangs has to be told.
TOLD_WITHIN: Final = 45.0


@dataclass(frozen=True)
class Fault:
    """What ``happens`` gives is the object that ``apply`` or ``watch`` prints.

    ``interrupts`` tasks, which then begin once more; what does not may begin no task twice.
    ``seconds`` is what each task takes, ``pause`` what passes between header and body. What
    ``refuses`` starts no run. A run that ``unfolds`` has the same steps, queued by its driver.
    """

    happens: Callable[[Cluster], Told]
    pool: str = "threads"
    seconds: float = 0.7
    pause: float = 1.0
    interrupts: bool = False
    refuses: bool = False
    unfolds: bool = False


def reach(cluster: Cluster, phase: str) -> None:
    """Wait until a run is somewhere in a phase: at another moment in each trial.

    Mostly early ones: there results are kept, chords count and what comes next is queued.
    """
    cluster.wait_for_phase(phase)
    sleep(WITHIN * random.random() ** 3)


def child_killed(cluster: Cluster, *, phase: str) -> Told:
    cluster.start_worker()
    applying = cluster.apply()
    reach(cluster, phase)
    os.kill(cluster.running(), signal.SIGKILL)
    return cluster.ended(applying)


def worker_killed(cluster: Cluster, *, phase: str) -> Told:
    worker = cluster.start_worker()
    applying = cluster.apply()
    reach(cluster, phase)
    worker.kill()
    cluster.start_worker()  # as a service manager would
    return cluster.ended(applying)


def redis_stopped(cluster: Cluster, *, phase: str) -> Told:
    cluster.start_worker()
    applying = cluster.apply()
    reach(cluster, phase)
    cluster.stop_redis()
    sleep(AWAY)
    cluster.start_redis()
    return cluster.ended(applying)


def worker_restarted(cluster: Cluster, *, phase: str) -> Told:
    worker = cluster.start_worker()
    applying = cluster.apply()
    reach(cluster, phase)
    worker.process.send_signal(signal.SIGTERM)
    try:
        assert worker.process.wait(BOUND / 2) == 0, "the worker has not ended well"
    except subprocess.TimeoutExpired as error:
        raise HungError("the worker does not end") from error
    cluster.start_worker()
    return cluster.ended(applying)


def one_of_two_killed(cluster: Cluster) -> Told:
    worker = cluster.start_worker()
    cluster.start_worker()
    applying = cluster.apply()
    reach(cluster, "header")
    worker.kill()
    return cluster.ended(applying)


def delivered_again(cluster: Cluster) -> Told:
    """The visibility timeout passes while tasks run, and there are workers with nothing to do."""
    cluster.changes = {"FLOWRUNNER_BROKER_TRANSPORT_OPTIONS": '{"visibility_timeout": 1}'}
    cluster.start_worker()
    cluster.start_worker()
    applying = cluster.apply()
    for what, running in (("begin step", STEPS), ("begin body", 1)):
        cluster.wait_for_lines(what, running)
        sleep(1.1)
        cluster.deliver_again()
    told = cluster.ended(applying)
    assert cluster.most_received() > 1, "nothing was delivered again"
    return told


def apply_killed(cluster: Cluster, *, phase: str) -> Told:
    cluster.start_worker()
    applying = cluster.apply()
    reach(cluster, phase)
    applying.kill()
    applying.communicate()
    return cluster.ended(cluster.start("watch", "last", "--output", "json"))


def broker_hangs(cluster: Cluster) -> Told:
    """A broker that accepts connections and never answers is told, with exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        applying = cluster.start("apply", str(cluster.file), "--output", "json", "--broker", broker)
        told = cluster.ended(applying, within=TOLD_WITHIN)
    assert applying.returncode == 3, f"exit code {applying.returncode}: {told}"
    assert any(broker in each["message"] for each in told["diagnostics"]), told
    return told


PHASES: Final = ("header", "between", "body")
FAULTS: Final[dict[str, Fault]] = {
    **{
        f"kill -9 a child of the pool: {phase}": Fault(
            partial(child_killed, phase=phase), pool="prefork", interrupts=True
        )
        for phase in ("header", "body")
    },
    **{
        f"kill -9 the worker: {phase}": Fault(
            partial(worker_killed, phase=phase), pool="prefork", interrupts=True
        )
        for phase in PHASES
    },
    "kill -9 one of two workers": Fault(one_of_two_killed, interrupts=True),
    **{
        f"Redis away for 3 s: {phase}": Fault(partial(redis_stopped, phase=phase))
        for phase in PHASES
    },
    **{
        f"restart the worker: {phase}": Fault(partial(worker_restarted, phase=phase))
        for phase in ("header", "between")
    },
    "delivered again while it runs": Fault(delivered_again, seconds=3.0, pause=0.0),
    **{
        f"kill -9 apply, then watch: {phase}": Fault(partial(apply_killed, phase=phase))
        for phase in ("header", "body")
    },
    "a broker that hangs": Fault(broker_hangs, refuses=True),
    **{
        f"unfolding, kill -9 apply, then watch: {phase}": Fault(
            partial(apply_killed, phase=phase), unfolds=True
        )
        for phase in PHASES
    },
    **{
        f"unfolding, kill -9 the worker: {phase}": Fault(
            partial(worker_killed, phase=phase), pool="prefork", interrupts=True, unfolds=True
        )
        for phase in PHASES
    },
    **{
        f"unfolding, Redis away for 3 s: {phase}": Fault(
            partial(redis_stopped, phase=phase), unfolds=True
        )
        for phase in PHASES
    },
}
#: What is tried once where not everything is tried twenty times.
SAMPLE: Final = (
    "kill -9 apply, then watch: header",
    "kill -9 a child of the pool: header",
    "kill -9 the worker: header",
    "Redis away for 3 s: body",
    "unfolding, kill -9 apply, then watch: header",
    "a broker that hangs",
)
