"""What is configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from flowrunner.errors import ConfigurationError
from flowrunner.plugins import PluginReference

__all__ = ["NO_RUNS", "AppReference", "Settings"]

#: What the setting ``runs`` says to record none.
NO_RUNS: Final = "none"

#: Settings that Celery has under the same name.
OF_CELERY: Final = (
    "broker_transport_options",
    "broker_use_ssl",
    "redis_backend_use_ssl",
    "result_backend_transport_options",
    "result_expires",
)


class AppReference(Struct, frozen=True):
    """An existing Celery app as somebody named it, the way that ``celery -A`` takes it.

    ``origin`` says who named it; its modules may stand in ``folder``.
    """

    name: str
    origin: str
    folder: Path = Path()


@dataclass(frozen=True)
class Settings:
    """What is configured.

    ``broker`` and ``backend`` are URLs and win over those of ``app``. Without any of the three
    runs are embedded; those are recorded in the file ``runs``. ``namespace`` keeps projects apart
    that share a cluster; an ``app`` decides that itself. ``result_expires`` is in seconds,
    0 for never. ``origins`` says of every setting that is no default where it comes from, for
    people. With ``no_plugins`` neither a plugin nor the app is loaded, and ``plugins`` is empty.
    """

    plugins: tuple[PluginReference, ...] = ()
    no_plugins: bool = False
    app: AppReference | None = None
    broker: str | None = None
    backend: str | None = None
    namespace: str | None = None
    broker_transport_options: Mapping[str, Any] = field(default_factory=dict)
    result_backend_transport_options: Mapping[str, Any] = field(default_factory=dict)
    broker_use_ssl: Mapping[str, Any] | bool = False
    redis_backend_use_ssl: Mapping[str, Any] | bool = False
    result_expires: int = 86_400
    concurrency: int | None = None
    runs: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.app is not None and self.namespace is not None:
            said = self.origins.get("namespace", "namespace")
            raise ConfigurationError(
                f"the namespace '{self.namespace}' ({said}) cannot be used with the Celery app "
                f"{self.app.name} ({self.app.origin}), whose own configuration names its queues "
                f"and keys: remove the setting 'namespace', or set global_keyprefix in the app"
            )

    @property
    def of_celery(self) -> dict[str, Any]:
        """What was said of settings that are Celery's own; defaults are not among them."""
        return {name: getattr(self, name) for name in OF_CELERY if name in self.origins}

    def require_plugins(self, need: str) -> None:
        """Check that plugins are loaded; ``need`` says who needs them, for what.

        Raises :class:`~flowrunner.errors.ConfigurationError`.
        """
        if self.no_plugins:
            origin = self.origins.get("no_plugins", "--no-plugins")
            cure = "leave out" if origin.startswith("-") else "unset"
            raise ConfigurationError(f"{need}, and no plugins are loaded: {cure} {origin}")
