"""``stance report`` and ``stance serve``: rows as a report, and over HTTP."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from stance.commands.printing import DONE, Notices, print_table, progress, told_on_stderr

__all__ = ["report", "serve"]


def report(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance report``."""
    from stance.bias import ReportOptions, bias_report
    from stance.bias.tables import balance_view, difference_view

    names = ("reference", "since", "until", "wire", "examples", "level", "draws", "seed")
    measured = arguments.model and not (arguments.score and not (Path(arguments.model) / "metrics.json").is_file())
    options = ReportOptions(
        model=arguments.model if measured else None,  # a model that only scores need not be one whose errors are known
        **{name: getattr(arguments, name) for name in names},
        outlets=arguments.outlet,
        targets=arguments.target,
        countries=arguments.speaker_country,
    )
    with ExitStack() as stack:
        report = bias_report(
            [_scored(arguments, notices, stack)] if arguments.score else arguments.rows,
            before=arguments.before,
            options=options,
            on_reject=notices.reject,
            on_warn=notices.warn,
            stdin=sys.stdin.buffer,
            progress=told_on_stderr(),
        )
    if arguments.output:
        report.write(arguments.output)
    if arguments.json:
        print(report.to_json())
    elif not arguments.output:
        print_table(lambda: balance_view(report), report.tables["balance_by_outlet"])
        print_table(lambda: difference_view(report), report.tables["differences"])
    for note in report.summary["notes"]:
        print(f"note: {note}", file=sys.stderr)
    return notices.finish(arguments.output)


def _scored(arguments: argparse.Namespace, notices: Notices, stack: ExitStack) -> str:
    """Score articles into a file that lasts as long as the stack."""
    from tempfile import TemporaryDirectory

    from stance.articles import read_articles
    from stance.schema import rows_schema
    from stance.scoring import load
    from stance.scoring.writing import TableWriter

    scorer = load(arguments.model, own_voice=True)
    path = str(Path(stack.enter_context(TemporaryDirectory())) / "rows.parquet")
    articles = read_articles(arguments.rows, on_reject=notices.reject, on_warn=notices.warn, stdin=sys.stdin.buffer)
    with TableWriter(path, rows_schema(scorer.labels)) as writer:
        results = scorer.score_many(articles)
        for rows in progress(stack, results, arguments.rows, "articles", notices):
            writer.write(row.to_dict() for row in rows)
    return path


def serve(arguments: argparse.Namespace, notices: Notices) -> int:
    """Carry out ``stance serve``."""
    from stance.serve import ServeOptions, serve
    from stance.serving.access import read_token
    from stance.targets import resolve_targets

    options = ServeOptions(
        host=arguments.host,
        port=arguments.port,
        token=read_token(arguments.token_file),
        names=tuple(arguments.name),
        timeout=arguments.timeout,
        max_body=arguments.max_body,
    )
    targets = resolve_targets(arguments.targets)
    from stance.scoring import load

    scorer = load(arguments.model, targets=targets, engine=arguments.engine)

    def ready(url: str) -> None:
        print(f"{url} is ready: {url}/ is the page, {url}/docs the HTTP interface; Ctrl-C stops", flush=True)

    serve(scorer, options, on_ready=ready)
    return DONE
