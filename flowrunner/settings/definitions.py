"""Which settings there are, and how each is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from flowrunner.settings.reading import (
    Place,
    parse_flag,
    parse_json,
    parse_names,
    parse_number,
    parse_text,
    read_app,
    read_backend_options,
    read_concurrency,
    read_expiry,
    read_flag,
    read_namespace,
    read_plugins,
    read_runs,
    read_table,
    read_tls,
    read_url,
)

__all__ = ["DEFINITIONS", "Definition"]


class Definition(Struct, frozen=True):
    """How a setting is read.

    ``read`` checks and converts what a file says, ``parse`` brings the text of a variable to
    that; ``option`` is the command line's. What ``adds_up`` holds of all origins together. A
    setting that is not ``in_file`` is only a variable and an option.
    """

    read: Callable[[Any, Place], Any]
    parse: Callable[[str, Place], Any] = parse_text
    option: str = ""
    adds_up: bool = False
    in_file: bool = True


DEFINITIONS: Final[dict[str, Definition]] = {
    "plugins": Definition(read_plugins, parse_names, "--plugin", adds_up=True),
    "no_plugins": Definition(read_flag, parse_flag, "--no-plugins", in_file=False),
    "app": Definition(read_app, option="-A"),
    "broker": Definition(read_url, option="--broker"),
    "backend": Definition(read_url, option="--backend"),
    "namespace": Definition(read_namespace),
    "broker_transport_options": Definition(read_table, parse_json),
    "result_backend_transport_options": Definition(read_backend_options, parse_json),
    "broker_use_ssl": Definition(read_tls, parse_json),
    "redis_backend_use_ssl": Definition(read_tls, parse_json),
    "result_expires": Definition(read_expiry),
    "concurrency": Definition(read_concurrency, parse_number, "--concurrency"),
    "runs": Definition(read_runs),
}
