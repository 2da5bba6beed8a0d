"""The options of each command."""

from __future__ import annotations

import argparse

__all__ = [
    "agreement_options",
    "annotate_options",
    "article_options",
    "evaluate_options",
    "model_options",
    "output_options",
    "report_options",
    "run_options",
    "serve_options",
]


def article_options(parser: argparse.ArgumentParser) -> None:
    """Add where articles are read from."""
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


def model_options(parser: argparse.ArgumentParser) -> None:
    """Add model, targets and engine."""
    parser.add_argument("--model", metavar="FOLDER", help="a stance model (default: the shipped one)")
    parser.add_argument(
        "--targets",
        metavar="NAMES|FILE.yaml",
        help='"NATO,European Union", or a file (default: the four countries)',
    )
    parser.add_argument("--engine", metavar="NAME", help="openvino-bf16, onnx-fp32, torch-fp32, … (default: fastest)")


def output_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add where the result goes."""
    parser.add_argument("-o", "--output", metavar="FILE", help=f"write {what} to .parquet, .jsonl or .csv")
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON lines")


def run_options(parser: argparse.ArgumentParser) -> None:
    """Add what a batch run can be told."""
    run = parser.add_argument_group("batch runs (with -o); run the same command again to go on with one that broke off")
    run.add_argument("--partition-by", metavar="outlet,month", help="write a folder of files by outlet, month or both")
    run.add_argument("--format", choices=["parquet", "jsonl", "csv"], help="of those files (default: parquet)")
    run.add_argument("--restart", action="store_true", help="throw away what an unfinished run left")
    run.add_argument("--profile", action="store_true", help="print the time of each stage")
    run.add_argument(
        "--ray", nargs="?", const="", metavar="ADDRESS", help="run on a Ray cluster (no address: start one here)"
    )


def evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stance evaluate``."""
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


def report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stance report``."""
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


def annotate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stance annotate``."""
    parser.add_argument("corpus", metavar="CORPUS", help="labelled or not: datasets folder, .jsonl, .csv, .parquet")
    parser.add_argument("--store", metavar="FILE.db", help="where labels are kept (default: beside the corpus)")
    parser.add_argument("--labels", metavar="NAMES", help="label set, where the corpus has none")
    parser.add_argument("--targets", metavar="NAMES|FILE.yaml", help="targets, where the corpus has none")
    parser.add_argument("--articles", metavar="ARTICLES", help="show the whole article around its statements")
    parser.add_argument("--guide", metavar="FILE.md", help="labelling guide shown beside the statement")
    parser.add_argument("--all", action="store_true", help="queue also what has all its labels")
    parser.add_argument(
        "--order",
        choices=("corpus", "random", "uncertainty", "disagreement", "diversity", "balance"),
        default="random",
        help="what comes first in the queue (default: random)",
    )
    parser.add_argument("--suggest", action="store_true", help="show the model's labels (default: blind)")
    parser.add_argument("--model", metavar="FOLDER", help="model that orders and suggests (default: the shipped one)")
    parser.add_argument("--overlap", metavar="SHARE", type=float, help="share labelled by several, such as 0.2")
    parser.add_argument("--per-item", metavar="N", type=int, help="annotators of an overlap item (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the random order and the overlap")
    parser.add_argument("--host", default="127.0.0.1", help="address; one open to others needs a token")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free one")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with what annotators enter besides a name (or $STANCE_TOKEN); any --host but 127.0.0.1 needs one",
    )
    parser.add_argument(
        "--name", metavar="HOST", action="append", default=[], help="further host name the page is reached by"
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--import", metavar="PATH", dest="bring", help="read labels into the store, and end")
    action.add_argument("--export", metavar="PATH", help="write the labels, and end")
    action.add_argument("--train", metavar="FOLDER", help="train and measure on what is labelled, and end")
    action.add_argument("--audit", action="store_true", help="print suspected label errors, and end")
    parser.add_argument("--format", help="of --import or --export (default: by the ending)")
    parser.add_argument(
        "--aggregate", choices=("majority", "dawid-skene"), default="majority", help="several labels to one"
    )


def agreement_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stance agreement``."""
    parser.add_argument("corpus", metavar="CORPUS", help="a corpus with annotators, or one that was annotated")
    parser.add_argument("--store", metavar="FILE.db", help="labelling store (default: beside the corpus)")
    parser.add_argument("-o", "--output", metavar="FILE.html", help="write the report")
    parser.add_argument("--ordinal", metavar="NAMES", help="labels that form a scale (default: against,neutral,favor)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def serve_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stance serve``."""
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
