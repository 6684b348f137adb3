"""A Celery result backend in this process's memory.

Stock ``cache+memory://`` re-reads the whole group each time that a part of a chord returns
(1,000 parts took 27 s) and evicts after 5,000 keys. This one mirrors the protocol of Celery's
Redis backend (``celery/backends/redis.py``, ``on_chord_part_return``): the size of a chord,
its parts by task id and position, and the header itself only where groups are nested; a part
costs the same however wide the chord is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeAlias

from celery import states
from celery.backends.base import KeyValueStoreBackend
from celery.canvas import maybe_signature
from celery.exceptions import ChordError
from celery.result import GroupResult, allow_join_result

from flowrunner.engines.failure_notes import noted_failure

__all__ = ["MemoryBackend", "MemoryStore", "StateListener"]

#: Told of a task's id, new state, result, exception or what it raised, and traceback text.
StateListener: TypeAlias = Callable[[str, str, Any, str | None], None]


@dataclass
class _ChordParts:
    """What has come back of one chord's header."""

    size: int | None = None
    parts: dict[str, tuple[float, int, Any]] = field(default_factory=dict)


class MemoryStore:
    """The data of one engine's backend, and who wants to hear of which task."""

    def __init__(self) -> None:
        self.values: dict[bytes, Any] = {}
        self._chords: dict[str, _ChordParts] = {}
        self._listeners: dict[str, StateListener] = {}
        self._cancelled: set[str] = set()
        self._lock = Lock()

    def listen(self, task_ids: Iterable[str], listener: StateListener) -> None:
        """Tell ``listener`` of every state that one of these tasks enters."""
        self._listeners.update(dict.fromkeys(task_ids, listener))

    def forget(self, task_ids: Iterable[str]) -> None:
        """Stop telling of these tasks."""
        for task_id in task_ids:
            self._listeners.pop(task_id, None)

    def cancel(self, task_ids: Iterable[str]) -> None:
        """Let none of these tasks start any more."""
        self._cancelled.update(task_ids)

    def is_cancelled(self, task_id: str) -> bool:
        """Tell whether a task must not start any more."""
        return task_id in self._cancelled

    def tell(self, task_id: str, state: str, result: Any, traceback: str | None) -> None:
        """Tell whoever listens that a task has entered a state."""
        listener = self._listeners.get(task_id)
        if listener is not None:
            listener(task_id, state, result, traceback)

    def open_chord(self, group_id: str, size: int) -> None:
        """Say how many parts a chord waits for."""
        with self._lock:
            self._chords.setdefault(group_id, _ChordParts()).size = size

    def add_to_chord(self, group_id: str) -> None:
        """Let a chord wait for one more part."""
        with self._lock:
            chord = self._chords.setdefault(group_id, _ChordParts())
            chord.size = (chord.size or 0) + 1

    def add_part(self, group_id: str, task_id: str, index: int | None, part: Any) -> list[Any]:
        """Keep a part; the one that completes the chord gets all of them, in header order."""
        with self._lock:
            chord = self._chords.setdefault(group_id, _ChordParts())
            order = float("inf") if index is None else index
            chord.parts.setdefault(task_id, (order, len(chord.parts), part))
            if chord.size is None or len(chord.parts) < chord.size:
                return []
            # A part that came again would find a chord of no size, which never fires.
            del self._chords[group_id]
        return [part for *_, part in sorted(chord.parts.values(), key=lambda entry: entry[:2])]


class MemoryBackend(KeyValueStoreBackend):  # type: ignore[misc]
    """The backend; ``result_backend_transport_options={"store": MemoryStore()}``."""

    supports_native_join = False
    supports_autoexpire = True
    persistent = False

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.store: MemoryStore = app.conf.result_backend_transport_options["store"]

    def get(self, key: bytes) -> Any:
        """Return the value of a key, or ``None``."""
        return self.store.values.get(key)

    def mget(self, keys: Iterable[bytes]) -> list[Any]:
        """Return the values of several keys."""
        return [self.store.values.get(key) for key in keys]

    def set(self, key: bytes, value: Any) -> None:
        """Set the value of a key."""
        self.store.values[key] = value

    def delete(self, key: bytes) -> None:
        """Delete a key."""
        self.store.values.pop(key, None)

    def store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: str | None = None,
        request: Any = None,
        **options: Any,
    ) -> Any:
        """Keep a task's state and tell whoever listens."""
        # Nobody reads passing states back, and a RETRY that is stored late would take the
        # place of the result that the retried task has left in the meantime.
        if state not in (states.STARTED, states.RETRY):
            super().store_result(task_id, result, state, traceback, request, **options)
        failure = noted_failure(request) if state == states.FAILURE else None
        self.store.tell(task_id, state, failure or result, traceback)
        return result

    def set_chord_size(self, group_id: str, chord_size: int) -> None:
        """Say how many parts a chord waits for; called before its last member is queued."""
        self.store.open_chord(group_id, chord_size)

    def add_to_chord(self, chord_id: str, result: Any) -> None:
        """Let a chord wait for one more part."""
        self.store.add_to_chord(chord_id)

    def apply_chord(self, header_result_args: Any, body: Any, **_: Any) -> None:
        """Keep the header's shape where it has groups in it: the body gets it nested."""
        header = self.app.GroupResult(*header_result_args)
        if any(isinstance(result, GroupResult) for result in header.results):
            header.save(backend=self)

    def on_chord_part_return(self, request: Any, state: str, result: Any, **_: Any) -> None:
        """Keep a header member's result; after the last one queue the body."""
        group_id, task_id = request.group, request.id
        if not group_id or not task_id:
            return
        part = self.encode([task_id, state, self.encode_result(result, state)])
        parts = self.store.add_part(group_id, task_id, request.group_index, part)
        if not parts:
            return
        body = maybe_signature(request.chord, app=self.app)
        try:
            body.delay(self._joined(group_id, parts))
        except ChordError as error:
            self.chord_error_from_stack(body, error)
        except Exception as error:  # whatever it was, the body must not wait for ever
            self.chord_error_from_stack(body, ChordError(f"Callback error: {error!r}"))

    def _joined(self, group_id: str, parts: list[Any]) -> list[Any]:
        nested = GroupResult.restore(group_id, backend=self, app=self.app)
        if nested is not None:
            with allow_join_result():
                results: list[Any] = nested.join(propagate=True)
            return results
        return [self._unpacked(part) for part in parts]

    def _unpacked(self, part: Any) -> Any:
        task_id, state, result = self.decode(part)
        if state in states.PROPAGATE_STATES:
            raise ChordError(f"Dependency {task_id} raised {self.exception_to_python(result)!r}")
        return result
