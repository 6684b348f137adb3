"""What a Redis broker says that it was sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from redis import Redis

#: Not what workers answer to questions.
PUSHED = re.compile(r'"LPUSH" "(?![^"]*pidbox")[^"]*" "(?P<message>.*)"', re.DOTALL)
#: The id of its task; the body, in base64, holds no quotes.
TASK_ID = re.compile(r'\\"id\\": \\"(?P<id>[0-9a-f-]{36})')
ESCAPED = re.compile(r"\\x..|\\.")


@contextmanager
def pushed_messages(client: Redis) -> Iterator[Callable[[], list[tuple[str, int]]]]:
    """Note what is pushed to the broker's queues.

    What this yields ends that and gives the task's id and the size in bytes of each message.
    """
    commands: list[str] = []
    with client.monitor() as monitor:

        def listen() -> None:
            while '"ECHO"' not in (command := monitor.connection.read_response().decode()):
                commands.append(command)

        listener = Thread(target=listen)
        listener.start()

        def messages() -> list[tuple[str, int]]:
            client.echo("enough")
            listener.join()
            pushed = [found["message"] for found in map(PUSHED.search, commands) if found]
            return [
                (found["id"], len(ESCAPED.sub("_", text)))
                for text in pushed
                if (found := TASK_ID.search(text))
            ]

        yield messages
