"""What ``stance annotate`` and ``stance agreement`` do, once their arguments are parsed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from stance.annotate.assignment import set_overlap
from stance.annotate.project import Project, open_project, store_path
from stance.annotate.ratings import Ratings, ratings_of_corpus, ratings_of_store, with_corpus
from stance.annotate.store import Store
from stance.errors import OutputError, Rejection, UsageError
from stance.targets import resolve_targets

__all__ = ["run_agreement", "run_annotate"]

Say = Callable[[str], None]


def run_annotate(arguments: argparse.Namespace, *, say: Say, reject: Callable[[Rejection], None]) -> int:
    """Carry out ``stance annotate``; returns the exit code."""
    if arguments.per_item is not None and arguments.overlap is None:
        raise UsageError("--per-item needs --overlap: the share of statements that go to so many annotators")
    project = open_project(
        arguments.corpus,
        store=arguments.store,
        labels=_names(arguments.labels),
        targets=[t.name for t in resolve_targets(arguments.targets)] if arguments.targets else None,
        articles=arguments.articles,
        everything=arguments.all,
    )
    for note in project.notes:
        say(note)
    if arguments.bring is not None:
        from stance.annotate.formats import import_labels

        found = import_labels(project.store, arguments.bring, kind=arguments.format, on_reject=reject)
        say(f"{found.new} statements with new labels, now in {project.store.path}")
        if found.kept:
            say(f"{found.kept} have other labels there than in the store, where their annotator labelled since: kept")
        return 0
    if arguments.export is not None:
        from stance.annotate.formats import export_labels
        from stance.annotate.labelled import labelled_corpus, left_out

        count = export_labels(project.store, arguments.export, kind=arguments.format, method=arguments.aggregate)
        say(f"{count} labelled statements written to {arguments.export}")
        for note in left_out(project.store, labelled_corpus(project.store, arguments.aggregate)):
            say(note)
        return 0
    if arguments.audit:
        return _audit(project.store, say)
    if arguments.train is not None:
        from stance.annotate.loop import run_loop

        result = run_loop(project, arguments.train, base=arguments.model, method=arguments.aggregate, say=say)
        say(result.verdict)
        return 0
    return _serve(project, arguments, say)


def _serve(project: Project, arguments: argparse.Namespace, say: Say) -> int:
    from stance.annotate.server import serve_page
    from stance.serving.access import read_token

    token = read_token(arguments.token_file)
    store = project.store
    if arguments.overlap is not None:
        each = 2 if arguments.per_item is None else arguments.per_item
        count = set_overlap(store, arguments.overlap, annotators=each, seed=arguments.seed)
        say(f"{count} of {project.queued} statements go to {each} annotators")
    from stance.annotate.queue import order_queue

    model = order_queue(store, arguments.order, model=arguments.model, suggest=arguments.suggest, seed=arguments.seed)
    if model:
        say(f"{'suggestions and ' if arguments.suggest else ''}order by {arguments.order}, from {model}")

    def ready(address: str) -> None:
        say(f"{project.queued} statements to label, kept in {store.path}")
        say(f"Labelling page: {address}/ (Ctrl+C ends it; nothing is lost)")

    serve_page(
        store,
        host=arguments.host,
        port=arguments.port,
        names=arguments.name,
        token=token,
        options=_page_options(arguments, store),
        on_ready=ready,
    )
    return 0


def _page_options(arguments: argparse.Namespace, store: Store) -> object:
    from stance.errors import MissingExtraError

    try:
        from stance.annotate.app import PageOptions
        from stance.annotate.curve import model_folder
        from stance.annotate.guide import guide_of
        from stance.annotate.jobs import TrainingJob
    except ImportError as error:
        raise MissingExtraError("the labelling page", "annotate") from error
    output = store.path.with_suffix(".loop")
    command = ["annotate", str(arguments.corpus), "--store", str(store.path), "--train", str(output)]
    base = arguments.model
    if base and Path(base).resolve() == model_folder(output).resolve():
        base = None  # each turn starts from one model; that of the last turn orders the queue
    for flag, value in (("--labels", arguments.labels), ("--targets", arguments.targets), ("--model", base)):
        command += [flag, value] if value else []
    command += ["--aggregate", arguments.aggregate]
    return PageOptions(
        mode="suggestion" if arguments.suggest else "blind",
        guide=guide_of(store.labels, arguments.guide),
        job=TrainingJob(command, output),
        method=arguments.aggregate,
    )


def _audit(store: Store, say: Say) -> int:
    from stance.annotate.audit import audit

    found = audit(store)
    for s in found.suspects:
        say(f"{s.item}\t{s.target}\t{s.label} → {s.expected}?\tp = {s.p_label:.3f}\t{s.text}")
    if found.suspects_found > len(found.suspects):
        say(f"These are the first {len(found.suspects)} of {found.suspects_found} suspected label errors.")
    for d in found.duplicates:
        say(f"{d.first} / {d.second}\t{d.target}\t{d.first_label} / {d.second_label}\tsimilarity {d.similarity:.2f}")
    if found.duplicates_found > len(found.duplicates):
        say(f"These are the first {len(found.duplicates)} of {found.duplicates_found} near-duplicates.")
    for a in found.annotators:
        limits = "" if a.low is None else f" [{a.low:.2f}, {a.high:.2f}]"
        say(f"{a.annotator}\t{a.finding}\tagreement with the others {a.agreement:.2f}{limits}")
    if found.suspects_note:
        say(found.suspects_note)
    return 0


def run_agreement(arguments: argparse.Namespace, *, say: Say) -> int:
    """Carry out ``stance agreement``; returns the exit code."""
    from stance.annotate.agreement import measure_agreement

    report = measure_agreement(_ratings(arguments.corpus, arguments.store), ordinal=_names(arguments.ordinal))
    if arguments.output is not None:
        from stance.annotate.report import render_agreement

        try:
            Path(arguments.output).write_text(render_agreement(report), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{arguments.output}: cannot write: {error.strerror or error}") from error
    if arguments.json:
        say(json.dumps(report.to_dict(), ensure_ascii=False))
    elif arguments.output is None:
        for line in report.lines():
            say(line)
    return 0


def _ratings(corpus: str, store: str | None) -> Ratings:
    """Return the ratings of a store (named, or beside the corpus) and those the corpus itself holds."""
    from stance.corpus import read_corpus

    alone = corpus.endswith(".db")
    place = Path(store) if store is not None else Path(corpus) if alone else store_path(corpus)
    if store is not None or place.is_file():
        opened = Store(place)
        ratings = ratings_of_store(opened)
        if alone or not Path(corpus).exists():
            return ratings
        return with_corpus(ratings, opened, read_corpus(corpus, labels=opened.labels, targets=opened.targets))
    ratings = ratings_of_corpus(read_corpus(corpus))
    if not ratings.ratings:
        raise UsageError(f"{corpus}: has no column 'annotators', and there is no labelling store at {place}")
    return ratings


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
