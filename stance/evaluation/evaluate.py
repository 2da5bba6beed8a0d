"""The road from corpus and model to an `Evaluation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import stance
from stance.articles import Notices, read_any_records
from stance.corpus import Corpus, Leak, find_leaks, read_corpus
from stance.errors import InputError, MissingExtraError, Rejection, UsageError
from stance.evaluation.baselines import baselines
from stance.evaluation.behaviour import run_suite
from stance.evaluation.behaviour_suite import load_suite
from stance.evaluation.calibration import calibration
from stance.evaluation.comparison import compare
from stance.evaluation.endtoend import (
    EndToEnd,
    GoldArticle,
    articles_corpus,
    is_articles_corpus,
    read_gold_articles,
    score_articles,
)
from stance.evaluation.figures import numbers
from stance.evaluation.items import (
    Items,
    Predictions,
    choose_split,
    classifier_predictions,
    labelled_items,
    stored_predictions,
)
from stance.evaluation.result import Evaluation, System
from stance.evaluation.slices import find_slices
from stance.evaluation.suspects import confident_mistakes, label_suspects
from stance.schema import Target
from stance.statistics.resampling import ClusterDraws

if TYPE_CHECKING:
    from stance.model import StanceClassifier

__all__ = ["Options", "evaluate"]

_STORED = (".jsonl", ".parquet", ".csv")
_FEW = 30
_EXPLAINED = 12


@dataclass(frozen=True, slots=True)
class Options:
    """How an evaluation is made; shared by the command and the Python call.

    Parameters
    ----------
    against
        Other models (folders) or stored predictions (``.jsonl``, ``.parquet``, ``.csv`` files of the row contract).
    split
        Split to evaluate; ``test`` if there is one.
    targets
        Evaluate these targets only.
    resamples, seed
        Of the bootstrap.
    behaviour
        Whether behaviour tests run; they need a model, not stored predictions.
    behaviour_file
        Tests of your own instead of the package's.
    explain
        Whether shown mistakes get token attributions; needs a model.
    """

    against: tuple[str, ...] = ()
    split: str | None = None
    targets: tuple[str, ...] | None = None
    resamples: int = 10_000
    seed: int = 0
    behaviour: bool = True
    behaviour_file: str | None = None
    explain: bool = True


def evaluate(
    corpus: str | Path | Corpus,
    model: str | Path | StanceClassifier | None = None,
    options: Options | None = None,
    *,
    on_reject: Callable[[Rejection], None] | None = None,
) -> Evaluation:
    """Evaluate a model on a labelled corpus.

    Parameters
    ----------
    corpus
        A corpus, anything `read_corpus` reads, or JSONL of whole articles with gold statements.
    model
        A model folder, a file of stored predictions, or a loaded model; the shipped model if not given.
    options
        See `Options`.
    on_reject
        Called for each record of the corpus left out; if not given, the first one raises.

    Raises
    ------
    StanceError
        If corpus, model or predictions cannot be read, or options contradict each other.
    MissingExtraError
        If scikit-learn, SciPy or datasketch is not installed.
    """
    options = options or Options()
    if options.resamples < 1:
        raise UsageError(f"resamples must be at least 1, found {options.resamples}")
    _require_extra()
    articles: tuple[GoldArticle, ...] = ()
    if not isinstance(corpus, Corpus):
        if is_articles_corpus(corpus):
            articles = read_gold_articles(corpus, on_reject=on_reject)
            corpus = articles_corpus(articles, Path(corpus).stem)
        else:
            corpus = read_corpus(corpus, on_reject=on_reject)
    if options.targets:
        corpus = replace(corpus, targets=options.targets)
    split = choose_split(corpus, options.split)
    sources = [_loaded(source) for source in (model, *options.against)]
    extra = [label for source in sources if not isinstance(source, _Stored) for label in source.labels]
    items = labelled_items(corpus, split, extra)
    draws = ClusterDraws(items.clusters, resamples=options.resamples, seed=options.seed)
    answers = [_answers(source, items) for source in sources]
    train = () if split == "train" else corpus.splits.get("train", ())
    trivial, notes = baselines(items, train, options.seed)
    systems = [System(p, numbers(items, p, draws), calibration(items, p, draws)) for p in (*answers, *trivial)]
    slices, worst = find_slices(items, answers[0], draws)
    leaks = _leaks(corpus, split)
    mistakes = confident_mistakes(items, answers[0])
    suspects, suspected = label_suspects(items, answers[0])
    classifier = None if isinstance(sources[0], _Stored) else sources[0]
    result = Evaluation(
        items,
        systems,
        compare(items, answers[0], [*answers[1:], *trivial], draws),
        slices,
        worst,
        mistakes,
        suspects,
        suspected,
        leaks,
        _attributions(classifier, items, mistakes) if classifier and options.explain else {},
        run_suite(classifier, load_suite(options.behaviour_file), items.targets, options.seed)
        if classifier and options.behaviour and _speaks(classifier, options)
        else (),
        _end_to_end(articles, classifier, items, options) if articles and classifier else None,
        (),
        _run(items, corpus, options),
    )
    return _with_notes(result, corpus, answers[0], classifier, options, [*notes, *_end_notes(articles, classifier)])


def _require_extra() -> None:
    try:
        import datasketch  # noqa: F401
        import scipy  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("an evaluation", "report") from error


@dataclass(frozen=True, slots=True)
class _Stored:
    path: str


def _loaded(source: str | Path | StanceClassifier | None) -> StanceClassifier | _Stored:
    if source is None or isinstance(source, str | Path):
        if source is not None and Path(source).suffix.lower() in _STORED:
            return _Stored(str(source))
        from stance.model import StanceClassifier

        return StanceClassifier.from_pretrained(source)
    return source


def _answers(source: StanceClassifier | _Stored, items: Items) -> Predictions:
    if not isinstance(source, _Stored):
        return classifier_predictions(source, items)
    rows = [record for _, record in read_any_records(source.path, Notices(None, None, InputError), None)]
    names = {str(row["model"]) for row in rows if row.get("model")}
    name = names.pop() if len(names) == 1 else Path(source.path).name
    return stored_predictions(rows, items, name, source.path)


def _leaks(corpus: Corpus, split: str) -> tuple[Leak, ...]:
    """Return the leaks between the evaluated split and the others the model may have learnt from."""
    return tuple(leak for leak in find_leaks(corpus) if split in (leak.split, leak.other_split))


def _attributions(
    classifier: StanceClassifier, items: Items, shown: Sequence[int]
) -> dict[int, list[tuple[str, int, int, float]]]:
    from stance.model.explain import explain

    out: dict[int, list[tuple[str, int, int, float]]] = {}
    for i in shown[:_EXPLAINED]:
        statement = items.records[items.record[i]].statement
        out[i] = [(*part,) for part in explain(classifier, statement, items.targets[items.target[i]])]
    return out


def _speaks(classifier: StanceClassifier, options: Options) -> bool:
    """Tell whether the model knows the labels that the behaviour tests expect."""
    return load_suite(options.behaviour_file).labels() <= set(classifier.labels)


def _end_to_end(
    articles: Sequence[GoldArticle], classifier: StanceClassifier, items: Items, options: Options
) -> EndToEnd:
    from stance.scoring import Scorer

    scorer = Scorer(classifier, [Target(name) for name in items.targets])
    rows = list(scorer.score_many(each.article for each in articles))
    draws = ClusterDraws(len(articles), resamples=options.resamples, seed=options.seed)
    return score_articles(articles, rows, items.targets, draws)


def _end_notes(articles: Sequence[GoldArticle], classifier: StanceClassifier | None) -> list[str]:
    if articles and classifier is None:
        return ["Stored predictions hold no extraction of their own: the articles were not scored end to end."]
    return []


def _run(items: Items, corpus: Corpus, options: Options) -> dict[str, str | int | float | None]:
    import scipy
    import sklearn

    return {
        "stance": stance.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
        "resamples": options.resamples,
        "seed": options.seed,
        "split": items.split,
        "train_statements": len(corpus.splits.get("train", ())) if items.split != "train" else 0,
    }


def _with_notes(
    result: Evaluation,
    corpus: Corpus,
    model: Predictions,
    classifier: StanceClassifier | None,
    options: Options,
    notes: list[str],
) -> Evaluation:
    """Say everything that is degenerate, missing or left out."""

    items = result.items
    return replace(
        result, notes=[*_data_notes(items, corpus), *_model_notes(result, model, classifier, options), *notes]
    )


def _data_notes(items: Items, corpus: Corpus) -> list[str]:
    notes = []
    if len(items.records) < _FEW:
        notes.append(f"Only {len(items.records)} statements: read the intervals, not the figures.")
    if items.clusters < 2:
        notes.append("All statements come from one document: no interval can be given.")
    elif items.clusters < 20:
        notes.append(f"Only {items.clusters} documents: intervals are rough.")
    unlabelled = len(corpus.splits[items.split]) - len(items.records)
    if unlabelled:
        notes.append(f"{unlabelled} statement(s) without any label were left out.")
    missing = len(items.records) * len(items.targets) - len(items)
    if missing:
        notes.append(f"{missing} of {len(items.records) * len(items.targets)} labels are missing (-1) and left out.")
    for j, target in enumerate(items.targets):
        gold = items.gold[items.target == j]
        absent = [label for i, label in enumerate(items.labels) if i not in gold]
        if not len(gold):
            notes.append(f"No statement is labelled for {target}: its figures are undefined.")
        elif absent:
            notes.append(f"{target}: no gold label {', '.join(absent)}; macro averages there are over the others.")
    return notes


def _model_notes(
    result: Evaluation, model: Predictions, classifier: StanceClassifier | None, options: Options
) -> list[str]:
    items, notes = result.items, []
    if classifier is not None:
        foreign = [label for label in items.labels if label not in classifier.labels]
        if foreign:
            counts = Counter(int(g) for g in items.gold)
            hit = sum(counts[items.labels.index(label)] for label in foreign)
            notes.append(f"The model has no label {', '.join(foreign)}: it cannot get those {hit} item(s) right.")
        if options.behaviour and not result.behaviour:
            notes.append("Behaviour tests were not run: the model lacks labels they expect.")
    elif options.behaviour:
        notes.append("Behaviour tests need a model; stored predictions were evaluated.")
    if model.probabilities is None:
        notes.append("The predictions carry no probabilities: no calibration, average precision or label check.")
    if model.truncated.any():
        cut = len(set(items.record[model.truncated].tolist()))
        notes.append(f"The model did not see the end of {cut} statement(s).")
    if result.leaks:
        notes.append(f"{len(result.leaks)} pair(s) of statements leak between splits: figures may be too good.")
    return notes
