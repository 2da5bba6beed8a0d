"""The command line: parses, calls and prints; nothing is computed here."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance import __version__
from stance.errors import ArticleError, Rejection, StanceError, TargetError, UsageError

if TYPE_CHECKING:
    from stance.articles import LocatedArticle
    from stance.schema import Article, StanceRow
    from stance.scoring import Scorer, StatementRecord
    from stance.scoring.summary import RunSummary
    from stance.scoring.writing import TableWriter

__all__ = ["main"]

DONE, FAILED, USAGE, SOME_REJECTED = 0, 1, 2, 3
_TABLE_WIDTH = 140  # of a table that goes to a file or a pipe
_NARROW = 110  # columns of a terminal under which targets share one
_FIGURES = 5  # columns of an evaluation's tables that fit into it; the report has all


class _Notices:
    """Rejections and warnings of a run: each goes to standard error at once, rejections are kept."""

    def __init__(self) -> None:
        self.rejected: list[Rejection] = []

    def reject(self, rejection: Rejection) -> None:
        self.rejected.append(rejection)
        print(f"rejected: {rejection}", file=sys.stderr)

    def warn(self, notice: Rejection) -> None:
        print(f"warning: {notice}", file=sys.stderr)

    def finish(self, output: str | None) -> int:
        """Write ``<output>.errors.jsonl`` (or remove an older one) and return the exit code."""
        if output:
            path = Path(f"{output}.errors.jsonl")
            if self.rejected:
                lines = (json.dumps(r.to_dict(), ensure_ascii=False) + "\n" for r in self.rejected)
                path.write_text("".join(lines), encoding="utf-8")
            else:
                path.unlink(missing_ok=True)
        if self.rejected:
            print(f"{len(self.rejected)} input(s) rejected, the rest is done", file=sys.stderr)
        return SOME_REJECTED if self.rejected else DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 failed, 2 wrong usage, 3 some inputs rejected."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace, _Notices], int] = arguments.run
    try:
        return command(arguments, _Notices())
    except (UsageError, TargetError) as error:
        print(f"stance: {error}", file=sys.stderr)
        return USAGE
    except StanceError as error:
        print(f"stance: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("stance: interrupted, nothing was put in place; `score -o` goes on when run again", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stance", description="Who said what in the news, and which side they take. English news only."
    )
    parser.add_argument("--version", action="version", version=f"stance {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    score = commands.add_parser("score", help="articles → one row per statement and target")
    _article_options(score)
    _model_options(score)
    score.add_argument(
        "--own-voice", action="store_true", help="score unquoted sentences too; their rows have no quote_type"
    )
    _output_options(score, "rows")
    _run_options(score)
    score.set_defaults(run=_score)

    extract = commands.add_parser("extract", help="articles → statements with their speakers")
    _article_options(extract)
    extract.add_argument("--extractor", choices=("learned", "rules"), help="read with the tagger, or by rules alone")
    _output_options(extract, "statements")
    extract.set_defaults(run=_extract)

    classify = commands.add_parser("classify", help="statements (id, statement, speaker, context) → rows")
    classify.add_argument("statements", metavar="STATEMENTS", nargs="+", help=".jsonl, .csv, .parquet or -")
    _model_options(classify)
    _output_options(classify, "rows")
    classify.add_argument("--explain", action="store_true", help="show which words moved the model to each label")
    classify.set_defaults(run=_classify)

    train = commands.add_parser("train", help="fine-tune on a corpus of your own, by a configuration in YAML")
    train.add_argument("config", metavar="CONFIG.yaml", help="see configs/finetune.yaml")
    train.set_defaults(run=_train)
    evaluate = commands.add_parser("evaluate", help="labelled corpus → how good a model is, where it fails")
    _evaluate_options(evaluate)
    evaluate.set_defaults(run=_evaluate)
    report = commands.add_parser("report", help="rows → how outlets and speakers treat each target")
    _report_options(report)
    report.set_defaults(run=_report)
    _annotate_parsers(commands)
    serve = commands.add_parser("serve", help="score over HTTP, and a page to paste an article into")
    _serve_options(serve)
    _model_options(serve)
    serve.set_defaults(run=_serve)
    return parser


def _report_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("rows", metavar="ROWS", nargs="+", help="files that `stance score` wrote (with --score: articles), or -")
    add("-o", "--output", metavar="FILE", help="page.html, everything.json, or a folder for tables as CSV")
    add("--json", action="store_true", help="print summary and tables as JSON")
    add("--score", action="store_true", help="ROWS are articles: score them first, their own voice included")
    add("--before", metavar="ROWS", nargs="+", help="rows of an earlier time or another corpus to compare with")
    add("--reference", metavar="OUTLET", help="compare the other outlets with this one")
    add("--since", metavar="DATE", help="first day counted, such as 2024-01-31")
    add("--until", metavar="DATE", help="last day counted")
    add("--outlet", metavar="NAME", action="append", default=[], help="count this outlet only (repeatable)")
    add("--target", metavar="NAME", action="append", default=[], help="count this target only (repeatable)")
    add("--speaker-country", metavar="NAME", action="append", default=[], help="count speakers of this country only")
    add("--wire", choices=("auto", "each", "once", "off"), default="auto", help="agency text printed by many outlets")
    add("--examples", metavar="N", type=int, default=3, help="statements shown per outlet, target, label (0: no text)")
    add("--model", metavar="FOLDER", help="model that made the rows, for the correction of its errors")
    add("--level", type=float, default=0.95, help="level of the intervals (default: 0.95)")
    add("--draws", metavar="N", type=int, default=1000, help="draws behind the intervals (default: 1000)")
    add("--seed", metavar="N", type=int, default=0, help="seed of the draws")


def _annotate_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    annotate = commands.add_parser("annotate", help="corpus → labelling page on 127.0.0.1")
    annotate.add_argument("corpus", metavar="CORPUS", help="labelled or not: datasets folder, .jsonl, .csv, .parquet")
    annotate.add_argument("--store", metavar="FILE.db", help="where labels are kept (default: beside the corpus)")
    annotate.add_argument("--labels", metavar="NAMES", help="label set, where the corpus has none")
    annotate.add_argument("--targets", metavar="NAMES|FILE.yaml", help="targets, where the corpus has none")
    annotate.add_argument("--articles", metavar="ARTICLES", help="show the whole article around its statements")
    annotate.add_argument("--guide", metavar="FILE.md", help="labelling guide shown beside the statement")
    annotate.add_argument("--all", action="store_true", help="queue also what has all its labels")
    annotate.add_argument(
        "--order",
        choices=("corpus", "random", "uncertainty", "disagreement", "diversity", "balance"),
        default="random",
        help="what comes first in the queue (default: random)",
    )
    annotate.add_argument("--suggest", action="store_true", help="show the model's labels (default: blind)")
    annotate.add_argument("--model", metavar="FOLDER", help="model that orders and suggests (default: the shipped one)")
    annotate.add_argument("--overlap", metavar="SHARE", type=float, help="share labelled by several, such as 0.2")
    annotate.add_argument("--per-item", metavar="N", type=int, default=2, help="annotators of an overlap item")
    annotate.add_argument("--seed", type=int, default=0, help="of the random order and the overlap")
    annotate.add_argument("--host", default="127.0.0.1", help="address; one open to others needs --token")
    annotate.add_argument("--port", type=int, default=8765, help="0 takes any free one")
    annotate.add_argument("--token", help="what annotators enter besides a name (default: $STANCE_TOKEN)")
    action = annotate.add_mutually_exclusive_group()
    action.add_argument("--import", metavar="PATH", dest="bring", help="read labels into the store, and end")
    action.add_argument("--export", metavar="PATH", help="write the labels, and end")
    action.add_argument("--train", metavar="FOLDER", help="train and measure on what is labelled, and end")
    action.add_argument("--audit", action="store_true", help="print suspected label errors, and end")
    annotate.add_argument("--format", help="of --import or --export (default: by the ending)")
    annotate.add_argument(
        "--aggregate", choices=("majority", "dawid-skene"), default="majority", help="several labels to one"
    )
    annotate.set_defaults(run=_annotate)

    agreement = commands.add_parser("agreement", help="labels of several annotators → agreement report")
    agreement.add_argument("corpus", metavar="CORPUS", help="a corpus with annotators, or one that was annotated")
    agreement.add_argument("--store", metavar="FILE.db", help="labelling store (default: beside the corpus)")
    agreement.add_argument("-o", "--output", metavar="FILE.html", help="write the report")
    agreement.add_argument(
        "--ordinal", metavar="NAMES", help="labels that form a scale (default: against,neutral,favor)"
    )
    agreement.add_argument("--json", action="store_true", help="print the figures as JSON")
    agreement.set_defaults(run=_agreement)


def _article_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "articles",
        metavar="ARTICLES",
        nargs="+",
        help=".txt, .html, .jsonl, .csv, .parquet (.gz, .zst), a folder, a quoted pattern, or -",
    )
    parser.add_argument(
        "--columns",
        metavar="FIELD=COLUMN,...",
        help="which column holds text, title, outlet, published, url, id",
    )


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="FOLDER", help="a stance model (default: the shipped one)")
    parser.add_argument(
        "--targets",
        metavar="NAMES|FILE.yaml",
        help='"NATO,European Union", or a file (default: the four countries)',
    )
    parser.add_argument("--engine", metavar="NAME", help="openvino-bf16, onnx-fp32, torch-fp32, … (default: fastest)")


def _serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    parser.add_argument("--port", type=int, default=8765, help="0 for any that is free (default: %(default)s)")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the bearer token to ask for (or $STANCE_TOKEN); any --host but 127.0.0.1 needs one",
    )
    parser.add_argument(
        "--name", metavar="HOST", action="append", default=[], help="further host name the server is reached by"
    )
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="time a request may take (60)")
    parser.add_argument(
        "--max-body", type=int, default=2 * 1024 * 1024, metavar="BYTES", help="longest request (default: 2 MiB)"
    )


def _output_options(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help=f"write {what} to .parquet, .jsonl or .csv")
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON lines")


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", metavar="CORPUS", help="a datasets folder, .jsonl, .csv, .parquet, or whole articles")
    parser.add_argument(
        "--model", metavar="M", help="a model folder or stored predictions (default: the shipped model)"
    )
    parser.add_argument("-o", "--output", metavar="FOLDER", help="write report.html, metrics.json, MODEL_CARD.md, …")
    parser.add_argument("--json", action="store_true", help="print metrics.json")
    parser.add_argument("--against", metavar="M", action="append", default=[], help="another one (may be repeated)")
    parser.add_argument("--split", help="split to evaluate (default: test)")
    parser.add_argument("--targets", metavar="NAMES", help="evaluate these of the corpus's targets only")
    parser.add_argument("--no-text", action="store_true", help="keep the corpus's words out of everything written")
    parser.add_argument("--behaviour", metavar="FILE.yaml", help="behaviour tests of your own")
    parser.add_argument("--no-behaviour", action="store_true", help="leave the behaviour tests out")
    parser.add_argument("--no-explain", action="store_true", help="leave the token attributions out")
    parser.add_argument("--resamples", type=int, default=10_000, metavar="N", help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws")


def _evaluate(arguments: argparse.Namespace, notices: _Notices) -> int:
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
    result = evaluate(arguments.corpus, arguments.model, options, on_reject=notices.reject)
    written = write_report(result, arguments.output, text=not arguments.no_text) if arguments.output else []
    if arguments.json:
        print(json.dumps(metrics(result), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        tables = paper_tables(result)
        for table in (tables[name] for name in ("systems", "targets", "labels", "end_to_end") if name in tables):
            shown = [row[:_FIGURES] for row in table.rows]
            _print_table(partial(figures_table, table.title, table.columns[:_FIGURES], shown), shown)
        for note in result.notes:
            print(f"note: {note}")
    if written:
        print(f"{len(written)} files in {arguments.output}; open {written[0]}", file=sys.stderr)
    return notices.finish(None)


def _run_options(parser: argparse.ArgumentParser) -> None:
    run = parser.add_argument_group("batch runs (with -o); run the same command again to go on with one that broke off")
    run.add_argument("--partition-by", metavar="outlet,month", help="write a folder of files by outlet, month or both")
    run.add_argument("--format", choices=["parquet", "jsonl", "csv"], help="of those files (default: parquet)")
    run.add_argument("--restart", action="store_true", help="throw away what an unfinished run left")
    run.add_argument("--profile", action="store_true", help="print the time of each stage")
    run.add_argument(
        "--ray", nargs="?", const="", metavar="ADDRESS", help="run on a Ray cluster (no address: start one here)"
    )


def _score(arguments: argparse.Namespace, notices: _Notices) -> int:
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
        for rows in _progress(stack, results, arguments.articles, "articles", notices):
            located = seen.pop(0)
            if not rows:
                _warn_no_statement(located, notices)
            _emit(arguments, None, rows, partial(rows_table, rows, _title(located), narrow=_narrow()))
    return notices.finish(arguments.output)


def _score_run(arguments: argparse.Namespace, notices: _Notices) -> int:
    from stance.scoring.output import Output
    from stance.targets import resolve_targets

    partition = tuple(part.strip() for part in (arguments.partition_by or "").split(",") if part.strip())
    if arguments.format and not partition:
        raise UsageError("--format needs --partition-by; a single output's format follows its ending")
    output = Output(Path(arguments.output), partition, f".{arguments.format or 'parquet'}")
    output.check()
    _refuse_input(arguments.output, arguments.articles)
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


def _on_part(stack: ExitStack, arguments: argparse.Namespace, notices: _Notices, count: Any) -> Callable[[Any], None]:
    progress: Any = None
    if sys.stderr.isatty():
        from stance.scoring.progress import RunProgress

        progress = RunProgress(stack, count(arguments.articles), lambda: len(notices.rejected))

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
    if profile:
        console.print(summary.profile_table())


def _extract(arguments: argparse.Namespace, notices: _Notices) -> int:
    with ExitStack() as stack:
        writer = _open_writer(stack, arguments.output, arguments.articles)
        from stance.quotes.extract import DEFAULT, extract_stream
        from stance.schema import statements_schema
        from stance.scoring.display import statements_table

        write = writer(statements_schema())
        seen: list[LocatedArticle] = []
        results = extract_stream(_articles(arguments, notices, seen), engine=arguments.extractor or DEFAULT)
        for _, found in _progress(stack, results, arguments.articles, "articles", notices):
            located = seen.pop(0)
            if not found:
                _warn_no_statement(located, notices)
            _emit(arguments, write, found, partial(statements_table, found, _title(located)))
    return notices.finish(arguments.output)


def _classify(arguments: argparse.Namespace, notices: _Notices) -> int:
    from stance.targets import resolve_targets

    if arguments.explain and arguments.output:
        raise UsageError("--explain is shown on the terminal, or with --json: leave -o out")

    targets = resolve_targets(arguments.targets)
    with ExitStack() as stack:
        writer = _open_writer(stack, arguments.output, arguments.statements)
        from stance.schema import rows_schema
        from stance.scoring import load, read_statements
        from stance.scoring.display import rows_table

        scorer = load(arguments.model, targets=targets, engine=arguments.engine)
        write = writer(rows_schema(scorer.labels))
        records = read_statements(
            arguments.statements, on_reject=notices.reject, on_warn=notices.warn, stdin=sys.stdin.buffer
        )
        if arguments.explain:
            return _explain(arguments, scorer, records, notices)
        shown: list[StanceRow] = []
        for rows in _progress(stack, scorer.classify_many(records), arguments.statements, "statements", notices):
            shown += [] if write or arguments.json else rows
            _emit(arguments, write, rows, None)
        _print_table(lambda: rows_table(shown, "Statements", narrow=_narrow()), shown)
    return notices.finish(arguments.output)


def _annotate(arguments: argparse.Namespace, notices: _Notices) -> int:
    from stance.annotate.command import run_annotate

    return run_annotate(arguments, say=partial(print, flush=True), reject=notices.reject) or notices.finish(None)


def _agreement(arguments: argparse.Namespace, _: _Notices) -> int:
    from stance.annotate.command import run_agreement

    return run_agreement(arguments, say=print)


def _train(arguments: argparse.Namespace, notices: _Notices) -> int:
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
    )
    from stance.scoring.display import training_table

    _print_table(lambda: training_table(result), [result])
    print(f"{result.classifier.id} is in {config.output}")
    return notices.finish(None)


def _explain(
    arguments: argparse.Namespace, scorer: Scorer, records: Iterable[StatementRecord], notices: _Notices
) -> int:
    """Show each statement once per target it addresses, its words coloured by what they add to the label."""
    from rich.console import Console

    from stance.model.explain import explain
    from stance.scoring.display import explained_line

    console = Console() if sys.stdout.isatty() else Console(width=_TABLE_WIDTH)
    for record in records:
        for row in next(scorer.classify_many([record])):
            parts = explain(scorer.classifier, record.statement, row.target)
            if arguments.json:
                tokens = [part._asdict() for part in parts]
                print(json.dumps(row.to_dict() | {"attributions": tokens}, ensure_ascii=False))
            elif row.label != "not_addressed":
                console.print(explained_line(row, parts))
    return notices.finish(None)


def _report(arguments: argparse.Namespace, notices: _Notices) -> int:
    from stance.bias import ReportOptions, bias_report
    from stance.bias.tables import balance_view, difference_view

    names = ("model", "reference", "since", "until", "wire", "examples", "level", "draws", "seed")
    options = ReportOptions(
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
            progress=(lambda what: print(what, file=sys.stderr)) if sys.stderr.isatty() else None,
        )
    if arguments.output:
        report.write(arguments.output)
    if arguments.json:
        print(report.to_json())
    elif not arguments.output:
        _print_table(lambda: balance_view(report), report.tables["balance_by_outlet"])
        _print_table(lambda: difference_view(report), report.tables["differences"])
    for note in report.summary["notes"]:
        print(f"note: {note}", file=sys.stderr)
    return notices.finish(arguments.output)


def _scored(arguments: argparse.Namespace, notices: _Notices, stack: ExitStack) -> str:
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
        for rows in _progress(stack, results, arguments.rows, "articles", notices):
            writer.write(row.to_dict() for row in rows)
    return path


def _serve(arguments: argparse.Namespace, notices: _Notices) -> int:
    from stance.serve import ServeOptions, serve
    from stance.serve.options import read_token
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

    scorer = load(arguments.model, targets=targets)

    def ready(url: str) -> None:
        print(f"{url} is ready: {url}/ is the page, {url}/docs the HTTP interface; Ctrl-C stops", flush=True)

    serve(scorer, options, on_ready=ready)
    return DONE


def _articles(arguments: argparse.Namespace, notices: _Notices, seen: list[LocatedArticle]) -> Iterator[Article]:
    """Yield the articles; where each was read is put at the end of `seen`."""
    from stance.articles import Notices, read_located_articles, warn_of_language

    told = Notices(notices.reject, notices.warn, ArticleError)
    stdin = sys.stdin.buffer
    for located in read_located_articles(arguments.articles, told, columns=_columns(arguments), stdin=stdin):
        warn_of_language(located, told)
        seen.append(located)
        yield located.article


def _columns(arguments: argparse.Namespace) -> dict[str, str] | None:
    from stance.articles import parse_columns

    return parse_columns(arguments.columns) if arguments.columns else None


def _warn_no_statement(located: LocatedArticle, notices: _Notices) -> None:
    message = "no quoted or reported statement found, so no row"
    notices.warn(Rejection(located.file, located.record, "no-statement", message))


def _title(located: LocatedArticle) -> str:
    """Return what stands over an article's table; one without a title goes by its file's name, a record by its id."""
    article = located.article
    name = article.id if located.record is not None or located.file == "-" else Path(located.file).name
    return " — ".join(part for part in (article.outlet, article.title or name, article.published) if part)


def _refuse_input(output: str, sources: Sequence[str]) -> None:
    """Refuse to write over what is to be read: by a slip of the hand, or because a folder holds an older output."""
    from stance.articles import source_files

    place = Path(output).resolve()
    if any(path.resolve() == place for path in source_files(sources)):
        raise UsageError(f"{output} is among the inputs and would be written over: give another -o")


def _open_writer(stack: ExitStack, output: str | None, sources: Sequence[str]) -> Callable[[Any], TableWriter | None]:
    """Check the output before any model is loaded; the writer opens when the label set is known."""
    if output is None:
        return lambda schema: None
    from stance.scoring.writing import TableWriter, check_writable

    check_writable(output)
    _refuse_input(output, sources)
    return lambda schema: stack.enter_context(TableWriter(output, schema))


def _emit(
    arguments: argparse.Namespace,
    write: TableWriter | None,
    rows: Sequence[Any],
    table: Callable[[], Any] | None,
) -> None:
    if write is not None:
        write.write(row.to_dict() for row in rows)
    if arguments.json:
        for row in rows:
            print(json.dumps(row.to_dict(), ensure_ascii=False))
    elif write is None and table is not None:
        _print_table(table, rows)


def _narrow() -> bool:
    """Tell whether the terminal is too narrow for a column of each target."""
    from shutil import get_terminal_size

    return sys.stdout.isatty() and get_terminal_size().columns < _NARROW


def _print_table(table: Callable[[], Any], rows: Sequence[Any]) -> None:
    if not rows:
        return
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=_TABLE_WIDTH)
    console.print(table())


def _progress(
    stack: ExitStack, items: Iterable[Any], sources: Sequence[str], unit: str, notices: _Notices
) -> Iterable[Any]:
    """Show rate and time left on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return items
    from stance.articles import count_articles
    from stance.scoring.progress import track

    total = count_articles(sources) if sources else None
    return track(stack, items, total, unit, lambda: len(notices.rejected))


if __name__ == "__main__":
    sys.exit(main())
