"""Behaviour tests as data: the YAML file, its rules, and the statements its templates make."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import permutations, product
from pathlib import Path
from typing import Any

import yaml

from stance.errors import UsageError
from stance.evaluation.behaviour_rules import SLOT, TARGET_SLOTS, check_problem, file_problem

__all__ = ["Case", "Check", "Suite", "load_suite"]

_LARGEST = 40
"""Cases made of one test at most, chosen by a fixed seed."""


@dataclass(frozen=True, slots=True)
class Check:
    """A statement and what must come out.

    Parameters
    ----------
    statement, speaker
        The text and who says it (empty: nobody named).
    expect
        Label per target; empty if only sameness is asked.
    same
        Pairs of targets: the label of the second here must be that of the first in the unchanged statement.
    """

    statement: str
    speaker: str
    expect: Mapping[str, str]
    same: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One filled test: the unchanged statement and its variants."""

    kind: str
    name: str
    base: Check
    variants: tuple[Check, ...]


@dataclass(frozen=True)
class Suite:
    """Behaviour tests before they are filled.

    Parameters
    ----------
    forms
        Written forms by target.
    fill
        Values of the other slots.
    tests
        The tests, checked against the rules.
    """

    forms: Mapping[str, Mapping[str, Any]]
    fill: Mapping[str, Sequence[str]]
    tests: tuple[Mapping[str, Any], ...]

    def cases(self, targets: Sequence[str], seed: int = 0) -> Iterator[Case]:
        """Yield the filled tests for some targets; the same for the same seed."""
        for test in self.tests:
            found = list(self._filled(test, targets))
            if len(found) > _LARGEST:
                found = random.Random(f"{seed}:{test['name']}").sample(found, _LARGEST)
            yield from found

    def idle(self, targets: Sequence[str]) -> list[str]:
        """Return the names of the tests that make no statement: a target is missing, or one of its forms."""
        return [test["name"] for test in self.tests if next(self._filled(test, targets), None) is None]

    def labels(self) -> set[str]:
        """Return every label the tests expect."""
        parts = [part for test in self.tests for part in (test, *test.get("variants", ()))]
        return {label for part in parts for label in part.get("expect", {}).values()}

    def _filled(self, test: Mapping[str, Any], targets: Sequence[str]) -> Iterator[Case]:
        parts = [test, *test.get("variants", ())]
        texts = [str(part.get(key, "")) for part in parts for key in ("statement", "speaker")]
        used = {m[1] for text in texts for m in SLOT.finditer(text)}
        slots = [s for s in TARGET_SLOTS if s in used]
        others = sorted(used - set(slots))
        for chosen in permutations(targets, len(slots)):
            for values in product(*(self.fill[name] for name in others)):
                bound = dict(zip(slots, chosen, strict=True)) | dict(zip(others, values, strict=True))
                case = self._case(test, bound)
                if case and all(set(check.expect) <= set(targets) for check in (case.base, *case.variants)):
                    yield case

    def _case(self, test: Mapping[str, Any], bound: Mapping[str, str]) -> Case | None:
        base = self._check(test, {}, bound)
        if not base:
            return None
        made = [check for variant in test.get("variants", ()) for check in self._check(test, variant, bound)]
        return Case(test["kind"], test["name"], base[0], tuple(made)) if made or base[0].expect else None

    def _check(self, test: Mapping[str, Any], variant: Mapping[str, Any], bound: Mapping[str, str]) -> list[Check]:
        """Return the checks of a variant (or of the test itself), none where a form is missing."""
        now = dict(bound)
        if swap := variant.get("swap"):
            now[swap[0]], now[swap[1]] = bound[swap[1]], bound[swap[0]]
        template = str(variant.get("statement", test["statement"]))
        who = str(variant.get("speaker", test.get("speaker", "")))
        wanted = (variant if variant else test).get("expect", {})
        expect = {now.get(slot, slot): label for slot, label in wanted.items()}
        same = tuple((bound[slot], now[slot]) for slot in variant.get("same", ()))
        speakers = self._texts(who, now)
        out = []
        for text in self._texts(template, now):
            if typos := variant.get("typos"):
                text = _typos(text, int(typos), {f for s in bound.values() for f in self._all_forms(s)})
            if speakers:
                out.append(Check(text[:1].upper() + text[1:], speakers[0], expect, same))
        return out

    def _texts(self, template: str, bound: Mapping[str, str]) -> list[str]:
        """Fill a template; several texts where a slot stands for each alias."""
        found = [""]
        at = 0
        for match in SLOT.finditer(template):
            literal, values = template[at : match.start()], self._values(match[1], match[2], bound)
            found = [text + literal + value for text in found for value in values]
            at = match.end()
        return [text + template[at:] for text in found]

    def _values(self, slot: str, form: str | None, bound: Mapping[str, str]) -> list[str]:
        value = bound[slot]
        if slot not in TARGET_SLOTS:
            return [value]
        forms = self.forms.get(value, {})
        if form is None:
            return [str(forms.get("name", value))]
        given = forms.get(form, [])
        return [str(g) for g in given] if isinstance(given, list) else [str(given)]

    def _all_forms(self, target: str) -> set[str]:
        forms = self.forms.get(target, {})
        flat = [v for value in forms.values() for v in (value if isinstance(value, list) else [value])]
        return {word for text in (target, *map(str, flat)) for word in text.split()}


def _typos(text: str, count: int, spared: set[str]) -> str:
    """Exchange two inner neighbouring letters in some words; which ones depends on the text alone."""
    words = text.split(" ")
    able = [i for i, w in enumerate(words) if len(w) > 5 and w.isalpha() and w not in spared]
    rng = random.Random(text)
    for i in rng.sample(able, min(count, len(able))):
        word = words[i]
        places = [j for j in range(1, len(word) - 2) if word[j] != word[j + 1]]
        if places:
            j = rng.choice(places)
            words[i] = word[:j] + word[j + 1] + word[j] + word[j + 2 :]
    return " ".join(words)


def load_suite(path: str | Path | None = None) -> Suite:
    """Read a file of behaviour tests; the tests of the package if no path is given.

    A file may leave out ``forms`` and ``fill``; those of the package then hold.

    Raises
    ------
    UsageError
        If the file breaks a rule; names file, test (counted from 1) and rule.
    """
    own = files("stance") / "data" / "behaviour.yaml"
    shipped = _load(own.read_text(encoding="utf-8"), "stance/data/behaviour.yaml")
    if path is None:
        data, file = shipped, "stance/data/behaviour.yaml"
    else:
        file = str(path)
        try:
            data = _load(Path(path).read_text(encoding="utf-8"), file)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: cannot read behaviour tests: {error}") from error
    forms = {**shipped["forms"], **(data.get("forms") or {})}
    fill = {**shipped["fill"], **(data.get("fill") or {})}
    tests = data["tests"]
    for number, test in enumerate(tests, 1):
        if problem := check_problem(test, fill):
            raise UsageError(f"{file}, test {number}: {problem}")
    return Suite(forms, fill, tuple(tests))


def _load(text: str, file: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: not valid YAML: {error}") from error
    if problem := file_problem(data):
        raise UsageError(f"{file}: {problem}")
    return dict(data)
