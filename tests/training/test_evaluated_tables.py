import json

import numpy as np
import pytest

from stance.corpus import Corpus
from stance.learning import Example
from stance.model import StanceClassifier, shipped_model
from stance.schema import LABELS, Statement
from tests.training.test_tables import made
from training import agreement, evaluate, kept, learning_curve, model_card, single_pass
from training.agreement import ceiling, readings, reliability
from training.corpora import country_stance
from training.corpora.country_stance import TARGETS, decode
from training.corpora.dse import Pair
from training.tables import shown
from training.tasks import DSE_CLASSES, Task, country_task
from training.teachers import Stored


def two_readings():
    """Eight statements of one class toward each target each; one label is read differently."""
    first = np.arange(32).reshape(8, 4) % 4
    second = first.copy()
    second[0, 0] = 1
    return np.stack([first, second], axis=-1), [str(i) for i in range(8)]


def directed(count=10):
    pairs = [Pair(i, f"Ann met Bob {i}", "Ann", "Bob", i % 5) for i in range(count)]
    gold, clusters = np.array([x.label for x in pairs]), [x.text for x in pairs]
    return Task("DSE", DSE_CLASSES, [x.text for x in pairs], [""] * count, gold, clusters, pairs=pairs)


@pytest.fixture
def tables(tiny, tmp_path, monkeypatch):
    """Every table of a split, by title, of a model nobody trained on a few items."""

    def run(split):
        found = {"country-stance": (made(16), made(8, start=100)), "DSE": (directed(), directed())}
        monkeypatch.setattr(evaluate, "tasks", lambda data, split: found)
        monkeypatch.setattr(evaluate, "BASELINES", {"zero": lambda train, held, tuning: np.zeros(len(held.gold), int)})
        monkeypatch.setattr(evaluate, "readings", lambda data, split: two_readings())
        monkeypatch.setattr(evaluate, "_flips", lambda *_: evaluate.Figures("flips", [], []))
        corpus = Corpus("gwsd", ("disagrees", "agrees"), ("climate",), {"test": ()})
        monkeypatch.setattr(evaluate.zero_shot, "never_trained", lambda *_: iter([evaluate.Figures("names", [], [])]))
        monkeypatch.setattr(learning_curve.gwsd, "read", lambda data: corpus)
        return list(evaluate.evaluated(tiny, tmp_path, split, tmp_path))

    return run


def test_one_command_prints_everything_that_was_measured(tables, tiny):
    found = tables("test")
    titles = [table.title for table in found]
    for beginning in (
        "country-stance, test: 32 items",
        "DSE, test: 10 items",
        "DSE, test, by its authors' definition",
        "flips",
        "country-stance, test: calibration",
        "country-stance, test: risk and coverage",
        "country-stance, test: two readers of 8 statements, 8 documents",
        "own, test: ",
        "Hard families of our own statements, test",
        "names",
        "Targets never trained",
        "New labels from few examples",
        "What is forgotten",
    ):
        assert sum(title.startswith(beginning) for title in titles) == 1, beginning
    country, compared, *_ = found
    assert [row[0] for row in country.rows] == ["zero", tiny.id, "second reader against the first (ceiling)"]
    assert country.rows[-1][1:] == [shown(f) for f in ceiling(*two_readings()).values()]
    assert {len(row) for row in country.rows} == {len(country.columns)}
    assert [row[0] for row in compared.rows] == ["zero"]  # the readers answered other labels: no paired test
    absent = [table for table in found if table.note.startswith("Not measured")]
    assert len(absent) == 3
    assert "single_pass.json" in country.note
    assert "learned from country-stance's train split alone (64 items)" in country.note


def test_alpha_is_shown_for_each_target():
    table = reliability(*two_readings(), "test")
    assert [row[0] for row in table.rows] == list(TARGETS)
    assert [float(row[1].split()[0]) < 1 for row in table.rows] == [True, False, False, False]


def test_readings_are_counted_as_they_settle(tmp_path, monkeypatch):
    one, other = decode("a---"), decode("n---")
    corpus = {"1": {"a": one}, "2": {"a": one, "b": one}, "3": {"a": one, "b": other}}
    corpus |= {"4": {"a": one, "b": other, "adjudicated": other}, "5": {"a": one}}
    monkeypatch.setattr(
        country_stance, "own_readings", lambda readers: {"5": [other, other], "6": [one], "7": [one, other]}
    )
    (tmp_path / "country-stance").mkdir()
    lines = [json.dumps({"id": i, "readers": readers}) + "\n" for i, readers in corpus.items()]
    (tmp_path / "country-stance" / "statements.jsonl").write_text("".join(lines))
    examples = [Example(Statement(id=i, text="It rained"), one) for i in "1234567"]
    found = agreement.read_how_often(tmp_path, examples)
    assert found == agreement.Reread(statements=7, once=2, alike=1, decided=2, first=2)


def test_the_card_prints_what_is_kept(data):
    """If this fails, the card is out of date: python -m training.evaluate --card."""
    card = (shipped_model() / "README.md").read_text(encoding="utf-8")
    name = StanceClassifier.from_pretrained().id
    held = {s: country_task("country-stance", list(country_stance.read(data, s))) for s in ("validation", "test")}
    _, note = single_pass.both_starts(kept.FOLDER, held["test"], "test", name)
    notes = [note, *(table.note for table in evaluate.kept_tables(name, data, held["validation"]))]
    absent = [note for note in notes if note not in card]
    assert not absent, "not in the card, run python -m training.evaluate --card: " + "; ".join(absent)


def test_the_card_names_teachers_and_what_they_are_asked_about(tiny, monkeypatch, tmp_path):
    def some(corpus, count):
        return [Example(Statement(id=f"{i}", text="It rained"), {}, corpus=corpus) for i in range(count)]

    monkeypatch.setattr(model_card, "training_examples", lambda data, stage: some(*stage_of[next(iter(stage.repeat))]))
    stage_of = {"newsmtsc": ("newsmtsc", 5), "dse": ("dse", 6), "country_stance": ("unscon", 7), "own": ("own", 8)}
    monkeypatch.setattr(model_card, "unlabelled", lambda data, options: some("polnear", 9) + some("dse", 2))
    heeded = []

    def reread(data, examples, readers=None):
        heeded.append(readers)
        return agreement.Reread(7, 1, 2, 3, 1)

    monkeypatch.setattr(model_card, "read_how_often", reread)
    monkeypatch.setattr(model_card.country_stance, "read", lambda data, split: [])
    card = model_card.model_card(tiny, ["TABLE"], tmp_path)
    assert heeded == [tuple("abcdefghi"), None, None]  # readings that came after the weights do not count for training
    for part in (
        "| DSE (bywords/directed_sentiment_analysis) | 6 | none stated |",
        "| country-stance: unscon 7 | 7 | labels this project's; texts their owners' (UNSCon CC BY-SA) |",
        "polnear 9, dse 2 | 11 | DSE none stated, PolNeAR none stated, published for research |",
        "sentence-transformers/all-mpnet-base-v2 (110 M weights,\nApache-2.0)",
        f"{len(Stored()):,} answers",
        "1 were read once",
        "TABLE",
    ):
        assert part in card


def test_validation_has_its_ceiling_too(tables):
    country, *others = tables("validation")
    assert country.rows[-1][0] == "second reader against the first (ceiling)"
    assert country.rows[-1][1:] == [shown(f) for f in ceiling(*two_readings()).values()]
    title = "country-stance, validation: two readers of 8 statements, 8 documents"
    assert [table.title for table in others].count(title) == 1


def test_the_ceiling_is_counted_as_a_model_is():
    codes, documents = two_readings()
    found = ceiling(codes, documents)
    assert found["accuracy"][0] == pytest.approx(31 / 32)
    assert found["F1 against+favor"][0] == pytest.approx((14 / 15 + 1) / 2)
    assert found["accuracy"][1] < found["accuracy"][0]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_both_readings_are_of_the_whole_split(data, split):
    codes, documents = readings(data, split)
    examples = list(country_stance.read(data, split))
    assert codes.shape == (len(examples), 4, 2)
    assert len(documents) == len(codes)
    assert codes.max() < len(LABELS)
    assert agreement.ceiling(codes, documents)["macro-F1"][0] > 0.85
    read = agreement.read_how_often(data, examples)
    assert (read.once, read.first) == (0, 0)
