"""Leases: which execution of a task is the one that runs, kept in a Redis result backend.

A message may come twice: when its worker dies, when its visibility timeout passes while the task
runs, when a broker restarts. Redis's own clock decides when a lease has lapsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from flowrunner.engines.process_identity import Holder, current_incarnation
from flowrunner.engines.run_flags import cancelled_key, known_key

__all__ = ["LEASE_LIFE", "Answer", "Leases", "lease_key"]

#: Seconds after which a lease that is not renewed has lapsed.
LEASE_LIFE: Final = 30.0
#: Seconds for which is remembered that a worker died with a task, where results never expire.
LONGEST_MEMORY: Final = 86_400

#: ``unknown``: of no run that the backend knows. ``taken``: this execution is the one. ``held``:
#: another one runs. ``outdated``: a later try of the task is on its way. ``cancelled``: no task
#: under this root may start; ``cancelled-held``: nor may this one, but another execution runs.
Verdict: TypeAlias = Literal["unknown", "taken", "held", "outdated", "cancelled", "cancelled-held"]

#: Keys: known, cancelled, the task's result, its lease. Arguments: who asks, the try, the lease's
#: life in ms, seconds to remember, the start of the keys of workers that have left in order, a
#: holder that is dead; and what to keep as the task's state when nothing is kept yet, if anything,
#: and for how many seconds.
_TAKE: Final = """
local found = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
if not found[1] then return {'unknown', false, '', 0} end
local me, try, dead = ARGV[1], tonumber(ARGV[2]), ARGV[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', KEYS[4], 'holder', 'try', 'until', 'lost')
local holder, their_try, lost = lease[1], tonumber(lease[2]), tonumber(lease[4]) or 0
local held = false
if holder and holder ~= me and try <= their_try then
    if holder == '' then
        if try < their_try then return {'outdated', found[3], '', lost} end
    elseif redis.call('EXISTS', ARGV[5] .. string.match(holder, '^[^:]*')) == 0 then
        if holder == dead or tonumber(lease[3]) <= now then
            lost = lost + 1
        else
            held = true
        end
    end
end
if found[2] then return {held and 'cancelled-held' or 'cancelled', found[3], '', lost} end
if held then return {'held', found[3], holder, lost} end
redis.call('HSET', KEYS[4],
    'holder', me, 'try', try, 'until', now + tonumber(ARGV[3]), 'lost', lost)
redis.call('EXPIRE', KEYS[4], ARGV[4])
if ARGV[7] ~= '' and not found[3] then
    if ARGV[8] == '0' then
        redis.call('SET', KEYS[3], ARGV[7])
    else
        redis.call('SET', KEYS[3], ARGV[7], 'EX', ARGV[8])
    end
    redis.call('PUBLISH', KEYS[3], ARGV[7])
end
return {'taken', found[3], '', lost}
"""

#: Arguments: the holder, and the try that comes next; '' when there is none.
_RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'holder', '', 'try', ARGV[2])
return 1
"""

#: Renews those of these leases that a life of a worker holds.
_RENEW: Final = """
local time = redis.call('TIME')
local last = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2])
local renewed = 0
for _, lease in ipairs(KEYS) do
    local holder = redis.call('HGET', lease, 'holder')
    if holder and string.sub(holder, 1, #ARGV[1]) == ARGV[1] then
        redis.call('HSET', lease, 'until', last)
        redis.call('EXPIRE', lease, ARGV[3])
        renewed = renewed + 1
    end
end
return renewed
"""


def lease_key(backend: Any, task_id: str) -> Any:
    """Return the key of a task's lease."""
    return backend.get_key_for_task(f"flowrunner-lease-{task_id}")


@dataclass(frozen=True)
class Answer:
    """What a backend says of a task that is about to start.

    ``stored`` is what it has kept of the task, as it is; ``lost`` says how many executions have
    died with their workers.
    """

    verdict: Verdict
    stored: bytes | None
    holder: Holder | None
    lost: int


class Leases:
    """The leases in a Redis result backend. Every method is one round trip."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        script: Callable[[str], Any] = backend.client.register_script
        self._take, self._release, self._renew = map(script, (_TAKE, _RELEASE, _RENEW))
        self._memory = int(backend.expires or LONGEST_MEMORY)
        self._left = _text(backend.get_key_for_task("flowrunner-left-"))

    def take(
        self,
        task_id: str,
        *,
        root: str,
        me: Holder,
        attempt: int,
        dead: Holder | None = None,
        started: str = "",
    ) -> Answer:
        """Ask to be the execution of a task that runs.

        ``attempt`` counts the task's retries; ``dead`` is a holder whose process has gone.
        ``started`` is kept as the task's state when nothing is kept of it yet.
        """
        backend = self._backend
        keys = [
            known_key(backend, root),
            cancelled_key(backend, root),
            backend.get_key_for_task(task_id),
            lease_key(backend, task_id),
        ]
        arguments = [
            str(me),
            attempt,
            int(LEASE_LIFE * 1000),
            self._memory,
            self._left,
            "" if dead is None else str(dead),
            started,
            backend.expires or 0,
        ]
        verdict, stored, holder, lost = self._take(keys=keys, args=arguments)
        other = Holder.read(_text(holder)) if holder else None
        return Answer(_text(verdict), stored, other, int(lost))  # type: ignore[arg-type]

    def release(self, task_id: str, me: Holder, *, next_attempt: int | None = None) -> None:
        """Let go of a lease without a result; ``next_attempt`` is the retry that was queued."""
        following = "" if next_attempt is None else next_attempt
        self._release(keys=[lease_key(self._backend, task_id)], args=[str(me), following])

    def renew(self, task_ids: Iterable[str]) -> int:
        """Renew those of these tasks' leases that this worker holds; return how many."""
        keys = [lease_key(self._backend, task_id) for task_id in task_ids]
        mine = f"{current_incarnation().token}:"
        arguments = [mine, int(LEASE_LIFE * 1000), self._memory]
        return int(self._renew(keys=keys, args=arguments)) if keys else 0

    def leave(self) -> None:
        """Say that this worker has ended in order: whatever it still held is free."""
        key = f"{self._left}{current_incarnation().token}"
        self._backend.client.set(key, 1, ex=self._memory)

    def first_since(self, what: str, *, seconds: int) -> bool:
        """Tell whether no worker has asked this about ``what`` in the last ``seconds`` seconds."""
        key = self._backend.get_key_for_task(f"flowrunner-{what}")
        return bool(self._backend.client.set(key, 1, ex=seconds, nx=True))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
