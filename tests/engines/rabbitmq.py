"""A private RabbitMQ node: its own ports, data, cookie and port mapper; nothing stays behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from time import monotonic, sleep

from tests.engines.plans import HANG
from tests.engines.services import Service, free_port

#: Where Debian keeps the script that its wrapper on PATH starts as another user.
DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

#: Virtual hosts that every node has; each cluster of workers takes one of its own.
VIRTUAL_HOSTS = ("/", "conformance")


def rabbitmq_executable() -> str | None:
    """Return the RabbitMQ server's own script, where Erlang and its port mapper are there too."""
    if shutil.which("erl") is None or shutil.which("epmd") is None:
        return None
    return str(DEBIAN) if os.access(DEBIAN, os.X_OK) else shutil.which("rabbitmq-server")


#: Seconds for a node to stop by itself.
STOP = 20.0


class PortMapper:
    """Erlang's port mapper, in the foreground: one that a node starts would outlive it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            ["epmd", "-port", str(self.port), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = monotonic() + HANG
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError("epmd has not started") from None
                sleep(0.01)
            else:
                return

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class RabbitMQ(Service):
    """A RabbitMQ server of its own; ready when all its virtual hosts are."""

    def __init__(self, folder: Path) -> None:
        executable = rabbitmq_executable()
        assert executable is not None
        self.port = free_port()
        self._mapper = PortMapper()
        try:
            super().__init__(
                [executable],
                "Starting broker... completed",
                cwd=folder,
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            self._mapper.stop()
            raise

    def _environment(self, folder: Path) -> dict[str, str]:
        definitions = {
            "vhosts": [{"name": name} for name in VIRTUAL_HOSTS],
            "users": [{"name": "guest", "password": "guest", "tags": "administrator"}],
            "permissions": [
                {"user": "guest", "vhost": name, "configure": ".*", "write": ".*", "read": ".*"}
                for name in VIRTUAL_HOSTS
            ],
        }
        (folder / "definitions.json").write_text(json.dumps(definitions), encoding="utf-8")
        # A disk that is nearly full, or a small memory, is no reason to stop a test.
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"load_definitions = {folder / 'definitions.json'}\n"
            "disk_free_limit.absolute = 1MB\n"
            "vm_memory_high_watermark.relative = 0.8\n",
            encoding="utf-8",
        )
        (folder / "enabled_plugins").write_text("[].\n", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        return {
            **kept,
            "HOME": str(folder),  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(self._mapper.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"tests{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "no-advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # So that the script becomes the node instead of standing before it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def url(self, virtual_host: str = "/") -> str:
        path = "/" if virtual_host == "/" else virtual_host
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{path}"

    def __exit__(self, *_: object) -> None:
        try:
            self.process.terminate()  # killed, it would leave its helper processes behind
            try:
                self.process.wait(STOP)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        finally:
            self._mapper.stop()
