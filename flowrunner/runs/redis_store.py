"""Runs recorded in Redis, where every machine of a cluster finds them.

A record is one hash. What a store changes it changes in one script, so that nothing is left of a
record that has expired in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from math import ceil
from typing import Any, Final
from uuid import UUID

from redis import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from flowrunner.model import HandlerName
from flowrunner.plan import Plan
from flowrunner.runs.packing import packed
from flowrunner.runs.record import Attempt, RecordState, RunRecord, RunSummary
from flowrunner.runs.record_data import (
    pack_attempt,
    pack_outcome,
    pack_plan,
    record_fields,
    record_of,
    summary_of,
)
from flowrunner.runs.store import RunStoreUnreachableError, named_run, not_recorded

__all__ = ["RedisRunStore"]

#: Runs whose summaries are asked for at a time.
PAGE: Final = 200
#: Runs that are looked at, when one is recorded, whether they have expired.
OLDEST: Final = 10
_SUMMARY: Final = (
    *("run", "workflow", "file", "state", "created", "ended", "engine"),
    *("attempts", "attempt"),
)

#: KEYS: record, open runs. ARGV: seconds that it is kept or '', the run, what becomes of it among
#: the open runs ('open', 'ended' or ''), an attempt or '', then fields and values.
#: An attempt that is there already is not added again.
_CHANGE: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[4] ~= '' then
  local count = redis.call('HGET', KEYS[1], 'attempts')
  if redis.call('HGET', KEYS[1], 'attempt:' .. count) ~= ARGV[4] then
    count = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
    redis.call('HSET', KEYS[1], 'attempt:' .. count, ARGV[4])
  end
  redis.call('HSET', KEYS[1], 'attempt', ARGV[4])
  redis.call('HDEL', KEYS[1], 'given:on_error', 'given:finally')
end
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
if ARGV[3] == 'open' then
  redis.call('ZADD', KEYS[2], redis.call('HGET', KEYS[1], 'created'), ARGV[2])
end
if ARGV[3] == 'ended' then redis.call('ZREM', KEYS[2], ARGV[2]) end
if ARGV[1] ~= '' then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return 1
"""

#: KEYS: lease, record. ARGV: driver, milliseconds, seconds that the record is kept or ''.
_CLAIM: Final = """
if redis.call('EXISTS', KEYS[2]) == 0 then return -1 end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[3] ~= '' then redis.call('EXPIRE', KEYS[2], ARGV[3]) end
return 1
"""

#: KEYS: lease. ARGV: driver.
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class RedisRunStore:
    """A :class:`~flowrunner.runs.store.RunStore` in Redis.

    ``prefix`` begins every key. A record goes ``expires`` seconds after its last change, or after
    it was last claimed; ``None`` keeps it. ``address`` is what messages call the server, and
    ``masked`` takes passwords out of what it says.
    """

    def __init__(
        self,
        client: Redis,
        *,
        prefix: str = "",
        expires: float | None = None,
        address: str = "Redis",
        masked: Callable[[str], str] = str,
    ) -> None:
        self._client: Any = client  # what it says of its answers differs between versions
        self._prefix = f"{prefix}flowrunner:"
        self._expires = "" if expires is None else str(max(1, ceil(expires)))
        self._address, self._masked = address, masked
        self._runs = f"{self._prefix}runs"
        self._open = f"{self._prefix}open"

    def _record(self, run: UUID) -> str:
        return f"{self._prefix}run:{run}"

    def _lease(self, run: UUID) -> str:
        return f"{self._prefix}driver:{run}"

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            reason = self._masked(str(error)) or type(error).__name__
            raise RunStoreUnreachableError(
                f"the runs recorded in {self._address} cannot be read or written: {reason}; "
                f"{_cure(error)}"
            ) from error

    def create(self, record: RunRecord) -> None:
        """Record a new run."""
        key, run = self._record(record.run), str(record.run)
        fields: dict[str, Any] = {
            **{name: _stored(value) for name, value in record_fields(record).items()},
            "attempts": len(record.attempts),
        }
        for number, attempt in enumerate(record.attempts, 1):
            fields[f"attempt:{number}"] = fields["attempt"] = pack_attempt(attempt)
        for name, given in record.handler_inputs.items():
            fields[f"given:{name}"] = packed(given)
        with self._explaining(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping=fields)
            if self._expires:
                pipeline.expire(key, self._expires)
            pipeline.zadd(self._runs, {run: record.created.timestamp()})
            if not record.has_ended:
                pipeline.zadd(self._open, {run: record.created.timestamp()})
            pipeline.execute()
            oldest = self._client.zrange(self._runs, 0, OLDEST - 1)
            self._existing(oldest, self._runs)

    def get(self, run: UUID) -> RunRecord:
        """Return what is recorded of a run."""
        with self._explaining():
            stored = self._client.hgetall(self._record(run))
        if not stored:
            raise not_recorded(run)
        fields = {name.decode(): value for name, value in stored.items()}
        known = _read(fields)
        attempts = [fields[f"attempt:{number}"] for number in range(1, known["attempts"] + 1)]
        given = {
            name.removeprefix("given:"): value
            for name, value in fields.items()
            if name.startswith("given:")
        }
        return record_of(known, attempts, given)

    def find(self, text: str) -> UUID:
        """Return the run that somebody means."""
        with self._explaining():
            names = self._client.zrevrange(self._runs, 0, -1)
            known = self._existing(names, self._runs)
        return named_run(text, known)

    def open_runs(self) -> list[UUID]:
        """Return the runs that have not ended, the oldest first."""
        with self._explaining():
            names = self._client.zrange(self._open, 0, -1)
            return self._existing(names, self._open)

    def _existing(self, names: Sequence[bytes], index: str) -> list[UUID]:
        """Return the runs whose records have not expired; the others leave their index."""
        if not names:
            return []
        runs = [UUID(name.decode()) for name in names]
        with self._client.pipeline(transaction=False) as pipeline:
            for run in runs:
                pipeline.exists(self._record(run))
            exists = pipeline.execute()
        gone = [name for name, there in zip(names, exists, strict=True) if not there]
        if gone:
            self._client.zrem(index, *gone)
        return [run for run, there in zip(runs, exists, strict=True) if there]

    def list(self, *, limit: int, states: Collection[RecordState] = ()) -> list[RunSummary]:
        """Return the newest runs first."""
        found: list[RunSummary] = []
        gone: list[bytes] = []
        with self._explaining():
            for start in count(0, PAGE):
                names = self._client.zrevrange(self._runs, start, start + PAGE - 1)
                for name, summary in zip(names, self._summaries(names), strict=True):
                    if summary is None:
                        gone.append(name)
                    elif not states or summary.state in states:
                        found.append(summary)
                if len(names) < PAGE or len(found) >= limit:
                    break
            if gone:
                self._client.zrem(self._runs, *gone)
        return found[:limit]

    def _summaries(self, names: Sequence[bytes]) -> Iterator[RunSummary | None]:
        with self._client.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hmget(self._record(UUID(name.decode())), _SUMMARY)
            for values in pipeline.execute():
                fields = dict(zip(_SUMMARY, values, strict=True))
                yield None if fields["run"] is None else summary_of(_read(fields))

    def delete(self, run: UUID) -> None:
        """Forget a run; what Celery keeps of its tasks expires by itself."""
        with self._explaining(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.delete(self._record(run), self._lease(run))
            pipeline.zrem(self._runs, str(run))
            pipeline.zrem(self._open, str(run))
            pipeline.execute()

    def begin_attempt(self, run: UUID, attempt: Attempt, *, plan: Plan | None = None) -> None:
        """Add an attempt and open the run again."""
        fresh: dict[str, Any] = {} if plan is None else {"plan": pack_plan(plan)}
        fresh |= {"state": "STARTED", "ended": None, "queued": 0, "cancelled": 0, "outcome": None}
        self._change(run, fresh, open_runs="open", attempt=pack_attempt(attempt))

    def set_queued(self, run: UUID) -> None:
        """Note that the current attempt's main part has been published whole."""
        self._change(run, {"state": "STARTED", "queued": 1})

    def set_handler_input(self, run: UUID, name: HandlerName, value: Any) -> None:
        """Keep what a handler of the current attempt is given."""
        self._change(run, {f"given:{name}": packed(value)})

    def finish(
        self, run: UUID, state: RecordState, outcome: Mapping[str, Any], ended: datetime
    ) -> None:
        """Note how the current attempt has ended."""
        fields = {"state": state, "outcome": pack_outcome(outcome), "ended": ended.timestamp()}
        self._change(run, fields, open_runs="ended")

    def cancel(self, run: UUID) -> None:
        """Note the wish that nothing more of the run starts."""
        self._change(run, {"cancelled": 1})

    def is_cancelled(self, run: UUID) -> bool:
        """Tell whether the current attempt is to be cancelled."""
        with self._explaining():
            value = self._client.hget(self._record(run), "cancelled")
        if value is None:
            raise not_recorded(run)
        return bool(int(value))

    def claim(self, run: UUID, driver: str, *, seconds: float) -> bool:
        """Let ``driver`` be the one who drives a run, unless somebody else does."""
        keys = (self._lease(run), self._record(run))
        with self._explaining():
            claimed = self._client.eval(
                _CLAIM, 2, *keys, driver, max(1, round(seconds * 1000)), self._expires
            )
        if claimed < 0:
            raise not_recorded(run)
        return bool(claimed)

    def release(self, run: UUID, driver: str) -> None:
        """Drive a run no more."""
        with self._explaining():
            self._client.eval(_RELEASE, 1, self._lease(run), driver)

    def driver(self, run: UUID) -> str | None:
        """Return who drives a run at this moment."""
        with self._explaining():
            found = self._client.get(self._lease(run))
        return None if found is None else found.decode()

    def _change(
        self, run: UUID, fields: Mapping[str, Any], *, open_runs: str = "", attempt: bytes = b""
    ) -> None:
        changes = [part for name, value in fields.items() for part in (name, _stored(value))]
        keys = (self._record(run), self._open)
        with self._explaining():
            if not self._client.eval(
                _CHANGE, 2, *keys, self._expires, str(run), open_runs, attempt, *changes
            ):
                raise not_recorded(run)


def _stored(value: Any) -> Any:
    """Return a field as Redis keeps it, which has bytes, and an empty text for nothing."""
    return "" if value is None else value


def _read(stored: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a record's fields as they were before Redis kept them."""
    known = ((name, value) for name, value in stored.items() if value is not None)
    return {name: _READERS.get(name, bytes)(value) for name, value in known}


def _optional_number(value: bytes) -> float | None:
    return float(value) if value else None


_READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    **dict.fromkeys(("created", "ended", "timeout"), _optional_number),
    **dict.fromkeys(("queued", "cancelled", "attempts"), int),
    **dict.fromkeys(("run", "state", "engine"), bytes.decode),
    "outcome": lambda value: value or None,
}


def _cure(error: Exception) -> str:
    if isinstance(error, OutOfMemoryError):
        return "its memory is full: give it more, or let results expire sooner (result_expires)"
    return "see that the result backend runs and can be reached (flowrunner doctor)"
