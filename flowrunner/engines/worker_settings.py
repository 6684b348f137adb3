"""The settings of flowrunner's own workers, each with its reason."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from celery import Celery

from flowrunner.engines.cluster_settings import ANSWER_TIMEOUT, CONNECT_TIMEOUT, CONNECTIONS

__all__ = ["NEEDED", "SETTINGS", "apply_settings", "worker_settings"]


class Setting(NamedTuple):
    """A Celery setting: its value, and what it is for."""

    value: Any
    reason: str


#: Of every worker; where an existing app says otherwise itself, the app's word holds.
SETTINGS: Final[dict[str, Setting]] = {
    "task_acks_late": Setting(True, "a task whose worker dies is delivered again"),
    "task_reject_on_worker_lost": Setting(
        True, "a task whose pool process is killed is delivered again"
    ),
    "task_track_started": Setting(True, "progress shows running tasks and their workers"),
    "worker_prefetch_multiplier": Setting(1, "queued tasks stay where any worker can take them"),
    "worker_lost_wait": Setting(
        2.0, "a killed process is detected after 2 s; Celery waits for 10 s"
    ),
    "worker_proc_alive_timeout": Setting(30.0, "a busy machine may need long to fork"),
    "worker_pool_start_method": Setting("fork", "forked processes inherit the loaded plugins"),
    "worker_consumer": Setting(
        "flowrunner.engines.worker_consumer:Consumer",
        "an acknowledgement on a lost connection does not end the worker",
    ),
    "worker_cancel_long_running_tasks_on_connection_loss": Setting(
        False, "a task continues while the broker is down; its lease keeps it from running twice"
    ),
    "worker_soft_shutdown_timeout": Setting(
        20.0,
        "seconds for tasks to end on a cold shutdown; the others are queued again",
    ),
    "worker_enable_soft_shutdown_on_idle": Setting(
        True, "tasks that wait for their countdown are queued again as well"
    ),
    "result_expires": Setting(86_400, "seconds for which results, and so runs, are stored"),
    "result_chord_expires": Setting(
        86_400, "the parts of a chord are stored as long as its results"
    ),
    "result_backend_always_retry": Setting(
        True, "a short failure of the backend does not lose a result"
    ),
    "result_backend_max_retries": Setting(
        20, "retries last about two minutes; Celery would retry for ever"
    ),
    "task_publish_retry_policy": Setting(
        {"max_retries": 8, "interval_start": 0, "interval_step": 0.5, "interval_max": 3},
        "a short failure of the broker does not lose the next tasks: retries last about 15 s",
    ),
    "redis_socket_keepalive": Setting(True, "a connection that a firewall drops is detected"),
    "redis_socket_timeout": Setting(
        ANSWER_TIMEOUT, "seconds until a backend that hangs counts as lost"
    ),
    "redis_socket_connect_timeout": Setting(
        CONNECT_TIMEOUT, "seconds until a backend that cannot be reached counts as lost"
    ),
    "redis_backend_health_check_interval": Setting(25, "an idle connection is checked before use"),
    "redis_retry_on_timeout": Setting(True, "a request whose answer is late is repeated"),
    "result_backend_thread_safe": Setting(True, "threads share one connection pool"),
    "broker_pool_limit": Setting(
        CONNECTIONS, "each header inside a header needs one more connection at a time"
    ),
    "broker_connection_timeout": Setting(CONNECT_TIMEOUT, "seconds to wait for a connection"),
    "broker_connection_retry": Setting(True, "a worker waits for a broker that is down"),
    "broker_connection_retry_on_startup": Setting(
        True, "a worker waits for a broker that has not started yet"
    ),
    "broker_connection_max_retries": Setting(None, "a worker waits without a limit"),
}

#: What a Redis broker's connections have; an app's own options win, one by one.
REDIS_TRANSPORT: Final[dict[str, Setting]] = {
    "socket_keepalive": Setting(True, SETTINGS["redis_socket_keepalive"].reason),
    "socket_timeout": Setting(ANSWER_TIMEOUT, "seconds until a broker that hangs counts as lost"),
    "socket_connect_timeout": Setting(
        CONNECT_TIMEOUT, "seconds until a broker that cannot be reached counts as lost"
    ),
    "health_check_interval": Setting(25, SETTINGS["redis_backend_health_check_interval"].reason),
    "retry_on_timeout": Setting(True, SETTINGS["redis_retry_on_timeout"].reason),
}

#: What no run can do without: it holds whatever an existing app says.
NEEDED: Final[dict[str, Setting]] = {
    "worker_enable_remote_control": Setting(True, "runs ask workers what they know and run"),
}


def worker_settings(broker: str | None) -> dict[str, Any]:
    """Return the settings of a worker on this broker."""
    settings = {name: setting.value for name, setting in {**SETTINGS, **NEEDED}.items()}
    if broker is not None and broker.startswith(("redis", "sentinel")):
        options = {name: setting.value for name, setting in REDIS_TRANSPORT.items()}
        settings["broker_transport_options"] = options
    return settings


def apply_settings(app: Celery, *, broker: str | None) -> list[str]:
    """Give an existing app a worker's settings, except those that it has itself.

    Returns what it says otherwise and yet has to be, in words.
    """
    conf = app.conf
    theirs = str(broker or conf.get("broker_read_url") or conf.get("broker_url") or "")
    settings = worker_settings(theirs)
    options = {
        **settings.pop("broker_transport_options", {}),
        **(conf.get("broker_transport_options") or {}),
    }
    changed = [
        f"{name} is {setting.value!r} and not {conf.get(name)!r}: {setting.reason}"
        for name, setting in NEEDED.items()
        if conf.value_set_for(name) and conf.get(name) != setting.value
    ]
    conf.update(
        {k: v for k, v in settings.items() if k in NEEDED or not conf.value_set_for(k)},
        broker_transport_options=options,
    )
    accepted = list(conf.get("accept_content") or ())
    if not {"json", "application/json"} & set(accepted):
        conf.update(accept_content=[*accepted, "json"])
        changed.append(f"accept_content has 'json' beside {accepted}: runs are sent as JSON")
    return changed
