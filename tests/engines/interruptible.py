"""A program that runs one plan; the tests interrupt it: ``python -m … ENGINE HERE UNTIL AFTER``.

With two more files its plan has handlers, too: ``finally`` waits as the main part does.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager

from flowrunner.app import InterruptedRunError, run_plan
from flowrunner.engines.protocol import Engine
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.unfolding import Unfolding
from tests.engines.conftest import cluster, embedded, processes
from tests.engines.plans import call, chain, planned
from tests.engines.services import ClusterAddress


class ObservedLedger(Unfolding):
    """Says when an engine that was interrupted waits for what runs."""

    @property
    def running(self) -> bool:
        print("waiting", flush=True)
        return super().running


def main(kind: str, here: str, until: str, after: str, *last: str) -> int:
    plan = planned(
        chain(call("waits_for", here, until), call("touches", after)),
        on_error=call("touches", f"{after}-error") if last else None,
        finally_=call("waits_for", *last) if last else None,
    )
    ledger = RunLedger(plan, main=ObservedLedger(plan.root, plan.sequence))
    context: AbstractContextManager[Engine]
    if kind == "celery":
        address = ClusterAddress(os.environ["FLOWRUNNER_BROKER"], os.environ["FLOWRUNNER_BACKEND"])
        context = cluster(address)
    else:
        context = {"embedded": embedded, "processes": processes}[kind]()
    with context as engine:
        try:
            run_plan(plan, engine, ledger=ledger)
        except InterruptedRunError as error:
            states = [step.state for step in ledger.steps.values()]
            print(error.outcome.state, error.outcome.reason, *states, flush=True)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
