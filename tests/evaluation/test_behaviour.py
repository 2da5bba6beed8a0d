import numpy as np
import pytest
import yaml

from stance.errors import UsageError
from stance.evaluation.behaviour import run_suite
from stance.evaluation.behaviour_suite import load_suite
from stance.schema import LABELS

TARGETS = ("United States", "Russia", "China", "Ukraine")


def write(tmp_path, tests, **rest):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"tests": tests, **rest}, allow_unicode=True), encoding="utf-8")
    return path


class _Names:
    """Answers by rule: against whoever is named first, neutral to the next, silent on the rest."""

    labels = LABELS

    def predict_proba(self, statements, targets):
        p = np.zeros((len(statements), len(targets), 4))
        for i, s in enumerate(statements):
            order = sorted((s.text.find(t), t) for t in targets if t in s.text)
            for j, t in enumerate(targets):
                place = next((n for n, (_, name) in enumerate(order) if name == t), None)
                p[i, j, 3 if place is None else min(place, 1)] = 1
        return p, np.zeros(len(statements), dtype=bool)


def test_shipped_tests_cover_every_kind_and_run_on_the_shipped_model(scorer):
    results = run_suite(scorer.classifier, load_suite(), TARGETS)
    kinds = {r.kind: r for r in results if not r.name}
    assert set(kinds) == {"negation", "country swap", "speaker swap", "paraphrase", "alias", "typos", "quote marks"}
    for r in results:
        assert 0 <= r.interval[0] <= r.rate <= r.interval[1] <= 1
        assert len(r.failures) == min(3, r.checks - r.passed) or not r.name
    assert all(k.checks == sum(r.checks for r in results if r.kind == k.kind and r.name) for k in kinds.values())


def test_cases_are_the_same_every_time_and_never_misspell_a_target():
    first, again = (list(load_suite().cases(TARGETS)) for _ in range(2))
    assert first == again
    typos = [c for c in first if c.kind == "typos"]
    assert typos
    for case in typos:
        for variant in case.variants:
            assert variant.statement != case.base.statement
            assert sorted(variant.statement) == sorted(case.base.statement)
            named = [n for n in ("United States", "Russia", "China", "Ukraine") if n in case.base.statement]
            assert all(n in variant.statement for n in named)


def test_swap_and_expectations_are_judged(tmp_path):
    tests = [
        {
            "kind": "swap",
            "name": "follows",
            "statement": "{A} hit {B}",
            "variants": [{"swap": ["A", "B"], "same": ["A", "B"]}],
        },
        {
            "kind": "order",
            "name": "fails",
            "statement": "{A} hit {B}",
            "variants": [{"statement": "{B} was hit by {A}", "same": ["A"]}],
        },
        {"kind": "label", "name": "right", "statement": "{A} left", "expect": {"A": "against"}},
    ]
    forms = {t: {"name": t} for t in TARGETS}
    results = {r.name: r for r in run_suite(_Names(), load_suite(write(tmp_path, tests, forms=forms)), TARGETS)}
    assert results["follows"].rate == 1.0
    assert results["fails"].rate == 0.0
    example = results["fails"].failures[0]
    assert list(example.expected.values()) == ["against"]
    assert list(example.found.values()) == ["neutral"]
    assert (results["right"].checks, results["right"].rate) == (4, 1.0)


def test_targets_without_a_form_are_left_out(tmp_path):
    tests = [{"kind": "x", "name": "y", "statement": "The {A.adjective} side", "expect": {"A": "neutral"}}]
    cases = list(load_suite(write(tmp_path, tests)).cases(["NATO", "Russia"]))
    assert [c.base.statement for c in cases] == ["The Russian side"]


PLAIN = {"kind": "x", "name": "y", "statement": "We trust {A}", "expect": {"A": "favor"}}


def test_a_user_s_own_target_and_slot_take_a_file_and_nothing_else(tmp_path):
    forms = {"NATO": {"name": "the alliance", "aliases": ["NATO headquarters", "Brussels"]}}
    tests = [
        {**PLAIN, "statement": "We trust {A} {when}", "variants": [{"statement": "{A.aliases} lied", "same": ["A"]}]},
        {**PLAIN, "name": "by name", "statement": "We trust Russia", "expect": {"Russia": "favor"}},
        {**PLAIN, "name": "formless", "statement": "The {A.ruler} of {A}"},
    ]
    suite = load_suite(write(tmp_path, tests, forms=forms, fill={"when": ["today", "always"]}))
    cases = list(suite.cases(["NATO"]))
    assert [c.base.statement for c in cases] == ["We trust the alliance today", "We trust the alliance always"]
    assert [v.statement for v in cases[0].variants] == ["NATO headquarters lied", "Brussels lied"]
    assert suite.idle(["NATO"]) == ["by name", "formless"]
    assert suite.idle(["NATO", "Russia"]) == ["formless"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"forms": ["NATO"]}, "'forms' must"),
        ({"forms": {"NATO": "NATO"}}, "'forms' must"),
        ({"fill": {"who": "someone"}}, "'fill' must"),
        ({"fill": {"who": []}}, "'fill' must"),
        ({"fill": {"A": ["x"]}}, "slot of a target"),
    ],
)
def test_a_bad_form_or_filling_is_named(tmp_path, rest, message):
    with pytest.raises(UsageError, match=f"own.yaml: .*{message}"):
        load_suite(write(tmp_path, [PLAIN], **rest))


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"kind": "x", "name": "y"}, "needs 'kind', 'name' and 'statement'"),
        ({"kind": "x", "name": "y", "statement": "s"}, "checks nothing"),
        ({"kind": "x", "name": "y", "statement": "s", "expects": {}}, "unknown key expects"),
        ({"kind": "x", "name": "y", "statement": "{C}", "expect": {"A": "favor"}}, "slot C"),
        ({"kind": "x", "name": "y", "statement": "{A}", "variants": [{"statement": "b"}]}, "a variant checks nothing"),
        ({"kind": "x", "name": "y", "statement": "{A}", "variants": [{"same": ["B"]}]}, "B is in no template"),
        ({**PLAIN, "expect": {"B": "favor"}}, "B is in no template"),
        ({**PLAIN, "expect": ["A"]}, "'expect' must be a mapping"),
        ({**PLAIN, "expect": {"A": True}}, "'expect' must be a mapping"),
        ({**PLAIN, "speaker": 5}, "'speaker' must be text"),
        ({**PLAIN, "variants": [{"swap": ["A"], "same": ["A"]}]}, "'swap' must be"),
        ({**PLAIN, "variants": [{"same": "A"}]}, "'same' must be"),
        ({**PLAIN, "variants": [{"typos": "many", "same": ["A"]}]}, "'typos' must be"),
        ({**PLAIN, "variants": [{"typos": -1, "same": ["A"]}]}, "'typos' must be"),
    ],
)
def test_a_bad_test_is_named(tmp_path, test, message):
    with pytest.raises(UsageError, match=f"own.yaml, test 1: .*{message}"):
        load_suite(write(tmp_path, [test]))


@pytest.mark.parametrize("text", ["[", "tests: 3", "tests: []", "test: []", "just text"])
def test_a_bad_file_is_an_error(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"own\.yaml"):
        load_suite(path)
    with pytest.raises(UsageError, match="cannot read"):
        load_suite(tmp_path / "none.yaml")
