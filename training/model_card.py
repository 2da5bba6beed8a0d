"""The model card that ships beside the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stance.model import StanceClassifier
from training.corpora import country_stance, own

__all__ = ["model_card"]

_CARD = """---
language: en
library_name: stance
base_model: sentence-transformers/all-MiniLM-L6-v2
pipeline_tag: text-classification
tags: [stance-detection, news, quotations]
---

# {id}

Labels the stance of a quoted or reported statement toward each target: {labels}. One encoder pass
(all-MiniLM-L6-v2, 22.7 M parameters) reads the speaker, the statement, up to {context} tokens of context on each
side and all targets. Probabilities are calibrated by temperature ({temperature:.2f}, fitted on validation).

Rows labelled {scope} whose confidence is under {threshold:.3f} are marked `abstained`, rows with another label under
{elsewhere:.3f}. Stated risk: of the rows of either kind that remain, at most {risk:.0%} are wrong, by an upper bound
of 95 % on validation (Geifman & El-Yaniv 2017, which takes rows as independent). Where the news differ from the
validation statements, so may the risk: see the table on abstaining for the test split.

## Intended use

Research on and monitoring of English news: who says what about the United States, Russia, China and Ukraine, in
numbers large enough that single errors average out. Not for judging a single person by a single row.

## Training data

| corpus | licence as published |
| --- | --- |
| NewsMTSC (fhamborg/NewsMTSC), train | MIT |
| DSE (bywords/directed_sentiment_analysis), train | none stated |
| country-stance, train: {sources} | labels this project's; texts their owners' (NewsMTSC MIT, UNSCon CC BY-SA) |
| this project's own statements (`training/own/`), train: {own:,} | this project's |

The labels of country-stance are those of the corpus and of `training/labels`: readings by language models that follow
the project's guide, single ones but for 600 that were read again; on 160 statements that had labels before, new
readings agreed with the old at kappa 0.88. Every test statement was read twice, and where the readings differ a third
has settled them (`python -m training.agreement`). The word vectors are those of the plain encoder.

No sentence of the public corpora is part of this repository. Training statements that repeat a held-out one (Jaccard
similarity of word 3-grams of at least 0.5) were left out. Rebuild:
`python -m training.build --ship`.

## Figures

Macro-F1 and accuracy with 95 % intervals from 10,000 bootstrap resamples of whole documents; paired comparisons draw
the same documents for both systems and correct p-values by Holm. Printed by `python -m training.evaluate`.

{tables}
## Limits

English only. Praise and blame of the United States and of China are rarest in news and the weakest labels; the table by
target shows how weak. Targets other than the four countries and the people and groups of US news are asked zero-shot.
"""


def model_card(classifier: StanceClassifier, tables: Sequence[str], data: Path) -> str:
    """Return the card in Markdown.

    Parameters
    ----------
    classifier
        The model.
    tables
        Tables of figures in Markdown.
    data
        Folder of the corpora.
    """
    counts = Counter(e.corpus for e in country_stance.read(data, "train"))
    config = classifier.config
    return _CARD.format(
        id=classifier.id,
        sources=", ".join(f"{name} {count:,}" for name, count in counts.most_common()),
        own=sum(1 for _ in own.read("train")),
        labels=", ".join(f"`{label}`" for label in classifier.labels),
        context=config.context_tokens,
        temperature=config.calibration_temperature,
        scope=", ".join(f"`{label}`" for label in config.abstain_scope or config.labels),
        threshold=config.abstain_threshold,
        elsewhere=config.abstain_threshold_elsewhere,
        risk=config.abstain_risk,
        tables="\n".join(tables),
    )
