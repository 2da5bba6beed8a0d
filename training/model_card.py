"""The model card that ships beside the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stance.learning import Example
from stance.model import StanceClassifier
from training.agreement import read_how_often
from training.corpora import country_stance
from training.distillation import unlabelled
from training.recipe import DEFAULT, Distillation, Stage, load_recipe, training_examples
from training.teachers import Stored

__all__ = ["LATER", "licences", "model_card", "sources"]

_LICENCES = {
    "dse": "DSE none stated",
    "newsmtsc": "NewsMTSC MIT",
    "polnear": "PolNeAR none stated, published for research",
    "unscon": "UNSCon CC BY-SA",
}
"""What corpora of others state, as published; headlines and government texts come without a licence of their own."""

_READERS = tuple("abcdefghi")
LATER = tuple(f"own-{letter}-" for letter in "jklmn")
"""Readers whose labels the shipped weights were trained on, and our own statements that came after them."""

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

| corpus, train split | examples | licence as published |
| --- | --- | --- |
| NewsMTSC (fhamborg/NewsMTSC) | {newsmtsc:,} | MIT |
| DSE (bywords/directed_sentiment_analysis) | {dse:,} | none stated |
| country-stance: {sources} | {country:,} | labels this project's; texts their owners' ({licences}) |
| this project's own statements (`training/own/`) | {own:,} | this project's |
| without their labels, to imitate teachers on: {unlabelled} | {unlabelled_all:,} | {unlabelled_licences} |

Counted are the distinct examples that there are to train on, but for labels and statements that came after the weights
(readers j to m, our own j to n), after those that repeat a held-out statement (Jaccard similarity of word 3-grams of at
least 0.5), hold one among other words or stand within one were left out. The weights are older than some of these
filters: they also learned from 8 examples whose statements hold a held-out one among other words (5) or stand within
one (3), and imitated teachers, without labels, on 84 statements of test and 17 of validation documents
(`docs/model.md`, "Put right after the fourth release").
The encoder it starts from, sentence-transformers/all-MiniLM-L6-v2, is Apache-2.0; the word vectors stay those of that
encoder.

The weights were made in seven stages, before the recipe of `configs/default_model.yaml` took its present form
(`docs/model.md`). The last two are distillation: beside the labels the model imitates the mean probabilities of itself,
as it stood before, and of a larger teacher (`{teacher}`). The teacher is
sentence-transformers/all-mpnet-base-v2 (110 M weights,
Apache-2.0), fine-tuned on the same corpora by `configs/teacher_model.yaml`; its {answers:,} answers are kept in
`training/labels/beliefs.npz`, and it is itself no part of the model.

The labels of country-stance are those of the corpus and of `training/labels`: readings by language models that follow
the project's guide. Of the {read.statements:,} training statements {read.once:,} were read once. Of the
others, all readings of {read.alike:,} agree; those of {read.decided:,} differ, and there are at least three to
decide; of {read.first:,} two readings differ, and the first one's labels stand. Each validation and test statement
was read at least twice: {validation.alike:,} and {test.alike:,} alike, {validation.decided:,} and {test.decided:,}
differently and settled by a third reading (`python -m training.agreement`).

No sentence of the public corpora is part of this repository. `python -m training.build -o FOLDER` trains a model of
this kind by the recipe as it is now.

## Figures

Macro-F1 and accuracy with 95 % intervals from 10,000 bootstrap resamples of whole documents; paired comparisons draw
the same documents for both systems and correct p-values by Holm. Macro-F1 is the mean over the labels that occur in
gold, in each resample as well. Printed by `python -m training.evaluate`.

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
    recipe, config = load_recipe(DEFAULT), classifier.config
    corpora = dict.fromkeys(name for stage in recipe.stages for name in stage.repeat)
    trained = {name: training_examples(data, Stage({name: 1}, _READERS)) for name in corpora}
    trained["own"] = [e for e in trained["own"] if not e.statement.id.startswith(LATER)]
    country, teacher = trained["country_stance"], Stored()
    added = unlabelled(data, recipe.stages[-1].distillation or Distillation(()))
    return _CARD.format(
        id=classifier.id,
        newsmtsc=len(trained["newsmtsc"]),
        dse=len(trained["dse"]),
        country=len(country),
        sources=sources(country),
        licences=licences(country),
        own=len(trained["own"]),
        unlabelled=sources(added),
        unlabelled_all=len(added),
        unlabelled_licences=licences(added),
        teacher=teacher.id,
        answers=len(teacher),
        read=read_how_often(data, country, _READERS),
        validation=read_how_often(data, list(country_stance.read(data, "validation"))),
        test=read_how_often(data, list(country_stance.read(data, "test"))),
        labels=", ".join(f"`{label}`" for label in classifier.labels),
        context=config.context_tokens,
        temperature=config.calibration_temperature,
        scope=", ".join(f"`{label}`" for label in config.abstain_scope or config.labels),
        threshold=config.abstain_threshold,
        elsewhere=config.abstain_threshold_elsewhere,
        risk=config.abstain_risk,
        tables="\n".join(tables),
    )


def sources(examples: Sequence[Example]) -> str:
    """Return how many examples each corpus gives, the largest first."""
    return ", ".join(f"{name} {count:,}" for name, count in Counter(e.corpus for e in examples).most_common())


def licences(examples: Sequence[Example]) -> str:
    """Return the licences of the corpora that examples come from, as published."""
    return ", ".join(_LICENCES[name] for name in sorted({e.corpus for e in examples} & _LICENCES.keys()))
