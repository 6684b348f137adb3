"""Plain workers: of a project's own app, in an environment that has Celery and no flowrunner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.engines.plans import HANG
from tests.engines.services import ClusterAddress, Service

PROJECT = Path(__file__).with_name("plain_project")
QUEUES = "proj,proj-own,proj-routed"


def install_celery(folder: Path) -> Path:
    """Return the Python of a new environment that has ``celery[redis]`` and what it requires.

    The packages are links to the installed ones, so that no index is needed.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for found in requirements("celery[redis]"):
        for name in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (packages / name).symlink_to(Path(str(found.locate_file(name))).resolve())
    script = folder / "bin" / "celery"
    script.write_text(f"#!{folder}/bin/python\nfrom celery.__main__ import main\nmain()\n")
    script.chmod(0o755)
    return folder / "bin" / "python"


def requirements(text: str) -> Iterable[Distribution]:
    """Return the installed distributions of a requirement, and all that these require."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    missing = [Requirement(text)]
    while missing:
        wanted = missing.pop()
        name = canonicalize_name(wanted.name)
        found[name] = distribution(name)
        for extra in {"", *wanted.extras}:
            if (name, extra) in done:
                continue
            done.add((name, extra))
            declared = map(Requirement, found[name].requires or ())
            missing += (
                each
                for each in declared
                if not each.marker or each.marker.evaluate({"extra": extra})
            )
    return found.values()


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
