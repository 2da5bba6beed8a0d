import json
from collections import Counter
from dataclasses import replace

import pytest

from stance.corpus import (
    Corpus,
    CorpusRecord,
    check_corpus,
    cluster_of,
    find_leaks,
    near_duplicates,
    read_corpus,
    shingles,
    split_corpus,
    write_corpus,
)
from stance.errors import CorpusError, UsageError
from stance.schema import LABELS, Speaker, Statement

TARGETS = ("Russia", "China")
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def record(number, text, document="", **labels):
    statement = Statement(id=f"r{number}", text=text, end=len(text), quotation_id=f"r{number}")
    return CorpusRecord(statement, labels or {"Russia": "against", "China": None}, document=document)


def jsonl(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


ROW = {"id": "a", "statement": "Moscow must pay", "labels": {"Russia": "against", "China": "not_addressed"}}


def test_sample_corpus_is_read_as_it_was_written(root):
    corpus = read_corpus(root / "examples" / "corpus")
    assert corpus.labels == LABELS
    assert corpus.targets == ("United States", "Russia", "China", "Ukraine")
    assert {name: len(split) for name, split in corpus.splits.items()} == {
        "train": 3765,
        "validation": 426,
        "test": 397,
    }
    first = corpus.splits["test"][0]
    assert (first.id, first.source, first.document) == ("own-0001", "swap", "s01")
    assert first.labels["Ukraine"] == "against"
    check_corpus(corpus)
    documents = {r.document for r in corpus.splits["train"] if r.document}
    assert not documents & {r.document for r in corpus.splits["test"]}


def test_round_trip_keeps_everything(tmp_path):
    speaker = Speaker("Ann Lee", "Lee", 3, 6, "Canada")
    statement = Statement(
        "a", "peace now", 10, 19, "q", "mixed", "said", speaker, "he said: ", " – and left", article_id="art"
    )
    full = CorpusRecord(
        statement,
        {"Russia": "favor", "China": None},
        "doc",
        "Gazette",
        "2024-05-31",
        "own",
        {"x": {"Russia": "favor", "China": None}, "y": {"Russia": "neutral", "China": "favor"}},
    )
    corpus = Corpus("folder", LABELS, TARGETS, {"train": (full,), "test": (record(1, "a wall is a wall"),)})
    write_corpus(corpus, tmp_path / "folder")
    assert read_corpus(tmp_path / "folder") == corpus
    assert "| train | 1 | 1 | 1 |" in (tmp_path / "folder" / "README.md").read_text()


def test_datasets_library_loads_what_is_written(tmp_path):
    datasets = pytest.importorskip("datasets")
    write_corpus(Corpus("c", LABELS, TARGETS, {"test": (record(1, "never again"),)}), tmp_path / "c")
    loaded = datasets.load_from_disk(str(tmp_path / "c"))
    assert loaded["test"].features["labels"]["China"].names == list(LABELS)
    assert loaded["test"][0]["labels"] == {"Russia": 0, "China": -1}


def test_csv_parquet_and_split_files_give_the_same_records(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    (tmp_path / "c.csv").write_text("id,statement,split,label_Russia,label_China\na,Moscow must pay,test,against,\n")
    columns = {"id": ["a"], "statement": ["Moscow must pay"], "split": ["test"]}
    numbers = {"label_Russia": [0], "label_China": pa.array([None], "int64")}
    pq.write_table(pa.table(columns | numbers), tmp_path / "c.parquet")
    (tmp_path / "parts").mkdir()
    jsonl(tmp_path / "parts" / "test.jsonl", ROW | {"labels": {"Russia": "against", "China": None}})
    found = [
        read_corpus(tmp_path / "c.csv"),
        read_corpus(tmp_path / "c.parquet", labels=LABELS),
        read_corpus(tmp_path / "parts"),
    ]
    assert found[0].splits == found[1].splits == found[2].splits
    assert found[0].splits["test"][0].labels == {"Russia": "against", "China": None}


def test_label_set_and_targets_are_data(tmp_path):
    path = jsonl(
        tmp_path / "c.jsonl",
        {"id": 1, "statement": "x y", "labels": {"NATO": "hawk"}},
        ROW | {"labels": {"NATO": "dove"}},
    )
    corpus = read_corpus(path)
    assert (corpus.labels, corpus.targets) == (("hawk", "dove"), ("NATO",))
    assert read_corpus(path, labels=["dove", "hawk", "owl"]).labels == ("dove", "hawk", "owl")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"id": ""}, "missing-id"),
        ({"statement": "  "}, "missing-statement"),
        ({"labels": {"Russia": "hostile"}}, "unknown-label"),
        ({"labels": {"Russia": 2}}, None),
        ({"labels": {"Russia": 9}}, "label-number"),
        ({"labels": {"Russia": True}}, "label-type"),
        ({"labels": "against"}, "labels-type"),
        ({"labels": ["against"]}, "labels-type"),
        ({"published": "last May"}, "published-date"),
        ({"published": "2024"}, None),
        ({"quote_type": "loud"}, "quote-type"),
        ({"start": "one"}, "start-type"),
        ({"id": "ok"}, "duplicate-id"),
        ({"annotators": {"x": {"Russia": "hostile"}}}, "unknown-label"),
        ({"labels": {"Russia": None}}, None),
    ],
)
def test_a_bad_row_is_named_with_file_number_and_rule(tmp_path, change, rule):
    path = jsonl(tmp_path / "c.jsonl", ROW | {"id": "ok"}, ROW | change)
    rejected = []
    corpus = read_corpus(path, labels=LABELS, targets=["Russia", "China"], on_reject=rejected.append)
    assert [(r.file, r.record, r.rule) for r in rejected] == ([(str(path), 2, rule)] if rule else [])
    assert len(corpus) == (1 if rule else 2)
    if rule:
        with pytest.raises(CorpusError, match=rule):
            read_corpus(path, labels=LABELS, targets=["Russia", "China"])


@pytest.mark.parametrize("name", ["none.jsonl", "empty", "none.txt"])
def test_nothing_to_read_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=name):
        read_corpus(tmp_path / name)


def test_numbers_without_a_label_set_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="give labels"):
        read_corpus(jsonl(tmp_path / "c.jsonl", ROW | {"labels": {"Russia": 1}}))


@pytest.mark.parametrize("labels", [["con", "neither", "pro"], None])
def test_a_number_under_zero_is_missing_only_in_a_class_label(tmp_path, labels):
    """On a scale of -1, 0, 1 it is a label, and every other number would be misread: no row is kept."""
    rows = [ROW | {"id": str(n), "labels": {"Russia": n}} for n in (-1, 0, 1)]
    with pytest.raises(CorpusError, match=r"c.jsonl, record 1: label -1 for 'Russia'.* \[label-below-zero\]"):
        read_corpus(jsonl(tmp_path / "c.jsonl", *rows), labels=labels, on_reject=[].append)


@pytest.mark.parametrize("labels", [("against", "favor"), ("favor", "against"), ("no", "so-so", "yes")])
def test_class_labels_are_the_label_set_as_they_stand(tmp_path, labels):
    corpus = Corpus("c", labels, ("NATO",), {"test": (record(1, "never again", NATO=labels[-1]),)})
    write_corpus(corpus, tmp_path / "c")
    assert read_corpus(tmp_path / "c") == corpus


def test_a_file_without_class_labels_has_our_label_set_or_the_names_that_occur(tmp_path):
    rows = [ROW | {"id": name, "labels": {"NATO": name}} for name in ("favor", "against")]
    path = tmp_path / "c.jsonl"
    assert read_corpus(jsonl(path, *rows)).labels == LABELS  # it may be labelled only in part
    assert read_corpus(path, labels=("against", "favor")).labels == ("against", "favor")
    rows.append(ROW | {"labels": {"NATO": "unsure"}})
    assert read_corpus(jsonl(path, *rows)).labels == ("favor", "against", "unsure")


def test_check_names_the_row():
    corpus = Corpus("c", LABELS, TARGETS, {"test": (record(1, "one"), record(2, "two", Russia="bad"))})
    with pytest.raises(CorpusError, match=r"c/test, record 2: label 'bad'"):
        check_corpus(corpus)
    with pytest.raises(CorpusError, match="label-names"):
        check_corpus(replace(corpus, labels=("a", "a")))


WIRE = "The two sides agreed on Friday to resume talks on grain exports through the Black Sea next month"


def test_near_duplicates_are_those_of_the_exact_measure():
    texts = [
        WIRE,
        WIRE.replace("Friday", "Monday"),
        WIRE.upper() + "!",
        "Nothing here looks like the other texts at all",
        "",
        "The two sides agreed on nothing",
    ]
    found = {(p.first, p.second): p.similarity for p in near_duplicates(texts)}
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    a, b = shingles(texts[0]), shingles(texts[1])
    assert found[0, 1] == len(a & b) / len(a | b)
    assert found[0, 2] == 1.0


def test_leaks_are_found_and_a_new_split_has_none():
    base = [record(i, f"word{i} says thing{i} about place{i} on day{i}", document=f"d{i % 21}") for i in range(100)]
    copies = [record(100 + i, WIRE.replace("Friday", f"day {i}"), document=f"w{i}") for i in range(10)]
    everything = tuple(base + copies)
    bad = Corpus("c", LABELS, TARGETS, {"train": everything[::2], "test": everything[1::2]})
    leaks = find_leaks(bad)
    assert {leak.kind for leak in leaks} == {"near-duplicate", "document"}
    first = next(leak for leak in leaks if leak.kind == "near-duplicate")
    assert str(first).startswith(f"{first.id} of {first.split} and {first.other_id} of {first.other_split} repeat each")
    assert str(next(leak for leak in leaks if leak.kind == "document")).endswith("come from one document")
    good = split_corpus(bad, SHARES, seed=3)
    assert find_leaks(good) == ()
    assert sorted(r.id for r in good.records) == sorted(r.id for r in everything)
    homes = {cluster_of(r): name for name, split in good.splits.items() for r in split}
    assert all(homes[cluster_of(r)] == name for name, split in good.splits.items() for r in split)
    for name, share in SHARES.items():
        assert len(good.splits[name]) == pytest.approx(share * 110, abs=8)


def test_split_keeps_label_shares_and_follows_the_seed(root):
    corpus = read_corpus(root / "examples" / "corpus")
    split = split_corpus(corpus, {"train": 0.5, "test": 0.5}, seed=0)
    assert split == split_corpus(corpus, {"train": 0.5, "test": 0.5}, seed=0)
    assert split != split_corpus(corpus, {"train": 0.5, "test": 0.5}, seed=1)
    for target in corpus.targets:
        halves = [Counter(r.labels[target] for r in split.splits[name]) for name in ("train", "test")]
        for label in LABELS:
            assert abs(halves[0][label] - halves[1][label]) <= 6


@pytest.mark.parametrize("shares", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}])
def test_wrong_shares(shares):
    corpus = Corpus("c", LABELS, TARGETS, {"test": (record(1, "one"),)})
    with pytest.raises(UsageError):
        split_corpus(corpus, shares, seed=0)
