import numpy as np
import pytest
from sklearn.metrics import f1_score

from training.corpora.dse import CLASSES, Pair
from training.directed import REPORTED, as_published, class_scores, directed_scores, mean_average_precision
from training.tasks import DSE_CLASSES, SIDES, Task


def asked(side, sure=0.8):
    """Probabilities of against, neutral, favor of one that sees a side."""
    return np.array([[sure if s == side else (1 - sure) / 2 for s in SIDES]])


@pytest.mark.parametrize("label", sorted(CLASSES))
def test_the_sides_of_both_directions_make_the_class(label):
    forward, backward = CLASSES[label]
    scores = class_scores(asked(forward), asked(backward))
    assert scores.argmax() == label
    assert scores.sum() == pytest.approx(1)


def test_sides_in_both_directions_give_the_surer_one():
    """No class of DSE takes a side twice."""
    surer, less_sure = asked("against", 0.9), asked("against", 0.7)
    assert class_scores(surer, less_sure).argmax() == 3
    assert class_scores(less_sure, surer).argmax() == 4
    assert class_scores(asked("favor"), asked("favor", 0.9)).argmax() == 2


def test_only_the_proportions_of_the_sides_count():
    """What a model leaves to not_addressed is shared out."""
    forward, backward = asked("favor"), asked("neutral")
    assert class_scores(forward * 0.3, backward * 0.9) == pytest.approx(class_scores(forward, backward))


class _Blaming:
    """Sees every speaker but Ann against what it is asked about."""

    def predict_pairs(self, statements, targets):
        assert all(s.speaker.name != t for s, t in zip(statements, targets, strict=True))
        rows = [[0.1, 0.5, 0.1, 0.3] if s.speaker.name == "Ann" else [0.6, 0.1, 0.1, 0.2] for s in statements]
        return np.array(rows)


def test_each_direction_has_its_own_speaker():
    pairs = [Pair(0, "Ann met Bob", "Ann", "Bob", 4), Pair(1, "Bob met Ann", "Bob", "Ann", 3)]
    assert directed_scores(_Blaming(), pairs).argmax(1).tolist() == [4, 3]


def test_mean_average_precision_is_that_of_the_classes():
    gold = np.array([0, 0, 1, 1])
    assert mean_average_precision(gold, np.eye(2)[gold]) == 1
    # class 0 ranks a wrong item first: precision 1/2 and 2/3 at its two items; class 1 likewise
    scores = np.array([[0.8, 0.2], [0.3, 0.7], [0.9, 0.1], [0.1, 0.9]])
    both = [(1 / 2 + 2 / 3) / 2, (1 + 2 / 4) / 2]
    assert mean_average_precision(gold, scores) == pytest.approx(np.mean(both))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_table_holds_the_authors_figures_beside_the_models(split):
    gold = np.arange(50) % 5
    predicted = gold.copy()
    predicted[::7] = 0
    task = Task("DSE", DSE_CLASSES, [], [], gold, [str(i) for i in range(50)])
    table = as_published(task, np.eye(5)[predicted] + 0.01, "ours", split)
    ours, *reported = table.rows
    assert float(ours[1][:5]) == pytest.approx((gold == predicted).mean(), abs=1e-3)
    assert float(ours[2][:5]) == pytest.approx(f1_score(gold, predicted, average="macro"), abs=1e-3)
    assert [float(x) for x in ours[4:]] == pytest.approx(list(f1_score(gold, predicted, average=None)), abs=1e-3)
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert [row[:3] for row in reported] == [[name, *(f"{x:.3f}" for x in by[split])] for name, by in REPORTED.items()]
    assert "quote" in table.note
