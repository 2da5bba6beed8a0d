import argparse
import json

import pytest

from tests.training.test_tables import made
from training import learning_curve, leave_one_out, plain
from training.kept import add_options, check_settings, keep, recall, so_far
from training.learning_curve import learned_and_forgotten
from training.recipe import DEFAULT, load_recipe
from training.tasks import corpus_hash

SETTINGS = {"statements": 10, "targets": ["China"]}


def kept_at(path, **changes):
    told = {"settings": SETTINGS, "start": "weights@1", "items": {"validation": "abc"}} | changes
    keep(path, {"found": 1}, **told)


def test_a_result_says_what_it_was_measured_on(tmp_path):
    path = tmp_path / "curve.json"
    kept_at(path)
    found = recall(path, start="weights@1", items={"validation": "abc"})
    assert (found.results, found.same_items) == ({"found": 1}, True)
    date = json.loads(path.read_text())["measured"]
    assert found.note == f"Measured {date} with statements 10, targets China, from weights@1."


@pytest.mark.parametrize(
    ("start", "digest", "said"),
    [
        ("weights@2", "abc", "STALE, not from weights@2;"),
        ("weights@1", "abd", "STALE, other items of validation than today's;"),
        ("weights@2", "abd", "STALE, not from weights@2 and other items of validation than today's;"),
    ],
)
def test_a_result_of_other_weights_or_items_is_said_to_be_stale(tmp_path, start, digest, said):
    path = tmp_path / "curve.json"
    kept_at(path)
    found = recall(path, start=start, items={"validation": digest})
    assert found.note.startswith(f"{said} run python -m training.curve again. Measured ")
    assert found.results == {"found": 1}
    assert found.same_items == (digest == "abc")


def test_a_result_that_is_absent_is_said_to_be(tmp_path):
    found = recall(tmp_path / "curve.json", start="weights@1", items={})
    assert found.results is None
    assert found.note == "Not measured: there is no curve.json; python -m training.curve makes it."


def test_a_run_with_other_settings_overwrites_only_when_told_to(tmp_path):
    path = tmp_path / "curve.json"
    parser = argparse.ArgumentParser()
    add_options(parser, path)
    shorter = SETTINGS | {"statements": 5}
    check_settings(parser.parse_args([]), shorter)  # nothing is kept yet
    kept_at(path)
    check_settings(parser.parse_args([]), {**SETTINGS, "targets": ("China",)})
    check_settings(parser.parse_args(["--replace"]), shorter)
    check_settings(parser.parse_args(["-o", str(tmp_path / "other.json")]), shorter)
    with pytest.raises(SystemExit, match="statements 10, targets China; this run has statements 5, targets China"):
        check_settings(parser.parse_args([]), shorter)


@pytest.mark.parametrize("command", [leave_one_out, learning_curve])
def test_a_command_refuses_before_it_trains(command, tmp_path, monkeypatch):
    path = tmp_path / "kept.json"
    kept_at(path)
    before = path.read_text()
    monkeypatch.setattr("sys.argv", ["command", "-o", str(path)])
    monkeypatch.setattr(command, "data_folder", lambda: pytest.fail("went on"))
    with pytest.raises(SystemExit, match="--replace"):
        command.main()
    assert path.read_text() == before


def test_the_plain_start_is_that_of_the_shipped_recipe():
    recipe = load_recipe(DEFAULT)
    assert f"target_view {recipe.target_view}, context_tokens {recipe.context_tokens}, " in plain.start()


def test_a_run_that_was_broken_off_goes_on(tmp_path):
    path = tmp_path / "curve.json"
    parser = argparse.ArgumentParser()
    add_options(parser, path)
    told = {"settings": SETTINGS, "start": "weights@1", "items": {"validation": "abc"}}
    assert so_far(parser.parse_args([]), **told) == {}  # nothing is kept yet
    kept_at(path)
    assert so_far(parser.parse_args([]), **{**told, "settings": {**SETTINGS, "targets": ("China",)}}) == {"found": 1}
    assert so_far(parser.parse_args(["--replace"]), **told) == {}
    for other in ({"start": "weights@2"}, {"items": {"validation": "abd"}}, {"settings": {"statements": 5}}):
        assert so_far(parser.parse_args([]), **{**told, **other}) == {}


def test_the_learning_curve_is_kept_and_shown(tmp_path, monkeypatch):
    from stance.corpus import Corpus, CorpusRecord
    from stance.schema import Statement

    held, path = made(8), tmp_path / "learning_curve.json"
    record = CorpusRecord(Statement(id="1", text="It is warm"), {"climate": "agrees"})
    corpus = Corpus("gwsd", ("disagrees", "agrees"), ("climate",), {"test": (record,)})

    class Shipped:
        id = "weights@1"

    monkeypatch.setattr(learning_curve, "data_folder", lambda: None)
    monkeypatch.setattr(learning_curve.gwsd, "read", lambda data: corpus)
    monkeypatch.setattr(learning_curve.country_stance, "read", lambda data, split: held.examples)
    monkeypatch.setattr(learning_curve.vast, "read", lambda data, split: [split])
    ran, dies_at = [], [("forgetting", 1)]

    def measured(name, seed, found):
        if (name, seed) in dies_at:
            raise KeyboardInterrupt
        ran.append((name, seed))
        return found

    def forgetting(splits, examples, seed):
        assert (splits, examples) == ({"train": ["train"], "validation": ["validation"]}, held.examples)
        return measured("forgetting", seed, {"before": 0.8, "after": 0.7 - seed / 100})

    monkeypatch.setattr(
        learning_curve,
        "learning_curve",
        lambda corpus, size, seed: measured(size, seed, {"some way": size / 100 + seed / 10}),
    )
    monkeypatch.setattr(learning_curve, "forgetting", forgetting)
    monkeypatch.setattr(learning_curve.StanceClassifier, "from_pretrained", Shipped)
    monkeypatch.setattr("sys.argv", ["learning_curve", "--sizes", "8", "32", "--seeds", "1", "2", "-o", str(path)])
    with pytest.raises(KeyboardInterrupt):
        learning_curve.main()
    curve, forgotten = learned_and_forgotten(path, "weights@1", tmp_path, held)
    assert (len(curve.rows), forgotten.rows) == (2, [])
    assert curve.note.endswith("Not finished: 2 draws are left.")
    dies_at.clear()
    learning_curve.main()
    assert ran == [*((size, seed) for size in (8, 32) for seed in (1, 2)), ("forgetting", 1), ("forgetting", 2)]
    curve, forgotten = learned_and_forgotten(path, "weights@1", tmp_path, held)
    assert "Not finished" not in curve.note
    assert curve.columns == ["examples", "some way"]
    assert curve.rows == [["8", "0.230 [0.180, 0.280]"], ["32", "0.470 [0.420, 0.520]"]]
    assert forgotten.rows == [["before", "0.800 [0.800, 0.800]"], ["after", "0.685 [0.680, 0.690]"]]
    assert curve.note == forgotten.note
    assert "STALE" not in curve.note
    assert json.loads(path.read_text())["items"]["country-stance validation"] == corpus_hash(held)
    curve, _ = learned_and_forgotten(path, "weights@2", tmp_path, held)
    assert curve.note.startswith("STALE, not from weights@2;")
    curve, forgotten = learned_and_forgotten(tmp_path / "none.json", "weights@1", tmp_path, held)
    assert (curve.rows, forgotten.rows) == ([], [])
    assert "Not measured" in curve.note


def test_forgetting_is_measured_on_targets_never_trained(encoder_folder, monkeypatch):
    """The model of the tests learns new topics; what it knows of countries is measured before and after."""
    from stance.learning import Example, FitOptions
    from stance.model import StanceClassifier
    from stance.schema import Statement

    labels = ("against", "neutral", "favor", "not_addressed")
    topics = [
        Example(Statement(id=str(i), text=f"Comment {i} on parks"), {f"park {i}": labels[i % 4]}, document=str(i))
        for i in range(24)
    ]
    seen = []

    def fine_tune(corpus, **options):
        seen.append((set(corpus.targets), options["remember"]))
        return learned(corpus, min_steps=2, **options)

    learned = learning_curve.fine_tune
    start = StanceClassifier.from_encoder
    monkeypatch.setattr(StanceClassifier, "from_pretrained", lambda *_: start(encoder_folder, name="tiny"))
    monkeypatch.setattr(learning_curve, "fine_tune", fine_tune)
    monkeypatch.setattr(learning_curve, "_OPTIONS", FitOptions(batch_size=8, bf16=False))
    splits = {"train": topics[:16], "validation": topics[16:]}
    found = learning_curve.forgetting(splits, made(8).examples, seed=1)
    assert seen == [({f"park {i}" for i in range(24)}, remember) for remember in (True, False)]
    assert list(found) == [
        f"{what}, {when}"
        for what in ("country-stance", "new targets")
        for when in ("before", "after, not remembering", "after, remembering")
    ]
    assert all(0 <= value <= 1 for value in found.values())
