"""``stance score``, ``extract`` and ``classify``: articles or statements in, rows out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.commands.printing import (
    TABLE_WIDTH,
    Notices,
    emit,
    narrow,
    open_writer,
    print_table,
    progress,
    refuse_input,
    warn_no_statement,
)
from stance.errors import ArticleError, UsageError

if TYPE_CHECKING:
    from stance.articles import LocatedArticle
    from stance.schema import Article, StanceRow
    from stance.scoring import Scorer, StatementRecord
    from stance.scoring.summary import RunSummary

__all__ = ["classify", "extract", "score"]


def score(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance score``."""
    from stance.targets import resolve_targets

    if arguments.output is not None:
        return _score_run(arguments, notices)
    for option in ("partition_by", "format", "restart", "profile", "ray"):
        if getattr(arguments, option) not in (None, False):
            raise UsageError(f"--{option.replace('_', '-')} needs -o")
    targets = resolve_targets(arguments.targets)
    with ExitStack() as stack:
        from stance.scoring import load
        from stance.scoring.display import rows_table

        scorer = load(arguments.model, targets=targets, engine=arguments.engine, own_voice=arguments.own_voice)
        seen: list[LocatedArticle] = []
        results = scorer.score_many(_articles(arguments, notices, seen))
        for rows in progress(stack, results, arguments.articles, "articles", notices):
            located = seen.pop(0)
            if not rows:
                warn_no_statement(located, notices)
            emit(arguments, None, rows, partial(rows_table, rows, _title(located), narrow=narrow()))
    return notices.finish(arguments.output)


def _score_run(arguments: argparse.Namespace, notices: Notices) -> int:
    from stance.scoring.output import Output
    from stance.targets import resolve_targets

    partition = tuple(part.strip() for part in (arguments.partition_by or "").split(",") if part.strip())
    if arguments.format and not partition:
        raise UsageError("--format needs --partition-by; a single output's format follows its ending")
    output = Output(Path(arguments.output), partition, f".{arguments.format or 'parquet'}")
    output.check()
    refuse_input(arguments.output, arguments.articles)
    targets = resolve_targets(arguments.targets)
    columns = _columns(arguments)
    from stance.articles import count_articles, read_located_articles, source_files
    from stance.scoring import load
    from stance.scoring.run import LocalRoad, run_batch

    scorer = load(arguments.model, targets=targets, engine=arguments.engine, own_voice=arguments.own_voice)
    with ExitStack() as stack:
        road: Any = LocalRoad
        if arguments.ray is not None:
            from stance.scoring.ray import ray_road

            road = stack.enter_context(ray_road(arguments.ray or None))
        on_part = _on_part(stack, arguments, notices, count_articles)
        summary = run_batch(
            scorer,
            lambda told: read_located_articles(arguments.articles, told, columns=columns, stdin=sys.stdin.buffer),
            output,
            inputs=list(source_files(arguments.articles)),
            on_reject=notices.reject,
            on_warn=notices.warn,
            on_part=on_part,
            road=road,
            restart=arguments.restart,
        )
    _print_summary(summary, scorer.labels, profile=arguments.profile)
    if notices.rejected:
        print(f"finished parts are kept in {output.work}: a retry does only what failed", file=sys.stderr)
    return notices.finish(arguments.output.rstrip("/"))


def _on_part(stack: ExitStack, arguments: argparse.Namespace, notices: Notices, count: Any) -> Callable[[Any], None]:
    progress: Any = None
    if sys.stderr.isatty():
        from stance.scoring.progress import RunProgress

        progress = RunProgress(stack, partial(count, arguments.articles), lambda: len(notices.rejected))

    def on_part(item: Any) -> None:
        if progress is not None:
            progress.advance(item.info.articles, item.info.statements, found=item.found)
        if arguments.json and item.table is not None:
            for row in item.table.to_pylist():
                print(json.dumps(row, ensure_ascii=False))

    return on_part


def _print_summary(summary: RunSummary, labels: Sequence[str], *, profile: bool) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in summary.lines():
        console.print(line, markup=False)
    if summary.labels:
        console.print(summary.label_table(labels))
    if len(summary.outlets) > 1:
        console.print(summary.outlet_table(labels))
    if profile:
        console.print(summary.profile_table())


def extract(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance extract``."""
    with ExitStack() as stack:
        writer = open_writer(stack, arguments.output, arguments.articles)
        from stance.quotes.extract import DEFAULT, extract_stream
        from stance.schema import statements_schema
        from stance.scoring.display import statements_table

        write = writer(statements_schema())
        seen: list[LocatedArticle] = []
        results = extract_stream(_articles(arguments, notices, seen), engine=arguments.extractor or DEFAULT)
        for _, found in progress(stack, results, arguments.articles, "articles", notices):
            located = seen.pop(0)
            if not found:
                warn_no_statement(located, notices)
            emit(arguments, write, found, partial(statements_table, found, _title(located)))
    return notices.finish(arguments.output)


def classify(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance classify``."""
    from stance.targets import resolve_targets

    if arguments.explain and arguments.output:
        raise UsageError("--explain is shown on the terminal, or with --json: leave -o out")

    targets = resolve_targets(arguments.targets)
    with ExitStack() as stack:
        writer = open_writer(stack, arguments.output, arguments.statements)
        from stance.schema import rows_schema
        from stance.scoring import load, read_statements
        from stance.scoring.display import rows_table

        scorer = load(arguments.model, targets=targets, engine=arguments.engine)
        write = writer(rows_schema(scorer.labels, scorer.aliases))
        records = read_statements(
            arguments.statements, on_reject=notices.reject, on_warn=notices.warn, stdin=sys.stdin.buffer
        )
        if arguments.explain:
            return _explain(arguments, scorer, records, notices)
        shown: list[StanceRow] = []
        for rows in progress(stack, scorer.classify_many(records), arguments.statements, "statements", notices):
            shown += [] if write or arguments.json else rows
            emit(arguments, write, rows, None)
        print_table(lambda: rows_table(shown, "Statements", narrow=narrow()), shown)
    return notices.finish(arguments.output)


def _explain(
    arguments: argparse.Namespace, scorer: Scorer, records: Iterable[StatementRecord], notices: Notices
) -> int:
    """Show each statement once per target it addresses, its words coloured by what they add to the label."""
    from rich.console import Console

    from stance.model.explain import explain
    from stance.scoring.display import explained_line

    console = Console() if sys.stdout.isatty() else Console(width=TABLE_WIDTH)
    for record in records:
        rows = list(next(scorer.classify_many([record])))
        (asked,) = scorer.asked([record.statement], record.targets or None) or [[row.target for row in rows]]
        for row, name in zip(rows, asked, strict=True):
            parts = explain(scorer.classifier, record.statement, name, targets=asked, label=row.label)
            if arguments.json:
                tokens = [part._asdict() for part in parts]
                print(json.dumps(row.to_dict() | {"asked": name, "attributions": tokens}, ensure_ascii=False))
            elif row.label != "not_addressed":
                console.print(explained_line(row, parts, asked=name))
    return notices.finish(None)


def _articles(arguments: argparse.Namespace, notices: Notices, seen: list[LocatedArticle]) -> Iterator[Article]:
    """Yield the articles; where each was read is put at the end of `seen`."""
    from stance.articles import Notices as Told
    from stance.articles import read_located_articles, warn_of_language

    told = Told(notices.reject, notices.warn, ArticleError)
    stdin = sys.stdin.buffer
    for located in read_located_articles(arguments.articles, told, columns=_columns(arguments), stdin=stdin):
        warn_of_language(located, told)
        seen.append(located)
        yield located.article


def _columns(arguments: argparse.Namespace) -> dict[str, str] | None:
    from stance.articles import parse_columns

    return parse_columns(arguments.columns) if arguments.columns else None


def _title(located: LocatedArticle) -> str:
    """Return what stands over an article's table; one without a title goes by its file's name, a record by its id."""
    article = located.article
    name = article.id if located.record is not None or located.file == "-" else Path(located.file).name
    return " — ".join(part for part in (article.outlet, article.title or name, article.published) if part)
