"""Fine-tuning on a corpus of the user's: new labels for known targets, new targets, or a new label set."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from stance.errors import Rejection, UsageError
from stance.learning.calibration import calibrate
from stance.learning.examples import Example
from stance.learning.stopping import KeepBest, macro_f1
from stance.learning.trainer import FitOptions, fit
from stance.model import StanceClassifier
from stance.targets import default_targets

if TYPE_CHECKING:
    from stance.corpus import Corpus

__all__ = ["FineTuned", "corpus_examples", "fine_tune", "remembered"]


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned model and how it came about.

    Parameters
    ----------
    classifier
        The model, on disk in the output folder.
    before, after
        Macro-F1 per split that was held out, before and after training; `before` is empty when the label set is new.
    history
        Validation macro-F1 of each epoch.
    counts
        Labelled statements per split.
    """

    classifier: StanceClassifier
    before: dict[str, float]
    after: dict[str, float]
    history: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def fine_tune(
    corpus: Corpus,
    *,
    output: str | Path,
    base: str | Path | StanceClassifier | None = None,
    options: FitOptions | None = None,
    name: str | None = None,
    remember: bool | None = None,
    patience: int = 2,
    min_steps: int = 60,
    risk: float = 0.15,
    on_warn: Callable[[Rejection], None] | None = None,
) -> FineTuned:
    """Fine-tune a stance model on a corpus and save it.

    Parameters
    ----------
    corpus
        Needs a split ``train``; ``validation`` is used to stop early, to calibrate and to set the threshold for
        abstaining, ``test`` is only measured. Without ``validation`` a warning says that training runs all its epochs
        and that the model's old calibration stays; with a new label set there is none, and the probabilities are as
        the network gives them (temperature 1) and the model never abstains.
    output
        Folder to write the model and ``training.json`` to.
    base
        Model to start from, or its folder; the shipped one if not given. Changed in place if a classifier, and on the
        engine ``torch-fp32`` afterwards.
    options
        How to fit.
    name
        Name of the new model; the corpus's name if not given.
    remember
        Whether what the base model thinks of the default targets is imitated on the new statements, so that they are
        not forgotten (Li & Hoiem 2016, "Learning without forgetting", arXiv:1606.09282). Only with the same label set,
        in any order (the model keeps its own), and only for targets that fit one pass beside those of the statement.
        If not given, it is done where it can be; if true, a warning says why where it cannot.
    patience
        Epochs without a better validation score before training stops.
    min_steps
        Least number of steps: a small corpus is seen for more epochs, and training does not stop before.
    risk
        Share of wrong rows that is accepted among those the model does not abstain from: those labelled
        ``not_addressed``, and the others. With few validation statements no threshold can be shown to keep it, and
        the model abstains from every row.
    on_warn
        Told what the user should know; a Python warning if not given.

    Raises
    ------
    UsageError
        If the corpus has no training labels.
    """
    options = options or FitOptions()
    splits = {split: corpus_examples(corpus, split) for split in corpus.splits}
    train, validation = splits.get("train", []), splits.get("validation", [])
    if not train:
        raise UsageError(f"corpus {corpus.name}: no labelled statement in the split train")
    classifier = base if isinstance(base, StanceClassifier) else StanceClassifier.from_pretrained(base)
    if classifier.engine.name != "torch-fp32":
        classifier.use_engine("torch-fp32")  # so that before and after are measured alike
    learned = list(dict.fromkeys(target for example in train for target in example.labels))
    held = {split: examples for split, examples in splits.items() if split != "train" and examples}
    before: dict[str, float] = {}
    if known := set(corpus.labels) == set(classifier.labels):
        before = {split: macro_f1(classifier, examples) for split, examples in held.items()}
    train, off = _prepared(classifier, corpus, train, remember, options.seed)
    if remember and off:
        _warn(Rejection(corpus.name, None, "not-remembered", f"the default targets may be forgotten: {off}"), on_warn)
    if not validation:
        _warn(Rejection(corpus.name, None, "no-validation", _unchecked(corpus, known)), on_warn)
    classifier.config.name = name or corpus.name
    classifier.config.known_targets = _known_targets(classifier, learned) if known else learned
    keeper = KeepBest(classifier, validation, patience, min_steps) if validation else None
    steps_per_epoch = -(-len(train) // options.batch_size)
    epochs = max(options.epochs, -(-min_steps // steps_per_epoch))
    fit(classifier, train, replace(options, epochs=epochs), output=output, callbacks=[keeper] if keeper else [])
    if validation:
        calibrate(classifier, validation, risk)
    after = {split: macro_f1(classifier, examples) for split, examples in held.items()}
    classifier.save_pretrained(output)
    counts = {split: len(examples) for split, examples in splits.items()}
    result = FineTuned(classifier, before, after, keeper.history if keeper else [], counts)
    _write_record(Path(output), corpus, result, options)
    return result


def _prepared(
    classifier: StanceClassifier, corpus: Corpus, train: list[Example], remember: bool | None, seed: int
) -> tuple[list[Example], str]:
    """Give the model the corpus's labels, and the examples what is to be remembered; say why it is not, if so."""
    if set(corpus.labels) != set(classifier.labels):
        off = f"the labels of the model are others ({', '.join(classifier.labels)})"
        _relabel(classifier, corpus.labels, seed)
        return train, off
    train = train if remember is False else remembered(classifier, train)
    return train, _left_out(train, classifier.config.targets_per_pass)


def _known_targets(classifier: StanceClassifier, learned: Sequence[str]) -> list[str] | None:
    """Return what a model that keeps its labels is trained on by name; it stays untold where it was before."""
    before = classifier.config.known_targets
    return before if before is None else list(dict.fromkeys([*before, *learned]))


def corpus_examples(corpus: Corpus, split: str) -> list[Example]:
    """Return the statements of a split that have at least one label."""
    examples = []
    for record in corpus.splits[split]:
        labels = {target: label for target, label in record.labels.items() if label is not None}
        if labels:
            examples.append(Example(record.statement, labels, corpus=corpus.name, document=record.document))
    return examples


def remembered(classifier: StanceClassifier, examples: Sequence[Example]) -> list[Example]:
    """Add to each example what the classifier thinks of the default targets that have no label there."""
    targets = [target.name for target in default_targets()]
    p, _ = classifier.predict_proba([e.statement for e in examples], targets)
    room = classifier.config.targets_per_pass
    return [
        replace(
            example,
            beliefs={
                target: tuple(float(x) for x in q)
                for target, q in [(t, q) for t, q in zip(targets, row, strict=True) if t not in example.labels][
                    : max(0, room - len(example.labels))
                ]
            },
        )
        for example, row in zip(examples, p, strict=True)
    ]


def _left_out(examples: Sequence[Example], room: int) -> str:
    """Return why no example has beliefs; nothing if one has, or if the default targets all have labels of their own."""
    names = {target.name for target in default_targets()}
    if any(e.beliefs for e in examples) or all(names <= set(e.labels) for e in examples):
        return ""
    return f"the statements have {min(len(e.labels) for e in examples)} labels or more, and {room} targets share a pass"


def _unchecked(corpus: Corpus, known: bool) -> str:
    """Say what is not done without validation statements; `known` tells whether the labels are those of the model."""
    without = "the old calibration stays" if known else "probabilities are not calibrated, and the model never abstains"
    other = " (call the split dev so, to have it used)" if "dev" in corpus.splits else ""
    return f"no labelled statement in a split validation{other}: training runs all its epochs; {without}"


def _warn(notice: Rejection, on_warn: Callable[[Rejection], None] | None) -> None:
    if on_warn is None:
        warnings.warn(str(notice), stacklevel=3)
    else:
        on_warn(notice)


def _relabel(classifier: StanceClassifier, labels: Sequence[str], seed: int) -> None:
    """Give the head another label set; labels of the same name keep what was learned of them."""
    torch.manual_seed(seed)
    old = classifier.model.head[-1]
    if not isinstance(old, nn.Linear):
        raise TypeError("the head does not end in a linear layer")
    new = nn.Linear(old.in_features, len(labels))
    nn.init.normal_(new.weight, std=0.02)
    nn.init.zeros_(new.bias)
    with torch.no_grad():
        for i, label in enumerate(labels):
            if label in classifier.labels:
                j = classifier.labels.index(label)
                new.weight[i], new.bias[i] = old.weight[j], old.bias[j]
    classifier.model.head[-1] = new
    config = classifier.config
    config.labels = list(labels)
    config.calibration_temperature, config.abstain_risk, config.abstain_scope = 1.0, 1.0, None
    config.abstain_threshold = config.abstain_threshold_elsewhere = 0.0


def _write_record(folder: Path, corpus: Corpus, result: FineTuned, options: FitOptions) -> None:
    record: dict[str, Any] = {
        "model": result.classifier.id,
        "corpus": corpus.name,
        "targets": list(corpus.targets),
        "labels": list(result.classifier.labels),
        "statements": result.counts,
        "macro_f1_before": result.before,
        "macro_f1_after": result.after,
        "validation_by_epoch": result.history,
        "fit": asdict(options),
    }
    (folder / "training.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
