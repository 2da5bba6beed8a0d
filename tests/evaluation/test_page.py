import re
from dataclasses import replace
from importlib.resources import files

import pytest

from stance.evaluation import evaluate
from stance.evaluation.behaviour import BehaviourExample, BehaviourResult
from stance.evaluation.page import page
from tests.evaluation.test_evaluate import QUICK, corpus

TEXT = [
    *(("ink", wash) for wash in ("page", "card", "wash", "accent-wash")),
    *(("soft", wash) for wash in ("page", "card", "wash", "accent-wash")),
    *(("accent", "card"), ("good", "good-wash"), ("bad", "bad-wash"), ("warn", "warn-wash")),
]
SHADED = [("heat", 0.62), ("plus", 0.85), ("minus", 0.85)]


def palettes():
    css = (files("stance") / "data" / "evaluation.css").read_text(encoding="utf-8")
    found = [
        dict(re.findall(r"--([\w-]+):\s*([^;]+);", block)) for block in re.findall(r"\{[^{}]*--page:[^{}]*\}", css)
    ]
    assert len(found) == 4  # light, dark by the system, dark by the button, paper
    return [{name: colour(value) for name, value in one.items()} for one in found]


def colour(value):
    if value.startswith("#"):
        digits = value[1:] if len(value) == 7 else "".join(2 * digit for digit in value[1:])
        return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]
    return [int(part) for part in value.split(",")]


def contrast(one, other):
    """Contrast of two colours as in WCAG 2.2."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in rgb)]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", palettes(), ids=["light", "dark", "dark by the button", "paper"])
def test_words_can_be_read_on_every_ground(colours):
    for ink, ground in TEXT:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for tone, alpha in SHADED:
        ground = [alpha * a + (1 - alpha) * b for a, b in zip(colours[tone], colours["card"], strict=True)]
        assert contrast(colours["ink"], ground) >= 4.5, tone


@pytest.fixture
def small(tiny):
    rows = [(f"Russia did {word}", "against", "favor") for word in ("this", "that", "more", "less")]
    return evaluate(corpus(rows), tiny, QUICK)


def test_page_says_what_a_suspected_label_is_and_that_one_split_leaks_nowhere(small, tiny):
    html = page(small)
    assert "A suspected label error is a gold label that the model contradicts with confidence" in html
    assert f"{small.suspected} of 8 labels are suspected" in html
    assert "The corpus has one split" in html
    assert "repeats one of another split" not in html
    train = tuple(replace(record, document=f"other {record.document}") for record in small.items.records)
    two = evaluate(corpus([("Russia is kind", "favor", None)], train=train), tiny, QUICK)
    assert "repeats one of another split" in page(two)


def test_without_probabilities_no_label_is_checked(small):
    silent = replace(small.model, predictions=replace(small.model.predictions, probabilities=None), calibration=None)
    html = page(replace(small, systems=[silent, *small.systems[1:]], suspects=[], suspected=0))
    assert "labels cannot be checked" in html
    assert "labels are suspected" not in html


def test_behaviour_shows_what_failed_and_what_passed(small):
    bad = BehaviourExample("We <trust> Russia.", "a clerk", None, {"Russia": "favor"}, {"Russia": "against"})
    good = BehaviourExample("We thank Russia.", "a clerk", None, {"Russia": "favor"}, {"Russia": "favor"})
    html = page(replace(small, behaviour=[BehaviourResult("negation", "trust", 2, 1, (bad,), (good,))]))
    assert "Examples that failed (1 shown)" in html
    assert "Examples that passed (1 shown)" in html
    assert "We &lt;trust&gt; Russia." in html
    assert "We thank Russia." in html
