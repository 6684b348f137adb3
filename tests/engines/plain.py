"""Plain workers: of a project's own app, in an environment that has Celery and no flowrunner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import celery

from tests.engines.plans import HANG
from tests.engines.services import ClusterAddress, Service

PROJECT = Path(__file__).with_name("plain_project")
QUEUES = "proj,proj-own,proj-routed"


def install_celery(folder: Path) -> Path:
    """Return the Python of a new environment that has Celery alone.

    Raises :class:`subprocess.CalledProcessError` where no index can be reached.
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    wanted = f"celery[redis]=={celery.__version__}"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]
    subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    return python


def project_environment(address: ClusterAddress, **settings: Any) -> dict[str, str]:
    """Return the environment in which the project finds its broker, its backend and settings."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "CI")}
    return {
        **kept,
        "C_FORCE_ROOT": "1",  # root may work with pickle too, in a container of a test
        "PROJ_BROKER": address.broker,
        "PROJ_BACKEND": address.backend,
        "PROJ_SETTINGS": json.dumps(settings),
    }


class PlainWorker(Service):
    """A worker as the project starts it, with processes of its own."""

    def __init__(self, python: Path, address: ClusterAddress, **settings: Any) -> None:
        command = [
            *(str(python), "-m", "celery", "-A", "proj.celery_app", "worker", "-Q", QUEUES),
            *("--concurrency", "3", "--loglevel", "INFO", "--hostname", "plain@%h"),
            *("--without-mingle", "--without-gossip", "--without-heartbeat"),
        ]
        environment = project_environment(address, **settings)
        self.address = address
        super().__init__(command, " ready.", cwd=PROJECT, env=environment)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()  # its processes would stay behind if it were killed
        try:
            self.process.wait(HANG / 4)
        except subprocess.TimeoutExpired:
            super().__exit__()
