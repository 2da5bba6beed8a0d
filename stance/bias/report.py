"""The bias report: rows in; tables, page and data frames out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from stance.articles import Notify
from stance.bias import compare, measures
from stance.bias.archive import EPOCH, NO_DATE, Archive, read_archive
from stance.bias.cells import Cells, Estimator
from stance.bias.changes import changes, read_before
from stance.bias.confusion import ErrorCounts, known_errors
from stance.bias.examples import example_statements
from stance.bias.facts import facts
from stance.bias.options import ReportOptions, WireMode, code_of, filtered
from stance.bias.periods import choose_periods
from stance.bias.rows import RowSource
from stance.bias.wire import WireCopy, count_once, wire_copy, wire_table
from stance.errors import MissingExtraError, OutputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BiasReport", "ReportOptions", "WireMode", "bias_report"]

_SPEAKERS = 60
_OUTLETS = 60  # largest outlets that are compared and shown; tables hold all


@dataclass(frozen=True)
class BiasReport:
    """A finished report.

    Parameters
    ----------
    tables
        Records by the name of their table; ``docs/bias.md`` defines each column.
    summary
        Counts, models, options and the notes a reader must know.
    page_facts
        What the page's filters count from.
    """

    tables: dict[str, list[dict[str, Any]]]
    summary: dict[str, Any]
    page_facts: dict[str, Any] = field(repr=False, default_factory=dict)

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return every table as a data frame; needs the extra ``pandas``.

        Raises
        ------
        MissingExtraError
            If `pandas` is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("frames()", "pandas") from error
        return {name: pd.DataFrame(records) for name, records in self.tables.items()}

    def to_json(self) -> str:
        """Return summary and tables as JSON."""
        return json.dumps({"summary": self.summary, "tables": self.tables}, ensure_ascii=False, indent=1)

    def write(self, path: str | Path) -> None:
        """Write the page (``.html``), everything as ``.json``, or a folder with each table as CSV.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from stance.bias.page import page
        from stance.bias.tables import write_tables

        target = Path(path)
        try:
            if target.suffix.lower() in (".html", ".htm"):
                _put(target, page(self))
            elif target.suffix.lower() == ".json":
                _put(target, self.to_json() + "\n")
            else:
                write_tables(target, self.tables, self.summary)
        except OSError as error:
            raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def _put(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def bias_report(
    rows: Any,
    *,
    before: Any = None,
    options: ReportOptions | None = None,
    on_reject: Notify | None = None,
    on_warn: Notify | None = None,
    stdin: BinaryIO | None = None,
    progress: Callable[[str], None] | None = None,
) -> BiasReport:
    """Report how outlets and speakers treat each target.

    Parameters
    ----------
    rows
        Files that ``stance score`` wrote, or a table: `stance.StanceRows`, an Arrow table, a data frame, rows.
    before
        A second set of rows to compare with: the table ``changes`` holds `rows` minus `before`.
    options
        What is counted and how.
    on_reject, on_warn
        Called for rows that are left out and for doubts; see `stance.bias.rows.RowSource`.
    stdin
        Stream that ``-`` stands for.
    progress
        Called with what is being done.

    Raises
    ------
    RowError
        If there are no usable rows.
    UsageError
        If a filter or the reference names what is not there.
    ModelError
        If a model is named whose errors cannot be read, or that did not make the rows.
    """
    options = options or ReportOptions()
    say = progress or (lambda _: None)
    source = RowSource(rows, on_reject=on_reject, on_warn=on_warn, stdin=stdin)
    say("reading rows")
    archive = filtered(read_archive(source), options)
    notes = [*archive.notes, *_alone(archive)]
    errors = known_errors(archive, options.model, notes)
    say("looking for wire copy")
    wire = wire_copy(source, archive, options.wire, notes)
    if wire is not None and options.wire == "once":
        archive, dropped = count_once(archive, wire)
        notes.append(f"{dropped:,} repeated articles are left out; wire copy counts once, as an outlet of its own.")
    estimator = Estimator(archive.names["target"], errors, level=options.level, draws=options.draws, seed=options.seed)
    say("estimating")
    tables = _Tables(archive, estimator, errors, options).all(wire)
    if before is not None:
        say("comparing with the rows before")
        earlier = read_before(RowSource(before, on_reject=on_reject, on_warn=on_warn), archive, options, notes)
        tables["changes"] = changes(archive, earlier, errors, options, notes)
    if options.examples:
        say("choosing examples")
        tables["examples"] = example_statements(source, archive, per_label=options.examples, seed=options.seed)
    summary = _summary(archive, options, errors, notes, wire)
    summary["established"] = {
        name: sum(r["established"] for r in tables.get(name, []))
        for name in ("differences", "same_story", "selection", "changes")
    }
    return BiasReport(tables, summary, facts(archive, estimator, errors, _largest(archive)))


class _Tables:
    """Makes every table of one archive."""

    def __init__(
        self, archive: Archive, estimator: Estimator, errors: ErrorCounts | None, options: ReportOptions
    ) -> None:
        self.archive, self.estimator, self.errors, self.options = archive, estimator, errors, options
        self.quoted = archive.where(~archive["own"])

    def all(self, wire: WireCopy | None) -> dict[str, list[dict[str, Any]]]:
        by_outlet = self.estimator.cells(self.quoted, ["outlet", "target"])
        outlet = self._table(by_outlet, "outlet", "target")
        outlet = measures.partly_pooled(outlet, by_outlet, self.options.level, group="outlet", seed=self.options.seed)
        periods = choose_periods(self.archive["day"])
        timeline = [
            {"outlet": "(all)", **r}
            for r in measures.timeline(self.archive, self.estimator, periods, self.errors, by_outlet=False)
        ] + measures.timeline(self.archive, self.estimator, periods, self.errors, by_outlet=True)
        speakers = self._speakers()
        return {
            "balance_by_outlet": outlet,
            "balance_overall": self._cells("target"),
            "balance_by_country": self._cells("country", "target"),
            "balance_by_outlet_country": self._cells("outlet", "country", "target"),
            "balance_by_speaker": speakers,
            **self._voices(),
            "voice_by_country": measures.share_table(self.archive, "country", None, estimator=self.estimator),
            "voice_by_outlet_country": measures.share_table(
                self.archive, "country", "outlet", estimator=self.estimator
            ),
            "voice_by_speaker": measures.share_table(self.archive, "speaker", None, estimator=self.estimator, most=200),
            "verbs": measures.verb_table(self.archive, self.estimator),
            "timeline": timeline,
            **self._differences(by_outlet, wire),
            "wire_copy": wire_table(self.archive, wire),
        }

    def _table(self, cells: Cells, *keys: str) -> list[dict[str, Any]]:
        return measures.cell_table(cells, self.archive, keys, self.errors, self.options.level)

    def _cells(self, *keys: str) -> list[dict[str, Any]]:
        return self._table(self.estimator.cells(self.quoted, keys), *keys)

    def _speakers(self) -> list[dict[str, Any]]:
        """Balance of the speakers with most statements that address a target."""
        about = self.quoted["label"] < 3
        count = np.bincount(self.quoted["speaker"][about], minlength=len(self.archive.names["speaker"]))
        named = np.array([not name.startswith("(") for name in self.archive.names["speaker"]], dtype=bool)
        top = np.argsort(-(count * named), kind="stable")[:_SPEAKERS]
        kept = self.quoted.where(np.isin(self.quoted["speaker"], top[(count * named)[top] > 0]))
        return self._table(self.estimator.cells(kept, ["speaker", "target"]), "speaker", "target")

    def _voices(self) -> dict[str, list[dict[str, Any]]]:
        """The outlet's own voice, and what it lets others say beside it."""
        if not self.archive["own"].any():
            return {"own_voice": [], "selection": []}
        keys = ("outlet", "own", "target")
        cells = self.estimator.cells(self.archive, keys)
        own = cells.take(cells.keys[:, 1] == 1)
        table = self._table(own, *keys)
        for row in table:
            del row["own"]
        return {
            "own_voice": table,
            "selection": compare.selection(cells, self.archive, self.options.level, self.errors),
        }

    def _differences(self, by_outlet: Cells, wire: WireCopy | None) -> dict[str, list[dict[str, Any]]]:
        archive, outlets = self.archive, _largest(self.archive)
        reference = code_of(archive, "outlet", self.options.reference) if self.options.reference else None
        between = compare.between_outlets(self.estimator, archive, by_outlet, reference, outlets, self.errors)
        same = []
        if len(outlets) <= compare.MOST_PAIRED or reference is not None:
            day = compare.day_strata(archive)
            strata = {"same day": (day, day), "same speaker, same day": (compare.event_strata(archive), day)}
            if wire is not None and self.options.wire != "once":
                group = wire.group[archive["article"]]
                strata["near-duplicate articles"] = group, group
            for kind, (stratum, drawn) in strata.items():
                same += compare.matched(self.estimator, archive, stratum, kind, drawn, reference, outlets)
        return {"differences": between, "same_story": compare.adjusted(same, 1 - self.options.level, self.errors)}


def _alone(archive: Archive) -> Iterator[str]:
    if len(np.unique(archive["outlet"])) == 1:
        yield "There is one outlet only, so nothing is compared between outlets."
    if len(np.unique(archive["target"])) == 1:
        yield "There is one target only."


def _largest(archive: Archive) -> list[int]:
    rows = np.bincount(archive["outlet"], minlength=len(archive.names["outlet"]))
    top = np.argsort(-rows, kind="stable")[:_OUTLETS]
    return [int(o) for o in sorted(top[rows[top] > 0], key=lambda o: archive.names["outlet"][o].casefold())]


def _summary(
    archive: Archive, options: ReportOptions, errors: ErrorCounts | None, notes: Sequence[str], wire: WireCopy | None
) -> dict[str, Any]:
    days = archive["day"][archive["day"] != NO_DATE]
    ends = [date.fromordinal(int(d) + EPOCH).isoformat() for d in (days.min(), days.max())] if len(days) else []
    if archive.abstained:
        notes = [*notes, f"{archive.abstained:,} rows read are marked abstained; they count by their label, as they "
                 "do in the validation that the correction rests on."]  # fmt: skip
    if archive.truncated:
        notes = [*notes, f"{archive.truncated:,} rows read are of statements the model saw only in part."]
    return {
        "rows": len(archive),
        "statements": int((archive["first"] & ~archive["own"]).sum()),
        "own_voice_sentences": int((archive["first"] & archive["own"]).sum()),
        "articles": archive.articles,
        "outlets": [archive.names["outlet"][o] for o in np.unique(archive["outlet"])],
        "targets": [archive.names["target"][t] for t in np.unique(archive["target"])],
        "from": ends[0] if ends else None,
        "to": ends[1] if ends else None,
        "models": dict(archive.models),
        "corrected": errors is not None,
        "level": options.level,
        "draws": options.draws,
        "seed": options.seed,
        "reference": options.reference,
        "wire": options.wire if wire is not None else "off",
        "examples": options.examples,
        "notes": list(notes),
    }
