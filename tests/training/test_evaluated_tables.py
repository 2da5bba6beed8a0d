import numpy as np
import pytest

from stance.corpus import Corpus
from stance.schema import LABELS
from tests.training.test_tables import made
from training import agreement, evaluate, learning_curve
from training.agreement import ceiling, readings
from training.corpora import country_stance
from training.corpora.dse import Pair
from training.tables import shown
from training.tasks import DSE_CLASSES, Task


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
        monkeypatch.setattr(evaluate, "readings", lambda data: two_readings())
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
        "Hard families of our own statements",
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


def test_validation_has_no_ceiling_and_says_so(tables):
    country, *_ = tables("validation")
    assert len(country.rows) == 2
    assert "read once" in country.note


def test_the_ceiling_is_counted_as_a_model_is():
    codes, documents = two_readings()
    found = ceiling(codes, documents)
    assert found["accuracy"][0] == pytest.approx(31 / 32)
    assert found["F1 against+favor"][0] == pytest.approx((14 / 15 + 1) / 2)
    assert found["accuracy"][1] < found["accuracy"][0]


def test_both_readings_are_of_the_whole_test_split(data):
    codes, documents = readings(data)
    assert codes.shape == (sum(1 for _ in country_stance.read(data, "test")), 4, 2)
    assert len(documents) == len(codes)
    assert codes.max() < len(LABELS)
    assert agreement.ceiling(codes, documents)["macro-F1"][0] > 0.85
