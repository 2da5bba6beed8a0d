"""The shipped model must not get worse unnoticed: `training.release_gate` measures it again.

The floors belong to one model and to fixed held-out items, each named by a hash: new weights or new items need new
floors.
"""

import json

import pytest

from stance.model import StanceClassifier, shipped_model
from training.release_gate import FLOORS, MARGIN, _updated, measured, verdict

PINNED = json.loads(FLOORS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def classifier():
    return StanceClassifier.from_pretrained()


def test_own_statements(classifier):
    assert verdict(PINNED, classifier.id, measured(classifier, None)) == []


def test_public_corpora(classifier, data):
    assert verdict(PINNED, classifier.id, measured(classifier, data)) == []


FOUND = {"figures": {"own": {"macro-F1": 0.8}}, "corpora": {"own": "abc"}}
GOOD = {"model": "m@1", "corpora": {"own": "abc"}, "floors": {"own": {"macro-F1": 0.79}}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"model": "m@2"}, "the floors belong to m@2"),
        ({"corpora": {"own": "xyz"}}, "measured on other items"),
        ({"floors": {"own": {"macro-F1": 0.81}}}, "under its floor"),
        ({"floors": {"own": {}}}, "has no floor"),
    ],
)
def test_the_gate_says_what_is_wrong(change, problem):
    assert verdict(GOOD, "m@1", FOUND) == []
    (line,) = verdict(GOOD | change, "m@1", FOUND)
    assert problem in line


def test_a_floor_sinks_only_on_purpose():
    high = GOOD | {"floors": {"own": {"macro-F1": 0.9}}}
    kept = {"lower": False, "new_items": False}
    with pytest.raises(SystemExit, match="--lower"):
        _updated(high, "m@2", FOUND, **kept)
    sunk = _updated(high, "m@2", FOUND, lower=True, new_items=False)
    assert sunk["floors"]["own"]["macro-F1"] == pytest.approx(0.8 - MARGIN)
    assert _updated(GOOD, "m@2", FOUND, **kept)["floors"]["own"]["macro-F1"] == pytest.approx(0.795)
    other = high | {"corpora": {"own": "xyz"}}
    with pytest.raises(SystemExit, match="--new-items"):
        _updated(other, "m@2", FOUND, lower=True, new_items=False)
    assert _updated(other, "m@2", FOUND, lower=False, new_items=True)["floors"]["own"]["macro-F1"] < 0.8


def test_weights_stay_small_and_safe():
    files = sorted(p.name for p in shipped_model().iterdir())
    assert files == ["README.md", "config.json", "metrics.json", "model.safetensors", "tokenizer.json"]
    assert sum(p.stat().st_size for p in shipped_model().iterdir()) < 60_000_000
