"""The command line: parses and calls; what the commands do is in ``stance.commands``, nothing is computed there."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from stance import __version__
from stance.commands import corpora, options, results, statements
from stance.commands.printing import Notices
from stance.errors import StanceError, TargetError, UsageError

__all__ = ["main"]

FAILED, USAGE = 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 failed, 2 wrong usage, 3 some inputs rejected."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace, Notices], int] = arguments.run
    try:
        return command(arguments, Notices())
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
    options.article_options(score)
    options.model_options(score)
    score.add_argument(
        "--own-voice", action="store_true", help="score unquoted sentences too; their rows have no quote_type"
    )
    options.output_options(score, "rows")
    options.run_options(score)
    score.set_defaults(run=statements.score)

    extract = commands.add_parser("extract", help="articles → statements with their speakers")
    options.article_options(extract)
    extract.add_argument("--extractor", choices=("learned", "rules"), help="read with the tagger, or by rules alone")
    options.output_options(extract, "statements")
    extract.set_defaults(run=statements.extract)

    classify = commands.add_parser("classify", help="statements (id, statement, speaker, context) → rows")
    classify.add_argument("statements", metavar="STATEMENTS", nargs="+", help=".jsonl, .csv, .parquet or -")
    options.model_options(classify)
    options.output_options(classify, "rows")
    classify.add_argument("--explain", action="store_true", help="show which words moved the model to each label")
    classify.set_defaults(run=statements.classify)

    train = commands.add_parser("train", help="fine-tune on a corpus of your own, by a configuration in YAML")
    train.add_argument("config", metavar="CONFIG.yaml", help="see configs/finetune.yaml")
    train.set_defaults(run=corpora.train)
    evaluate = commands.add_parser("evaluate", help="labelled corpus → how good a model is, where it fails")
    options.evaluate_options(evaluate)
    evaluate.set_defaults(run=corpora.evaluate)
    report = commands.add_parser("report", help="rows → how outlets and speakers treat each target")
    options.report_options(report)
    report.set_defaults(run=results.report)
    annotate = commands.add_parser("annotate", help="corpus → labelling page on 127.0.0.1")
    options.annotate_options(annotate)
    annotate.set_defaults(run=corpora.annotate)
    agreement = commands.add_parser("agreement", help="labels of several annotators → agreement report")
    options.agreement_options(agreement)
    agreement.set_defaults(run=corpora.agreement)
    serve = commands.add_parser("serve", help="score over HTTP, and a page to paste an article into")
    options.serve_options(serve)
    options.model_options(serve)
    serve.set_defaults(run=results.serve)
    return parser


if __name__ == "__main__":
    sys.exit(main())
