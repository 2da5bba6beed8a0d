"""Dynamic batching: statements of many requests share the batches of a few threads that share the model.

Each statement is tokenised soon after it comes, so its length is known. Whenever a lane of the engine is free, a
thread takes the statement that has waited longest and those others that together make the cheapest batch with it
(`stance.serve.choosing`): little is spent on padding and none waits for ever. There is one thread more than there are
lanes, so that while the lanes are at work, what has come in is tokenised and what is done is answered; under load
nobody waits for company.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, perf_counter
from typing import Protocol

import numpy as np

from stance.model import Prepared
from stance.schema import StanceRow, Target
from stance.scoring import Scorer, StatementRecord
from stance.serve.choosing import cheapest
from stance.serve.metrics import Metrics
from stance.serving.refusals import Refusal

__all__ = ["Batcher"]

_LOG = logging.getLogger("stance.serve")
_FEWEST_PREPARED, _MOST_PREPARED = 8, 128  # statements tokenised in one go, the fewest only while every lane is at work
_OVERHEAD = 1 / 18  # of the engine's best batch: what a batch costs beyond its tokens, measured with OpenVINO

Deliver = Callable[[Callable[[], None]], object]
"""Calls what it is given, in the thread where futures are to be settled."""


class Promise(Protocol):
    """What `Batcher.take` needs of a future, be it of `concurrent.futures` or of `asyncio`."""

    def cancelled(self) -> bool:
        """Tell whether nobody wants the rows any more; called in the model's threads."""
        ...

    def set_result(self, rows: list[StanceRow], /) -> None:
        """Take the rows."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """Take what went wrong instead."""
        ...


@dataclass(slots=True)
class _Job:
    """The statements of one request; `rows` fills up in any order."""

    future: Promise
    rows: list[Sequence[StanceRow]]
    left: int


@dataclass(slots=True)
class _Item:
    record: StatementRecord
    job: _Job
    index: int
    since: float = field(default_factory=perf_counter)
    prepared: Prepared | None = None
    tokens: int = 0
    alone: bool = False  # its batch failed


_Work = tuple[Callable[[list[_Item]], None], list[_Item]]
_Settled = tuple[Promise, list[StanceRow] | Exception]


class Batcher:
    """The threads that run the model, and the statements that wait for it.

    Parameters
    ----------
    scorer
        Scores statements; used by these threads only.
    metrics
        Where batches are counted.
    batch
        Statements per batch, at most.
    linger
        Seconds a statement waits for company when fewer than `batch` are there and the model has nothing to do.
    max_waiting
        Statements that may wait.
    """

    def __init__(
        self, scorer: Scorer, metrics: Metrics, *, batch: int = 32, linger: float = 0.002, max_waiting: int = 4000
    ) -> None:
        self._scorer = scorer
        self._metrics = metrics
        self._batch = batch
        self._linger = linger
        self._max_waiting = max_waiting
        engine = scorer.classifier.engine
        self._lanes = self._free = engine.lanes
        self._tokens = engine.tokens_per_batch
        self._raw: list[_Item] = []
        self._ready: list[_Item] = []
        self._waiting = 0  # raw, ready, and those that are being prepared
        self._changed = threading.Condition()
        self._settling = threading.Lock()
        self._stopping = False
        self._deliver: Deliver = _at_once
        names = [f"stance-model-{i}" for i in range(self._lanes + 1)]
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for name in names]

    def start(self, deliver: Deliver | None = None) -> None:
        """Start the threads.

        Parameters
        ----------
        deliver
            Calls a function in the thread where futures are to be settled, once for each batch, such as
            ``loop.call_soon_threadsafe``; they are settled in the model's threads if not given.
        """
        self._deliver = deliver or _at_once
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether statements are taken and scored."""
        return not self._stopping and all(thread.is_alive() for thread in self._threads)

    @property
    def waiting(self) -> int:
        """Number of statements that wait."""
        return self._waiting

    def submit(self, records: Sequence[StatementRecord]) -> Future[list[StanceRow]]:
        """Hand over the statements of one request.

        Returns
        -------
        concurrent.futures.Future
            Its result is one row per statement and target, in the order of `records`. If it is cancelled, the
            statements that still wait are dropped.

        Raises
        ------
        Refusal
            With status 429 if too many statements wait already, 503 if the server is stopping.
        """
        future: Future[list[StanceRow]] = Future()
        self.take(records, future)
        return future

    def take(self, records: Sequence[StatementRecord], future: Promise) -> None:
        """Do as `submit` with a future of the caller's own, such as one of the event loop that answers are handed to.

        A server's threads settle hundreds a second: one that is the loop's own need not wake it once more.
        """
        if not records:
            future.set_result([])
            return
        job = _Job(future, [()] * len(records), len(records))
        items = [_Item(record, job, i) for i, record in enumerate(records)]
        with self._changed:
            if self._stopping:
                raise Refusal(503, "stopping", "the server is stopping", headers={"retry-after": "5"})
            if self._waiting and self._waiting + len(items) > self._max_waiting:
                message = f"{self._waiting} statements wait for the model already; try again shortly"
                raise Refusal(429, "busy", message, headers={"retry-after": "5"})
            self._raw += items
            self._count_waiting(len(items))
            if self._free == self._lanes or self._may_prepare():
                self._changed.notify()

    def stop(self, timeout: float) -> bool:
        """Take no more, finish what waits, and end the threads; return whether they ended in time (seconds)."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _count_waiting(self, change: int) -> None:
        self._waiting += change
        self._metrics.waiting.set(self._waiting)

    def _run(self) -> None:
        while work := self._next():
            call, items = work
            try:
                call(items)
            except Exception as error:  # a thread that ended here would let its requests wait until they time out
                for item in items:
                    self._fail(item, error)

    def _next(self) -> _Work | None:
        """Wait for something to do and return it; ``None`` means the end."""
        with self._changed:
            while True:
                if self._free and self._ready:
                    if batch := self._chosen():
                        self._free -= 1
                        return self._score, batch
                elif self._may_prepare():
                    items, self._raw = self._raw[:_MOST_PREPARED], self._raw[_MOST_PREPARED:]
                    return self._prepare, items
                elif self._stopping and not self._raw and not self._ready:
                    return None
                else:
                    self._changed.wait(self._patience())

    def _may_prepare(self) -> bool:
        """Tell whether to tokenise what has come: a few together while the lanes are at work, else what is there."""
        if not self._raw:
            return False
        if self._free == self._lanes and not self._stopping:
            return len(self._raw) >= self._batch or self._patience() == 0.0
        return bool(self._free) or self._stopping or len(self._raw) >= _FEWEST_PREPARED

    def _patience(self) -> float | None:
        """Return for how many seconds an idle model waits for company; ``None`` if for whatever comes."""
        if self._free < self._lanes or not self._raw:
            return None
        return max(0.0, self._raw[0].since + self._linger - perf_counter())

    def _prepare(self, items: list[_Item]) -> None:
        """Tokenise statements; one that cannot be fails alone."""
        groups: dict[tuple[Target, ...] | None, list[_Item]] = {}
        for item in items:
            if not item.job.future.cancelled():
                groups.setdefault(item.record.targets, []).append(item)
        ready: list[_Item] = []
        try:
            for targets, group in groups.items():
                ready += self._prepared(group, targets)
        finally:
            with self._changed:
                self._ready += ready
                self._count_waiting(len(ready) - len(items))
                if self._free:
                    self._changed.notify_all()

    def _prepared(self, items: list[_Item], targets: tuple[Target, ...] | None) -> list[_Item]:
        try:
            prepared = self._scorer.prepare([item.record.statement for item in items], targets)
        except Exception as error:
            if len(items) == 1:
                self._fail(items[0], error)
                return []
            return [one for item in items for one in self._prepared([item], targets)]
        for item, own, tokens in zip(items, prepared.split(), prepared.tokens, strict=True):
            item.prepared, item.tokens = own, tokens
        return items

    def _chosen(self) -> list[_Item]:
        """Take out the statement that has waited longest and what makes the cheapest batch with it."""
        before = len(self._ready)
        self._ready = [item for item in self._ready if not item.job.future.cancelled()]
        if not self._ready:
            self._count_waiting(-before)
            return []
        oldest = self._ready[0]
        if oldest.alone:
            alike = [oldest]
        else:
            alike = [x for x in self._ready if x.record.targets == oldest.record.targets and not x.alone]
        alike.sort(key=lambda item: item.tokens)
        most = min(self._batch, -(-len(alike) // self._lanes))  # no lane takes what leaves the others idle
        start, end = cheapest(
            [item.tokens for item in alike],
            next(i for i, item in enumerate(alike) if item is oldest),
            most=most,
            tokens=self._tokens,
            overhead=self._tokens * _OVERHEAD,
        )
        batch = alike[start:end]
        taken = set(map(id, batch))
        self._ready = [item for item in self._ready if id(item) not in taken]
        self._count_waiting(len(self._ready) - before)
        return batch

    def _score(self, batch: list[_Item]) -> None:
        """Score a batch on the lane that was taken for it; if it fails, its statements are tried one by one."""
        started = perf_counter()
        statements = [item.record.statement for item in batch]
        targets = batch[0].record.targets
        try:
            with self._lane():
                prepared = Prepared.joined([item.prepared for item in batch if item.prepared is not None])
                logits = self._scorer.encode(prepared)
            if not np.isfinite(logits).all():
                raise FloatingPointError("the model's answer is no number")
            seconds = perf_counter() - started
            results = self._scorer.finish(statements, prepared, logits, targets)
        except Exception as error:
            if len(batch) == 1:
                self._fail(batch[0], error)
            else:
                _LOG.warning("a batch of %d statements failed, each is tried alone: %s", len(batch), error)
                self._again(batch)
            return
        self._metrics.count_batch(results, [started - item.since for item in batch], seconds)
        self._answer(batch, results)

    @contextmanager
    def _lane(self) -> Iterator[None]:
        """Give back, at the end, the lane that was taken with the batch."""
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _again(self, batch: Sequence[_Item]) -> None:
        for item in batch:
            item.alone = True
        with self._changed:
            self._ready[:0] = batch
            self._count_waiting(len(batch))
            self._changed.notify_all()

    def _answer(self, batch: Sequence[_Item], results: Sequence[Sequence[StanceRow]]) -> None:
        done: list[_Settled] = []
        with self._settling:
            for item, rows in zip(batch, results, strict=True):
                job = item.job
                job.rows[item.index] = rows
                job.left -= 1
                if not job.left:
                    done.append((job.future, [row for part in job.rows for row in part]))
        self._hand_over(done)

    def _fail(self, item: _Item, error: Exception) -> None:
        _LOG.error("a statement could not be scored", exc_info=error)
        self._hand_over([(item.job.future, error)])

    def _hand_over(self, done: Sequence[_Settled]) -> None:
        try:
            self._deliver(partial(_settle, done))
        except RuntimeError as error:
            _LOG.debug("nobody is there to take the answers: %s", error)


def _at_once(call: Callable[[], None]) -> None:
    call()


def _settle(done: Iterable[_Settled]) -> None:
    for future, result in done:
        try:
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        except (InvalidStateError, asyncio.InvalidStateError):
            _LOG.debug("the request was given up before its answer was there")
