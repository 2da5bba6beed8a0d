"""Invented rows: two outlets of opposite slant and a quiet one."""

import itertools
import json

import numpy as np
import pytest

from stance.bias.confusion import shipped_metrics

MODEL = json.loads(shipped_metrics().read_text(encoding="utf-8"))["model"]
TARGETS = ("United States", "Russia", "China", "Ukraine")


def make_row(article, number, target, label, **changes):
    row = {
        "article_id": article,
        "outlet": "Harbor Ledger",
        "published": "2024-03-05",
        "statement_id": f"{article}-{number}",
        "quotation_id": f"{article}-{number}",
        "start": 100 * number,
        "end": 100 * number + 40,
        "quote_type": "direct",
        "statement": f"Invented words number {number} of {article}",
        "cue": "said",
        "speaker": "Ann Lee",
        "speaker_mention": "Lee",
        "speaker_country": "Poland",
        "target": target,
        "label": label,
        **{f"p_{x}": 0.91 if x == label else 0.03 for x in ("against", "neutral", "favor", "not_addressed")},
        "confidence": 0.91,
        "abstained": False,
        "truncated": False,
        "model": MODEL,
    }
    return row | changes


SLANTS = {
    "Harbor Ledger": (0.1, 0.2, 0.4, 0.3),
    "Metro Standard": (0.5, 0.2, 0.05, 0.25),
    "Steppe Observer": (0.2, 0.3, 0.2, 0.3),
}


def make_archive(articles=30, seed=0, own=True, slants=SLANTS, **changes):
    rng = np.random.default_rng(seed)
    labels = ("against", "neutral", "favor", "not_addressed")
    rows = []
    for (outlet, slant), number in itertools.product(slants.items(), range(articles)):
        article = f"{outlet.split()[0].lower()}-{seed}-{number}"
        head = {"outlet": outlet, "published": f"2024-{1 + number % 6:02d}-{1 + number % 27:02d}"} | changes
        for i in range(6):
            speaker = {"speaker": f"Speaker {i % 4}", "speaker_country": ("Poland", "Russia", None)[i % 3]}
            voice = (
                {"speaker": None, "speaker_country": None, "quote_type": None, "cue": None}
                if own and i > 3
                else speaker
            )
            words = (
                f"{outlet} invented {rng.integers(1e9)} sentence {rng.integers(1e9)} about {rng.integers(1e9)} matters"
            )
            for target in TARGETS:
                label = str(rng.choice(labels, p=slant))
                rows.append(make_row(article, i, target, label, **head, **voice, statement=words))
    return rows


@pytest.fixture(scope="session")
def rows():
    return make_archive()


@pytest.fixture(scope="session")
def report(rows):
    from stance.bias import ReportOptions, bias_report

    return bias_report(rows, options=ReportOptions(draws=400))
