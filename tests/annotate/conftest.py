"""A small invented project."""

from __future__ import annotations

import pytest

from stance.annotate.store import Store
from stance.corpus import Corpus, CorpusRecord
from stance.schema import LABELS, Speaker, Statement

_TEXTS = (
    ("Mara Quill", "the Kremlin has earned nobody's trust", "Before the vote, Mara Quill said ", ", then sat down."),
    ("Otto Brandl", "Kyiv deserves every shell we can spare", "Defence spokesman Otto Brandl added that ", "."),
    ("Lin Weifang", "Beijing will answer tariffs in kind", "In the capital, Lin Weifang warned that ", "."),
    ("", "the summit begins on Thursday in Geneva", "Diplomats confirmed that ", "."),
    ("Ines Okafor", "Washington kept its promise to the islands", "“Whatever people say,” Ines Okafor wrote, ", "."),
    ("Pavel Drozd", "both armies counted their dead in silence", "Pavel Drozd of the relief mission said ", "."),
)


def make_corpus(count: int = 6, name: str = "invented") -> Corpus:
    records = []
    for i in range(count):
        speaker, text, before, after = _TEXTS[i % len(_TEXTS)]
        text = text if i < len(_TEXTS) else f"{text}, for the {i}th time"
        statement = Statement(
            id=f"s{i}", text=text, speaker=Speaker(speaker, speaker) if speaker else None, before=before, after=after
        )
        records.append(CorpusRecord(statement, {}, document=f"d{i // 2}", outlet="Harbor Ledger"))
    targets = ("United States", "Russia", "China", "Ukraine")
    return Corpus(name, LABELS, targets, {"train": tuple(records)})


def learnable_corpus(count: int) -> Corpus:
    """Statements whose label a few words give away; half of the documents are held out."""
    words = {"favor": "praised Russia as a true friend", "against": "condemned Russia as a brutal aggressor"}
    splits: dict[str, list[CorpusRecord]] = {"train": [], "test": []}
    for i in range(count):
        label = ("favor", "against")[i % 2]
        text = f"envoy number {i} {words[label]}"
        record = CorpusRecord(Statement(id=f"s{i}", text=text), {"Russia": label}, document=f"d{i}")
        splits["test" if i % 4 > 1 else "train"].append(record)
    return Corpus("invented", LABELS, ("Russia",), {name: tuple(found) for name, found in splits.items()})


@pytest.fixture
def corpus() -> Corpus:
    return make_corpus()


@pytest.fixture
def store(tmp_path, corpus) -> Store:
    return Store.create(tmp_path / "invented.db", corpus)


@pytest.fixture
def full():
    """Labels for every target."""
    return {"United States": "not_addressed", "Russia": "against", "China": "not_addressed", "Ukraine": "neutral"}
