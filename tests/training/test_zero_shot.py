import numpy as np
import pytest

from stance.learning import Example
from stance.schema import Statement
from training import zero_shot
from training.corpora.dse import Pair
from training.zero_shot import KINDS, kinds, never_trained, normalised, sided, trained_names


def example(text, target, label, corpus="newsmtsc", document="d"):
    return Example(Statement(id=text, text=text), {target: label}, corpus=corpus, document=document)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("The Mayor’s", "mayor"),
        ("St. Mary's Choir", "st mary choir"),
        ("the voters' union", "voters union"),
        ("the", ""),
        ("Ann  LEE", "ann lee"),
    ],
)
def test_names_are_compared_by_their_words(name, expected):
    assert normalised(name) == expected


def test_a_name_is_new_in_part_or_in_all_its_words():
    trained = frozenset(map(normalised, ["Ann Lee", "the Mayor"]))
    found = kinds(["ann lee's", "Mayor", "Mrs. Lee", "Zed Roe"], trained)
    assert [KINDS[i] for i in found] == [KINDS[0], KINDS[0], KINDS[1], KINDS[2]]


def test_what_is_not_addressed_counts_as_neutral():
    labels = ["against", "neutral", "favor", "not_addressed"]
    task = sided("x", [example(f"t{i}", "parks", label) for i, label in enumerate(labels)])
    assert task.gold.tolist() == [0, 1, 2, 1]
    assert task.targets == ["parks"] * 4


@pytest.fixture
def folder(tmp_path):
    """Where the corpora would be."""
    for name in ("basil", "vast"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def corpora(monkeypatch):
    """Corpora of invented sentences; training has shown Ann Lee and Joe Roe."""
    labels = ("against", "neutral", "favor")
    names = ("Ann Lee", "Bob Lee", "Zed")
    split_asked = []

    def read_news(data, part, split):
        split_asked.append((part, split))
        if split == "train":
            return [example("Ann Lee spoke", "Ann Lee", "neutral")]
        return [example(f"{part} {i}", names[i // 3], labels[i % 3], document=str(i)) for i in range(9)]

    def read_dse(data, split):
        split_asked.append(("dse", split))
        return [example("Bob met Zed", name, "favor", "dse", f"{split}:{i}") for i, name in enumerate(names)]

    def read_vast(data, split):
        split_asked.append(("vast", split))
        every = (*labels, "not_addressed")
        return [example(f"comment {i}", f"topic {i}", every[i % 4], "vast", str(i)) for i in range(8)]

    monkeypatch.setattr(zero_shot.newsmtsc, "read", read_news)
    monkeypatch.setattr(zero_shot.dse, "read_pairs", lambda data, split: [Pair(0, "x", "Joe Roe", "Ann Lee", 0)])
    monkeypatch.setattr(zero_shot.dse, "read", read_dse)
    monkeypatch.setattr(zero_shot.vast, "read", read_vast)
    spans = [example(f"“{i}”", names[i % 3], labels[2 * (i % 2)], "basil", str(i)) for i in range(12)]
    monkeypatch.setattr(zero_shot.basil, "read", lambda data: iter(spans))
    return split_asked


def test_training_names_are_those_of_the_corpora_and_the_defaults(corpora):
    assert trained_names(None) >= {"ann lee", "joe roe", "russia", "united states", "white house"}


class Model:
    """Leans against everything, but is surer that nothing is addressed in what people quote."""

    def predict_pairs(self, statements, targets):
        assert len(statements) == len(targets)
        quoted = [s.text.startswith(("“", "comment")) for s in statements]
        return np.array([[0.3, 0.1, 0.2, 0.4] if q else [0.6, 0.2, 0.1, 0.1] for q in quoted])


def cells(table):
    return {row[0]: [cell.split(" ")[0] for cell in row[1:]] for row in table.rows}


@pytest.mark.parametrize(
    ("split", "parts"), [("test", ("test", "test", "test")), ("validation", ("dev", "valid", "validation"))]
)
def test_held_out_parts_are_the_corpora_s_own(corpora, folder, split, parts):
    list(never_trained(Model(), folder, split))
    news, pairs, topics = parts
    assert corpora[1:] == [("mt", news), ("rw", news), ("dse", pairs), ("vast", topics)]


def test_items_are_told_apart_by_what_training_has_shown(corpora, folder):
    by_name, _ = never_trained(Model(), folder, "test")
    found = cells(by_name)
    assert list(found) == [f"{c}: {kind}" for c in ("NewsMTSC mt", "NewsMTSC rw", "DSE") for kind in KINDS]
    assert {len(row) for row in by_name.rows} == {len(by_name.columns)}
    for kind in KINDS:
        # a third is against, which is all it answers: F1 of against 1/2; three labels, or against and favor
        assert found[f"NewsMTSC mt: {kind}"] == ["3", "3", "0.167", "0.250", "0.167", "0.250"]
    assert found[f"DSE: {KINDS[0]}"][:2] == ["1", "1"]


def test_corpora_never_trained_on_are_measured_by_their_own_labels(corpora, folder):
    _, others = never_trained(Model(), folder, "test")
    found = cells(others)
    names = [f"BASIL, of the two sides: {kind}" for kind in KINDS]
    assert list(found) == ["BASIL", "BASIL, of the two sides", *names, "VAST"]
    assert found["BASIL"] == ["12", "12", "–", "0.000", "–", "0.333"]  # not_addressed is no side
    assert found["BASIL, of the two sides"] == ["12", "12", "–", "0.333", "–", "0.333"]
    # not_addressed is VAST's neutral: half of the items, F1 2/3
    assert found["VAST"] == ["8", "8", "0.222", "0.000", "0.222", "0.000"]
    assert "con is against" in others.note
    assert "Majority" in others.note


def test_corpora_that_are_not_there_are_told(corpora, folder):
    (folder / "vast").rmdir()
    _, others = never_trained(Model(), folder, "test")
    assert "VAST" not in cells(others)
    assert others.note.endswith("Not measured: there is no folder vast among the corpora.")
