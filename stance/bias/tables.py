"""Tables to files, and a summary for a terminal."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from stance.bias.report import BiasReport

__all__ = ["balance_view", "difference_view", "write_tables"]


def write_tables(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], summary: Mapping[str, Any]) -> None:
    """Write each table that has rows as ``<name>.csv`` and the summary as ``summary.json`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in tables.items():
        path = folder / f"{name}.csv"
        if not records:
            path.unlink(missing_ok=True)
            continue
        columns = list(dict.fromkeys(column for record in records for column in record))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")


def balance_view(report: BiasReport) -> Table:
    """Return outlet × target: balance, interval, articles; a star marks a figure that comes with a caution."""
    from rich.table import Table
    from rich.text import Text

    targets = report.summary["targets"]
    level = f"{report.summary['level']:.0%}"
    table = Table(title=f"Stance balance of quoted statements, {level} intervals (* caution)", title_justify="left")
    for column in ("Outlet", *targets):
        table.add_column(Text(column))
    cells = {(r["outlet"], r["target"]): r for r in report.tables["balance_by_outlet"]}
    for outlet in sorted({o for o, _ in cells}, key=str.casefold):
        shown = [_shown(cells.get((outlet, target))) for target in targets]
        table.add_row(Text(outlet), *map(Text, shown))
    return table


def _shown(cell: Mapping[str, Any] | None) -> str:
    if cell is None or not cell["articles"]:
        return "–"
    star = "*" if cell["caution"] else ""
    return f"{cell['pooled']:+.2f} [{cell['pooled_low']:+.2f}, {cell['pooled_high']:+.2f}]{star}"


def difference_view(report: BiasReport, most: int = 10) -> Table:
    """Return the differences between outlets with the most evidence."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Differences between outlets, most evidence first", title_justify="left")
    for column in ("Target", "Outlet", "minus", "Difference", "Interval", "p (Holm)"):
        table.add_column(column)
    for r in report.tables["differences"][:most]:
        interval = f"[{r['low']:+.2f}, {r['high']:+.2f}]"
        values = (r["target"], r["a"], r["b"], f"{r['difference']:+.2f}", interval, f"{r['p_holm']:.3f}")
        table.add_row(*map(Text, values), style="bold" if r["established"] else "")
    return table
