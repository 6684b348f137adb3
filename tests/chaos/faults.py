"""The faults: each does something to a cluster while a run goes on, and tells how that ended."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any, Final, Literal, TypeAlias

from tests.chaos.cluster import VALUE, Cluster, HungError

__all__ = ["FAULTS", "SAMPLE", "Ending", "trial"]

Ending: TypeAlias = Literal["ended right", "resumed right", "wrong", "hung"]
Fault: TypeAlias = Callable[[Cluster], dict[str, Any]]

#: Seconds for which Redis is away.
AWAY: Final = 3.0


def child_killed(cluster: Cluster) -> dict[str, Any]:
    cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase("header")
    os.kill(int(cluster.lines("begin step")[-1].split()[-1]), signal.SIGKILL)
    return cluster.ended(applying)


def worker_killed(cluster: Cluster, *, phase: str) -> dict[str, Any]:
    worker = cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase(phase)
    worker.kill()
    cluster.start_worker()  # as a service manager would
    return cluster.ended(applying)


def redis_stopped(cluster: Cluster, *, phase: str) -> dict[str, Any]:
    cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase(phase)
    cluster.stop_redis()
    sleep(AWAY)
    cluster.start_redis()
    return cluster.ended(applying)


def worker_restarted(cluster: Cluster) -> dict[str, Any]:
    worker = cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase("header")
    worker.process.send_signal(signal.SIGTERM)
    cluster.start_worker()
    return cluster.ended(applying)


def one_of_two_killed(cluster: Cluster) -> dict[str, Any]:
    worker = cluster.start_worker()
    cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase("header")
    worker.kill()
    return cluster.ended(applying)


def delivered_again(cluster: Cluster) -> dict[str, Any]:
    """The visibility timeout passes while tasks run; a worker that starts looks at once."""
    cluster.changes = {"FLOWRUNNER_BROKER_TRANSPORT_OPTIONS": '{"visibility_timeout": 2}'}
    cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase("header")
    sleep(2.5)
    cluster.start_worker()
    cluster.wait_for_phase("body")
    sleep(2.5)
    cluster.start_worker()
    return cluster.ended(applying)


def apply_killed(cluster: Cluster) -> dict[str, Any]:
    cluster.start_worker()
    applying = cluster.apply()
    cluster.wait_for_phase("header")
    applying.kill()
    applying.communicate()
    return cluster.ended(cluster.start("watch", "last", "--output", "json"))


def broker_hangs(cluster: Cluster) -> dict[str, Any]:
    """A broker that accepts connections and never answers is told, with exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        applying = cluster.start("apply", str(cluster.file), "--output", "json", "--broker", broker)
        told = cluster.ended(applying)
    refused = applying.returncode == 3 and told["state"] == "REFUSED"
    return {"state": "SUCCESS" if refused else "FAILURE", "result": VALUE, "refused": refused}


PHASES: Final = ("header", "between", "body")
FAULTS: Final[dict[str, Fault]] = {
    "kill -9 a child of the pool": child_killed,
    **{f"kill -9 the worker: {p}": partial(worker_killed, phase=p) for p in PHASES},
    **{f"Redis away for 3 s: {p}": partial(redis_stopped, phase=p) for p in PHASES},
    "restart the worker": worker_restarted,
    "kill -9 one of two workers": one_of_two_killed,
    "delivered again while it runs": delivered_again,
    "kill -9 apply, then watch": apply_killed,
    "a broker that hangs": broker_hangs,
}
#: Faults whose tasks have to run in processes, or for longer.
PREFORK: Final = ("kill -9 a child of the pool", "kill -9 the worker: body")
SECONDS: Final = {"delivered again while it runs": 6.0}
#: What the ordinary run tries, once.
SAMPLE: Final = (
    "kill -9 a child of the pool",
    "kill -9 the worker: header",
    "Redis away for 3 s: header",
    "kill -9 apply, then watch",
)


def trial(name: str, folder: Path) -> tuple[Ending, str]:
    """Try a fault once, and tell how the run has ended, with what is to be said of that."""
    pool = "prefork" if name in PREFORK else "threads"
    with Cluster(folder, pool=pool, seconds=SECONDS.get(name, 0.7)) as cluster:
        try:
            told = FAULTS[name](cluster)
            ending: Ending = "ended right"
            said = ""
            if told["state"] != "SUCCESS":
                ending, said = "resumed right", f"{told['reason']} {told['errors']}"
                told = cluster.ended(cluster.start("resume", "last", "--output", "json"))
        except HungError as error:
            return "hung", f"{error}\n{_logs(cluster)}"
        except AssertionError as error:
            return "wrong", f"{error}\n{_logs(cluster)}"
        bodies = len(cluster.lines("end body"))
        right = (told["state"], told["result"]) == ("SUCCESS", VALUE)
        if right and (bodies == 1 or "refused" in told):
            return ending, said
        return "wrong", f"{told}\nthe body ran {bodies} times\n{_logs(cluster)}"


def _logs(cluster: Cluster) -> str:
    worker = "\n".join("".join(list(each.output)[-40:]) for each in cluster.workers)
    return f"{cluster.log.read_text() if cluster.log.exists() else ''}\n{worker}"
