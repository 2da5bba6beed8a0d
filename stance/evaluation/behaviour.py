"""Behaviour tests run: pass rates with examples (after Ribeiro et al. 2020, "Beyond accuracy: CheckList", ACL)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stance.evaluation.behaviour_suite import Case, Check, Suite
from stance.schema import Speaker, Statement
from stance.statistics.wilson import wilson

if TYPE_CHECKING:
    from stance.model import StanceClassifier

__all__ = ["BehaviourExample", "BehaviourResult", "run_suite"]

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class BehaviourExample:
    """One check that failed (or passed), to read.

    Parameters
    ----------
    statement, speaker
        What the model read.
    before
        The unchanged statement, where the check compares with it.
    expected, found
        Labels per target.
    """

    statement: str
    speaker: str
    before: str | None
    expected: Mapping[str, str]
    found: Mapping[str, str]


@dataclass(frozen=True)
class BehaviourResult:
    """Pass rate of one test, or of a kind of tests (empty name), with its 95 % interval by Wilson."""

    kind: str
    name: str
    checks: int
    passed: int
    failures: tuple[BehaviourExample, ...] = ()
    successes: tuple[BehaviourExample, ...] = ()

    @property
    def rate(self) -> float:
        """Share of checks passed."""
        return self.passed / self.checks

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval; the checks of a test share a template, so read it as a lower bound of the doubt."""
        return wilson(self.passed, self.checks)


def run_suite(
    classifier: StanceClassifier, suite: Suite, targets: Sequence[str], seed: int = 0
) -> list[BehaviourResult]:
    """Run the tests and return their pass rates: each kind first, then its tests.

    A check passes if every label it names comes out; sameness compares with the model's own answer to the
    unchanged statement, right or wrong.
    """
    cases = list(suite.cases(targets, seed))
    checks = {(c.statement, c.speaker): c for case in cases for c in (case.base, *case.variants)}
    statements = [_statement(i, check) for i, check in enumerate(checks.values())]
    if not statements:
        return []
    p, _ = classifier.predict_proba(statements, targets)
    labels = classifier.labels
    answers = {
        key: {t: labels[j] for t, j in zip(targets, row, strict=True)}
        for key, row in zip(checks, p.argmax(axis=-1), strict=True)
    }
    found: dict[tuple[str, str], list[tuple[bool, BehaviourExample]]] = {}
    for case in cases:
        found.setdefault((case.kind, case.name), []).extend(_judged(case, answers))
    out: list[BehaviourResult] = []
    for kind in dict.fromkeys(kind for kind, _ in found):
        tests = [_result(kind, name, judged) for (k, name), judged in found.items() if k == kind]
        total = BehaviourResult(kind, "", sum(t.checks for t in tests), sum(t.passed for t in tests))
        out += [total, *tests]
    return out


def _statement(number: int, check: Check) -> Statement:
    speaker = Speaker(check.speaker, check.speaker) if check.speaker else None
    return Statement(id=f"behaviour-{number}", text=check.statement, speaker=speaker)


def _judged(case: Case, answers: Mapping[tuple[str, str], Mapping[str, str]]) -> list[tuple[bool, BehaviourExample]]:
    before = answers[case.base.statement, case.base.speaker]
    out = []
    for check in ([case.base] if case.base.expect else []) + list(case.variants):
        got = answers[check.statement, check.speaker]
        expected = {**{new: before[old] for old, new in check.same}, **check.expect}
        shown = {target: got[target] for target in expected}
        changed = case.base.statement if check.same else None
        example = BehaviourExample(check.statement, check.speaker, changed, expected, shown)
        out.append((shown == expected, example))
    return out


def _result(kind: str, name: str, judged: Sequence[tuple[bool, BehaviourExample]]) -> BehaviourResult:
    failures = [example for passed, example in judged if not passed]
    successes = [example for passed, example in judged if passed]
    return BehaviourResult(kind, name, len(judged), len(successes), tuple(failures[:_SHOWN]), tuple(successes[:1]))
