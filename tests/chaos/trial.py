"""One trial: a fault, how the run has ended, and whether that is right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal, TypeAlias

from tests.chaos.cluster import STEPS, VALUE, Cluster, HungError
from tests.chaos.faults import FAULTS, Fault

__all__ = ["Ending", "Trial", "attempt"]

Ending: TypeAlias = Literal["ended right", "resumed right", "wrong", "hung"]

#: Lines of each worker's output that are shown of a trial that went wrong.
LINES_SHOWN: Final = 60


@dataclass(frozen=True)
class Trial:
    """How a trial has ended, after how many seconds, and what is to be said of it."""

    ending: Ending
    seconds: float
    said: str = ""


def attempt(name: str, folder: Path) -> Trial:
    """Try a fault once, on processes of its own."""
    fault, began = FAULTS[name], monotonic()

    def ended(ending: Ending, said: str = "") -> Trial:
        return Trial(ending, monotonic() - began, said)

    with Cluster(
        folder,
        pool=fault.pool,
        seconds=fault.seconds,
        pause=fault.pause,
        unfolds=fault.unfolds,
    ) as cluster:
        try:
            told = fault.happens(cluster)
            if fault.refuses:
                return ended("ended right", str(told))
            if told["state"] == "SUCCESS":
                _check(fault, cluster, told)
                return ended("ended right")
            why = told.get("reason") or told.get("errors") or told.get("diagnostics")
            assert why, f"ended without a reason: {told}"
            resumed = cluster.ended(cluster.start("resume", "last", "--output", "json"))
            _check(fault, cluster, resumed)
        except HungError as error:
            return ended("hung", f"{error}\n{_logs(cluster)}")
        except (AssertionError, RuntimeError) as error:
            return ended("wrong", f"{error}\n{_logs(cluster)}")
        return ended("resumed right", f"{told['state']}: {why}")


def _check(fault: Fault, cluster: Cluster, told: dict[str, Any]) -> None:
    """Hold a run that says that it has succeeded to its value, and to what ran how often."""
    assert (told["state"], told["result"]) == ("SUCCESS", VALUE), told
    run = cluster.ended(cluster.start("show", "last", "--output", "json"))
    assert (run["state"], run["result"]) == ("SUCCESS", VALUE), f"recorded otherwise: {run}"
    finished = Counter(line.rpartition(" ")[0] for line in cluster.lines("end"))
    assert finished["end body"] == 1, f"the body ran {finished['end body']} times"
    assert len(finished) == STEPS + 1, f"not all have run: {finished}"
    begun = len(cluster.lines("begin"))
    assert fault.interrupts or begun == STEPS + 1, f"{begun} tasks have begun, not {STEPS + 1}"
    assert begun - STEPS - 1 <= cluster.CONCURRENCY, f"{begun} have begun: more than was killed"


def _logs(cluster: Cluster) -> str:
    log = cluster.log.read_text() if cluster.log.exists() else ""
    workers = ("".join(list(each.output)[-LINES_SHOWN:]) for each in cluster.workers)
    return "\n--- a worker\n".join([log, *workers])
