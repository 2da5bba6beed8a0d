import argparse
import json

import numpy as np
import pytest

from tests.training.test_tables import made
from training import learning_curve, leave_one_out, plain
from training.kept import add_options, check_settings, keep, recall
from training.learning_curve import learned_and_forgotten
from training.leave_one_out import compared, seen_and_unseen, without
from training.recipe import DEFAULT, load_recipe
from training.tables import figures
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


def test_seen_and_unseen_are_compared_on_the_targets_pairs():
    held = made(40)
    gold = held.gold.reshape(-1, 4)[:, 1]  # Russia
    wrong = gold.copy()
    wrong[::5] = 3 - wrong[::5]
    found = compared(held, "Russia", gold, wrong)
    assert found["seen"][0] == 1  # of the two labels that occur
    assert found["unseen"][0] < found["seen"][0]
    assert found["difference"][0] == pytest.approx(found["unseen"][0] - found["seen"][0])
    assert found["difference"][1] <= found["difference"][0] <= found["difference"][2]
    mine = figures(held, np.where(np.array(held.targets) == "Russia", held.gold, 0))["macro-F1"]
    assert mine[0] < found["seen"][0]  # the other targets were left out


def test_labels_of_a_target_are_left_out():
    (first, *_) = without(made(4).examples, "China")
    assert list(first.labels) == ["United States", "Russia", "Ukraine"]


def test_leave_one_out_is_kept_and_shown(tmp_path, monkeypatch):
    """The whole command on a few statements, with models that answer without having been trained."""
    held, path, trained_on = made(8), tmp_path / "leave_one_out.json", []

    class Model:
        def predict_proba(self, statements, targets):
            p = np.zeros((len(statements), len(targets), 4))
            p[..., len(trained_on) % 4] = 1
            return p, None

    def trained(examples, options):
        trained_on.append({t for e in examples for t in e.labels})
        return Model()

    splits = {"validation": held.examples, "train": made(60, start=100).examples}
    monkeypatch.setattr(leave_one_out, "data_folder", lambda: None)
    monkeypatch.setattr(leave_one_out.country_stance, "read", lambda data, split: splits[split])
    monkeypatch.setattr(leave_one_out.own, "read", lambda split: [])
    monkeypatch.setattr(leave_one_out, "drop_near_duplicates", lambda train, held: train)
    monkeypatch.setattr(leave_one_out, "trained", trained)
    monkeypatch.setattr("sys.argv", ["leave_one_out", "--targets", "China", "Russia", "-o", str(path)])
    leave_one_out.main()
    everything = {"United States", "Russia", "China", "Ukraine"}
    assert trained_on == [everything, everything - {"China"}, everything - {"Russia"}]
    table = seen_and_unseen(path, held)
    assert [row[0] for row in table.rows] == ["China", "Russia"]
    assert all(row[3][0] in "+-" for row in table.rows)
    assert "statements 3000, epochs 2.0, targets China Russia" in table.note
    assert "STALE" not in table.note
    assert "STALE, other items of validation" in seen_and_unseen(path, made(12)).note
    assert seen_and_unseen(tmp_path / "none.json", held).rows == []


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
    monkeypatch.setattr(
        learning_curve, "learning_curve", lambda corpus, size, seed: {"some way": size / 100 + seed / 10}
    )
    monkeypatch.setattr(learning_curve, "forgetting", lambda size, seed: {"before": 0.8, "after": 0.7})
    monkeypatch.setattr(learning_curve.StanceClassifier, "from_pretrained", Shipped)
    monkeypatch.setattr("sys.argv", ["learning_curve", "--sizes", "8", "32", "--seeds", "1", "2", "-o", str(path)])
    learning_curve.main()
    curve, forgotten = learned_and_forgotten(path, "weights@1", tmp_path, held)
    assert curve.columns == ["examples", "some way"]
    assert curve.rows == [["8", "0.230 [0.180, 0.280]"], ["32", "0.470 [0.420, 0.520]"]]
    assert forgotten.rows == [["before", "0.800"], ["after", "0.700"]]
    assert curve.note == forgotten.note
    assert "STALE" not in curve.note
    assert json.loads(path.read_text())["items"]["country-stance validation"] == corpus_hash(held)
    curve, _ = learned_and_forgotten(path, "weights@2", tmp_path, held)
    assert curve.note.startswith("STALE, not from weights@2;")
    curve, forgotten = learned_and_forgotten(tmp_path / "none.json", "weights@1", tmp_path, held)
    assert (curve.rows, forgotten.rows) == ([], [])
    assert "Not measured" in curve.note
