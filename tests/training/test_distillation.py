import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stance.learning import Example, FitOptions, fit
from stance.learning.calibration import fit_temperature, labelled_logits
from stance.learning.examples import Collator
from stance.model import IGNORED
from stance.schema import LABELS, Statement
from training.augment import Variation, VariationOptions
from training.build import build, build_stage
from training.corpora import own
from training.corpora.country_stance import TARGETS, decode
from training.counterfactual import swap_countries
from training.distillation import distilled, exchanges, taught, unlabelled
from training.recipe import BEFORE, STORED, Distillation, Recipe, Stage, load_recipe
from training.teachers import Stored, Teachers, store


def example(text, code="-a-f"):
    return Example(Statement(id=text, text=text), decode(code) if code else {})


@pytest.fixture
def teachers(tiny, tmp_path):
    """Two saved models that differ."""
    folders = [str(tmp_path / name) for name in ("one", "two")]
    tiny.save_pretrained(folders[0], dtype=torch.float32)
    with torch.no_grad():
        tiny.model.head[-1].bias += torch.tensor([2.0, 0.0, 0.0, 0.0])
    tiny.config.calibration_temperature = 1.5
    tiny.save_pretrained(folders[1], dtype=torch.float32)
    return folders


@pytest.mark.parametrize(("weight", "temperature"), [(1.0, 1.0), (0.5, 1.0), (0.3, 2.0)])
def test_the_loss_mixes_label_and_teacher(tiny, weight, temperature):
    statement = Statement(id="s", text="Russia attacked Ukraine.")
    q = (0.7, 0.1, 0.1, 0.1)
    one = Example(statement, {"Russia": "neutral", "China": "favor"}, beliefs={"Russia": q, "Ukraine": q})
    collate = Collator(tiny.packer, tiny.labels, 0, soft_weight=weight, soft_temperature=temperature)
    batch = collate([one])
    assert batch["labels"].tolist() == [[1, 2, IGNORED]]
    with torch.no_grad():
        found = tiny.model(**batch)
    logits = found.logits[0].double()
    hard = -torch.log_softmax(logits, -1)
    soft = torch.tensor(q, dtype=torch.double).pow(1 / temperature)
    soft /= soft.sum()
    imitation = -(temperature**2) * (soft * torch.log_softmax(logits / temperature, -1)).sum(-1)
    both, label, belief = (1 - weight) * hard[0, 1] + weight * imitation[0], hard[1, 2], weight * imitation[2]
    assert found.loss.item() == pytest.approx(((both + label + belief) / 3).item(), rel=1e-4)


def test_teachers_are_averaged(teachers):
    from stance.model import StanceClassifier

    examples = [example("Russia attacked Ukraine"), example("China trades with Peru", None)]
    first = taught(examples, Teachers(teachers))
    statements = [e.statement for e in examples]
    p = [StanceClassifier.from_pretrained(folder).predict_proba(statements, TARGETS)[0] for folder in teachers]
    assert not np.allclose(p[0], p[1])
    found = np.array([[e.beliefs[t] for t in TARGETS] for e in first])
    assert found == pytest.approx((p[0] + p[1]) / 2, abs=1e-6)
    assert [e.labels for e in first] == [e.labels for e in examples]


def test_no_teacher_is_an_error():
    with pytest.raises(ValueError, match="at least one teacher"):
        Teachers([])


def test_unlabelled_statements_name_a_country_and_repeat_nothing_held_out(tmp_path, monkeypatch):
    held = "Moscow says that the talks with Kyiv have failed"
    texts = [
        held + " for now",
        "Beijing opens a new port in Peru",
        "It rained all day",
        "Washington raises its tariffs again",
    ]
    monkeypatch.setattr("training.distillation.held_out", lambda data: {"x": [example(held)]})
    monkeypatch.setattr("training.distillation.newsmtsc.read", lambda *_: [example(t) for t in (*texts, texts[1])])
    found = unlabelled(tmp_path, Distillation(["t"], unlabelled={"newsmtsc": 9}))
    assert sorted(e.statement.text for e in found) == [texts[1], texts[3]]
    assert all(not e.labels for e in found)
    assert len(unlabelled(tmp_path, Distillation(["t"], unlabelled={"newsmtsc": 1}))) == 1
    with pytest.raises(ValueError, match="no statements of basil"):
        unlabelled(tmp_path, Distillation(["t"], unlabelled={"basil": 1}))


def test_unlabelled_statements_come_from_no_document_held_out(tmp_path, monkeypatch):
    held = Example(Statement(id="h", text="We will never bow to threats, he said"), corpus="polnear", document="aside")
    drawn = [
        Example(Statement(id="a", text="China opened a port"), corpus="polnear", document="aside"),
        Example(
            Statement(id="b", text=f"Russia protested. {held.statement.text} in May, and much else was said there")
        ),
        Example(Statement(id="c", text="Ukraine sent grain"), corpus="polnear", document="other"),
    ]
    monkeypatch.setattr("training.distillation.held_out", lambda data: {"country_stance/test": [held]})
    monkeypatch.setattr("training.distillation._polnear", lambda data: drawn)
    found = unlabelled(tmp_path, Distillation(["x"], unlabelled={"polnear": 3}))
    assert [e.statement.id for e in found] == ["c"]


def test_what_is_believed_does_not_depend_on_which_country_it_is_about(teachers, tmp_path):
    texts = ("Russia attacked Ukraine", "Ukraine attacked Russia", "It rained")
    asked = Teachers(teachers)
    one, other, rain = taught([example(t) for t in texts], asked, swaps=23)
    plain, reverse, _ = taught([example(t) for t in texts], asked)

    def apart(a, b):
        pairs = (("Russia", "Ukraine"), ("Ukraine", "Russia"))
        return max(np.abs(np.subtract(a.beliefs[x], b.beliefs[y])).max() for x, y in pairs)

    assert apart(one, other) < apart(plain, reverse) / 5
    (alone,) = taught([example("It rained")], asked)
    assert np.allclose([rain.beliefs[t] for t in TARGETS], [alone.beliefs[t] for t in TARGETS], atol=1e-6)


def test_exchanges_begin_with_the_statement_itself_and_make_sense():
    found = exchanges(example("Russia attacked Ukraine"), 3, random.Random(0))
    assert found[0] == (0, 1, 2, 3)
    assert len(set(found)) == len(found) == 4
    assert exchanges(example("The Kremlin attacked Ukraine"), 3, random.Random(0))[1:] != []
    assert all(order[1] == 1 for order in exchanges(example("The Kremlin attacked Ukraine"), 3, random.Random(0)))
    assert exchanges(example("It rained", "----"), 3, random.Random(0)) == [(0, 1, 2, 3)]


def test_beliefs_go_with_exchanged_countries_and_other_names():
    belief = dict(zip(TARGETS, np.eye(4).tolist(), strict=True))
    one = Example(Statement(id="s", text="Russia attacked Ukraine"), {"Russia": "against"}, beliefs=belief)
    swapped = swap_countries(one, TARGETS, (0, 3, 2, 1))
    assert swapped.beliefs["Ukraine"] == belief["Russia"]
    assert swapped.beliefs["Russia"] == belief["Ukraine"]
    assert swapped.labels == {"Ukraine": "against"}
    varied = Variation(VariationOptions(swap=0, alias=1, subset=0, distractor=0), ["x"], ["y"])(one, random.Random(0))
    assert not set(varied.beliefs) & set(TARGETS)
    assert sorted(map(list, varied.beliefs.values())) == sorted(map(list, belief.values()))
    few = Variation(VariationOptions(swap=0, alias=0, subset=1, distractor=0), ["x"], ["y"])
    assert {len(few(one, random.Random(seed)).beliefs) for seed in range(20)} == {1, 2, 3, 4}


def test_a_stage_learns_from_its_teachers(tiny, teachers, tmp_path, monkeypatch):
    texts = [f"Russia {verb} Ukraine" for verb in ("attacked", "shelled", "invaded", "blackmailed")]
    stage = Stage(
        fit=FitOptions(
            epochs=40,
            batch_size=4,
            learning_rate=3e-3,
            head_learning_rate=0.05,
            warmup=0.0,
            bf16=False,
            soft_weight=1.0,
        ),
        distillation=Distillation(teachers[1:]),
    )
    monkeypatch.setattr("training.build.training_examples", lambda data, stage: [example(t) for t in texts])
    recipe = Recipe(stages=[stage], variation=VariationOptions(0, 0, 0, 0, 0, 0))
    student = type(tiny).from_pretrained(teachers[0])
    teacher = type(tiny).from_pretrained(teachers[1])
    statements = [Statement(id=t, text=t) for t in texts]

    def distance():
        return abs(student.predict_proba(statements, TARGETS)[0] - teacher.predict_proba(statements, TARGETS)[0]).mean()

    before = distance()
    build_stage(student, recipe, stage, tmp_path, tmp_path / "run")
    assert distance() < before / 2


def test_a_model_may_be_its_own_teacher(tiny, teachers, tmp_path, monkeypatch):
    asked = []

    def kept(examples, options, data):
        asked.append([type(tiny).from_pretrained(folder) for folder in options.teachers])
        return examples

    monkeypatch.setattr("training.build.training_examples", lambda data, stage: [example("Russia attacked Ukraine")])
    monkeypatch.setattr("training.build.distilled", kept)
    labelled = [example(f"Russia {verb} Ukraine", code) for verb in ("hit", "helped") for code in ("-a-n", "-n-a")]
    monkeypatch.setattr("training.build.validation_sets", lambda data: {"country_stance/validation": labelled})
    options = Distillation([BEFORE, teachers[1]])
    stage = Stage(fit=FitOptions(epochs=4, head_learning_rate=0.05, warmup=0.0, bf16=False), distillation=options)
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    build_stage(tiny, Recipe([stage], variation=VariationOptions(0, 0, 0, 0, 0, 0)), stage, tmp_path, tmp_path / "run")
    ((itself, other),) = asked
    best = fit_temperature(*labelled_logits(itself, labelled))
    assert itself.config.calibration_temperature == pytest.approx(best, rel=1e-3)
    assert best != pytest.approx(1, abs=0.01)
    assert tiny.config.calibration_temperature == 1.5  # the model itself is calibrated at the end
    assert all(torch.equal(tensor, before[name]) for name, tensor in itself.model.state_dict().items())
    assert not torch.equal(tiny.model.head[-1].bias, before["head.4.bias"])  # it was trained after it was asked
    assert other.config.calibration_temperature == 1.5


def test_a_model_is_built_stage_by_stage_and_nothing_else_is_written(tiny, tmp_path, monkeypatch):
    asked, trained = [], []

    def kept(examples, options, data):
        asked.append(options.teachers)
        return examples

    def noted(classifier, examples, options, **others):
        trained.append((options.seed, len(examples)))
        return fit(classifier, examples, options, **others)

    labelled = [example(f"Russia {verb} Ukraine", code) for verb in ("hit", "helped") for code in ("-a-n", "-n-a")]
    sets = dict.fromkeys(("country_stance/validation", "own/validation", "newsmtsc-mt/dev"), labelled)
    monkeypatch.setattr("training.build.training_examples", lambda data, stage: labelled * int(stage.repeat["own"]))
    monkeypatch.setattr("training.build.distilled", kept)
    monkeypatch.setattr("training.build.validation_sets", lambda data: sets)
    monkeypatch.setattr("training.build.fit", noted)
    options = FitOptions(epochs=1, batch_size=4, head_learning_rate=0.05, warmup=0.0, bf16=False)
    stages = [
        Stage({"own": 1}, fit=replace(options, seed=1)),
        Stage({"own": 2}, fit=replace(options, seed=2), distillation=Distillation([STORED]), patience=1),
        Stage({"own": 3}, fit=replace(options, seed=3), distillation=Distillation([BEFORE, STORED]), keep=0.3),
    ]
    recipe = Recipe(stages, variation=VariationOptions(0, 0, 0, 0, 0, 0), risk=0.2)
    start, output = tmp_path / "start", tmp_path / "built"
    tiny.save_pretrained(start, dtype=torch.float32)
    name = build(recipe, tmp_path, output, start=start)
    assert trained == [(1, 4), (2, 8), (3, 12)]
    assert asked[0] == [STORED]
    assert len(asked) == 2
    assert asked[1][1] == STORED
    assert not Path(asked[1][0]).exists()  # the copy that was asked
    assert sorted(p.name for p in output.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    weights = load_file(output / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    linear = weights["head.1.weight"].float()
    assert torch.equal(linear, linear.to(torch.bfloat16).float())
    built = type(tiny).from_pretrained(output)
    assert built.id == name
    assert built.config.abstain_risk == 0.2
    assert built.config.calibration_temperature != tiny.config.calibration_temperature


def test_examples_of_other_targets_are_left_as_they_are(teachers, tmp_path):
    other = Example(Statement(id="o", text="Smith won."), {"Smith": "favor"})
    found = distilled([other, example("Russia attacked Ukraine")], Distillation(teachers, swaps=1), tmp_path)
    assert found[0] == other
    assert [set(e.beliefs) for e in found[1:]] == [set(TARGETS)]


def test_named_targets_are_asked_about_where_the_recipe_says_so(tiny, teachers, tmp_path):
    from stance.model import StanceClassifier

    other = Example(Statement(id="o", text="Smith beat Jones."), {"Smith": "favor", "Jones": "neutral"}, corpus="news")
    left = Example(Statement(id="p", text="Brown lost."), {"Brown": "against"}, corpus="dse")
    options = Distillation(teachers, named=["news"], swaps=0)
    found = distilled([other, left, example("Russia attacked Ukraine")], options, tmp_path)
    assert found[0] == left
    assert found[1].labels == other.labels
    models = [StanceClassifier.from_pretrained(folder) for folder in teachers]
    p = np.mean([m.predict_pairs([other.statement] * 2, ["Smith", "Jones"]) for m in models], axis=0)
    assert np.array([found[1].beliefs[t] for t in ("Smith", "Jones")]) == pytest.approx(p, abs=1e-6)


def test_what_the_stored_teacher_was_not_asked_about_is_learned_from_its_labels(tiny, tmp_path, monkeypatch, capsys):
    old, new = example("Russia attacked Ukraine"), example("Ukraine thanked the doctors")
    won = Example(Statement(id="o", text="Smith beat Jones."), {"Smith": "favor", "Jones": "neutral"}, corpus="news")
    path = tmp_path / "beliefs.npz"
    store(tiny, [old.statement, won.statement], [TARGETS, ("Smith",)], path)
    monkeypatch.setattr("training.teachers.Stored", lambda: Stored(path))
    options = Distillation([STORED], named=["news"], swaps=0)
    found = {e.statement.id: e for e in distilled([old, new, won], options, tmp_path)}
    assert set(found[old.statement.id].beliefs) == set(TARGETS)
    assert found[new.statement.id] == new
    assert found["o"] == won
    assert "2 of 3 examples are learned from their labels alone" in capsys.readouterr().out
    assert len(distilled([old], options, tmp_path)) == 1
    assert capsys.readouterr().out == ""


def test_stored_answers_are_those_of_the_teacher(tiny, teachers, tmp_path, monkeypatch):
    teacher = type(tiny).from_pretrained(teachers[1])
    war, won = Statement(id="w", text="Russia attacked Ukraine"), Statement(id="o", text="Smith beat Jones.")
    path = tmp_path / "beliefs.npz"
    assert store(teacher, [war, won, war], [TARGETS, ("Smith", "Jones"), TARGETS], path) == 6
    kept = Stored(path)
    assert kept.id == teacher.id
    close = pytest.approx(teacher.predict_proba([war], TARGETS)[0][0], abs=0.005)
    assert kept.about([war] * 4, TARGETS) == close
    assert kept.about([won], ["Jones"]) == pytest.approx(teacher.predict_pairs([won], ["Jones"]), abs=0.005)
    assert (kept.about([replace(won, before="It rained. ")], ["Jones"]) == kept.about([won], ["Jones"])).all()
    with pytest.raises(ValueError, match="no answer about 1 of 1 pairs"):
        kept.about([replace(won, text="Jones beat Smith.")], ["Jones"])
    with pytest.raises(ValueError, match="no answer about 1 of 2 pairs, the first o toward Brown"):
        kept.about([won, won], ["Smith", "Brown"])
    monkeypatch.setattr("training.teachers.Stored", lambda: kept)
    both = Teachers([STORED, teachers[0]])
    q = type(tiny).from_pretrained(teachers[0]).predict_proba([war], TARGETS)[0]
    mean = (teacher.predict_proba([war], TARGETS)[0] + q)[0] / 2
    assert both.about_countries([war])[0] == pytest.approx(mean, abs=0.005)
    with pytest.raises(ValueError, match="swaps must be 0"):
        taught([Example(war)], both, swaps=1)


def test_a_recipe_tells_its_teachers(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("stages: [{distillation: {teachers: [a, b], swaps: 2}, fit: {soft_weight: 0.5}}]")
    (stage,) = load_recipe(path).stages
    assert (stage.distillation.teachers, stage.distillation.swaps, stage.fit.soft_weight) == (["a", "b"], 2, 0.5)
    path.write_text("stages: [{distillation: {teacher: [a]}}]")
    with pytest.raises(TypeError, match="teacher"):
        load_recipe(path)


def test_the_kept_teacher_knows_our_own_statements():
    """But for those written since it was asked; an edited one would be learned from its labels alone as well."""
    since = tuple(f"own-{letter}-" for letter in "jklmn")
    known = [e for e in own.read("train") if not e.statement.id.startswith(since)]
    assert len(known) == 2837
    asked = [(e.statement, t) for e in known for t in TARGETS]
    p = Stored().about([s for s, _ in asked], [t for _, t in asked])
    assert p.sum(axis=1) == pytest.approx(np.ones(len(asked)), abs=1e-6)
    gold = [LABELS.index(e.labels[t]) for e in known for t in TARGETS]
    assert (p.argmax(axis=1) == gold).mean() > 0.85
