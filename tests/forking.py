"""``flowrunner`` commands as forks of a process that has imported flowrunner already.

Importing takes most of a short command's time. A fork has a descriptor of its own for each
stream, and its own exit code, working directory and environment; it shares no state with the
tests or with other commands. Tests of what an interpreter does as it starts or stops, of
signals and of terminals start a process instead.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import IO

ROOT = Path(__file__).parent.parent
#: What commands import later than flowrunner's own modules.
IMPORTED_LATE = (
    *("celery.app.amqp", "celery.app.control", "celery.app.events", "celery.backends.redis"),
    *("celery.fixups.django", "celery.loaders.app", "kombu.transport.memory"),
    *("kombu.transport.redis", "sqlite3", "wsgiref.handlers"),
)
#: The longest request: arguments and an environment.
REQUEST = 1 << 20


def run_command(
    *arguments: str, cwd: Path, env: Mapping[str, str], stdin: bytes = b"", timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """Run ``flowrunner`` with these arguments in a fork; its output is captured.

    Raises :class:`subprocess.TimeoutExpired`, and kills the fork, as :func:`subprocess.run` does.
    """
    _require_no_settings_of_the_interpreter(env)
    with _Pipe() as source, _Pipe() as stdout, _Pipe() as stderr:
        theirs = (source.reader.fileno(), stdout.writer.fileno(), stderr.writer.fileno())
        fork = _server().start({"argv": arguments, "cwd": str(cwd), "env": dict(env)}, theirs)
        for end in (source.reader, stdout.writer, stderr.writer):
            end.close()
        reading = [_Reading(stdout.reader), _Reading(stderr.reader)]
        writing = Thread(target=_write, args=(source.writer, stdin), daemon=True)
        writing.start()
        try:
            code = fork.wait(timeout)
            out, err = (each.result(timeout) for each in reading)
        except TimeoutError:
            fork.kill()
            raise subprocess.TimeoutExpired(["flowrunner", *arguments], timeout) from None
        writing.join()
    return subprocess.CompletedProcess(["flowrunner", *arguments], code, out, err)


def run_command_text(
    *arguments: str, cwd: Path, env: Mapping[str, str], stdin: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Do the same with strings, as ``subprocess.run(text=True)`` does."""
    ended = run_command(*arguments, cwd=cwd, env=env, stdin=stdin.encode(), timeout=timeout)
    out, err = (as_text(each) for each in (ended.stdout, ended.stderr))
    return subprocess.CompletedProcess(ended.args, ended.returncode, out, err)


def as_text(content: bytes) -> str:
    """Decode output, with the line ends of a stream that is read as text."""
    return content.decode().replace("\r\n", "\n").replace("\r", "\n")


def _require_no_settings_of_the_interpreter(env: Mapping[str, str]) -> None:
    """Refuse variables that an interpreter reads as it starts, unless they hold here as well."""
    harmless = {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    for name, value in env.items():
        if name.startswith("PYTHON") and value not in (os.environ.get(name), harmless.get(name)):
            raise ValueError(f"a fork cannot obey {name}={value}: start a process")


class _Pipe:
    reader: IO[bytes]
    writer: IO[bytes]

    def __enter__(self) -> _Pipe:
        reading, writing = os.pipe()
        self.reader, self.writer = open(reading, "rb"), open(writing, "wb")  # noqa: PTH123
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.writer.close()


def _write(writer: IO[bytes], content: bytes) -> None:
    with suppress(BrokenPipeError), writer:  # a command may not read its stdin to the end
        writer.write(content)


class _Reading(Thread):
    """Reads a stream to its end."""

    def __init__(self, reader: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._reader, self._content = reader, b""
        self.start()

    def run(self) -> None:
        self._content = self._reader.read()

    def result(self, timeout: float) -> bytes:
        self.join(timeout)
        if self.is_alive():
            raise TimeoutError
        return self._content


class _Fork:
    """A process of which a connection tells the id, and then the exit code."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pid = int(connection.recv(64))

    def wait(self, timeout: float) -> int:
        self._connection.settimeout(timeout)
        with self._connection:
            return int(self._connection.recv(64))

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)


class _Server:
    """The process that forks: one for each process of pytest."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = Lock()
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        # A file, since the forks are not to find a package ``tests`` that they have not imported.
        command = [sys.executable, "-P", __file__, str(theirs.fileno())]
        with theirs:
            # The streams are pipes, as those of the forks are.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env={**kept, "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"},
                pass_fds=[theirs.fileno()],
            )
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST)
        atexit.register(self.stop)

    def stop(self) -> None:
        self._control.close()
        self._process.wait()

    def start(self, request: Mapping[str, object], streams: tuple[int, ...]) -> _Fork:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            message = json.dumps(request).encode()
            socket.send_fds(self._control, [message], [*streams, theirs.fileno()])
        return _Fork(ours)


@cache
def _server() -> _Server:
    return _Server()


def _import_flowrunner() -> None:
    import flowrunner

    for module in pkgutil.walk_packages(flowrunner.__path__, "flowrunner."):
        if module.name not in ("flowrunner.__main__", "flowrunner.worker"):
            import_module(module.name)
    for name in IMPORTED_LATE:
        import_module(name)


def _await_request(control: socket.socket) -> dict[str, object] | None:
    """Fork for each request; return it in the fork, and ``None`` in the server at its end."""
    awake, wakes = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    forks: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(awake, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if awake in ready:
                os.read(awake, 4096)
                for pid in list(forks):
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if ended:
                        with forks.pop(pid) as connection, suppress(BrokenPipeError):
                            connection.send(b"%d" % os.waitstatus_to_exitcode(status))
            if control.fileno() not in ready:
                continue
            message, descriptors, *_ = socket.recv_fds(control, REQUEST, 4)
            if not message:
                return None
            *streams, report = descriptors
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                break
            forks[pid] = socket.socket(fileno=report)
            forks[pid].send(b"%d" % pid)
            for stream in streams:
                os.close(stream)
    control.detach()
    for connection in forks.values():
        connection.detach()
    os.closerange(3, 1024)
    request: dict[str, object] = json.loads(message)
    return request


def _become(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    """Do what ``python -m flowrunner`` does in this folder and environment."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    found = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = [cwd, *found]
    sys.argv[1:] = argv
    sys.modules.pop("__mp_main__", None)  # this file, since multiprocessing is imported
    runpy.run_module("flowrunner", run_name="__main__", alter_sys=True)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    _import_flowrunner()
    request = _await_request(control)
    if request is not None:
        _become(**request)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
