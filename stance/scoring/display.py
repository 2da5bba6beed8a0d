"""Statements and stances as readable tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from stance.schema import StanceRow, Statement

if TYPE_CHECKING:
    from stance.learning import FineTuned

__all__ = ["explained_line", "figures_table", "rows_table", "statements_table", "training_table"]

_STYLES = {"against": "red", "favor": "green", "neutral": "cyan", "not_addressed": "dim"}
_WIDEST = 160
_STANCE_WIDTH = len("United States: (favor 0.50)")
_FAINT, _STRONG = 0.15, 0.5  # of the strongest attribution


def rows_table(rows: Sequence[StanceRow], title: str, *, narrow: bool = False) -> Table:
    """Return a table with one line per statement and one column per target.

    A label in parentheses is one the model abstains from.

    Parameters
    ----------
    rows, title
        What it shows.
    narrow
        Name the addressed targets in one column instead, so that a window of 80 letters has room for the statements.
    """
    targets = list(dict.fromkeys(row.target for row in rows))
    table = _table(title, ["Speaker", "Statement", *(["Stance"] if narrow else targets)])
    if narrow:
        table.columns[-1].min_width = _STANCE_WIDTH
    for _, group in groupby(rows, key=lambda row: row.statement_id):
        by_target = {row.target: row for row in group}
        first = next(iter(by_target.values()))
        if narrow:
            cells = [_stances(by_target.values())]
        else:
            cells = [_stance(by_target[t]) if t in by_target else Text("") for t in targets]
        table.add_row(_speaker(first.speaker, first.speaker_country), _shortened(first.statement), *cells)
    return table


def statements_table(statements: Iterable[Statement], title: str) -> Table:
    """Return a table with one line per statement."""
    table = _table(title, ["Speaker", "Cue", "Type", "Statement"])
    for s in statements:
        speaker = _speaker(s.speaker.name, s.speaker.country) if s.speaker else Text("–")
        table.add_row(speaker, Text(s.cue or "–"), Text(s.quote_type or "–"), _shortened(s.text))
    return table


def training_table(result: FineTuned) -> Table:
    """Return a table with one line per split of the corpus: its statements, macro-F1 before and after training."""
    table = _table(f"Macro-F1 of {result.classifier.id}", ["Split", "Statements", "Before", "After"])
    for split, count in result.counts.items():
        figures = [f"{d[split]:.3f}" if split in d else "–" for d in (result.before, result.after)]
        table.add_row(Text(split), Text(str(count)), *map(Text, figures))
    config = result.classifier.config
    if config.abstain_threshold > 1:  # above any confidence
        table.caption = (
            f"The validation statements are too few, or too many of the answers wrong, to show that at most "
            f"{config.abstain_risk:.0%} are wrong at any threshold: the model abstains from every row it labels "
            f"{', '.join(config.abstain_scope or config.labels)}."
        )
    return table


def figures_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of figures, the first column left and the others right."""
    table = Table(title=Text(title, style="bold"), title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def explained_line(row: StanceRow, parts: Sequence[tuple[str, int, int, float]], *, asked: str | None = None) -> Text:
    """Return a row's label and its statement, words that add to the label in orange, that take from it in blue.

    The label is written as in `rows_table`, beside the target the name that it was asked about by, if that is another.
    Strong words are bold and underlined as well, so that nothing hangs on colour alone.
    """
    name = row.target if asked in {None, row.target} else f"{row.target} (asked as {asked})"
    line = Text(f"{name}: ", style="bold").append_text(_stance(row))
    words = Text(row.statement)
    strongest = max((abs(part[3]) for part in parts), default=0.0)
    for _, start, end, share in parts:
        depth = abs(share) / strongest if strongest else 0.0
        if depth >= _FAINT:
            colour = "dark_orange" if share > 0 else "dodger_blue1"
            words.stylize(f"bold underline {colour}" if depth >= _STRONG else colour, start, end)
    return line.append("\n  ").append_text(words)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold", ratio=4 if column == "Statement" else None)
    return table


def _speaker(name: str | None, country: str | None) -> Text:
    if name is None:
        return Text("–")
    text = Text(name)
    return text.append(f" ({country})", style="dim") if country else text


def _shortened(statement: str) -> Text:
    flat = " ".join(statement.split())
    return Text(flat if len(flat) <= _WIDEST else flat[: _WIDEST - 1].rstrip() + "…")


def _stances(rows: Iterable[StanceRow]) -> Text:
    """Return a line for each target that is addressed, a dot if none is."""
    lines = [Text(f"{row.target}: ").append_text(_stance(row)) for row in rows if row.label != "not_addressed"]
    return Text("\n").join(lines) if lines else Text("·", style="dim")


def _stance(row: StanceRow) -> Text:
    if row.label == "not_addressed":
        return Text("·", style="dim")
    shown = f"{row.label} {row.confidence:.2f}"
    text = Text(f"({shown})" if row.abstained else shown, style=_STYLES.get(row.label, ""))
    return text.append(" cut", style="yellow") if row.truncated else text
