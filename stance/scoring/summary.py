"""What a run did: counts and times, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RunSummary"]

_OUTLETS = 10


@dataclass(slots=True)
class RunSummary:
    """Counts of a run.

    Parameters
    ----------
    engine
        Name and version of the engine.
    extractor
        Name, content hash and precision of what finds the statements.
    articles, statements, rows
        How many are in the output.
    found_articles
        How many of the articles were found finished from an earlier run.
    rejected
        Inputs left out.
    abstained, truncated
        Rows marked so.
    labels
        Rows for each target and label.
    outlets
        Articles with statements, for each outlet.
    outlet_labels
        Rows for each outlet and label.
    seconds
        Time of each stage; stages overlap.
    elapsed
        Seconds from start to end.
    """

    engine: str
    extractor: str
    articles: int = 0
    found_articles: int = 0
    statements: int = 0
    rows: int = 0
    rejected: int = 0
    abstained: int = 0
    truncated: int = 0
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    outlets: Counter[str] = field(default_factory=Counter)
    outlet_labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: Mapping[str, float] = field(default_factory=dict)
    elapsed: float = 0.0

    def add(self, table: pa.Table, articles: int, statements: int, *, found: bool) -> None:
        """Count a finished part."""
        import pyarrow.compute as pc

        self.articles += articles
        self.found_articles += articles if found else 0
        self.statements += statements
        self.rows += table.num_rows
        self.abstained += pc.sum(table.column("abstained")).as_py() or 0
        self.truncated += pc.sum(table.column("truncated")).as_py() or 0
        for row in table.group_by(["target", "label"]).aggregate([([], "count_all")]).to_pylist():
            self.labels[row["target"], row["label"]] += row["count_all"]
        for row in table.group_by("outlet").aggregate([("article_id", "count_distinct")]).to_pylist():
            self.outlets[row["outlet"] or "–"] += row["article_id_count_distinct"]
        for row in table.group_by(["outlet", "label"]).aggregate([([], "count_all")]).to_pylist():
            self.outlet_labels[row["outlet"] or "–", row["label"]] += row["count_all"]

    def lines(self) -> list[str]:
        """Return the summary as lines of text."""
        new = self.articles - self.found_articles
        rate = new / self.elapsed if self.elapsed else 0.0
        found = f", {self.found_articles} of them found finished" if self.found_articles else ""
        lines = [
            f"{self.articles} articles{found}: {self.statements} statements, {self.rows} rows",
            f"{self.rejected} inputs rejected",
            f"{self.abstained} rows abstained, {self.truncated} truncated",
            f"{self.elapsed:.1f} s, {rate:.1f} articles/s, engine {self.engine}",
            f"statements found by {self.extractor}",
        ]
        if self.seconds:
            stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.seconds.items())
            lines.append(f"seconds by stage (stages overlap): {stages}")
        return lines

    def label_table(self, labels: Iterable[str]) -> Table:
        """Return rows by target and label as a table."""
        names = list(labels)
        table = _counts("target", names)
        for target in dict.fromkeys(target for target, _ in self.labels):
            table.add_row(target, *(str(self.labels[target, name]) for name in names))
        return table

    def outlet_table(self, labels: Iterable[str]) -> Table:
        """Return articles, and rows by label, of the outlets with most articles as a table."""
        names = list(labels)
        table = _counts("outlet", ["articles", *names])
        for outlet, articles in self.outlets.most_common(_OUTLETS):
            counts = (str(self.outlet_labels[outlet, name]) for name in names)
            table.add_row(Text(outlet), str(articles), *counts)
        if len(self.outlets) > _OUTLETS:
            table.add_row(f"{len(self.outlets) - _OUTLETS} more")
        return table

    def profile_table(self) -> Table:
        """Return the time of each stage as a table."""
        table = _counts("stage", ["seconds", "of the run", "ms/article"])
        new = max(self.articles - self.found_articles, 1)
        for name, seconds in self.seconds.items():
            share = seconds / self.elapsed if self.elapsed else 0.0
            table.add_row(name, f"{seconds:.2f}", f"{share:.0%}", f"{seconds / new * 1000:.2f}")
        table.add_row("elapsed (stages overlap)", f"{self.elapsed:.2f}", "100%", f"{self.elapsed / new * 1000:.2f}")
        return table


def _counts(left: str, right: Iterable[str]) -> Table:
    table = Table(left, box=None, pad_edge=False)
    for name in right:
        table.add_column(name, justify="right")
    return table
