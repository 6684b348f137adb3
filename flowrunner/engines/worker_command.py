"""The command line that starts a worker for what this one is to run."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Self

from flowrunner.password import without_password
from flowrunner.settings import Settings

__all__ = ["WorkerCommand"]

#: How the origin begins of what stands in no file: a worker which is started here reads the files.
_NOT_IN_A_FILE: Final = ("-", "FLOWRUNNER_")


@dataclass(frozen=True)
class WorkerCommand:
    """``flowrunner worker``, with what it has to be told where it is started as this was.

    ``own`` is the command by which an existing app starts workers itself; ``foreign`` are the tasks
    that such a worker does not have, which plugins bring.
    """

    app: str | None = None
    plugins: tuple[str, ...] = ()
    broker: str | None = None
    backend: str | None = None
    namespace: str | None = None
    own: str | None = None
    foreign: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the command for the settings that hold here."""
        app, elsewhere = settings.app, settings.broker or settings.backend

        def told(name: str, value: str | None) -> str | None:
            origin = settings.origins.get(name, _NOT_IN_A_FILE[0])
            return value if origin.startswith(_NOT_IN_A_FILE) else None

        return cls(
            app=app.name if app is not None and app.origin.startswith(_NOT_IN_A_FILE) else None,
            plugins=tuple(
                plugin.name
                for plugin in settings.plugins
                if plugin.origin.startswith(_NOT_IN_A_FILE)
            ),
            broker=told("broker", settings.broker),
            backend=told("backend", settings.backend),
            namespace=told("namespace", settings.namespace),
            own=f"celery -A {app.name} worker" if app is not None and not elsewhere else None,
        )

    def line(self, queues: Collection[str] = (), tasks: Iterable[str] = ()) -> str:
        """Return the command for these queues, and the existing app's own one after it.

        The latter if its workers have these tasks.
        Passwords are not shown: then the variables are named that have them.
        """
        addresses = {"broker": self.broker, "backend": self.backend}
        secret = [name for name, url in addresses.items() if url and without_password(url) != url]
        words = ["flowrunner", "worker"]
        if self.app:
            words += ["-A", self.app]
        for plugin in self.plugins:
            words += ["--plugin", plugin]
        for name, url in addresses.items():
            if url and name not in secret:
                words += [f"--{name}", url]
        consumed = ["-Q", ",".join(queues)] if queues else []
        # No option says it: a worker of another namespace would find nothing to do.
        variable = f"FLOWRUNNER_NAMESPACE={self.namespace} " if self.namespace else ""
        lines = [variable + shlex.join(words + consumed)]
        if secret:
            variables = " and ".join(f"FLOWRUNNER_{name.upper()}" for name in secret)
            lines[0] += f"  # with {variables} set: what stands in them holds a password"
        if self.own and self.foreign.isdisjoint(tasks):
            lines.append(f"{self.own}{''.join(f' {shlex.quote(word)}' for word in consumed)}")
        return "\n".join(lines)
