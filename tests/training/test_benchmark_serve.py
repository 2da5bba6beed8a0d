from __future__ import annotations

import json

import pytest

from training.benchmark_serve import _noticed, _problem, _Tally

_THRESHOLDS = {"against": 0.6, "favor": 0.6}


def _row(against=0.7, label="against", abstained=False, **other):
    p = {"p_against": against, "p_favor": 1 - against}
    row = {"statement_id": "s0", "label": label, "abstained": abstained, "confidence": max(p.values())}
    return {**row, **p, **other}


def _found(row, expected):
    body = json.dumps({"rows": [row]}).encode()
    return _problem({"s0": [expected]}, 0.1, _THRESHOLDS, _Tally(), [{"id": "s0"}], 200, body)


def test_an_answer_within_the_tolerance_passes_though_its_label_turns():
    assert _found(_row(), _row()) is None
    assert _found(_row(0.65), _row()) is None
    assert _found(_row(0.48, "favor", True), _row(0.52, abstained=True)) is None


@pytest.mark.parametrize(
    "row",
    [
        _row(label="favor"),
        _row(abstained=True),
        _row(0.55),
        _row(confidence=0.69),
        _row(0.58, abstained=True),
        _row(statement_id="s1"),
    ],
)
def test_a_wrong_answer_is_told(row):
    assert _found(row, _row())


def test_swaps_that_a_wide_tolerance_hides_are_not_noticed():
    answers = [[_row(p)] for p in (0.6, 0.7, 0.8, 0.9)]
    assert _noticed(answers, 0.01) == 1
    assert _noticed(answers, 0.5) == 0
