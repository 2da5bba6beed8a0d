"""The recipe's stages against the real corpora, without training; skipped where these are absent."""

from dataclasses import replace

import numpy as np
import pytest

from training.corpora.country_stance import TARGETS
from training.distillation import distilled
from training.duplicates import Contained, drop_near_duplicates
from training.recipe import DEFAULT, STORED, held_out, load_recipe, training_examples, validation_sets


@pytest.fixture(scope="module")
def held(data):
    return held_out(data)


@pytest.fixture(scope="module")
def stages(data, held):
    """Each stage of the recipe with its examples, each of them once."""
    found, read = [], {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.recipe.held_out", lambda _: held)
        for stage in load_recipe(DEFAULT).stages:
            corpora = [name for name, times in stage.repeat.items() if times]
            key = (frozenset(corpora), tuple(stage.readers))
            if key not in read:
                read[key] = training_examples(data, replace(stage, repeat=dict.fromkeys(corpora, 1)))
            found.append((stage, read[key]))
    return found


def test_no_stage_learns_from_what_repeats_a_held_out_statement(stages, held):
    assert set(held) == {
        *(f"{corpus}/{split}" for corpus in ("country_stance", "own") for split in ("validation", "test")),
        *(f"newsmtsc-{part}/{split}" for part in ("mt", "rw") for split in ("dev", "test")),
        "dse/valid",
        "dse/test",
    }
    once = {e.statement.text: e for _, examples in stages for e in examples}
    assert len(once) > 20_000
    kept = drop_near_duplicates(list(once.values()), [e for examples in held.values() for e in examples])
    assert len(kept) == len(once)
    spoken = Contained([e.statement.text for examples in held.values() for e in examples])
    assert not any(map(spoken.touch, once))


def test_what_is_chosen_on_repeats_no_test_statement(data, held, monkeypatch):
    """The corpora's own splits overlap: these many validation examples repeat a test statement."""
    monkeypatch.setattr("training.recipe.held_out", lambda _: held)
    left_out = {name: len(held[name]) - len(examples) for name, examples in validation_sets(data).items()}
    assert left_out == {
        "country_stance/validation": 11,
        "own/validation": 0,
        "newsmtsc-mt/dev": 2,
        "newsmtsc-rw/dev": 0,
        "dse/valid": 76,
    }


def test_the_kept_teacher_answers_most_of_what_each_stage_asks(data, held, tmp_path, monkeypatch):
    """As in `training.build`, but for the model before the stage, which is asked about the same."""
    monkeypatch.setattr("training.distillation.held_out", lambda _: held)
    monkeypatch.setattr("training.recipe.held_out", lambda _: held)
    asked = 0
    for stage in load_recipe(DEFAULT).stages:
        if not (stage.distillation and STORED in stage.distillation.teachers):
            continue
        options, examples = replace(stage.distillation, teachers=[STORED]), training_examples(data, stage)
        asked += 1
        taught = [e for e in distilled(examples, options, data) if e.beliefs]
        assert {"newsmtsc", "own", "polnear"} <= {e.corpus for e in taught}
        assert len(taught) > sum(e.corpus != "dse" for e in examples)
        p = np.array([q for e in taught for q in e.beliefs.values()])
        assert p.sum(axis=1) == pytest.approx(np.ones(len(p)), abs=1e-5)
        countries = [e for e in taught if set(e.labels) <= set(TARGETS)]
        assert all(tuple(e.beliefs) == TARGETS for e in countries)
    assert asked


def test_texts_that_hold_others_or_stand_within_them_are_found():
    found = Contained(["We will rebuild the bridge, he said, and the harbour by spring", "Moscow lied"])
    assert found.touch("“We will rebuild the bridge,” he said, “and the harbour by spring,” to applause")
    assert found.touch("he said and the harbour by spring")
    assert not found.touch("the harbour by spring")  # few words stand anywhere
    assert not found.touch("He said that Moscow lied about the harbour by spring")
    assert not found.touch("We will rebuild the bridge and the harbour by spring of the year")
