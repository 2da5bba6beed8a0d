"""What the commands tell: notices, tables, progress, and the files they write."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.errors import Rejection, UsageError

if TYPE_CHECKING:
    from stance.articles import LocatedArticle
    from stance.scoring.writing import TableWriter

__all__ = [
    "DONE",
    "TABLE_WIDTH",
    "Notices",
    "emit",
    "narrow",
    "open_writer",
    "print_table",
    "progress",
    "refuse_input",
    "told_on_stderr",
    "warn_no_statement",
]

DONE, SOME_REJECTED = 0, 3
TABLE_WIDTH = 140  # of a table that goes to a file or a pipe
_NARROW = 110  # columns of a terminal under which targets share one


class Notices:
    """Rejections and warnings of a run: each goes to standard error at once, rejections are kept."""

    def __init__(self) -> None:
        self.rejected: list[Rejection] = []

    def reject(self, rejection: Rejection) -> None:
        """Say that an input was left out, and remember it."""
        self.rejected.append(rejection)
        print(f"rejected: {rejection}", file=sys.stderr)

    def warn(self, notice: Rejection) -> None:
        """Say what the user should know."""
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


def refuse_input(output: str, sources: Sequence[str]) -> None:
    """Refuse to write over what is to be read: by a slip of the hand, or because a folder holds an older output."""
    from stance.articles import source_files

    place = Path(output).resolve()
    if any(path.resolve() == place for path in source_files(sources)):
        raise UsageError(f"{output} is among the inputs and would be written over: give another -o")


def open_writer(stack: ExitStack, output: str | None, sources: Sequence[str]) -> Callable[[Any], TableWriter | None]:
    """Check the output before any model is loaded; the writer opens when the label set is known."""
    if output is None:
        return lambda schema: None
    from stance.scoring.writing import TableWriter, check_writable

    check_writable(output)
    refuse_input(output, sources)
    return lambda schema: stack.enter_context(TableWriter(output, schema))


def emit(
    arguments: argparse.Namespace,
    write: TableWriter | None,
    rows: Sequence[Any],
    table: Callable[[], Any] | None,
) -> None:
    """Write rows to the file, print them as JSON, or as a table."""
    if write is not None:
        write.write(row.to_dict() for row in rows)
    if arguments.json:
        for row in rows:
            print(json.dumps(row.to_dict(), ensure_ascii=False))
    elif write is None and table is not None:
        print_table(table, rows)


def narrow() -> bool:
    """Tell whether the terminal is too narrow for a column of each target."""
    from shutil import get_terminal_size

    return sys.stdout.isatty() and get_terminal_size().columns < _NARROW


def print_table(table: Callable[[], Any], rows: Sequence[Any]) -> None:
    """Print a table, unless it would have no rows."""
    if not rows:
        return
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=TABLE_WIDTH)
    console.print(table())


def told_on_stderr() -> Callable[[str], None] | None:
    """Return what says on standard error what begins, if that is a terminal."""
    return partial(print, file=sys.stderr) if sys.stderr.isatty() else None


def progress(
    stack: ExitStack, items: Iterable[Any], sources: Sequence[str], unit: str, notices: Notices
) -> Iterable[Any]:
    """Show rate and time left on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return items
    from stance.articles import count_articles
    from stance.scoring.progress import track

    total = partial(count_articles, list(sources)) if sources else None
    return track(stack, items, total, unit, lambda: len(notices.rejected))


def warn_no_statement(located: LocatedArticle, notices: Notices) -> None:
    """Say that an article gave no row."""
    message = "no quoted or reported statement found, so no row"
    notices.warn(Rejection(located.file, located.record, "no-statement", message))
