"""Runs that are killed, retried, refused; every kill is a real SIGKILL of a real process."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from stance import Scorer, default_targets
from stance.articles import LocatedArticle, detected_language, read_located_articles, source_files
from stance.cli import main
from stance.errors import OutputError, ResumeError, UsageError
from stance.quotes import extractor_id
from stance.schema import Article, Target
from stance.scoring.output import Output
from stance.scoring.parts import PartInfo, PartSizes, PartStore, parts_of
from stance.scoring.run import run_batch

PLACES = ("Harbor", "Lakeside", "Summit", None)
SMALL = PartSizes(4, 4, 16)


def records(count, start=0):
    for i in range(start, start + count):
        yield {
            "id": f"a{i}",
            "outlet": PLACES[i % 4],
            "published": f"2024-0{i % 3 + 1}-15" if i % 5 else None,
            "text": f"“Russia broke promise number {i},” said Ann Lee. Ivan Petrov said that China sent {i} ships.",
        }


def write(path, items):
    path.write_text("".join(json.dumps(r) + "\n" for r in items), encoding="utf-8")
    return path


@pytest.fixture
def mine(tiny):
    return Scorer(tiny, default_targets())


def run(scorer, inputs, output, **options):
    rejected, warned = [], []
    summary = run_batch(
        scorer,
        lambda notices: read_located_articles(inputs, notices),
        Output(Path(output), options.pop("partition", ())),
        inputs=list(source_files(inputs)),
        on_reject=rejected.append,
        on_warn=warned.append,
        sizes=SMALL,
        **options,
    )
    return summary, rejected, warned


class Runner:
    """The forking process of `runner.py`."""

    def __init__(self, model):
        root = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("runner.py")), str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout.readline() == "ready\n"

    def start(self, inputs, output, **order):
        self.process.stdin.write(
            json.dumps({"inputs": [str(i) for i in inputs], "output": str(output), **order}) + "\n"
        )
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["pid"]

    def wait(self):
        return json.loads(self.process.stdout.readline())["status"]

    def run(self, inputs, output, **order):
        self.start(inputs, output, **order)
        return self.wait()


@pytest.fixture(scope="module")
def runner(saved_tiny):
    made = Runner(saved_tiny)
    yield made
    made.process.stdin.close()
    made.process.wait(timeout=60)
    made.process.stdout.close()


def alive(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def told(output):
    return json.loads(Path(f"{output}.told").read_text())


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_twenty_random_kills_change_no_byte(runner, tmp_path, ending):
    inputs = [write(tmp_path / "a.jsonl", records(500)), write(tmp_path / "b.jsonl", records(100, 500))]
    whole = tmp_path / f"whole.{ending}"
    began = time.perf_counter()
    assert runner.run(inputs, whole) == 0
    full = time.perf_counter() - began
    broken = tmp_path / f"broken.{ending}"
    random.seed(20)
    kills, scored_before, most = 0, 0, 0

    def parts():
        return len(list((tmp_path / f".broken.{ending}.run" / "parts").glob("*.parquet")))

    while kills < 20:
        pid = runner.start(inputs, broken)
        time.sleep(random.uniform(0, full / 4))
        while kills % 5 == 4 and parts() == scored_before and alive(pid):
            time.sleep(0.001)  # on a machine that slows down, every kill might come before the next part is whole
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        if not os.WIFSIGNALED(runner.wait()):  # it was done before: another run, so that each kill hits one
            assert broken.read_bytes() == whole.read_bytes()
            broken.unlink()
            scored_before = 0
            continue
        kills += 1
        assert parts() >= scored_before, "a finished part was lost"
        scored_before = parts()
        most = max(most, scored_before)
    assert runner.run(inputs, broken) == 0
    assert broken.read_bytes() == whole.read_bytes()
    assert most > 0
    assert told(broken)["articles"] == 600
    assert not (tmp_path / f".broken.{ending}.run").exists()


@pytest.mark.parametrize("partition", [(), ("month",)])
def test_death_before_every_durable_step(runner, tmp_path, partition):
    inputs = [write(tmp_path / "a.jsonl", records(16))]
    name = "rows" if partition else "rows.jsonl"
    whole = tmp_path / "whole" / name
    whole.parent.mkdir()
    assert runner.run(inputs, whole, partition=partition) == 0
    step = 0
    while True:
        step += 1
        output = tmp_path / f"s{step}" / name
        output.parent.mkdir()
        died = os.WIFSIGNALED(runner.run(inputs, output, partition=partition, die_at=step))
        if died:
            assert runner.run(inputs, output, partition=partition) == 0
        assert contents(output) == contents(whole)
        assert sorted(p.name for p in output.parent.iterdir()) == sorted(p.name for p in whole.parent.iterdir())
        if not died:
            break
    assert step > 10


def contents(path):
    if path.is_file():
        return path.read_bytes()
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def test_each_article_once_and_in_order(mine, tmp_path):
    inputs = [write(tmp_path / "a.jsonl", records(60))]
    summary, rejected, _ = run(mine, inputs, tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    ids = list(dict.fromkeys(table.column("article_id").to_pylist()))
    assert ids == [f"a{i}" for i in range(60)]
    assert (summary.articles, summary.statements, summary.rows, rejected) == (60, 120, 480, [])
    assert sum(summary.labels.values()) == 480
    assert table.schema.metadata[b"stance.engine"].startswith(b"torch-fp32 (torch ")
    alone = mine.score(Article(**next(iter(records(1))))).to_arrow().to_pylist()
    for mine_row, theirs in zip(table.slice(0, 8).to_pylist(), alone, strict=True):
        assert {k: v for k, v in mine_row.items() if not isinstance(v, float)} == {
            k: v for k, v in theirs.items() if not isinstance(v, float)
        }
        assert mine_row["confidence"] == pytest.approx(theirs["confidence"], abs=2e-6)


def test_a_retry_scores_only_what_failed(mine, tmp_path):
    lines = [json.dumps(r) for r in records(80)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines[:40], "{broken", *lines[41:]]) + "\n", encoding="utf-8")
    output = tmp_path / "rows.jsonl"
    summary, rejected, _ = run(mine, [path], output)
    assert [(r.record, r.rule) for r in rejected] == [(41, "json")]
    assert summary.articles == 79
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    summary, rejected, warned = run(mine, [path], output)
    assert not rejected
    assert "input-changed" in {w.rule for w in warned}
    assert summary.articles == 80
    assert summary.found_articles >= 40
    clean = tmp_path / "clean.jsonl"
    run(mine, [path], clean)
    assert output.read_bytes() == clean.read_bytes()


def test_a_corrupt_parquet_group_is_named_and_the_rest_done(mine, tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(list(records(60))), path, row_group_size=20, compression="none")
    good = path.read_bytes()
    column = pq.read_metadata(path).row_group(1).column(3)
    at = column.dictionary_page_offset or column.data_page_offset
    path.write_bytes(good[:at] + b"\xff" * 40 + good[at + 40 :])
    output = tmp_path / "rows.parquet"
    summary, rejected, _ = run(mine, [path], output)
    assert [(r.record, r.rule) for r in rejected] == [(21, "parquet")]
    assert summary.articles == 40
    path.write_bytes(good)
    summary, rejected, _ = run(mine, [path], output)
    assert (summary.articles, rejected) == (60, [])
    assert summary.found_articles > 0


def test_another_model_or_configuration_is_refused(mine, tiny, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in records(20)) + "\n{broken\n", encoding="utf-8")
    output = tmp_path / "rows.jsonl"
    run(mine, [path], output)
    before = output.read_bytes()
    fewer = Scorer(tiny, default_targets()[:2])
    with pytest.raises(ResumeError, match=r"targets United States, Russia, China, Ukraine, now United States, Russia"):
        run(fewer, [path], output)
    tiny.content_hash = "other"
    with pytest.raises(ResumeError, match=r"model tiny@unsaved, now tiny@other"):
        run(mine, [path], output)
    assert output.read_bytes() == before
    summary, _, _ = run(mine, [path], output, restart=True)
    assert summary.found_articles == 0


def test_other_aliases_are_another_configuration_where_they_are_asked_by(tiny, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in records(20)) + "\n{broken\n", encoding="utf-8")
    peru, kyiv = Target("Peru", ("China",)), default_targets()[3]
    tiny.config.known_targets = ["Ukraine"]
    tiny.model.head[-1].weight.data.mul_(400)  # so that names tell
    run(Scorer(tiny, [peru, kyiv]), [path], tmp_path / "rows.jsonl")
    meta = json.loads((tmp_path / "rows.jsonl.meta.json").read_text(encoding="utf-8"))
    assert meta["aliases"] == "Peru: China"
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    articles = [Article(**record) for record in records(20)]

    def favor(*targets):
        return [row.probabilities["favor"] for found in Scorer(tiny, targets).score_many(articles) for row in found]

    found = np.array([row["p_favor"] for row in rows])
    assert found == pytest.approx(np.array(favor(peru, kyiv)), abs=2e-6)
    by_name = abs(found - np.array(favor(Target("Peru"), kyiv)))
    named = np.array(["China" in row["statement"] for row in rows])
    assert by_name[named][::2].min() > 1e-5
    assert by_name[~named].max() < 2e-6
    other = replace(peru, aliases=("Lima",))
    with pytest.raises(ResumeError, match="aliases Peru: China, now Peru: Lima"):
        run(Scorer(tiny, [other, kyiv]), [path], tmp_path / "rows.jsonl")
    run(Scorer(tiny, [peru, replace(kyiv, aliases=())]), [path], tmp_path / "rows.jsonl")


def test_a_damaged_part_is_scored_again(mine, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in records(40)) + "\n{broken\n", encoding="utf-8")
    output = tmp_path / "rows.jsonl"
    run(mine, [path], output)
    whole = output.read_bytes()
    victim = min((tmp_path / ".rows.jsonl.run" / "parts").glob("*.parquet"))
    raw = bytearray(victim.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    victim.write_bytes(raw)
    summary, _, _ = run(mine, [path], output)
    assert 0 < summary.found_articles < 40
    assert output.read_bytes() == whole


def test_two_runs_of_one_output_at_once(mine, tmp_path):
    import fcntl

    path = write(tmp_path / "a.jsonl", records(4))
    work = tmp_path / ".rows.jsonl.run"
    work.mkdir()
    with (work / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ResumeError, match="another process"):
            run(mine, [path], tmp_path / "rows.jsonl")
    run(mine, [path], tmp_path / "rows.jsonl")


def test_a_full_disk_is_named_the_rest_done_and_a_retry_mends_it(mine, tmp_path):
    """The limit on a file's size is the kernel's own refusal to write, met in the middle of a part."""
    import resource

    long = {
        "id": "long",
        "text": " ".join(f"“{random.random()} is what Russia promised,” said Ann Lee." for _ in range(900)),
    }
    items = [*records(30), long, *records(30, 30)]
    path = write(tmp_path / "a.jsonl", items)
    output = tmp_path / "rows.csv"
    detected_language(items[0]["text"])  # its first use unpacks a file
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def lift(item):
        if item.part.articles[-1].article.id == "a59":
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        summary, rejected, _ = run(mine, [path], output, on_part=lift)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [r.rule for r in rejected] == ["not-stored"]
    assert "File too large" in rejected[0].message
    assert 40 < summary.articles < 61
    summary, rejected, _ = run(mine, [path], output)
    assert (summary.articles, rejected) == (61, [])
    assert summary.found_articles > 40


def test_partitions_are_read_back_whole(mine, tmp_path):
    path = write(tmp_path / "a.jsonl", records(60))
    run(mine, [path], tmp_path / "rows", partition=("outlet", "month"))
    run(mine, [path], tmp_path / "rows.parquet")
    names = {p.parent.relative_to(tmp_path / "rows").as_posix() for p in (tmp_path / "rows").rglob("*.parquet")}
    assert "outlet=Harbor/month=2024-02" in names
    assert "outlet=__HIVE_DEFAULT_PARTITION__/month=__HIVE_DEFAULT_PARTITION__" in names
    whole = pq.read_table(tmp_path / "rows.parquet")
    parts = pads.dataset(tmp_path / "rows", partitioning="hive").to_table()
    assert parts.num_rows == whole.num_rows
    key = ["statement_id", "target"]
    columns = [c for c in whole.column_names if c != "outlet"]
    a, b = (t.select(columns).sort_by([(k, "ascending") for k in key]).to_pylist() for t in (whole, parts))
    assert a == b
    (tmp_path / "foreign").mkdir()
    with pytest.raises(OutputError, match="was not written by stance"):
        run(mine, [path], tmp_path / "foreign", partition=("month",))
    with pytest.raises(UsageError, match="--partition-by"):
        run(mine, [path], tmp_path / "rows2", partition=("speaker",))


def test_parts_find_their_borders_again_after_a_change():
    def located(items):
        return [LocatedArticle(Article(**r), "f", 1) for r in items]

    before = [p.key for p in parts_of(located(records(400)), SMALL)]
    changed = list(records(400))
    changed[200]["text"] += " More."
    del changed[100]
    after = [p.key for p in parts_of(located(changed), SMALL)]
    assert sum(len(p.articles) for p in parts_of(located(changed), SMALL)) == 399
    assert len(set(before) - set(after)) <= 8
    assert len(before) > 40


def test_a_part_info_survives_its_file(tmp_path):
    from stance.errors import Rejection

    info = PartInfo(3, 5, [Rejection("f", 1, "r", "“m”")], [Rejection("g", None, "s", "n")])
    table = pa.table({"a": [1, 2]})
    store = PartStore(tmp_path)
    store.write("k", table, info)
    read, found = store.read("k")
    assert found == info
    assert read.equals(table)
    assert store.read("none") is None


def test_one_bad_article_does_not_take_the_run_with_it(mine, tmp_path, monkeypatch):
    real = mine.statements_many

    def fragile(articles):
        if any(article.id == "a7" for article in articles):
            raise RecursionError("too deep")
        return real(articles)

    monkeypatch.setattr(mine, "statements_many", fragile)
    path = write(tmp_path / "a.jsonl", records(20))
    summary, rejected, _ = run(mine, [path], tmp_path / "rows.jsonl")
    assert [(r.file, r.record, r.rule) for r in rejected] == [(str(path), 8, "extraction")]
    assert summary.articles == 19
    monkeypatch.setattr(mine, "statements_many", real)
    summary, rejected, _ = run(mine, [path], tmp_path / "rows.jsonl")
    assert (summary.articles, rejected) == (20, [])


def test_commands_of_a_run(saved_tiny, tmp_path, capsys):
    write(tmp_path / "a.jsonl", records(30))
    asked = ["score", str(tmp_path / "*.jsonl"), "--model", str(saved_tiny), "--engine", "torch-fp32"]
    assert main([*asked, "-o", str(tmp_path / "rows"), "--partition-by", "outlet", "--format", "csv", "--profile"]) == 0
    err = capsys.readouterr().err
    for words in (
        "30 articles: 60 statements, 240 rows",
        "engine torch-fp32",
        f"statements found by {extractor_id()}",
        "encode",
        "Ukraine",
        "seconds by stage",
        "Lakeside         8",
    ):
        assert words in err
    assert len(list((tmp_path / "rows").rglob("*.csv"))) == 4
    assert main([*asked, "--profile"]) == 2
    assert main([*asked, "-o", str(tmp_path / "r.csv"), "--format", "csv"]) == 2
    assert main([*asked[:-1], "magic", "-o", str(tmp_path / "r.csv")]) == 2
    assert "unknown engine 'magic'" in capsys.readouterr().err
