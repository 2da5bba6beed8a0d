"""Every kind of input gives the same rows; what goes wrong at the end of a run; the progress line; waves."""

import gzip
import io
import json
import resource
import signal
import sys
import time
from contextlib import ExitStack

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from test_run import SMALL, records, run, write

from stance import Scorer, default_targets
from stance.articles import LocatedArticle
from stance.cli import main
from stance.errors import OutputError
from stance.model import StanceClassifier
from stance.schema import Article
from stance.scoring.part_scoring import PartScorer
from stance.scoring.parts import parts_of
from stance.scoring.progress import RunProgress
from stance.scoring.ray import RayRoad
from stance.scoring.run import Finished

COUNT = 24


def score(model, source, output):
    return main(["score", str(source), "--model", str(model), "--engine", "torch-fp32", "-o", str(output)])


@pytest.fixture(scope="module")
def expected(saved_tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    path = write(folder / "a.jsonl", records(COUNT))
    assert score(saved_tiny, path, folder / "rows.jsonl") == 0
    raw = (folder / "rows.jsonl").read_bytes()
    assert [json.loads(line)["article_id"] for line in raw.splitlines()[::8]] == [f"a{i}" for i in range(COUNT)]
    return raw


def packed(folder):
    lines = write(folder / "a.jsonl", records(COUNT)).read_bytes()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    return folder / "a.jsonl.gz"


def zst(folder):
    with pa.CompressedOutputStream(str(folder / "a.jsonl.zst"), "zstd") as file:
        file.write("".join(json.dumps(r) + "\n" for r in records(COUNT)).encode())
    return folder / "a.jsonl.zst"


def table(folder):
    pyarrow.csv.write_csv(pa.Table.from_pylist(list(records(COUNT))), folder / "a.csv")
    return folder / "a.csv"


def row_groups(folder):
    pq.write_table(pa.Table.from_pylist(list(records(COUNT))), folder / "a.parquet", row_group_size=7)
    return folder / "a.parquet"


def dataset(folder):
    import datasets

    datasets.Dataset.from_list(list(records(COUNT))).save_to_disk(folder / "set", num_shards=3)
    return folder / "set"


def pattern(folder):
    write(folder / "1.jsonl", records(10))
    (folder / "deeper").mkdir()
    (folder / "deeper" / "2.jsonl.gz").write_bytes(
        gzip.compress("".join(json.dumps(r) + "\n" for r in records(COUNT - 10, 10)).encode())
    )
    return folder / "**" / "*.jsonl*"


@pytest.mark.parametrize("made", [packed, zst, table, row_groups, dataset, pattern])
def test_every_input_gives_the_same_rows(saved_tiny, expected, tmp_path, made):
    (tmp_path / "in").mkdir()
    assert score(saved_tiny, made(tmp_path / "in"), tmp_path / "rows.jsonl") == 0
    assert (tmp_path / "rows.jsonl").read_bytes() == expected


def test_standard_input_too_and_a_retry_finds_its_parts(saved_tiny, expected, tmp_path, monkeypatch, capsys):
    lines = [json.dumps(r) for r in records(COUNT)]
    for broken in ([*lines, "{broken"], lines):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(broken).encode())))
        code = score(saved_tiny, "-", tmp_path / "rows.jsonl")
        assert code == (3 if len(broken) > COUNT else 0)
        assert (tmp_path / "rows.jsonl").read_bytes() == expected
    assert f"{COUNT} articles, {COUNT} of them found finished" in capsys.readouterr().err


@pytest.mark.parametrize("partition", [(), ("month",)])
def test_no_room_for_the_output_keeps_the_parts(tiny, tmp_path, partition):
    scorer = Scorer(tiny, default_targets())
    path = write(tmp_path / "a.jsonl", records(60))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(item):
        if item.part.articles[-1].article.id == "a59":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))

    output = tmp_path / ("rows" if partition else "rows.jsonl")
    try:
        with pytest.raises(OutputError, match="File too large"):
            run(scorer, [path], output, on_part=fill, partition=partition)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not output.exists()
    summary, rejected, _ = run(scorer, [path], output, partition=partition)
    assert (summary.articles, summary.found_articles, rejected) == (60, 60, [])
    assert output.exists()


def test_the_time_left_is_known_as_soon_as_the_articles_are_counted(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with ExitStack() as stack:
        progress = RunProgress(stack, lambda: 10, lambda: 2)
        task = progress._progress.tasks[0]
        until = time.monotonic() + 10
        while task.total is None and time.monotonic() < until:
            time.sleep(0.01)
        progress.advance(4, 8, found=False)
        assert (task.total, task.completed, task.fields["rejected"]) == (10, 4, 2)
        assert float(task.fields["rate"]) > 0


def test_a_cluster_is_sent_no_more_than_fits_its_driver(saved_tiny, monkeypatch):
    """Waves end by the size of what is on its way; parts found finished are not held meanwhile."""
    from stance.scoring import ray

    located = [LocatedArticle(Article(**r), "f", i) for i, r in enumerate(records(60))]
    parts = list(parts_of(located, SMALL))
    assert len(parts) > 8
    road = object.__new__(RayRoad)
    road._ray = pytest.importorskip("ray", reason="the extra ray is not installed")
    scorer = PartScorer(Scorer(StanceClassifier.from_pretrained(saved_tiny), default_targets()))
    waves = []

    def scored(todo):
        waves.append(sum(len(x.article.text) for part in todo.values() for x in part.articles))
        yield from ((number, *scorer.score(part)) for number, part in todo.items())

    known = {part.key for part in parts[1::3]}
    road._scored = scored
    monkeypatch.setattr(ray, "_WAVE", 1_000)
    found = list(road.score(parts, lambda p: Finished(p, None, None, found=True) if p.key in known else None))
    assert [item.part.key for item in found] == [part.key for part in parts]
    assert [item.found for item in found] == [part.key in known for part in parts]
    assert len(waves) > 2
    assert max(waves) < 1_000 + max(sum(len(x.article.text) for x in part.articles) for part in parts)
