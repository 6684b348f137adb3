"""What a Redis broker says that it was sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from redis import Redis

#: Not what workers answer to questions.
PUSHED = re.compile(r'"LPUSH" "(?![^"]*pidbox")[^"]*" "(?P<message>.*)"', re.DOTALL)
ESCAPED = re.compile(r"\\x..|\\.")


@contextmanager
def pushed_messages(client: Redis) -> Iterator[Callable[[], list[int]]]:
    """Note what is pushed to the broker's queues; what this yields gives the sizes in bytes."""
    commands: list[str] = []
    with client.monitor() as monitor:

        def listen() -> None:
            while '"ECHO"' not in (command := monitor.connection.read_response().decode()):
                commands.append(command)

        listener = Thread(target=listen)
        listener.start()

        def sizes() -> list[int]:
            client.echo("enough")
            listener.join()
            pushed = map(PUSHED.search, commands)
            return [len(ESCAPED.sub("_", each["message"])) for each in pushed if each is not None]

        yield sizes
