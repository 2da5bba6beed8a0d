import json
import random
from dataclasses import replace

import numpy as np
import pytest

from stance.learning import Example, FitOptions
from stance.schema import Speaker, Statement
from tests.training.test_tables import made
from training import leave_one_out, plain
from training.augment import VariationOptions
from training.corpora.country_stance import TARGETS, decode
from training.kept import keep
from training.leave_one_out import (
    _WAYS,
    VariationWithout,
    _answered_as_named,
    compared,
    names_of,
    run_of,
    seen_and_unseen,
    without,
)
from training.recipe import DEFAULT, load_recipe
from training.tables import figures
from training.tasks import corpus_hash, country_task

OPTIONS = VariationOptions(swap=0.9, alias=0.5, subset=0.25, distractor=0.9, drop_context=0.1, foreign_context=0.4)


def news(text, target, label="against", corpus="newsmtsc"):
    return Example(Statement(id=text, text=text, speaker=Speaker("Ann", "Ann")), {target: label}, corpus=corpus)


def country(text, code):
    return Example(Statement(id=text, text=text), decode(code), corpus="wire")


EXAMPLES = [
    country("Russia thanked Ukraine and scolded the United States", "af-f"),
    country("Beijing scolded Moscow", "-aa-"),
    country("America thanked Moscow", "nf--"),
    country("It rained all day", "----"),
    news("The mayor is a crook", "Mayor Roe"),
    news("The Chinese government lied", "Chinese government"),
    news("Let us thank them", "us", "favor"),
    news("Xi Jinping spoke to Ann", "Xi Jinping", "neutral", "dse"),
    news("Russia scolded Ann", "Russia", corpus="dse"),
    news("The U.S. Army marched", "the U.S. Army", "neutral", "dse"),
    country("Washington thanked Kyiv", "f--f"),
]


@pytest.mark.parametrize(
    ("target", "name", "found"),
    [
        ("United States", "US", True),
        ("United States", "us", False),
        ("United States", "the U.S. Army", True),
        ("United States", "american voters", True),
        ("United States", "Joe Roe", False),
        ("Russia", "Russian Federation", True),
        ("Russia", "the Kremlin", True),
        ("Russia", "Prussia", False),
        ("China", "People's Republic of China", True),
        ("Ukraine", "Kiev", True),
        ("Ukraine", "Russia", False),
    ],
)
def test_a_target_is_known_by_its_names(target, name, found):
    assert bool(names_of(target).search(name)) is found


def test_labels_of_a_target_are_left_out_under_all_its_names():
    (first, *_) = without(made(4).examples, "China")
    assert list(first.labels) == ["United States", "Russia", "Ukraine"]
    left = [name for e in without(EXAMPLES[4:10], "China") for name in e.labels]
    assert left == ["Mayor Roe", "us", "Russia", "the U.S. Army"]


@pytest.mark.parametrize("target", TARGETS)
def test_no_varied_example_shows_the_target(target):
    examples, vary = run_of(target, EXAMPLES, OPTIONS)
    rng, asked, texts = random.Random(0), set(), set()
    for _ in range(200):
        for example in examples:
            varied = vary(example, rng)
            assert varied.labels
            asked |= set(varied.labels)
            texts.add(varied.statement.text)
    assert not [name for name in asked if names_of(target).search(name)]
    assert asked >= set(TARGETS) - {target}  # the others are asked about, by distractors and exchanges as well
    assert len(texts) > len(examples)  # countries were exchanged


def test_countries_are_exchanged_among_the_others_where_the_target_is_not_named():
    options = VariationOptions(swap=1.0, alias=0, subset=0, distractor=0, drop_context=0, foreign_context=0)
    vary = VariationWithout("China", options, [], [])
    rng = random.Random(0)
    named, other = without(EXAMPLES[1:3], "China")
    assert {vary(named, rng).statement.text for _ in range(50)} == {"Beijing scolded Moscow"}
    seen = {vary(other, rng).statement.text: vary(other, rng) for _ in range(50)}
    assert "Ukraine thanked Moscow" in seen or "Russia thanked Washington" in seen
    assert not any("China" in text or "Beijing" in text for text in seen)


def test_the_run_with_all_targets_is_the_recipes():
    examples, vary = run_of(None, EXAMPLES, OPTIONS)
    assert examples == EXAMPLES
    rng = random.Random(0)
    assert {name for e in examples for _ in range(100) for name in vary(e, rng).labels} >= set(TARGETS)


def test_seen_and_unseen_are_compared_on_the_targets_pairs():
    held = made(40)
    gold = held.gold.reshape(-1, 4)[:, 1]  # Russia
    wrong = gold.copy()
    wrong[::5] = 3 - wrong[::5]
    found = compared(held, "Russia", {"seen": gold, "unseen": wrong, "unseen, as named": gold})
    assert found["seen"][0] == found["unseen, as named"][0] == 1
    assert found["unseen"][0] < found["seen"][0]
    value, low, high = found["unseen, difference"]
    assert value == pytest.approx(found["unseen"][0] - found["seen"][0])
    assert low <= value <= high
    assert found["unseen, as named, difference"][0] == 0
    others_wrong = np.where(np.array(held.targets) == "Russia", held.gold, 0)
    assert figures(held, others_wrong)["macro-F1"][0] < found["seen"][0]  # the other targets were left out


@pytest.fixture
def command(monkeypatch, tmp_path):
    """The command on a few statements; returns how to run it, what is held out and what was trained."""
    held, ran, stages = made(8), [], []

    def training_examples(data, stage):
        stages.append(stage)
        return [*EXAMPLES, *made(20, start=100).examples]

    monkeypatch.setattr(leave_one_out, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(leave_one_out, "training_examples", training_examples)
    monkeypatch.setattr(leave_one_out.country_stance, "read", lambda data, split: held.examples)

    def run(*options):
        monkeypatch.setattr("sys.argv", ["leave_one_out", *options])
        leave_one_out.main()

    return run, held, ran, stages


class Model:
    """Answers without having been trained: each one another label."""

    def __init__(self, label):
        self.label = label

    def predict_proba(self, statements, targets):
        p = np.zeros((len(statements), len(targets), 4))
        p[..., self.label] = 1
        return p, None

    def predict_pairs(self, statements, targets):
        self.asked = list(targets)
        return self.predict_proba(statements, targets[:1])[0][:, 0]


def test_leave_one_out_is_kept_and_goes_on_where_it_stopped(command, tmp_path, monkeypatch):
    run, held, ran, stages = command
    path, dies_at = tmp_path / "leave_one_out.json", [2]

    def trained(examples, options, augment):
        if len(ran) in dies_at:
            raise KeyboardInterrupt
        rng = random.Random(0)
        ran.append({t for e in examples for t in augment(e, rng).labels if t in TARGETS})
        assert (options.epochs, options.learning_rate) == (1.0, 2e-4)
        return Model(len(ran) % 4)

    monkeypatch.setattr(leave_one_out, "trained", trained)
    asked = ("--targets", "China", "Russia", "-o", str(path))
    with pytest.raises(KeyboardInterrupt):
        run(*asked)
    assert [row[0] for row in seen_and_unseen(path, held).rows] == ["China"]
    assert "Not finished: 1 targets are left" in seen_and_unseen(path, held).note
    dies_at.clear()
    run(*asked)
    everything = set(TARGETS)
    assert ran == [everything, everything - {"China"}, everything - {"Russia"}]
    assert stages[0] == load_recipe(DEFAULT).stages[0]
    table = seen_and_unseen(path, held)
    assert [row[0] for row in table.rows] == ["China", "Russia", "all"]
    assert all({row[4][0], row[5][0]} <= {"+", "-"} for row in table.rows)
    assert "share 1.0, epochs 1.0, targets China Russia" in table.note
    assert "STALE" not in table.note
    assert "Not finished" not in table.note
    other = seen_and_unseen(path, made(12))
    assert ("STALE, other items of validation" in other.note, other.rows) == (True, [])
    assert seen_and_unseen(tmp_path / "none.json", held).rows == []


def test_figures_kept_of_shorter_runs_are_stale(tmp_path):
    """Before, the runs saw country-stance alone, and figures were kept rather than answers."""
    held, path = made(8), tmp_path / "leave_one_out.json"
    keep(path, {"China": {"seen": 1}}, settings={}, start=plain.start(), items={"validation": corpus_hash(held)})
    table = seen_and_unseen(path, held)
    assert (table.rows, table.note.startswith("STALE, not from the plain encoder")) == ([], True)


def test_a_run_trains_a_model(command, tiny, tmp_path, monkeypatch):
    run, held, *_ = command
    monkeypatch.setattr(plain, "fresh", lambda recipe: tiny)
    recipe = load_recipe(DEFAULT)
    first = replace(recipe.stages[0], fit=FitOptions(batch_size=8, bf16=False))
    monkeypatch.setattr(leave_one_out, "load_recipe", lambda path: replace(recipe, stages=[first]))
    path = tmp_path / "leave_one_out.json"
    run("--targets", "Ukraine", "--share", "0.5", "-o", str(path))
    answers = json.loads(path.read_text())["results"]["answers"]
    assert {way: list(found) for way, found in answers.items()} == {way: ["Ukraine"] for way in _WAYS}
    assert len(answers["unseen"]["Ukraine"]) == len(held.examples)


def test_a_dry_run_counts_and_trains_nothing(command, capsys, monkeypatch):
    run, *_ = command
    monkeypatch.setattr(leave_one_out, "trained", lambda *_: pytest.fail("trained"))
    run("--dry-run", "--targets", "China", "Russia")
    assert capsys.readouterr().out.splitlines() == [
        "China           29 of 31 examples, 0 labels toward it",
        "Russia          30 of 31 examples, 0 labels toward it",
    ]


def test_no_example_of_the_corpora_shows_the_target_left_out(data, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["leave_one_out", "--dry-run", "--share", "0.25"])
    leave_one_out.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:15].strip() for line in lines] == list(TARGETS)
    assert all(line.endswith(" examples, 0 labels toward it") for line in lines)


def test_a_target_is_asked_about_by_the_name_that_the_statement_uses():
    held = country_task("x", [country(text, "----") for text in ("Moscow lied", "A Russian lied", "It rained")])
    model = Model(2)
    assert _answered_as_named(model, held, "Russia") == [2, 2, 2]
    assert model.asked == ["Moscow", "Russian", "Russia"]
