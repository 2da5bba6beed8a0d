"""The shipped model must not get worse unnoticed: `training.release_gate` measures it again.

The floors belong to one model and to fixed held-out items, each named by a hash: new weights or new items need new
floors.
"""

import json

import numpy as np
import pytest

from stance.model import StanceClassifier, shipped_model
from tests.training.test_tables import made
from training import release_gate
from training.corpora.country_stance import TARGETS
from training.families import Family
from training.flips import Flips
from training.release_gate import FLOORS, MARGIN, _updated, measured, verdict

PINNED = json.loads(FLOORS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def classifier():
    return StanceClassifier.from_pretrained()


def only(name):
    """Return what is pinned for one corpus."""
    kinds = {kind: {name: PINNED.get(kind, {}).get(name, {})} for kind in ("floors", "ceilings")}
    return PINNED | kinds


def test_own_statements(classifier):
    assert verdict(only("own"), classifier.id, measured(classifier, None)) == []


def test_public_corpora(classifier, data):
    assert verdict(PINNED, classifier.id, measured(classifier, data)) == []


FOUND = {"figures": {"own": {"macro-F1": 0.8, "calibration error": 0.02}}, "corpora": {"own": "abc"}}
GOOD = {
    "model": "m@1",
    "corpora": {"own": "abc"},
    "floors": {"own": {"macro-F1": 0.79}},
    "ceilings": {"own": {"calibration error": 0.03}},
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"model": "m@2"}, "the floors belong to m@2"),
        ({"corpora": {"own": "xyz"}}, "measured on other items"),
        ({"floors": {"own": {"macro-F1": 0.81}}}, "macro-F1 0.8000 is under its floor 0.8100"),
        ({"ceilings": {"own": {"calibration error": 0.01}}}, "calibration error 0.0200 is over its ceiling 0.0100"),
        ({"floors": {"own": {}}}, "macro-F1 has no floor"),
        ({"ceilings": {}}, "calibration error has no ceiling"),
        ({"floors": GOOD["floors"] | {"DSE": {"macro-F1": 0.5}}}, "DSE: macro-F1 was not measured"),
        ({"floors": {"own": {"macro-F1": 0.79, "family irony": 0.4}}}, "own: family irony was not measured"),
    ],
)
def test_the_gate_says_what_is_wrong(change, problem):
    assert verdict(GOOD, "m@1", FOUND) == []
    (line,) = verdict(GOOD | change, "m@1", FOUND)
    assert problem in line


def test_what_could_not_be_measured_is_past_its_limit():
    nothing = {"own": {"macro-F1": float("nan"), "calibration error": float("nan")}}
    assert len(verdict(GOOD, "m@1", FOUND | {"figures": nothing})) == 2


def updated(pinned, lower=(), new_items=False, found=FOUND):
    return _updated(pinned, "m@2", found, lower=lower, new_items=new_items)


def test_limits_close_up_to_a_better_model():
    new, loosened = updated(GOOD)
    assert new["floors"] == {"own": {"macro-F1": pytest.approx(0.8 - MARGIN)}}
    assert new["ceilings"] == {"own": {"calibration error": pytest.approx(0.02 + MARGIN)}}
    assert (new["model"], loosened) == ("m@2", [])
    near = GOOD | {"floors": {"own": {"macro-F1": 0.798}}, "ceilings": {"own": {"calibration error": 0.021}}}
    new, _ = updated(near)  # within the margin of the old limits: they stay
    assert (new["floors"], new["ceilings"]) == (near["floors"], near["ceilings"])


@pytest.mark.parametrize(
    ("change", "name", "line"),
    [
        ({"floors": {"own": {"macro-F1": 0.9}}}, "own: macro-F1", "own: macro-F1: the floor 0.9000 becomes 0.7950"),
        (
            {"ceilings": {"own": {"calibration error": 0.01}}},
            "own: calibration error",
            "own: calibration error: the ceiling 0.0100 becomes 0.0250",
        ),
        (
            {"floors": GOOD["floors"] | {"DSE": {"macro-F1": 0.5}}},
            "DSE: macro-F1",
            "DSE: macro-F1: the floor 0.5000 is dropped, not measured",
        ),
    ],
)
def test_a_limit_is_loosened_or_dropped_only_by_name(change, name, line):
    with pytest.raises(SystemExit, match=line) as refused:
        updated(GOOD | change)
    assert "--lower" in str(refused.value)
    other = "own: macro-F1" if name != "own: macro-F1" else "own: calibration error"
    with pytest.raises(SystemExit, match=line):
        updated(GOOD | change, lower=[other])
    _, loosened = updated(GOOD | change, lower=[name])
    assert loosened == [line]


def test_a_misspelt_name_is_refused():
    with pytest.raises(SystemExit, match="no pinned limit: own: macro-f1"):
        updated(GOOD, lower=["own: macro-f1"])


def test_other_items_set_limits_anew_and_say_so():
    other = GOOD | {"corpora": {"own": "xyz"}, "floors": {"own": {"macro-F1": 0.9, "family irony": 0.4}}}
    with pytest.raises(SystemExit, match="--new-items"):
        updated(other, lower=["own: macro-F1"])
    new, loosened = updated(other, new_items=True)
    assert new["floors"]["own"] == {"macro-F1": pytest.approx(0.795)}
    assert [line.split(":")[1].strip() for line in loosened] == ["macro-F1", "family irony"]


def test_own_test_statements_take_no_part_and_every_kind_of_figure_is_pinned(tiny, monkeypatch):
    mine, country = made(40), made(8, start=100)
    families = Family(12, 4, (0.5, 0.4, 0.6))
    asked = []
    monkeypatch.setattr(release_gate, "own_task", lambda split: asked.append(split) or mine)
    monkeypatch.setattr(release_gate, "tasks", lambda data, split: {"country-stance": (mine, country)})
    monkeypatch.setattr(release_gate, "by_family", lambda task, predicted: {"irony": families})
    monkeypatch.setattr(release_gate, "pairs_right", lambda task, predicted: {"irony": (1, 3), "swap": (2, 3)})
    monkeypatch.setattr(
        release_gate, "flip_consistency", lambda classifier, examples: Flips(1, 1, (0.9, 0.8, 1.0), (1.0, 1.0, 1.0))
    )
    monkeypatch.setattr(release_gate, "scores", lambda classifier, task: np.eye(4)[task.gold] * 0.6 + 0.1)
    found = measured(tiny, "folder")["figures"]
    assert asked == ["validation"]
    pairs = "minimal pairs of which all is right"
    assert found["own"].keys() == {"macro-F1", "F1 against+favor", "family irony", pairs, "flip-consistency"}
    assert found["own"][pairs] == 0.5
    assert found["country-stance"] == {
        "macro-F1": 1.0,
        "F1 against+favor": 1.0,
        **{f"macro-F1, {target}": 1.0 for target in TARGETS},
        "calibration error": 0.3,
        "calibration error, predicted as addressed": 0.3,
        "wrong of the answered": 0.0,
        "flip-consistency": 0.9,
    }


def test_weights_stay_small_and_safe():
    files = sorted(p.name for p in shipped_model().iterdir())
    assert files == ["README.md", "config.json", "metrics.json", "model.safetensors", "tokenizer.json"]
    assert sum(p.stat().st_size for p in shipped_model().iterdir()) < 60_000_000
