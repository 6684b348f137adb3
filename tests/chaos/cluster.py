"""A cluster of real processes that can be hurt: a Redis with an append-only file, and workers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from kombu.connection import Connection

from tests.engines.services import ClusterAddress, Redis, Service, free_port

PLUGIN = Path(__file__).with_name("tasks_plugin.py")
#: Seconds within which a trial has to end; a stall is told after 90 s, and then resumed.
BOUND = 180.0
#: The calls of ``step``: 0…3 in a header, 4…6 in that of a chord in it; and the sum of it all.
STEPS = 7
VALUE = sum(range(STEPS))
WORKFLOW = """
chord:
  header:
  - {{task: step, times: 4, args: ["${{i}}", "{log}", {seconds}]}}
  - chord:
      header: {{task: step, times: 3, args: ["${{i + 4}}", "{log}", {seconds}]}}
      body: plus
  body: {{task: add, args: ["{log}", {seconds}], countdown: {pause}}}
"""
#: The same steps and the same sum, of which the driver queues one after the other.
UNFOLDING = """
chain:
- numbers
- each: ${{prev}}
  do: {{task: step, args: ["{log}", {seconds}], when: item >= 0, retry: 2}}
  max_parallel: 4
- {{task: add, args: ["{log}", {seconds}], countdown: {pause}}}
"""


#: What a worker says of each message.
_RECEIVED = re.compile(r"Task (\S+) received")


class HungError(AssertionError):
    """Something has not come within the bound."""


class OwnWorker(Service):
    """A ``flowrunner worker`` in a process group of its own."""

    def __init__(self, address: ClusterAddress, folder: Path, pool: str, **changes: str) -> None:
        environment = address.environment(**{"FLOWRUNNER_PLUGINS": str(PLUGIN), **changes})
        command = [sys.executable, "-m", "flowrunner", "worker", "--pool", pool]
        super().__init__(
            [*command, "--concurrency", str(Cluster.CONCURRENCY)],
            " ready.",
            cwd=folder,
            env=environment,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill it and every process of its pool, as the kernel does when memory is short."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


class Cluster:
    """The processes of one trial, in a folder of its own."""

    #: Tasks that a worker runs at a time.
    CONCURRENCY = 4

    def __init__(
        self, folder: Path, *, pool: str, seconds: float, pause: float, unfolds: bool = False
    ) -> None:
        self.folder = folder
        self.pool = pool
        self.log = folder / "log"
        self.file = folder / "chaos.yaml"
        text = UNFOLDING if unfolds else WORKFLOW
        self.file.write_text(text.format(log=self.log, seconds=seconds, pause=pause))
        self.address = ClusterAddress("", "")
        self.changes: dict[str, str] = {}
        self.workers: list[OwnWorker] = []
        self._port = free_port()
        self._stack = ExitStack()
        self._redis: Redis | None = None
        self._applying: subprocess.Popen[str] | None = None
        self._ends = monotonic() + BOUND

    def __enter__(self) -> Self:
        self.start_redis()
        assert self._redis is not None
        self.address = ClusterAddress(self._redis.url(0), self._redis.url(1))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def start_redis(self) -> None:
        self._redis = Redis(self.folder, self._port, appendonly=True)
        self._stack.enter_context(self._redis)

    def stop_redis(self) -> None:
        assert self._redis is not None
        self._redis.process.terminate()
        self._redis.process.wait()

    def deliver_again(self) -> None:
        """Do what every worker on Redis does now and then: queue again what is overdue."""
        options = json.loads(self.changes["FLOWRUNNER_BROKER_TRANSPORT_OPTIONS"])
        with Connection(self.address.broker, transport_options=options) as connection:  # type: ignore[no-untyped-call]
            connection.default_channel.qos.restore_visible()

    def start_worker(self) -> OwnWorker:
        worker = OwnWorker(self.address, self.folder, self.pool, **self.changes)
        self._stack.enter_context(worker)
        self.workers.append(worker)
        return worker

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a ``flowrunner`` command."""
        process = subprocess.Popen(
            [sys.executable, "-m", "flowrunner", *arguments],
            env=self.address.environment(**{"FLOWRUNNER_PLUGINS": str(PLUGIN), **self.changes}),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(process.kill)
        return process

    def apply(self) -> subprocess.Popen[str]:
        self._applying = self.start("apply", str(self.file), "--output", "json")
        return self._applying

    def ended(self, process: subprocess.Popen[str], *, within: float = BOUND) -> dict[str, Any]:
        """Wait for a command and return the object that it prints."""
        try:
            out, err = process.communicate(timeout=max(min(self._ends - monotonic(), within), 1))
        except subprocess.TimeoutExpired as error:
            raise HungError(f"{process.args!r} has not ended") from error
        try:
            found: dict[str, Any] = json.loads(out)
        except ValueError:
            raise AssertionError(f"{process.returncode}: {out}{err}") from None
        return found

    def lines(self, start: str) -> list[str]:
        text = self.log.read_text() if self.log.exists() else ""
        return [line for line in text.splitlines() if line.startswith(start)]

    def most_received(self) -> int:
        """Return how many times the task was delivered that was delivered most often."""
        lines = (line for worker in self.workers for line in worker.output)
        return max(Counter(_RECEIVED.findall("".join(lines))).values())

    def running(self) -> int:
        """Return the process of the task that has begun last."""
        return int(self.lines("begin")[-1].split()[-1])

    def wait_for_lines(self, start: str, count: int) -> None:
        """Wait until tasks have written so many lines."""
        while len(self.lines(start)) < count:
            if self._applying is not None and self._applying.poll() is not None:
                raise AssertionError(f"the run has ended too soon: {self.ended(self._applying)}")
            if monotonic() > self._ends:
                raise HungError(f"no {count} × {start!r}")
            sleep(0.02)

    def wait_for_phase(self, phase: str) -> None:
        """Wait until the header runs, the body does, or neither any more nor yet."""
        lines = {"header": ("begin step", 2), "between": ("end step", STEPS)}
        self.wait_for_lines(*lines.get(phase, ("begin body", 1)))
