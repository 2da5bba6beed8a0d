import json
import sys

import numpy as np
import pytest

from stance.bias.confusion import read_error_counts
from stance.learning import Example
from stance.schema import LABELS, Speaker, Statement
from training import confusion
from training.confusion import design_effect, metrics
from training.corpora.country_stance import TARGETS


def test_independent_statements_have_no_design_effect_and_copies_their_number():
    rng = np.random.default_rng(0)
    alone = np.zeros((4000, 4, 4), dtype=np.int64)
    gold, answers = rng.integers(0, 4, 4000), rng.integers(0, 4, 4000)
    alone[np.arange(4000), gold, answers] = 1
    assert design_effect(alone) == pytest.approx(1, abs=0.01)
    assert design_effect(alone * 5) == pytest.approx(5, rel=0.01)
    assert design_effect(np.zeros((3, 4, 4), dtype=np.int64)) == 1


@pytest.fixture
def examples():
    found = []
    for i in range(6):
        statement = Statement(id=str(i), text=f"Invented words number {i}.", speaker=Speaker("Ann Lee", "Lee"))
        labels = {t: LABELS[(i + k) % 4] for k, t in enumerate(TARGETS)}
        found.append(Example(statement, labels, corpus="invented", document=str(i // 2)))
    return found


def test_counts_are_those_of_the_model_and_can_be_read_by_the_report(tiny, examples, tmp_path, monkeypatch):
    found = metrics(tiny, examples, ["validation"])
    assert (found["model"], found["statements"], found["documents"]) == (tiny.id, 6, 3)
    p, _ = tiny.predict_proba([e.statement for e in examples], TARGETS)
    for k, target in enumerate(TARGETS):
        matrix = np.zeros((4, 4), dtype=int)
        for e, row in zip(examples, p[:, k], strict=True):
            matrix[LABELS.index(e.labels[target]), row.argmax()] += 1
        assert found["confusion"][target] == matrix.tolist()
    monkeypatch.setattr(confusion.StanceClassifier, "from_pretrained", lambda _: tiny)
    monkeypatch.setattr(confusion, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(confusion.country_stance, "read", lambda *_: examples)
    monkeypatch.setattr(sys, "argv", ["confusion", "-o", str(tmp_path / "metrics.json")])
    confusion.main()
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")) == found
    errors = read_error_counts(tmp_path)
    assert errors.model == tiny.id
    assert errors.counts["Russia"].sum() == 6
