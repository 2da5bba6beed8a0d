import json

import numpy as np
import pytest

from stance.learning.calibration import NEVER, abstain_threshold, set_abstention
from stance.model import StanceClassifier, shipped_model
from stance.schema import LABELS
from training.abstention import rewrite


def test_the_stated_risk_holds_beyond_the_sample():
    """Confidence c is right with chance c, so the true risk above t is (1 - t) / 2: over it in at most 5 % of draws."""
    rng = np.random.default_rng(0)
    over = 0
    for _ in range(300):
        confidence = rng.uniform(0.5, 1, 600)
        threshold = abstain_threshold(confidence, rng.uniform(size=600) < confidence, 0.15)
        over += (1 - max(threshold, 0.5)) / 2 > 0.15
    assert over <= 15


def test_equal_confidences_stay_together():
    confidence = np.repeat([0.9, 0.6], 500)
    correct = np.r_[np.ones(500, dtype=bool), np.arange(500) % 2 == 0]
    assert abstain_threshold(confidence, correct, 0.1) == 0.9
    assert abstain_threshold(confidence, correct, 0.4) == 0.0


def test_few_examples_cannot_show_a_low_risk():
    assert abstain_threshold(np.full(5, 0.9), np.ones(5, dtype=bool), 0.1) == NEVER
    assert abstain_threshold(np.zeros(0), np.zeros(0, dtype=bool), 0.1) == NEVER


def logits(confidence, label, labels=4):
    """Return logits whose softmax gives one label a confidence."""
    p = np.full((len(confidence), labels), 1e-9)
    p[:, label] = confidence
    p[:, (label + 1) % labels] += 1 - confidence
    return np.log(p).astype(np.float32)


def test_easy_silence_does_not_hide_errors_where_a_side_is_seen(tiny):
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.55, 1, 1000)
    wrong = rng.uniform(size=1000) > sure
    both = np.concatenate([logits(sure, 0), logits(np.full(9000, 0.99), 3)])
    gold = np.r_[np.where(wrong, 1, 0), np.full(9000, 3)]
    assert wrong.mean() > 0.2
    assert (both.argmax(1) != gold).mean() < 0.1
    set_abstention(tiny, both, gold, 0.15)
    config = tiny.config
    assert (config.abstain_scope, config.abstain_risk) == (["against", "neutral", "favor"], 0.15)
    assert config.abstain_threshold_elsewhere == 0.0
    kept = ~tiny.abstains(tiny.probabilities(both))
    assert kept[1000:].all()
    assert wrong[kept[:1000]].mean() <= 0.15
    assert 0.3 < kept[:1000].mean() < 0.9


def test_errors_of_silence_have_a_threshold_of_their_own(tiny):
    sure = np.repeat([0.99, 0.6], 500)
    gold = np.where(np.arange(1000) < 500, 3, np.arange(1000) % 2 * 3)
    set_abstention(
        tiny, np.concatenate([logits(sure, 3), logits(np.full(500, 0.9), 0)]), np.r_[gold, np.zeros(500, int)], 0.1
    )
    assert tiny.config.abstain_threshold == 0.0
    assert 0.6 < tiny.config.abstain_threshold_elsewhere <= 0.99


def test_a_label_set_without_silence_is_one_scope(tiny):
    tiny.config.labels = ["con", "pro"]
    set_abstention(tiny, logits(np.full(500, 0.9), 1, labels=2), np.ones(500, dtype=np.int64), 0.1)
    assert tiny.config.abstain_scope == ["con", "pro"]
    assert tiny.config.abstain_thresholds() == [0.0, 0.0]


def test_thresholds_without_a_scope_are_about_every_label(tiny):
    tiny.config.abstain_threshold = 0.7
    assert tiny.config.abstain_thresholds() == [0.7] * 4
    p = np.array([[0.6, 0.4, 0, 0], [0, 0, 0.1, 0.9]])
    assert tiny.abstains(p).tolist() == [True, False]
    tiny.config.abstain_scope = ["favor"]
    assert tiny.abstains(p).tolist() == [False, False]


def test_only_the_thresholds_are_rewritten(tiny, tmp_path):
    tiny.save_pretrained(tmp_path)
    before, weights = json.loads((tmp_path / "config.json").read_text()), (tmp_path / "model.safetensors").read_bytes()
    tiny.config.abstain_threshold, tiny.config.abstain_scope, tiny.config.calibration_temperature = 0.6, ["favor"], 3.0
    rewrite(tiny, tmp_path)
    after = json.loads((tmp_path / "config.json").read_text())
    assert after == before | {"abstain_threshold": 0.6, "abstain_scope": ["favor"]}
    assert (tmp_path / "model.safetensors").read_bytes() == weights
    loaded = StanceClassifier.from_pretrained(tmp_path)
    assert loaded.config.abstain_thresholds() == [0.0, 0.0, 0.6, 0.0]
    assert loaded.id != tiny.id


def test_the_shipped_model_abstains_where_it_sees_a_side():
    config = json.loads((shipped_model() / "config.json").read_text(encoding="utf-8"))
    assert config["abstain_scope"] == [label for label in LABELS if label != "not_addressed"]
    assert 0.3 < config["abstain_threshold"] < 0.9
    assert config["abstain_risk"] == pytest.approx(0.15)
