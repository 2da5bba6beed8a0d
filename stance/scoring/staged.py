"""Stages that overlap: each runs in a thread of its own, a little ahead of the next."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import TypeVar

__all__ = ["Stopwatch", "staged"]

T = TypeVar("T")
U = TypeVar("U")
_PATIENCE = 0.2  # seconds between looks at whether the other side has gone
_FAREWELL = 5.0  # seconds that a stage may take to notice that nobody waits for it any more


def staged(source: Iterable[T], work: Callable[[T], U], *, ahead: int = 1) -> Generator[U, None, None]:
    """Yield ``work(item)`` for each item, in order, computed in a background thread.

    Threads overlap where the work is done outside the interpreter lock, as tokenisers and engines do.

    Parameters
    ----------
    source
        Items; they are drawn in the background thread too.
    work
        Applied to each item.
    ahead
        Results that may wait to be taken, so memory stays flat.

    Raises
    ------
    Exception
        What `source` or `work` raised, after the results before it.
    """
    results: Queue[tuple[bool, U | BaseException | None]] = Queue(maxsize=ahead)
    gone = threading.Event()

    def put(more: bool, result: U | BaseException | None) -> bool:
        while not gone.is_set():
            try:
                results.put((more, result), timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def background() -> None:
        items = iter(source)
        try:
            for item in items:
                if not put(True, work(item)):
                    break
            else:
                put(False, None)
        except BaseException as error:  # handed to the thread that waits, which raises it
            put(False, error)
        finally:
            if isinstance(items, Generator):
                items.close()

    thread = threading.Thread(target=background, daemon=True, name=f"stage-{getattr(work, '__name__', 'work')}")
    thread.start()
    try:
        while True:
            try:
                more, result = results.get(timeout=_PATIENCE)
            except Empty:
                if not thread.is_alive() and results.empty():
                    raise RuntimeError("a stage ended without a word") from None
                continue
            if more:
                yield result  # type: ignore[misc]
            elif result is None:
                return
            else:
                raise result  # type: ignore[misc]
    finally:
        gone.set()
        thread.join(_FAREWELL)


class Stopwatch:
    """Seconds spent in each stage; stages of several threads overlap, so their sum may exceed the time that passed."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._began = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[name] += time.perf_counter() - start

    def drawn(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; the time that drawing them takes goes to a stage."""
        stream = iter(items)
        while True:
            with self.stage(name):
                item = next(stream, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]

    @property
    def elapsed(self) -> float:
        """Seconds since the watch was made."""
        return time.perf_counter() - self._began

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage, in the order of their first use."""
        return dict(self._seconds)


_END = object()
