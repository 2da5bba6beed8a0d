"""``stance train``, ``evaluate``, ``annotate`` and ``agreement``: what is done with a labelled corpus."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

from stance.commands.printing import Notices, print_table, told_on_stderr
from stance.errors import Rejection

__all__ = ["agreement", "annotate", "evaluate", "train"]

_FIGURES = 5  # columns of an evaluation's tables that fit on a terminal; the report has all


def train(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance train``."""
    from stance.corpus import find_leaks, read_corpus
    from stance.learning.config import load_training_config

    config = load_training_config(arguments.config)
    corpus = read_corpus(config.corpus, labels=config.labels, targets=config.targets, on_reject=notices.reject)
    for leak in find_leaks(corpus):
        notices.warn(Rejection(config.corpus, None, "leak", str(leak)))
    from stance.learning import fine_tune

    result = fine_tune(
        corpus,
        output=config.output,
        base=config.base,
        options=config.fit,
        name=config.name,
        remember=config.remember,
        patience=config.patience,
        min_steps=config.min_steps,
        risk=config.risk,
        on_warn=notices.warn,
    )
    from stance.scoring.display import training_table

    print_table(lambda: training_table(result), [result])
    print(f"{result.classifier.id} is in {config.output}")
    return notices.finish(None)


def evaluate(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance evaluate``."""
    from stance.evaluation import Options, evaluate, write_report
    from stance.evaluation.metrics_file import metrics
    from stance.evaluation.show import paper_tables
    from stance.evaluation.writing import check_folder
    from stance.scoring.display import figures_table

    options = Options(
        against=tuple(arguments.against),
        split=arguments.split,
        targets=tuple(name.strip() for name in arguments.targets.split(",")) if arguments.targets else None,
        resamples=arguments.resamples,
        seed=arguments.seed,
        behaviour=not arguments.no_behaviour,
        behaviour_file=arguments.behaviour,
        explain=not (arguments.no_explain or arguments.no_text or arguments.output is None),
    )
    if arguments.output:
        check_folder(arguments.output)
    result = evaluate(arguments.corpus, arguments.model, options, on_reject=notices.reject, progress=told_on_stderr())
    written = write_report(result, arguments.output, text=not arguments.no_text) if arguments.output else []
    if arguments.json:
        print(json.dumps(metrics(result), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        tables = paper_tables(result)
        for table in (tables[name] for name in ("systems", "targets", "labels", "end_to_end") if name in tables):
            shown = [row[:_FIGURES] for row in table.rows]
            print_table(partial(figures_table, table.title, table.columns[:_FIGURES], shown), shown)
        for note in result.notes:
            print(f"note: {note}")
    if written:
        print(f"{len(written)} files in {arguments.output}; open {written[0]}", file=sys.stderr)
    return notices.finish(None)


def annotate(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance annotate``."""
    from stance.annotate.command import run_annotate

    return run_annotate(arguments, say=partial(print, flush=True), reject=notices.reject) or notices.finish(None)


def agreement(arguments: argparse.Namespace, _: Notices) -> int:
    """Carry out ``stance agreement``."""
    from stance.annotate.command import run_agreement

    return run_agreement(arguments, say=print)
