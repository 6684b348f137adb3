"""Publishing what of a run is to be queued, section by section."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from celery import Celery
from celery.backends.redis import RedisBackend
from celery.canvas import Signature

from flowrunner.engines.canvas import Canvas, lower_to_canvas
from flowrunner.engines.continuation import store_parts
from flowrunner.engines.protocol import task_id
from flowrunner.engines.run_flags import publishing_under
from flowrunner.engines.stored_results import stored_values
from flowrunner.plan import Call, Sequence, calls_of

__all__ = ["Publication"]

#: What the result backend keeps the names of published sections under, before the run's root.
_SECTIONS: Final = "flowrunner-sections-"


class Publication:
    """What has been queued of one run under ``root``, and with which ids.

    If the run ``unfolds``, the result backend stores which sections were queued, so that a later
    driver queues the others. ``parts`` are what continuations publish, by their task ids.
    """

    def __init__(self, app: Celery, *, run: UUID, root: UUID, unfolds: bool = False) -> None:
        self.root = root
        self.parts: dict[str, Signature] = {}
        self._app = app
        self._run = run
        self._ids: dict[tuple[str, int], str] = {}
        self._queued: set[str] = set()  # of what is being published
        self._unfolds = unfolds

    def task_id(self, call: Call) -> str:
        """Return the id of a call's task."""
        key = (call.path, call.tries)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = task_id(call, self._run)
        return found

    def prepared(self, sequences: Iterable[Sequence]) -> list[Canvas]:
        """Return sections as Celery runs them, and note what their continuations will publish."""
        canvases = [
            lower_to_canvas(sequence, app=self._app, task_ids=self.task_id)
            for sequence in sequences
        ]
        for canvas in canvases:
            self.parts.update(canvas.parts)
        return canvases

    def publish(self, sequences: Iterable[Sequence]) -> None:
        """Queue sections. What is published twice is the same twice: it has the same ids.

        Raises what the broker's client raises; another try queues what is left.
        """
        sections = {self._name(section): section for section in sequences}
        for name, section in sections.items():
            if name in self._queued:
                continue
            (canvas,) = self.prepared([section])
            store_parts(self._app.backend, canvas.parts)
            with publishing_under(self.root):
                canvas.start.apply_async()
            self._queued.add(name)
        if self._unfolds and sections:
            self._mark(list(sections))
        self._queued.difference_update(sections)

    def _mark(self, names: list[str]) -> None:
        """Store that sections were queued: on Redis in one set of the run, else a key for each."""
        backend: Any = self._app.backend
        if not isinstance(backend, RedisBackend):
            for name in names:
                backend.set(self._key(name), "1")
            return
        pipeline = backend.client.pipeline(transaction=False)
        pipeline.sadd(self._key(), *names)
        if backend.expires:
            pipeline.expire(self._key(), int(backend.expires))
        pipeline.execute()

    def _are_marked(self, names: list[str]) -> list[bool]:
        backend: Any = self._app.backend
        if isinstance(backend, RedisBackend):
            return list(map(bool, backend.client.smismember(self._key(), names)))
        found = stored_values(backend, [self._key(name) for name in names])
        return [value is not None for value in found]

    def unpublished(self, sequences: Iterable[Sequence]) -> list[Sequence]:
        """Return the sections that nobody has queued; the others are prepared."""
        sections = list(sequences)
        if not self._unfolds:  # it is one section, and queued
            self._note_parts(sections)
            return []
        if not sections:
            return sections
        known = self._are_marked([self._name(section) for section in sections])
        both = list(zip(sections, known, strict=True))
        self._note_parts(section for section, is_known in both if is_known)
        return [section for section, is_known in both if not is_known]

    def _note_parts(self, sections: Iterable[Sequence]) -> None:
        """Note what continuations of sections that were queued will publish.

        Others are not looked at: they may need secrets, which whoever watches does not have.
        """
        self.prepared(section for section in sections if _has_continuations(section))

    def is_queued(self, call: Call) -> bool:
        """Tell whether a call that is a section of its own has been queued."""
        return not self.unpublished([(call,)])

    def _key(self, section: str = "") -> Any:
        name = f"{_SECTIONS}{self.root}"
        return self._app.backend.get_key_for_task(f"{name}-{section}" if section else name)

    def _name(self, section: Sequence) -> str:
        *_, last = calls_of(section)
        return self.task_id(last)


def _has_continuations(section: Sequence) -> bool:
    return any(call.kind == "continuation" for call in calls_of(section))
