"""A result backend that is not Redis and runs chords by itself: files in a folder."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery.backends.filesystem import FilesystemBackend
from kombu.utils.encoding import ensure_bytes

#: The scheme of its URL, before the path of a folder that exists.
SCHEME = "tests.engines.folder_backend:FolderBackend+file://"


class FolderBackend(FilesystemBackend):  # type: ignore[misc]
    """Celery's, for several readers and writers at once."""

    implements_incr = True

    def set(self, key: Any, value: Any) -> None:
        file = self._file(key)
        unfinished = file.with_name(f"{file.name}-{uuid4()}")
        unfinished.write_bytes(ensure_bytes(value))
        unfinished.replace(file)

    def _file(self, key: Any) -> Path:
        return Path(self._filename(ensure_bytes(key)).decode())

    def delete(self, key: Any) -> None:
        with suppress(FileNotFoundError):
            super().delete(ensure_bytes(key))

    def incr(self, key: Any) -> int:
        with self._file("lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            count = int(self.get(ensure_bytes(key)) or 0) + 1
            self.set(key, str(count))
            return count

    def expire(self, key: Any, value: Any) -> None:
        """Files stay."""
