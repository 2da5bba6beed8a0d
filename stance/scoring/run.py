"""A batch run: streams articles to rows, goes on where an earlier run stopped, loses nothing.

While it runs, finished parts lie in ``.<output>.run`` beside the output, each stored once and whole, with a manifest
of what they were made from and with. Running the same command again reads the inputs again (a small part of the
work), finds the finished parts by their content and scores only what is missing. The output is assembled from the
parts when all are there; so it does not depend on how often the run was broken off.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stance.articles import LocatedArticle, Notices
from stance.errors import ArticleError, OutputError, Rejection
from stance.schema import rows_schema
from stance.scoring.manifest import Manifest, open_work, remove_work
from stance.scoring.output import Output
from stance.scoring.part_scoring import PartScorer, PreparedPart
from stance.scoring.parts import DEFAULT_SIZES, Part, PartInfo, PartSizes, PartStore, parts_of
from stance.scoring.scorer import Scorer
from stance.scoring.staged import Stopwatch, staged
from stance.scoring.summary import RunSummary

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Finished", "LocalRoad", "Road", "run_batch"]

Report = Callable[[Rejection], None]


@dataclass(frozen=True, slots=True)
class Finished:
    """A part with its rows.

    Parameters
    ----------
    part
        The part.
    table
        Its rows; ``None`` if scoring it failed altogether, as `info` tells.
    info
        See `PartInfo`.
    found
        Whether it was finished by an earlier run.
    """

    part: Part
    table: pa.Table | None
    info: PartInfo
    found: bool


class Road(Protocol):
    """Takes parts to their rows: on this machine, or on a cluster."""

    def score(self, parts: Iterable[Part], found: Callable[[Part], Finished | None]) -> Generator[Finished, None, None]:
        """Yield each part, in order, from `found` where that knows it, else scored."""
        ...


class LocalRoad:
    """Scores on this machine: while one part is in the network, the next is read, searched and tokenised.

    Parameters
    ----------
    scorer
        The scoring function.
    """

    def __init__(self, scorer: PartScorer) -> None:
        self._scorer = scorer

    def score(self, parts: Iterable[Part], found: Callable[[Part], Finished | None]) -> Generator[Finished, None, None]:
        """See `Road.score`."""

        def prepare(part: Part) -> tuple[Part, Finished | PreparedPart]:
            return part, found(part) or self._scorer.prepare(part)

        def encode(item: tuple[Part, Finished | PreparedPart]) -> tuple[Part, Finished | PreparedPart, Any]:
            part, prepared = item
            return part, prepared, None if isinstance(prepared, Finished) else self._scorer.encode(prepared)

        with closing(staged(staged(parts, prepare), encode)) as encoded:
            for part, prepared, logits in encoded:
                if isinstance(prepared, Finished):
                    yield prepared
                else:
                    table, info = self._scorer.finish(prepared, logits)
                    yield Finished(part, table, info, found=False)


def run_batch(
    scorer: Scorer,
    read: Callable[[Notices], Iterable[LocatedArticle]],
    output: Output,
    *,
    inputs: Sequence[Path] = (),
    on_reject: Report,
    on_warn: Report,
    on_part: Callable[[Finished], None] | None = None,
    road: Callable[[PartScorer], Road] = LocalRoad,
    restart: bool = False,
    sizes: PartSizes = DEFAULT_SIZES,
) -> RunSummary:
    """Score a stream of articles into an output; a run that was broken off goes on where it stopped.

    Parameters
    ----------
    scorer
        Model, engine and targets.
    read
        Returns the articles, in the order of the rows, and reports what it cannot read.
    output
        Where the rows go.
    inputs
        The files that the articles come from; their hashes are recorded.
    on_reject, on_warn
        Called for each input left out, and for each doubt.
    on_part
        Called with each part as it is finished, in order.
    road
        Makes the road that parts take.
    restart
        Throw away what an earlier run left.
    sizes
        How many articles make a part.

    Raises
    ------
    ResumeError
        If an earlier run with another model or configuration left parts, or another process is at work on them.
    OutputError
        If the output cannot be written.
    """
    output.check()
    watch = Stopwatch()
    engine = scorer.classifier.engine
    summary = RunSummary(f"{engine.name} ({engine.version})", scorer.extractor)
    counted = _Counted(on_reject, summary)
    with ExitStack() as stack:
        with watch.stage("manifest"):
            manifest = Manifest.of(scorer, inputs, sizes)
            open_work(stack, output.work, manifest, on_warn, restart=restart)
        store = PartStore(output.work / "parts")
        run = _Run(store, summary, counted, on_warn, watch)
        articles = read(Notices(counted, on_warn, ArticleError))
        parts = parts_of(watch.drawn("read", articles), sizes)
        with closing(road(PartScorer(scorer, watch)).score(parts, run.found)) as finished:
            for item in finished:
                run.take(item)
                if on_part is not None:
                    on_part(item)
        with watch.stage("assemble"):
            output.write(run.tables(), _schema(scorer, summary))
        store.keep_only(run.keys)
        if not summary.rejected:
            remove_work(output.work)
    summary.seconds, summary.elapsed = watch.seconds(), watch.elapsed
    return summary


def _schema(scorer: Scorer, summary: RunSummary) -> pa.Schema:
    schema = rows_schema(scorer.labels, scorer.aliases)
    return schema.with_metadata({**schema.metadata, "stance.engine": summary.engine})


class _Counted:
    """Counts rejections; the reading thread and the storing thread both report some."""

    def __init__(self, report: Report, summary: RunSummary) -> None:
        self._report, self._summary = report, summary
        self._lock = threading.Lock()

    def __call__(self, rejection: Rejection) -> None:
        with self._lock:
            self._summary.rejected += 1
            self._report(rejection)


class _Run:
    """Keeps the finished parts and their order."""

    def __init__(self, store: PartStore, summary: RunSummary, reject: Report, warn: Report, watch: Stopwatch) -> None:
        self.keys: list[str] = []
        self._store, self._summary, self._watch = store, summary, watch
        self._reject, self._warn = reject, warn

    def found(self, part: Part) -> Finished | None:
        with self._watch.stage("look up"):
            stored = self._store.read(part.key)
        if stored is None or stored[1].rejected:
            return None
        return Finished(part, *stored, found=True)

    def take(self, item: Finished) -> None:
        for notice in item.info.warnings:
            self._warn(notice)
        for notice in item.info.rejected:
            self._reject(notice)
        if item.table is None:
            return
        if not item.found and not self._stored(item):
            return
        self.keys.append(item.part.key)
        self._summary.add(item.table, item.info.articles, item.info.statements, found=item.found)

    def _stored(self, item: Finished) -> bool:
        try:
            with self._watch.stage("store"):
                self._store.write(item.part.key, item.table, item.info)
        except OSError as error:
            first, last = item.part.articles[0], item.part.articles[-1]
            which = f"{len(item.part.articles)} articles, {first.article.id} to {last.article.id}"
            reason = error.strerror or error
            message = f"the rows of {which}, could not be stored: {reason}; make room and run the same command again"
            self._reject(Rejection(first.file, first.record, "not-stored", message))
            return False
        return True

    def tables(self) -> Iterator[pa.Table]:
        for key in self.keys:
            stored = self._store.read(key)
            if stored is None:
                raise OutputError(f"{self._store.folder}: part {key} was lost; run the same command again")
            yield stored[0]
