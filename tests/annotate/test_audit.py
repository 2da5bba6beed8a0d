from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from stance.annotate.audit import audit
from stance.annotate.records import Change
from stance.annotate.store import Store
from stance.cli import main
from stance.corpus import Corpus, CorpusRecord, write_corpus
from stance.schema import Statement
from stance.statistics.confident import confident_joint, label_issues
from tests.annotate.conftest import make_corpus

_GOOD = (
    "{} is a true friend and has kept every promise",
    "we thank {} for its generous help",
    "{} deserves our praise",
)
_BAD = ("{} is a brutal aggressor and a liar", "we condemn {} for its cruel crimes", "{} deserves to be punished")


def _two_sided(count: int = 60) -> Corpus:
    records = []
    for i in range(count):
        side = i % 2
        words = (_BAD if side else _GOOD)[i // 2 % 3].format("Russia") + f", said delegate number {i} of the assembly"
        label = "against" if side else "favor"
        records.append(CorpusRecord(Statement(id=f"s{i}", text=words), {"Russia": label}, document=f"d{i}"))
    return Corpus("invented", ("against", "neutral", "favor", "not_addressed"), ("Russia",), {"train": tuple(records)})


@pytest.fixture
def without_a_model(monkeypatch):
    """What asks the encoder is left out: it is of no account to who differs, and takes most of the time."""
    monkeypatch.setattr("stance.annotate.audit._suspects", lambda *_: ((), ""))


def test_confident_learning_finds_flipped_labels():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 500)
    p = np.full((500, 3), 0.05) + rng.random((500, 3)) * 0.1
    p[np.arange(500), truth] += 0.8
    p /= p.sum(axis=1, keepdims=True)
    given = truth.copy()
    flipped = rng.choice(500, 40, replace=False)
    given[flipped] = (truth[flipped] + 1) % 3
    found = label_issues(given, p)
    assert set(found) <= set(flipped)
    assert len(found) >= 36
    joint = confident_joint(given, p)
    np.testing.assert_allclose(joint.sum(), 1)
    np.testing.assert_allclose(joint.sum(axis=1), np.bincount(given) / 500)
    assert joint[1, 0] + joint[2, 1] + joint[0, 2] > 0.06


def test_planted_label_errors_come_first(tmp_path):
    corpus = _two_sided()
    records = list(corpus.records)
    for i in (7, 20):
        wrong = "favor" if records[i].labels["Russia"] == "against" else "against"
        records[i] = replace(records[i], labels={"Russia": wrong})
    store = Store.create(tmp_path / "p.db", replace(corpus, splits={"train": tuple(records)}))
    found = audit(store)
    assert {s.item for s in found.suspects[:2]} == {"s7", "s20"}
    assert len(found.suspects) <= 6
    assert found.suspects[0].expected != found.suspects[0].label


def test_the_encoder_reads_each_statement_once(tmp_path, monkeypatch):
    from stance.learning import features
    from stance.model import StanceClassifier

    corpus = _two_sided()
    store = Store.create(tmp_path / "p.db", corpus)
    read: list[str] = []

    def vectors(_, statements, targets):
        read.extend(statement.id for statement in statements)
        signs = [1.0 if "friend" in s.text or "thank" in s.text or "praise" in s.text else -1.0 for s in statements]
        return np.array(signs)[:, None, None] * np.ones((1, len(targets), 3))

    monkeypatch.setattr(StanceClassifier, "from_pretrained", lambda *_: None)
    monkeypatch.setattr(features, "target_vectors", vectors)
    known: dict = {}
    first = audit(store, known)
    store.import_labels([("s0", "Ada", {"Russia": "against"})])
    assert not first.suspects
    assert [s.item for s in audit(store, known).suspects] == ["s0"]
    assert sorted(read) == sorted(r.id for r in corpus.records)


def test_too_few_labels_are_said(tmp_path):
    store = Store.create(tmp_path / "p.db", _two_sided(6))
    assert "from 40 labels" in audit(store).suspects_note


def test_near_duplicates_with_different_labels_are_found(tmp_path):
    words = "the ministry confirmed that the harbour talks will go on through the winter without a break"
    records = (
        CorpusRecord(Statement(id="a", text=words), {"Russia": "neutral"}),
        CorpusRecord(Statement(id="b", text=words + "."), {"Russia": "favor"}),
        CorpusRecord(Statement(id="c", text=words + "!"), {"Russia": "neutral"}),
    )
    store = Store.create(tmp_path / "p.db", replace(_two_sided(2), splits={"train": records}))
    assert {(d.first, d.second) for d in audit(store).duplicates} == {("a", "b"), ("b", "c")}


def test_the_annotator_who_differs_is_named(tmp_path, without_a_model):
    corpus = make_corpus(40)
    store = Store.create(tmp_path / "p.db", corpus)
    rng = random.Random(1)
    for name in ("Ada", "Bob", "Cy", "Dee"):
        store.enter(name)
    given = []
    for i in range(40):
        truth = {target: rng.choice(store.labels) for target in store.targets}
        for name in ("Ada", "Bob", "Cy", "Dee"):
            share = 0.6 if name == "Dee" else 0.05
            given.append(
                (f"s{i}", name, {t: rng.choice(store.labels) if rng.random() < share else v for t, v in truth.items()})
            )
    assert store.import_labels(given) == 160
    found = {a.annotator: a for a in audit(store).annotators}
    assert [name for name, a in found.items() if a.differs] == ["Dee"]
    assert found["Dee"].items
    assert found["Ada"].low < found["Ada"].agreement < found["Ada"].high


def _drawn(share: float, rng: random.Random, labels: tuple[str, ...], truth: dict[str, str]) -> dict[str, str]:
    return {t: rng.choice(labels) if rng.random() < share else label for t, label in truth.items()}


@pytest.mark.parametrize("careless", [None, "Dee"])
def test_who_labels_the_hard_statements_does_not_differ_for_that(tmp_path, without_a_model, careless):
    """Dee and two others label what is hard, Ada to Cy what is easy; only mistakes of one's own count."""
    store = Store.create(tmp_path / "p.db", make_corpus(120))
    rng = random.Random(3)
    given = []
    for i in range(120):
        truth = {target: rng.choice(store.labels) for target in store.targets}
        hard = i % 2
        for name in ("Dee", "Eve", "Flo") if hard else ("Ada", "Bob", "Cy"):
            share = 0.9 if name == careless else 0.5 if hard else 0.05
            given.append((f"s{i}", name, _drawn(share, rng, store.labels, truth)))
    store.import_labels(given)
    found = {a.annotator: a for a in audit(store).annotators}
    assert [name for name, a in found.items() if a.differs] == ([careless] if careless else [])
    assert found["Dee"].agreement < found["Ada"].agreement


def test_of_two_labels_each_nothing_can_be_told(tmp_path, without_a_model):
    """With two annotators for each statement, the others of a pair never meet on its statements."""
    store = Store.create(tmp_path / "p.db", make_corpus(60))
    pairs = (("Ada", "Bob"), ("Bob", "Cy"), ("Cy", "Dee"))
    store.import_labels(
        (f"s{i}", name, dict.fromkeys(store.targets, "against" if name == "Dee" else "favor"))
        for i in range(60)
        for name in pairs[i % 3]
    )
    dee = next(a for a in audit(store).annotators if a.annotator == "Dee")
    assert (dee.agreement, dee.difference, dee.finding) == (0, None, "cannot be told")


def test_a_second_look_counts(tmp_path):
    store = Store.create(tmp_path / "p.db", make_corpus(2))
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", dict.fromkeys(store.targets, "favor")))
    store.save("s0", "Ada", Change("label", {"Russia": "against"}))
    assert store.state("s0", "Ada").status == "open"


def test_between_two_annotators_nobody_can_be_said_to_differ(tmp_path, capsys):
    corpus = make_corpus(10)
    store = Store.create(tmp_path / "p.db", corpus)
    for name, label in (("Ada", "favor"), ("Bob", "against")):
        store.import_labels((r.id, name, dict.fromkeys(store.targets, label)) for r in corpus.records)
    found = audit(store)
    assert {a.finding for a in found.annotators} == {"cannot be told"}
    write_corpus(corpus, tmp_path / "c")
    assert main(["annotate", str(tmp_path / "c"), "--store", str(store.path), "--audit"]) == 0
    assert "Ada\tcannot be told\tagreement with the others 0.00 [0.00, 0.00]" in capsys.readouterr().out


def test_labels_of_one_document_give_no_interval(tmp_path):
    corpus = make_corpus(2)  # both of document d0
    store = Store.create(tmp_path / "p.db", corpus)
    for name, label in (("Ada", "favor"), ("Bob", "favor"), ("Cy", "against")):
        store.import_labels((r.id, name, dict.fromkeys(store.targets, label)) for r in corpus.records)
    cy = next(a for a in audit(store).annotators if a.annotator == "Cy")
    assert (cy.agreement, cy.low, cy.high, cy.difference, cy.differs) == (0, None, None, -1, None)


def test_what_is_left_out_is_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("stance.annotate.audit._SHOWN", 1)
    words = "the ministry confirmed that the harbour talks will go on through the winter without a break"
    labels = ("neutral", "favor", "neutral")
    records = tuple(CorpusRecord(Statement(id=f"s{i}", text=words), {"Russia": y}) for i, y in enumerate(labels))
    corpus = replace(_two_sided(2), splits={"train": records})
    store = Store.create(tmp_path / "p.db", corpus)
    found = audit(store)
    assert (len(found.duplicates), found.duplicates_found) == (1, 2)
    write_corpus(corpus, tmp_path / "c")
    assert main(["annotate", str(tmp_path / "c"), "--store", str(store.path), "--audit"]) == 0
    assert "the first 1 of 2 near-duplicates" in capsys.readouterr().out
