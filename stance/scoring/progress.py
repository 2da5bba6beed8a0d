"""Progress on standard error: done, rate, time left, rejected so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

__all__ = ["RunProgress", "track"]

Total = int | None | Callable[[], int | None]
"""How many there will be, ``None`` if that is not known; or what finds out, which a thread calls meanwhile."""


def track(
    stack: ExitStack, items: Iterable[Any], total: Total, unit: str, rejected: Callable[[], int]
) -> Iterator[Any]:
    """Yield the items while a progress line shows how far they are.

    Parameters
    ----------
    stack
        The line ends with it.
    items
        What is counted.
    total
        See `Total`; as long as it is not known no time left is shown.
    unit
        What an item is called.
    rejected
        Returns how many inputs were rejected so far.
    """
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{{task.fields[rate]}} {unit}/s"),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("rejected {task.fields[rejected]}"),
        console=Console(stderr=True),
        transient=True,
    )
    stack.enter_context(progress)
    task = progress.add_task(unit, total=None, rate="–", rejected=0)
    _tell(progress, task, total)
    for item in items:
        yield item
        speed = progress.tasks[0].speed
        rate = f"{speed:.1f}" if speed else "–"
        progress.update(task, advance=1, rate=rate, rejected=rejected())


def _tell(progress: Progress, task: TaskID, total: Total) -> None:
    if callable(total):
        count = total
        threading.Thread(target=lambda: progress.update(task, total=count()), daemon=True, name="count").start()
    else:
        progress.update(task, total=total)


class RunProgress:
    """A progress line of a batch run: articles and statements, their rates, time left, rejected so far.

    Parameters
    ----------
    stack
        The line ends with it.
    total
        Articles there will be at most, see `Total`.
    rejected
        Returns how many inputs were rejected so far.
    """

    def __init__(self, stack: ExitStack, total: Total, rejected: Callable[[], int]) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("articles"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} articles/s, {task.fields[statements]} statements/s, left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("rejected {task.fields[rejected]}"),
            console=Console(stderr=True),
            transient=True,
        )
        stack.enter_context(self._progress)
        self._task = self._progress.add_task("articles", total=None, rate="–", statements="–", rejected=0)
        _tell(self._progress, self._task, total)
        self._rejected = rejected
        self._began = time.perf_counter()
        self._articles = self._statements = 0

    def advance(self, articles: int, statements: int, *, found: bool) -> None:
        """Count a finished part; the rates leave out what an earlier run had finished."""
        if not found:
            self._articles += articles
            self._statements += statements
        seconds = max(time.perf_counter() - self._began, 1e-9)
        self._progress.update(
            self._task,
            advance=articles,
            rate=f"{self._articles / seconds:.1f}",
            statements=f"{self._statements / seconds:.0f}",
            rejected=self._rejected(),
        )
