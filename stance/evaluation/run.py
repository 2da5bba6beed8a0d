"""The road from corpus and model to an `Evaluation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import stance
from stance.articles import Notices, read_any_records
from stance.corpus import Corpus, Leak, find_leaks, read_corpus
from stance.errors import InputError, MissingExtraError, Rejection, UsageError
from stance.evaluation.baselines import baselines
from stance.evaluation.behaviour import BehaviourResult, run_suite
from stance.evaluation.behaviour_suite import Suite, load_suite
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
from stance.evaluation.notes import data_notes, model_notes, rejection_notes
from stance.evaluation.result import Evaluation, System
from stance.evaluation.slices import find_slices
from stance.evaluation.suspects import confident_mistakes, label_suspects
from stance.schema import Target
from stance.statistics.resampling import ClusterDraws
from stance.targets import resolve_targets

if TYPE_CHECKING:
    from stance.model import StanceClassifier

__all__ = ["Options", "evaluate"]

_STORED = (".jsonl", ".parquet", ".csv")


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
        Evaluate these targets only; an alias of a default target stands for it.
    resamples, seed
        Of the bootstrap.
    behaviour
        Whether behaviour tests run; they need a model, not stored predictions.
    behaviour_file
        Tests of your own instead of the package's.
    explain
        Whether shown mistakes and suspected labels get token attributions; needs a model.

    Raises
    ------
    UsageError
        If `resamples` is not positive.
    """

    against: tuple[str, ...] = ()
    split: str | None = None
    targets: tuple[str, ...] | None = None
    resamples: int = 10_000
    seed: int = 0
    behaviour: bool = True
    behaviour_file: str | None = None
    explain: bool = True

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise UsageError(f"resamples must be at least 1, found {self.resamples}")


def evaluate(
    corpus: str | Path | Corpus,
    model: str | Path | StanceClassifier | None = None,
    options: Options | None = None,
    *,
    on_reject: Callable[[Rejection], None] | None = None,
    progress: Callable[[str], None] | None = None,
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
    progress
        Told what begins, in a few words.

    Raises
    ------
    StanceError
        If corpus, model or predictions cannot be read, or options contradict each other.
    MissingExtraError
        If scikit-learn, SciPy or datasketch is not installed.
    """
    options = options or Options()
    say = progress or (lambda _: None)
    _require_extra()
    suite = load_suite(options.behaviour_file) if options.behaviour else None
    say("reading the corpus")
    labelled, articles, left_out = _read(corpus, options, on_reject)
    split = choose_split(labelled, options.split)
    sources = [_loaded(source) for source in (model, *options.against)]
    items = labelled_items(labelled, split, [label for source in sources for label in source.labels])
    train = () if split == "train" else labelled.splits.get("train", ())
    say(f"asking about {len(items.records)} statements")
    answers = [_answers(source, items) for source in sources]
    say("training baselines")
    trivial, said = baselines(items, train, options.seed)
    answers = _apart([*answers, *trivial])
    say(f"comparing {len(answers)} systems, {options.resamples} resamples")
    result = replace(_judged(items, answers, _leaks(labelled, split), options), run=_run(items, labelled, options))
    if (classifier := None if isinstance(sources[0], _Stored) else sources[0]) is not None:
        say("asking the model what only it can show")
        result = _asked(result, classifier, articles, options, suite)
    elif articles:
        said.append("Stored predictions hold no extraction of their own: the articles were not scored end to end.")
    about = model_notes(result, classifier, suite)
    return replace(result, notes=[*left_out, *data_notes(items, labelled), *about, *said])


def _read(
    corpus: str | Path | Corpus, options: Options, on_reject: Callable[[Rejection], None] | None
) -> tuple[Corpus, tuple[GoldArticle, ...], list[str]]:
    """Return the labelled statements, the whole articles they come from if there are such, and what was left out."""
    articles: tuple[GoldArticle, ...] = ()
    rules: Counter[str] = Counter()

    def reject(rejection: Rejection) -> None:
        rules[rejection.rule] += 1
        if on_reject is not None:
            on_reject(rejection)

    if not isinstance(corpus, Corpus):
        report = reject if on_reject else None
        if is_articles_corpus(corpus):
            articles = read_gold_articles(corpus, on_reject=report)
            corpus = articles_corpus(articles, Path(corpus).stem)
        else:
            corpus = read_corpus(corpus, on_reject=report)
    if options.targets:
        corpus = replace(corpus, targets=_chosen(options.targets, corpus))
    return corpus, articles, rejection_notes(rules)


def _chosen(names: Sequence[str], corpus: Corpus) -> tuple[str, ...]:
    """Return the corpus's targets for some names, which may be aliases; a name it has no target for stays as it is."""
    known = {name.casefold(): name for name in corpus.targets}
    chosen = []
    for name in names:
        default = resolve_targets([name])[0].name
        chosen.append(known.get(name.casefold(), known.get(default.casefold(), name)))
    if not set(chosen) & set(corpus.targets):
        raise UsageError(f"{corpus.name} has no target {', '.join(names)}; it has {', '.join(corpus.targets)}")
    return tuple(dict.fromkeys(chosen))


def _apart(answers: Sequence[Predictions]) -> list[Predictions]:
    """Return the answers with a number after each name that an earlier one has."""
    seen: Counter[str] = Counter()
    out = []
    for each in answers:
        seen[each.name] += 1
        out.append(each if seen[each.name] == 1 else replace(each, name=f"{each.name} ({seen[each.name]})"))
    return out


def _judged(items: Items, answers: Sequence[Predictions], leaks: tuple[Leak, ...], options: Options) -> Evaluation:
    """Return what the answers alone show; the model's come first."""
    draws = ClusterDraws(items.clusters, resamples=options.resamples, seed=options.seed)
    model, *others = answers
    slices, worst = find_slices(items, model, draws)
    suspects, suspected = label_suspects(items, model)
    return Evaluation(
        items,
        [System(p, numbers(items, p, draws), calibration(items, p, draws)) for p in answers],
        compare(items, model, others, draws),
        slices,
        worst,
        confident_mistakes(items, model),
        suspects,
        suspected,
        leaks,
    )


def _asked(
    result: Evaluation,
    classifier: StanceClassifier,
    articles: Sequence[GoldArticle],
    options: Options,
    suite: Suite | None,
) -> Evaluation:
    """Add what only the model itself can show: attributions, behaviour, whole articles."""
    items = result.items
    behaviour: Sequence[BehaviourResult] = ()
    if suite is not None and suite.labels() <= set(classifier.labels):
        behaviour = run_suite(classifier, suite, items.targets, options.seed)
    shown = dict.fromkeys([*result.mistakes, *(suspect.item for suspect in result.suspects)])
    return replace(
        result,
        attributions=_attributions(classifier, items, result.model.predictions, shown) if options.explain else {},
        behaviour=behaviour,
        end_to_end=_end_to_end(articles, classifier, items, options) if articles else None,
    )


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
    labels: tuple[str, ...] = ()


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
    found = find_leaks(corpus) if len(corpus.splits) > 1 else ()
    return tuple(leak for leak in found if split in (leak.split, leak.other_split))


def _attributions(
    classifier: StanceClassifier, items: Items, given: Predictions, shown: Iterable[int]
) -> dict[int, list[tuple[str, int, int, float]]]:
    """Attribute the label that each item was given, asked about all targets together as it was then."""
    from stance.model.explain import explain

    out: dict[int, list[tuple[str, int, int, float]]] = {}
    for i in shown:
        statement, target = items.records[items.record[i]].statement, items.targets[items.target[i]]
        label = items.labels[given.predicted[i]]
        parts = explain(classifier, statement, target, targets=items.targets, label=label)
        out[i] = [(*part,) for part in parts]
    return out


def _end_to_end(
    articles: Sequence[GoldArticle], classifier: StanceClassifier, items: Items, options: Options
) -> EndToEnd:
    from stance.scoring import Scorer

    scorer = Scorer(classifier, [Target(name) for name in items.targets])
    rows = list(scorer.score_many(each.article for each in articles))
    draws = ClusterDraws(len(articles), resamples=options.resamples, seed=options.seed)
    return score_articles(articles, rows, items.targets, draws)


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
        "splits": len(corpus.splits),
        "train_statements": len(corpus.splits.get("train", ())) if items.split != "train" else 0,
    }
