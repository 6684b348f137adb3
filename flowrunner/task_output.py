"""What tasks print in this process: whole lines, each with the call that printed it."""

from __future__ import annotations

import codecs
import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TextIO

if TYPE_CHECKING:
    from flowrunner.plan import Call

__all__ = ["LONGEST_LINE", "BytesOf", "TaskOutput", "as_shown", "printed_by"]

#: Characters after which a line that has no end is written as one, so that memory has a limit.
LONGEST_LINE: Final = 1_000_000


class _Here(threading.local):
    call: Call | None = None


_here: Final = _Here()
_installed: Final[list[TaskOutput]] = []


@contextmanager
def printed_by(call: Call | None) -> Iterator[None]:
    """Let what this thread prints be of a call; a line without an end gets one after the block."""
    before, _here.call = _here.call, call
    try:
        yield
    finally:
        for output in tuple(_installed):
            output.end_lines()
        _here.call = before


class TaskOutput:
    """Takes the place of stdout and stderr while tasks run in this process.

    Both are written to ``target``, by the line. ``label`` gives what stands before each line of a
    call. Without one, lines have nothing before them. ``masked`` takes secrets out of a line.
    """

    def __init__(
        self,
        target: TextIO,
        *,
        label: Callable[[Call], str] | None = None,
        masked: Callable[[str], str] | None = None,
    ) -> None:
        self.target = target
        self._label = label
        self._masked = masked
        self._show: Callable[[str], None] | None = None
        # Reentrant: a signal handler may print while its thread is in here.
        self._lock = threading.RLock()
        self._streams = (_Stream(self), _Stream(self))
        self._before: tuple[TextIO, TextIO] = (sys.stdout, sys.stderr)

    def __enter__(self) -> Self:
        self._before = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = self._streams
        _installed.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _installed.remove(self)
        sys.stdout, sys.stderr = self._before
        for stream in self._streams:
            for line in stream.lines():
                self.end_line(line)

    @contextmanager
    def shown_by(self, show: Callable[[str], None]) -> Iterator[None]:
        """Let ``show`` write the lines: a display that is redrawn below them."""
        with self._lock:
            self._show = show
        try:
            yield
        finally:
            with self._lock:
                self._show = None

    def write(self, stream: _Stream, text: str) -> None:
        """Write the lines that ``text`` completes, and keep the rest until its line ends."""
        line = stream.line()
        if _here.call is None and line.is_empty and self._passes_on():
            with self._lock:
                self.target.write(text)
        elif lines := line.add(text):
            self._emit(lines, _here.call)

    def _passes_on(self) -> bool:
        """Tell whether a text is flowrunner's own, which comes in whole lines already."""
        return self._show is None and threading.current_thread() is threading.main_thread()

    def end_lines(self) -> None:
        """End what this thread has printed without an end of its line."""
        for stream in self._streams:
            self.end_line(stream.line(), _here.call)

    def end_line(self, line: _Line, call: Call | None = None) -> None:
        """Write what is known of a line as one."""
        if not line.is_empty:
            self._emit([line.cut()], call)

    def _emit(self, lines: list[str], call: Call | None) -> None:
        before = "" if self._label is None or call is None else self._label(call)
        if self._masked is not None:
            lines = [self._masked(line) for line in lines]
        text = "".join([f"{before}{line}\n" for line in lines])
        with self._lock:
            if self._show is not None:
                self._show(text)
                return
            self.target.write(text)
            if not getattr(self.target, "line_buffering", False):
                self.target.flush()


class _Line:
    """A line that has not ended."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        return not self._size

    def add(self, text: str) -> list[str]:
        """Return the lines that a text completes."""
        if "\n" not in text:
            self._keep(text)
            return [self.cut()] if self._size > LONGEST_LINE else []
        first, *others, rest = text.split("\n")
        lines = [as_shown("".join((*self._pieces, first))), *map(as_shown, others)]
        self._pieces, self._size = [], 0
        self._keep(rest)
        return lines

    def _keep(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._size += len(text)
        if "\r" in text:  # what it writes over is not seen again
            before, carriage_return, last = "".join(self._pieces).rpartition("\r")
            kept = last or before.rpartition("\r")[2] + carriage_return
            self._pieces, self._size = [kept], len(kept)

    def cut(self) -> str:
        """Return the line, and begin another one."""
        text = as_shown("".join(self._pieces))
        self._pieces, self._size = [], 0
        return text


def as_shown(line: str) -> str:
    """Return a line as a terminal shows it: what follows a carriage return is written over it."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line


class _Stream(io.TextIOBase):
    """stdout or stderr, as tasks find it."""

    def __init__(self, output: TaskOutput) -> None:
        super().__init__()
        self._output = output
        self._here = threading.local()
        self._lines: dict[int, _Line] = {}  # by thread
        self._bytes = BytesOf(self)

    def line(self) -> _Line:
        """Return the line that this thread is in."""
        try:
            line: _Line = self._here.line
        except AttributeError:
            thread = threading.get_ident()
            if (left := self._lines.get(thread)) is not None:
                self._output.end_line(left)  # by a thread that has ended
            line = self._here.line = self._lines[thread] = _Line()
        return line

    def lines(self) -> list[_Line]:
        """Return the lines of all threads."""
        return list(self._lines.values())

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._output.write(self, text)
        return len(text)

    def flush(self) -> None:
        self._output.target.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._output.target.isatty()

    def fileno(self) -> int:
        return self._output.target.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._output.target.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._output.target.errors

    @property
    def buffer(self) -> io.RawIOBase:
        return self._bytes


class TextWriter(Protocol):
    """Takes what is printed."""

    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...


class BytesOf(io.RawIOBase):
    """A stream's ``buffer``: bytes that are written become part of its lines."""

    def __init__(self, stream: TextWriter) -> None:
        super().__init__()
        self._stream = stream
        self._here = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = bytes(data)
        decoder = getattr(self._here, "decoder", None)
        if decoder is None:
            decoder = self._here.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stream.write(decoder.decode(written))
        return len(written)

    def flush(self) -> None:
        self._stream.flush()
