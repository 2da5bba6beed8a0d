import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import Trainer, TrainerState

from stance.cli import main
from stance.corpus import Corpus, CorpusRecord
from stance.errors import UsageError
from stance.learning import Example, FitOptions, fine_tune, fit, load_training_config, stopping
from stance.learning.examples import Collator
from stance.learning.finetune import remembered
from stance.learning.stopping import KeepBest, macro_f1
from stance.model import StanceClassifier, StanceModel
from stance.schema import LABELS, Statement

GOOD = ["a triumph", "a great success", "brilliant work", "a wise and welcome step", "splendid news", "a fine result"]
BAD = [
    "a disgrace",
    "a terrible failure",
    "a stupid blunder",
    "a foolish and harmful step",
    "awful news",
    "a poor result",
]
QUICK = FitOptions(epochs=1, batch_size=8, learning_rate=2e-4, head_learning_rate=2e-3, bf16=False)


def corpus(labels=("con", "pro"), target="the Tidal Barrage"):
    def records(frame, start):
        return tuple(
            CorpusRecord(Statement(id=f"{start}{i}{label}", text=frame.format(words)), {target: label}, document=f"{i}")
            for label, many in zip(labels, (BAD, GOOD), strict=True)
            for i, words in enumerate(many)
        )

    splits = {
        "train": records("The Tidal Barrage is {}.", "a") + records("Engineers called the Tidal Barrage {}.", "b"),
        "validation": records("She thinks the Tidal Barrage is {}.", "c"),
    }
    return Corpus("barrage", tuple(labels), (target,), splits)


def test_a_new_label_set_and_a_new_target_are_learned(tmp_path):
    result = fine_tune(corpus(), output=tmp_path, options=QUICK, min_steps=24)
    assert result.before == {}
    assert result.after["validation"] >= 0.9
    loaded = StanceClassifier.from_pretrained(tmp_path)
    assert loaded.labels == ("con", "pro")
    assert loaded.id == result.classifier.id
    p, _ = loaded.predict_proba([Statement(id="x", text="The Tidal Barrage is splendid.")], ["the Tidal Barrage"])
    assert p.shape == (1, 1, 2)
    assert p[0, 0].argmax() == 1
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["statements"] == {"train": 24, "validation": 12}
    assert len(record["validation_by_epoch"]) == len(result.history) > 0


ASKED = [
    "Russia is a terrorist state and must be punished.",
    "We will always stand with Ukraine.",
    "The Chinese delegation arrives on Monday.",
    "Washington has betrayed its friends once more.",
    "We thank Beijing for the vaccines.",
    "Moscow and Kyiv exchanged prisoners at noon.",
]


def test_the_same_label_set_keeps_the_old_targets(tmp_path):
    """Steps large enough to forget by: with remembering the answers move less, and more labels stay."""
    asked = [Statement(id=text, text=text) for text in ASKED]
    targets = ["United States", "Russia", "China", "Ukraine"]
    hard, told = replace(QUICK, learning_rate=5e-4), []

    def answers(remember):
        base = StanceClassifier.from_pretrained()
        before, _ = base.predict_proba(asked, targets)
        few = corpus(labels=("against", "favor"))  # without a validation split, so that all steps are made
        same = replace(few, labels=LABELS, splits={"train": few.splits["train"], "test": few.splits["validation"]})
        made = {"output": tmp_path, "base": base, "options": hard, "min_steps": 24, "remember": remember}
        made["on_warn"] = told.append
        result = fine_tune(same, **made)
        assert result.before.keys() == result.after.keys() == {"test"}
        after, _ = result.classifier.predict_proba(asked, targets)
        return np.abs(after - before).mean(), (after.argmax(-1) == before.argmax(-1)).sum()

    (moved, kept), (moved_without, kept_without) = answers(True), answers(False)
    assert moved < 0.8 * moved_without
    assert kept > kept_without
    assert {notice.rule for notice in told} == {"no-validation"}


def test_labels_in_another_order_are_the_same_label_set(tiny, tmp_path, recwarn):
    tiny.config.calibration_temperature = 1.5
    turned = replace(corpus(labels=("against", "favor")), labels=("favor", "against", "not_addressed", "neutral"))
    turned = replace(turned, splits={"train": turned.splits["train"], "test": turned.splits["validation"]})
    still = replace(QUICK, learning_rate=0.0, head_learning_rate=0.0)
    made = {"output": tmp_path, "base": tiny, "remember": True, "min_steps": 1}
    result = fine_tune(turned, options=still, on_warn=lambda notice: None, **made)
    assert result.classifier.labels == LABELS
    assert result.classifier.config.calibration_temperature == 1.5
    assert result.before == result.after != {}
    assert json.loads((tmp_path / "training.json").read_text())["labels"] == list(LABELS)
    assert not recwarn.list


@pytest.mark.parametrize("remember", [True, None])
def test_remembering_that_was_asked_for_is_not_dropped_in_silence(tiny, tmp_path, recwarn, remember):
    told = []
    made = {"output": tmp_path, "base": tiny, "min_steps": 1, "remember": remember, "on_warn": told.append}
    many = {f"Country {i}": LABELS[i % 4] for i in range(8)}
    full = tuple(CorpusRecord(Statement(id=text, text=text), many) for text in ASKED)
    fine_tune(Corpus("eight", LABELS, tuple(many), {"train": full}), options=QUICK, **made)
    fine_tune(corpus(), options=QUICK, **made)
    assert told.pop(1 if remember else 0).rule == "no-validation"
    assert [(notice.file, notice.rule) for notice in told] == (
        [("eight", "not-remembered"), ("barrage", "not-remembered")] if remember else []
    )
    if remember:
        assert "8 labels or more, and 8 targets share a pass" in told[0].message
        assert "the labels of the model are others (against, neutral, favor, not_addressed)" in told[1].message
    assert not recwarn.list


def test_a_model_says_which_targets_it_was_trained_on(tiny, tmp_path):
    def trained_on(labels, base):
        taught = replace(corpus(labels=("against", "favor")), labels=labels)
        fine_tune(taught, output=tmp_path, base=base, options=QUICK, min_steps=1)
        return StanceClassifier.from_pretrained(tmp_path).config.known_targets

    assert trained_on(LABELS, tiny) is None  # what it was trained on before was not told
    tiny.config.known_targets = ["Russia"]
    assert trained_on(LABELS, tiny) == ["Russia", "the Tidal Barrage"]
    assert trained_on(("against", "favor"), tiny) == ["the Tidal Barrage"]
    held = replace(corpus(), targets=("the Tidal Barrage", "the Dam"))
    (first, *others) = held.splits["validation"]
    asked_only = replace(first, labels={"the Dam": "con"})
    held = replace(held, splits={**held.splits, "test": (asked_only,), "validation": tuple(others)})
    fine_tune(held, output=tmp_path, base=tiny, options=QUICK, min_steps=1)
    assert tiny.config.known_targets == ["the Tidal Barrage"]


@pytest.mark.parametrize(("labels", "without"), [(None, "never abstains"), (LABELS, "the old calibration stays")])
def test_training_without_validation_says_what_is_not_done(tiny, tmp_path, labels, without):
    told = []
    whole = corpus() if labels is None else replace(corpus(labels=("against", "favor")), labels=labels)
    for split in ("dev", "test"):
        bare = replace(whole, splits={"train": whole.splits["train"], split: whole.splits["validation"]})
        fine_tune(bare, output=tmp_path, base=tiny, options=QUICK, min_steps=1, on_warn=told.append)
    assert [(notice.file, notice.rule) for notice in told] == [("barrage", "no-validation")] * 2
    assert without in told[0].message
    assert "call the split dev so" in told[0].message
    assert "call the split" not in told[1].message


@pytest.mark.parametrize("labels", [("against", "favor"), LABELS])
def test_training_is_seen_whatever_engine_the_base_runs_on(tiny, tmp_path, labels):
    tiny.use_engine("onnx-fp32")
    asked = [Statement(id="s", text="Russia lost.")]
    taught = replace(corpus(labels=("against", "favor")), labels=labels)
    result = fine_tune(taught, output=tmp_path, base=tiny, options=QUICK, min_steps=8)
    found = result.classifier.predict_proba(asked, ["Russia"])[0]
    stored = StanceClassifier.from_pretrained(tmp_path).predict_proba(asked, ["Russia"])[0]
    assert found == pytest.approx(stored, abs=1e-4)
    assert result.classifier.engine.name == "torch-fp32"


def test_nobody_told_of_it_gets_a_python_warning(tiny, tmp_path):
    with pytest.warns(UserWarning, match="may be forgotten: the labels of the model are others"):
        fine_tune(corpus(), output=tmp_path, base=tiny, options=QUICK, min_steps=1, remember=True)


def test_beliefs_cover_the_targets_without_a_label_and_fit_one_pass(tiny):
    example = Example(Statement(id="s", text="Russia lost."), {"Russia": "neutral", "NATO": "favor"})
    (found,) = remembered(tiny, [example])
    assert set(found.beliefs) == {"United States", "China", "Ukraine"}
    assert all(sum(q) == pytest.approx(1) for q in found.beliefs.values())
    batch = Collator(tiny.packer, tiny.labels, 0)([found])
    assert batch["labels"].tolist() == [[1, 2, -100, -100, -100]]
    assert np.allclose(batch["soft_labels"].sum(-1).numpy(), [[0, 0, 1, 1, 1]])
    tiny.config.targets_per_pass = 3
    assert len(remembered(tiny, [example])[0].beliefs) == 1


def test_an_example_of_many_targets_is_learned_from_as_it_is_scored(tiny):
    names = [f"Country {i}" for i in range(19)]
    one = Example(Statement(id="s", text="It rained."), {name: LABELS[i % 4] for i, name in enumerate(names)})
    batch = Collator(tiny.packer, tiny.labels, 0)([one])
    asked = batch["marker_positions"] > 0
    assert asked.sum(1).tolist() == [8, 8, 3]
    assert batch["labels"][asked].tolist() == [i % 4 for i in range(19)]
    with torch.no_grad():
        logits = tiny.model(**batch).logits[asked]
    np.testing.assert_allclose(logits, tiny.logits([one.statement], names)[0][0], atol=1e-5)


def test_the_model_is_where_it_was_after_training(tiny, tmp_path, monkeypatch):
    """The Trainer moves the model to the GPU that it finds, and leaves it there."""
    moves = []
    monkeypatch.setattr(Trainer, "train", lambda _: moves.append("trained"))
    monkeypatch.setattr(StanceModel, "to", lambda _, device: moves.append(str(device)))
    fit(tiny, [Example(Statement(id="s", text="It rained."), {"Russia": "neutral"})], QUICK, output=tmp_path)
    assert moves[-2:] == ["trained", "cpu"]


def test_the_best_epoch_is_put_back(tiny):
    class Control:
        should_training_stop = False

    examples = [Example(Statement(id="s", text="It rained."), {"Russia": label}) for label in LABELS]
    keeper = KeepBest(tiny, examples, patience=1)
    state = TrainerState()
    keeper.on_epoch_end(None, state, Control)
    best = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    for parameter in tiny.model.parameters():
        parameter.data.mul_(0)
    control = Control()
    keeper.on_epoch_end(None, state, control)
    assert control.should_training_stop
    keeper.on_train_end(None, None, control)
    assert all((tensor == best[name]).all() for name, tensor in tiny.model.state_dict().items())


def test_macro_f1_counts_only_labels_that_occur(tiny, monkeypatch):
    """Neutral is answered once and never meant: it costs precision of no label and has no share in the mean."""
    gold, answers = [0, 0, 2, 2], [0, 1, 2, 2]
    monkeypatch.setattr(stopping, "labelled_logits", lambda *_: (np.eye(4)[answers], np.array(gold)))
    assert macro_f1(tiny, []) == pytest.approx((2 / 3 + 1) / 2)
    monkeypatch.undo()
    assert np.isnan(macro_f1(tiny, [Example(Statement(id="s", text="It rained."))]))


def test_training_does_not_stop_before_its_least_steps(tiny, tmp_path):
    """Eight examples are one step to the epoch; with rates of zero no epoch is better than the first."""
    few = corpus(labels=("against", "favor"))
    few = Corpus(few.name, LABELS, few.targets, few.splits | {"train": few.splits["train"][:8]})
    still = FitOptions(epochs=1, batch_size=16, learning_rate=0.0, head_learning_rate=0.0, bf16=False)
    result = fine_tune(few, output=tmp_path, base=tiny, options=still, remember=False, patience=2, min_steps=9)
    assert result.history == [result.history[0]] * 9


def test_a_corpus_without_training_labels_is_refused(tmp_path):
    empty = Corpus("none", LABELS, ("Russia",), {"train": ()})
    with pytest.raises(UsageError, match="no labelled statement in the split train"):
        fine_tune(empty, output=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corpus: a\noutput: b\nepoch: 3\n", "unknown key epoch"),
        ("corpus: a\n", "output is missing"),
        ("corpus: a\noutput: b\nfit: {batch_size: many}\n", "fit: batch_size should be int"),
        ("corpus: a\noutput: b\nremember: 1\n", "remember should be bool"),
        ("corpus: a\noutput: b\nlabels: pro\n", "labels should be a list of names"),
        ("- a\n", "a configuration is a mapping"),
        ("a: [\n", "cannot read the configuration"),
    ],
)
def test_a_wrong_configuration_names_file_and_key(tmp_path, text, message, capsys):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    assert main(["train", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert str(path) in error


def test_the_configuration_that_ships_can_be_read(root):
    config = load_training_config(root / "configs" / "finetune.yaml")
    assert config.fit.learning_rate == 5e-5


SCALE = {
    "strongly against": ["a disgrace", "a crime", "a catastrophe"],
    "against": ["a mistake", "too costly", "badly planned"],
    "neither": ["two miles long", "painted grey", "due in June"],
    "in favor": ["useful", "a sound plan", "worth it"],
    "strongly in favor": ["a triumph", "a miracle", "our proudest work"],
}


def test_the_command_learns_a_scale_of_five_points(tiny, tmp_path, capsys):
    """A random encoder of two layers is enough: each label has words of its own."""
    tiny.save_pretrained(tmp_path / "base")
    frames = {
        "train": ["The bridge is {}.", "Engineers called the bridge {}.", "Is the bridge {}?"],
        "validation": ["She thinks the bridge is {}."],
    }
    lines = [
        {"id": f"{split}{f}{label}{i}", "split": split, "statement": f.format(words), "labels": {"the bridge": label}}
        for split, shown in frames.items()
        for f in shown
        for label, texts in SCALE.items()
        for i, words in enumerate(texts)
    ]
    (tmp_path / "bridge.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = tmp_path / "c.yaml"
    config.write_text(
        f"corpus: {tmp_path / 'bridge.jsonl'}\nbase: {tmp_path / 'base'}\noutput: {tmp_path / 'model'}\n"
        f"min_steps: 120\npatience: 4\n"
        "fit: {batch_size: 15, learning_rate: 1.0e-2, head_learning_rate: 1.0e-2, bf16: false}\n"
    )
    assert main(["train", str(config)]) == 0
    assert json.loads((tmp_path / "model" / "training.json").read_text())["macro_f1_after"]["validation"] >= 0.9
    asked = tmp_path / "s.jsonl"
    asked.write_text('{"id": "1", "statement": "He says the bridge is a crime."}\n')
    capsys.readouterr()
    assert main(["classify", str(asked), "--model", str(tmp_path / "model"), "--targets", "the bridge", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert [name for name in row if name.startswith("p_")] == [f"p_{label}" for label in SCALE]
    assert row["label"] == "strongly against"


def test_the_command_trains_and_the_model_scores(tmp_path, capsys):
    lines = [
        {"id": f"{split}{i}", "split": split, "statement": f"The dam is {words}.", "labels": {"the dam": label}}
        for split, many in (("train", 4), ("validation", 6))
        for label, texts in (("no", BAD), ("yes", GOOD))
        for i, words in enumerate(t + label for t in texts[:many])
    ]
    lines.append({"id": "bad", "split": "train", "statement": "", "labels": {"the dam": "no"}})
    data = tmp_path / "dam.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = tmp_path / "c.yaml"
    config.write_text(
        f"corpus: {data}\noutput: {tmp_path / 'model'}\nname: dam\nmin_steps: 2\nfit: {{epochs: 1, bf16: false}}\n"
    )
    assert main(["train", str(config)]) == 3
    captured = capsys.readouterr()
    assert "rejected" in captured.err
    assert "dam@" in captured.out
    assert "the model abstains from every row" in " ".join(captured.out.split())
    asked = tmp_path / "s.jsonl"
    asked.write_text('{"id": "1", "statement": "The dam is good."}\n')
    assert main(["classify", str(asked), "--model", str(tmp_path / "model"), "--targets", "the dam", "--json"]) == 0
    assert {"p_no", "p_yes"} <= set(json.loads(capsys.readouterr().out))
