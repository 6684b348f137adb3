"""What may stand in a setting: each function checks a value and converts it, or says the cure."""

from __future__ import annotations

import json
import os
import re
from math import ceil
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from msgspec import Struct

from flowrunner.duration import read_duration
from flowrunner.errors import ConfigurationError
from flowrunner.password import without_password
from flowrunner.plugins import PluginReference
from flowrunner.settings.model import NO_RUNS, AppReference
from flowrunner.suggestion import did_you_mean

__all__ = [
    "Place",
    "parse_flag",
    "parse_json",
    "parse_names",
    "parse_number",
    "parse_text",
    "read_app",
    "read_backend_options",
    "read_concurrency",
    "read_expiry",
    "read_flag",
    "read_namespace",
    "read_plugins",
    "read_runs",
    "read_table",
    "read_tls",
    "read_url",
]

#: Seconds for which results have to be kept: a run that cannot reach the backend tries for as long.
SHORTEST_EXPIRY: Final = 60
LONGEST_EXPIRY: Final = 100 * 365 * 86_400

#: Schemes whose path is the number of a database.
_REDIS: Final = ("redis", "rediss", "sentinel")

#: Celery's names; those of RabbitMQ's client are the same without "ssl_".
_TLS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS: Final = (
    *_TLS_FILES,
    *("ssl_cert_reqs", "ssl_check_hostname", "ssl_password", "ssl_ca_path", "ssl_ca_data"),
    *("ssl_ciphers", "ssl_server_hostname"),
)
#: Texts of a variable that switch something on or off.
_FLAGS: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
_CERT_REQS: Final = ("required", "optional", "none")


#: Options of kombu's transports and of result backends.
_OPTIONS_IN_SECONDS: Final = (
    *("visibility_timeout", "socket_timeout", "socket_connect_timeout", "health_check_interval"),
    *("polling_interval", "timeout", "interval_start", "interval_step", "interval_max"),
)
#: Of ASCII, and without what separates a namespace from the rest of a name.
_NAMESPACE: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"


def _refuse(place: Place, fault: str) -> NoReturn:
    raise ConfigurationError(f"{place.subject} {fault}")


def parse_text(text: str, place: Place) -> Any:
    """Return a variable's text as it is."""
    return text


def parse_names(text: str, place: Place) -> Any:
    """Return the names in a variable, which are separated like those of ``PATH``."""
    return [name for name in text.split(os.pathsep) if name]


def parse_number(text: str, place: Place) -> Any:
    """Return a variable's whole number, or its text where it is none."""
    return int(text) if re.fullmatch(r"\s*[0-9]{1,18}\s*", text) else text


def parse_flag(text: str, place: Place) -> Any:
    """Return whether a variable's text switches something on, or the text if it says neither."""
    return _FLAGS.get(text.strip().lower(), text)


def parse_json(text: str, place: Place) -> Any:
    """Return a variable's JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # What the parser says may quote a password.
        _refuse(place, 'must be JSON, for instance {"master_name": "mymaster"}')


def read_plugins(value: Any, place: Place) -> tuple[PluginReference, ...]:
    """Read a list of paths and modules."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        _refuse(place, 'must be a list of paths and modules, for instance ["plugins"]')
    return tuple(PluginReference(name, place.origin, place.folder) for name in value)


def read_app(value: Any, place: Place) -> AppReference | None:
    """Read the name of a Celery app."""
    if not isinstance(value, str):
        _refuse(place, 'must name a Celery app in quotes, for instance "proj.celery:app"')
    return AppReference(value, place.origin, place.folder) if value else None


def read_runs(value: Any, place: Place) -> str | None:
    """Read the path of the file of runs, relative to where it is said, or ``none``."""
    if not isinstance(value, str) or (not value and place.origin != "FLOWRUNNER_RUNS"):
        _refuse(place, f'must be the path of a file in quotes, or "{NO_RUNS}"')
    if value in ("", NO_RUNS):
        return value or None
    try:
        return str(place.folder / Path(value).expanduser())
    except RuntimeError:
        _refuse(
            place, f"must be the path of a file: {value} is in a home folder that does not exist"
        )


def read_url(value: Any, place: Place) -> str | None:
    """Read a URL, or several with ``;`` between them."""
    if not isinstance(value, str):
        _refuse(place, "must be a URL in quotes")
    for url in re.split(r"[;,](?=\w[\w+.-]*://)", value):
        if "://" not in url or re.search(r"[;,]", url):
            continue  # a name of kombu's, or several hosts in a way of its own
        if not _is_url(url):
            _refuse(
                place,
                f"is not a URL: {without_password(url)}; in a user name and a password write "
                f"@ / : ? # % as %40 %2F %3A %3F %23 %25",
            )
    return value or None


def read_namespace(value: Any, place: Place) -> str | None:
    """Read the name of a namespace, which is part of the names of keys and queues."""
    if not isinstance(value, str) or not re.fullmatch(_NAMESPACE, value):
        _refuse(
            place,
            f"must be up to 63 letters, digits, '-' and '_' that begin with a letter or a digit, "
            f"not {value!r}",
        )
    return value


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    # Where a password has an @ and a / the rest of it would be the path.
    return parts.scheme not in _REDIS or re.fullmatch(r"/*[0-9]*/*", parts.path) is not None


def read_table(value: Any, place: Place) -> dict[str, Any]:
    """Read a table of a transport's own options; those in seconds may be durations."""
    if not isinstance(value, dict):
        _refuse(place, 'must be a table, for instance { master_name = "mymaster" }')
    table = {key: _option(key, option, place) for key, option in value.items()}
    policy = table.get("retry_policy")
    if isinstance(policy, dict):
        table["retry_policy"] = {key: _option(key, each, place) for key, each in policy.items()}
    return table


def _option(key: str, value: Any, place: Place) -> Any:
    if key not in _OPTIONS_IN_SECONDS or not isinstance(value, str):
        return value
    seconds = read_duration(value, bare=True)
    if seconds is None:
        _refuse(place, f'must have seconds or a string like "1h 30m" for {key}, not {value!r}')
    return seconds


def read_backend_options(value: Any, place: Place) -> dict[str, Any]:
    """Read the options of a result backend."""
    table = read_table(value, place)
    if not table.get("result_chord_ordered", True):
        _refuse(
            place,
            "must leave result_chord_ordered on: without it the results of a group come in any "
            "order",
        )
    return table


def read_tls(value: Any, place: Place) -> dict[str, Any] | bool:
    """Read what TLS is to look at: a table, or ``true`` for what the system trusts."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, dict):
        _refuse(place, 'must be true or a table, for instance { ssl_ca_certs = "ca.pem" }')
    table: dict[str, Any] = {}
    for key, option in value.items():
        name = key if key.startswith("ssl_") else f"ssl_{key}"
        if name not in _TLS:
            _refuse(place, f"has no '{key}'; {did_you_mean(name, _TLS, ', '.join(_TLS))}")
        if name in _TLS_FILES:
            if not isinstance(option, str):
                _refuse(place, f"must have the path of a file for {key}")
            option = str(place.folder / option)
            if not os.access(option, os.R_OK):
                _refuse(place, f"names a file for {key} that cannot be read: {option}")
        elif name == "ssl_cert_reqs":
            option = str(option).lower().removeprefix("cert_")
            if option not in _CERT_REQS:
                _refuse(place, f"must have one of {', '.join(_CERT_REQS)} for {key}")
        table[name] = option
    return table


def read_expiry(value: Any, place: Place) -> int:
    """Read for how long results are kept: seconds, or a text like ``2 days``; 0 for ever."""
    seconds = read_duration(value, bare=True) if isinstance(value, str) else value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        _refuse(place, 'must be seconds or a string like "2 days", "36h" or "1h 30m"')
    if seconds and not SHORTEST_EXPIRY <= seconds <= LONGEST_EXPIRY:
        _refuse(
            place,
            f"must be at least {SHORTEST_EXPIRY} seconds, within which a run may miss a result, "
            f"and at most 100 years; or 0, for ever",
        )
    return ceil(seconds)


def read_concurrency(value: Any, place: Place) -> int:
    """Read a number of tasks at a time."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        _refuse(place, "must be an integer from 1")
    return value


def read_flag(value: Any, place: Place) -> bool:
    """Read whether something is switched on."""
    if not isinstance(value, bool):
        _refuse(place, "must be 1 or 0")
    return value


class Place(Struct, frozen=True):
    """A file, a variable of the environment or an option that says a setting.

    ``origin`` names it in short and ``shown`` in full; ``subject`` begins what is said against
    the value. ``folder`` is what paths in the value are relative to.
    """

    origin: str
    shown: str
    subject: str
    folder: Path = Path()

    @classmethod
    def of_file(cls, file: Path, key: str) -> Place:
        """Return the place of a key in a configuration file."""
        return cls(file.name, str(file), f"{file}: '{key}'", file.parent)
