import gzip
import json

import pyarrow as pa
import pytest

from stance.articles import read_articles, source_files
from stance.articles.seen import SeenIds

TEXT = "The mayor said that the bridge was safe and that the tax would not rise before the end of the year."


def zst(path, raw):
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(raw)
    return path


def lines(count):
    return "".join(json.dumps({"id": f"a{i}", "text": f"{TEXT} {i}"}) + "\n" for i in range(count)).encode()


def read(*sources):
    rejected = []
    found = list(read_articles(sources, on_reject=rejected.append, on_warn=lambda notice: None))
    return [a.id for a in found], [(r.record, r.rule) for r in rejected]


def test_zst_of_records_and_of_documents(tmp_path):
    assert read(zst(tmp_path / "a.jsonl.zst", lines(300))) == ([f"a{i}" for i in range(300)], [])
    table = "id,text\n" + "".join(f'{i},"{TEXT}\n{i}"\n' for i in range(50))
    assert read(zst(tmp_path / "b.csv.zst", table.encode()))[0] == [str(i) for i in range(50)]
    assert len(read(zst(tmp_path / "c.txt.zst", TEXT.encode()))[0]) == 1


@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_a_packed_file_cut_short_gives_what_it_holds_and_is_named(tmp_path, packed):
    path = tmp_path / f"a.jsonl.{packed}"
    whole = gzip.compress(lines(20_000)) if packed == "gz" else zst(path, lines(20_000)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    ids, rejected = read(path)
    assert 0 < len(ids) < 20_000
    assert rejected[-1] == (None, "unreadable")


def test_damaged_gz_is_named(tmp_path):
    raw = bytearray(gzip.compress(lines(20_000)))
    raw[len(raw) // 2] ^= 0xFF
    (tmp_path / "a.jsonl.gz").write_bytes(raw)
    assert (None, "unreadable") in read(tmp_path / "a.jsonl.gz")[1]


def test_patterns(tmp_path):
    for name in ("y/b.jsonl", "x/a.jsonl", "x/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(lines(1).replace(b"a0", name[2:3].encode()))
    assert read(str(tmp_path / "**" / "*.jsonl"))[0] == ["a", "b"]
    assert read(str(tmp_path / "*.csv")) == ([], [(None, "no-match")])
    assert [p.name for p in source_files([str(tmp_path / "*" / "*.jsonl"), "-", tmp_path / "x"])] == [
        "a.jsonl",
        "b.jsonl",
        "a.jsonl",
        "c.txt",
    ]


def test_csv_is_read_as_a_stream(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,text\n" + "".join(f'{i},"{TEXT} {i}"\n' for i in range(30_000)), encoding="utf-8")
    import tracemalloc

    stream = read_articles([path])
    next(stream)
    tracemalloc.start()
    for _ in range(2_000):
        next(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    stream.close()
    assert peak < path.stat().st_size / 2


def test_csv_of_another_encoding_far_from_the_start(tmp_path):
    rows = "id,text\n" + "".join(f'{i},"{TEXT} {i}"\n' for i in range(20_000)) + 'last,"The café said so. '
    (tmp_path / "a.csv").write_bytes(rows.encode("cp1252") + TEXT.encode() + b'"\n')
    warned = []
    found = list(read_articles([tmp_path / "a.csv"], on_warn=warned.append))
    assert "café" in found[-1].text
    assert [w.rule for w in warned] == ["encoding-guessed"]


def test_seen_ids_count_like_a_dictionary():
    seen, plain = SeenIds(), {}
    for i in range(5_000):
        key = f"k{i * i % 3_001}"
        plain[key] = plain.get(key, 0) + 1
        assert seen.count(key) == plain[key]
    assert len(seen) == len(plain)
