"""The batch road on a Ray cluster: Ray Data runs the same scoring function in stateful workers.

The driver reads the inputs and keeps the finished parts, as on one machine; parts travel to the workers and rows come
back. So the nodes need no shared disk, only this package. A worker that dies loses the part it had in hand, which
Ray gives to another; if the driver dies, the same command goes on from the parts it had stored.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.articles import LocatedArticle
from stance.errors import MissingExtraError, ModelError, StanceError, UsageError
from stance.model.classifier import MODEL_FILES
from stance.schema import Article, Target
from stance.scoring.part_scoring import PartScorer
from stance.scoring.parts import Part, PartInfo
from stance.scoring.run import Finished

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PartWorker", "RayRoad", "ray_road"]

_WAVE = 200_000_000
"""Characters of articles that are on their way at once: the driver's memory stays flat, however large the archive."""
_ATTEMPTS = 3


class PartWorker:
    """A stateful worker: loads the model once, then scores part after part.

    Parameters
    ----------
    files
        Content of the model's files by name, so that no node needs the folder.
    content_hash
        Hash that the loaded model must have.
    targets
        Targets as dictionaries.
    engine
        Engine that the driver chose.
    own_voice
        See `Scorer`.
    threads
        Cores of this worker.
    """

    def __init__(
        self,
        files: dict[str, bytes],
        content_hash: str,
        targets: list[dict[str, Any]],
        engine: str,
        own_voice: bool,
        threads: int,
    ) -> None:
        from stance.model import StanceClassifier
        from stance.scoring.scorer import Scorer

        with tempfile.TemporaryDirectory(prefix="stance-model-") as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            classifier = StanceClassifier.from_pretrained(folder)
        if classifier.content_hash != content_hash:
            raise ModelError(f"the model arrived as {classifier.content_hash}, sent was {content_hash}")
        classifier.use_engine(engine, threads=threads)
        made = [Target(t["name"], tuple(t["aliases"]), t["description"]) for t in targets]
        self._scorer = PartScorer(Scorer(classifier, made, own_voice=own_voice))

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Score the parts of a batch: columns ``number`` and ``part`` in, ``number``, ``rows`` and ``info`` out."""
        import pyarrow as pa

        rows: list[bytes] = []
        infos: list[str] = []
        for text in batch.column("part").to_pylist():
            table, info = self._scorer.score(_part_from_json(text))
            rows.append(_to_bytes(table))
            infos.append(info.to_json())
        columns = [batch.column("number"), pa.array(rows, pa.large_binary()), pa.array(infos, pa.large_string())]
        return pa.table(columns, names=["number", "rows", "info"])


class RayRoad:
    """Scores parts on the cluster that this process is connected to.

    Parameters
    ----------
    scorer
        The scoring function; its model, engine and targets are what the workers load.
    workers
        Number of workers; a core each of all that the cluster has if not given.
    threads
        Cores of a worker.
    worker
        Class of the workers.
    """

    def __init__(
        self,
        scorer: PartScorer,
        *,
        workers: int | None = None,
        threads: int = 1,
        worker: type[PartWorker] = PartWorker,
    ) -> None:
        self._ray = _ray()
        classifier = scorer.scorer.classifier
        if classifier.folder is None:
            raise UsageError("a model has to be saved before a cluster can load it")
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        self._workers = workers or max(1, cores // threads)
        self._threads, self._worker = threads, worker
        files = {name: (classifier.folder / name).read_bytes() for name in MODEL_FILES}
        targets = [asdict(target) for target in scorer.scorer.targets]
        own_voice = scorer.scorer.own_voice
        self._arguments = (files, classifier.content_hash, targets, classifier.engine.name, own_voice, threads)

    def score(self, parts: Iterable[Part], found: Callable[[Part], Finished | None]) -> Generator[Finished, None, None]:
        """See `stance.scoring.run.Road.score`."""
        wave: list[tuple[Part, bool]] = []
        waiting = 0
        for part in parts:
            known = found(part)
            if known is None:
                wave.append((part, False))
                waiting += sum(len(located.article.text) for located in part.articles)
            elif wave:
                wave.append((Part(part.key, []), True))  # its rows are read again at its turn, not held until then
            else:
                yield known
            if waiting >= _WAVE:
                yield from self._wave(wave, found)
                wave, waiting = [], 0
        yield from self._wave(wave, found)

    def _wave(self, items: Sequence[tuple[Part, bool]], found: Callable[[Part], Finished | None]) -> Iterator[Finished]:
        """Yield a wave's parts in order; what a broken pipeline did not deliver is sent again."""
        at = 0
        for attempt in range(1, _ATTEMPTS + 1):
            todo = {n: part for n, (part, known) in enumerate(items) if n >= at and not known}
            try:
                for number, table, info in self._scored(todo) if todo else ():
                    yield from (_known(part, found) for part, _ in items[at:number])
                    at = number + 1
                    yield Finished(todo[number], table, info, found=False)
                break
            except self._ray.exceptions.RayError as error:
                if attempt == _ATTEMPTS:
                    raise StanceError(
                        f"the cluster failed {_ATTEMPTS} times; finished parts are kept: {error}"
                    ) from error
        yield from (_known(part, found) for part, _ in items[at:])

    def _scored(self, todo: dict[int, Part]) -> Iterator[tuple[int, pa.Table, PartInfo]]:
        import pyarrow as pa
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        schema = pa.schema([("number", pa.int64()), ("part", pa.large_string())])
        blocks = [
            self._ray.put(pa.table({"number": [n], "part": [_part_to_json(part)]}, schema=schema))
            for n, part in todo.items()
        ]
        workers = min(self._workers, len(blocks))
        scored = ray.data.from_arrow_refs(blocks).map_batches(
            self._worker,
            fn_constructor_args=self._arguments,
            batch_size=None,
            batch_format="pyarrow",  # numpy would cut zero bytes off the ends of the rows
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            num_cpus=self._threads,
        )
        for row in scored.iter_rows():
            yield int(row["number"]), _from_bytes(row["rows"]), PartInfo.from_json(row["info"])


def _known(part: Part, found: Callable[[Part], Finished | None]) -> Finished:
    known = found(part)
    if known is None:
        raise StanceError(f"part {part.key} was not returned by the cluster, or was lost; run the same command again")
    return known


@contextmanager
def ray_road(address: str | None = None, **options: Any) -> Iterator[Callable[[PartScorer], RayRoad]]:
    """Connect to a cluster for the time of a run.

    Parameters
    ----------
    address
        Address of a cluster (``auto``, ``ray://host:10001``, ``host:6379``); without one Ray is started on this
        machine and stopped afterwards.
    options
        See `RayRoad`.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    UsageError
        If no cluster answers at the address.
    """
    ray = _ray()
    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(
                address=address or "local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UsageError(f"--ray: no cluster answers at {address or 'this machine'}: {error}") from error
    try:
        yield lambda scorer: RayRoad(scorer, **options)
    finally:
        if mine:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise MissingExtraError("--ray", "ray") from error
    return ray


def _part_to_json(part: Part) -> str:
    articles = [[asdict(x.article), x.file, x.record] for x in part.articles]
    return json.dumps({"key": part.key, "articles": articles})


def _part_from_json(text: str) -> Part:
    raw = json.loads(text)
    return Part(raw["key"], [LocatedArticle(Article(**a), file, record) for a, file, record in raw["articles"]])


def _to_bytes(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _from_bytes(raw: bytes) -> pa.Table:
    import pyarrow as pa

    with pa.ipc.open_stream(raw) as reader:
        return reader.read_all()
