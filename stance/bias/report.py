"""The bias report: rows in; tables, page and data frames out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from stance.articles import Notify
from stance.bias import compare, measures
from stance.bias.archive import NO_DATE, Archive, read_archive
from stance.bias.cells import Cells, Estimator
from stance.bias.confusion import ErrorCounts, read_error_counts, shipped_metrics
from stance.bias.examples import example_statements
from stance.bias.facts import facts
from stance.bias.periods import choose_periods
from stance.bias.rows import RowSource
from stance.bias.wire import WireCopy, count_once, find_wire_copy
from stance.errors import MissingExtraError, ModelError, OutputError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BiasReport", "ReportOptions", "WireMode", "bias_report"]

WireMode = Literal["auto", "each", "once", "off"]
_WIRE_AUTO = 50_000  # articles up to which wire copy is looked for without being asked
_SPEAKERS = 60
_OUTLETS = 60  # largest outlets that are compared and shown; tables hold all
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report counts and how.

    Parameters
    ----------
    model
        Folder of the model that made the rows, or its ``metrics.json``; the shipped one if not given.
    reference
        Outlet that the others are compared with.
    since, until
        First and last day counted, ISO 8601.
    outlets, targets, countries
        Names that are counted; all if empty. `countries` are those of the speakers.
    wire
        ``each``: wire copy counts for every outlet that prints it; ``once``: once, under an outlet of its own;
        ``off``: it is not looked for; ``auto``: ``each``, looked for where that is quick.
    examples
        Example statements of each outlet, target and label; 0 leaves article text out of the report.
    level
        Level of the intervals.
    draws
        Number of draws behind them.
    seed
        Seed of the draws.
    """

    model: str | Path | None = None
    reference: str | None = None
    since: str | None = None
    until: str | None = None
    outlets: Sequence[str] = ()
    targets: Sequence[str] = ()
    countries: Sequence[str] = ()
    wire: WireMode = "auto"
    examples: int = 3
    level: float = 0.95
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.level < 1:
            raise UsageError(f"level must be at least 0.5 and under 1, found {self.level}")
        if self.draws < 200:
            raise UsageError(f"at least 200 draws are needed for an interval, found {self.draws}")
        if self.wire not in ("auto", "each", "once", "off"):
            raise UsageError(f"wire copy is auto, each, once or off, found {self.wire!r}")


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
        """Return every table as a data frame; needs the extra ``pandas``."""
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
    archive = _filtered(read_archive(source), options)
    notes = list(archive.notes)
    errors = _errors(archive, options, notes)
    say("looking for wire copy")
    wire = _wire(source, archive, options, notes)
    if wire is not None and options.wire == "once":
        archive, dropped = count_once(archive, wire)
        notes.append(f"{dropped:,} repeated articles are left out; wire copy counts once, as an outlet of its own.")
    estimator = Estimator(archive.names["target"], errors, level=options.level, draws=options.draws, seed=options.seed)
    say("estimating")
    tables = _Tables(archive, estimator, errors, options).all(wire)
    if before is not None:
        say("comparing with the rows before")
        earlier = RowSource(before, on_reject=on_reject, on_warn=on_warn)
        tables["changes"] = _changes(archive, _filtered(read_archive(earlier), options, False), estimator, errors)
    if options.examples:
        say("choosing examples")
        tables["examples"] = example_statements(source, archive, per_label=options.examples, seed=options.seed)
    summary = _summary(archive, options, errors, notes, wire)
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
            "wire_copy": _wire_table(self.archive, wire),
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
        return {"own_voice": table, "selection": compare.selection(cells, self.archive, self.options.level)}

    def _differences(self, by_outlet: Cells, wire: WireCopy | None) -> dict[str, list[dict[str, Any]]]:
        archive, outlets = self.archive, _largest(self.archive)
        reference = _code(archive, "outlet", self.options.reference) if self.options.reference else None
        between = compare.between_outlets(self.estimator, archive, by_outlet, reference, outlets)
        same = []
        if len(outlets) <= compare.MOST_PAIRED or reference is not None:
            strata = {"same day": compare.day_strata(archive), "same speaker, same day": compare.event_strata(archive)}
            if wire is not None and self.options.wire != "once":
                strata["near-duplicate articles"] = wire.group[archive["article"]]
            for kind, stratum in strata.items():
                same += compare.matched(self.estimator, archive, stratum, kind, reference, outlets)
        return {"differences": between, "same_story": compare.adjusted(same, 1 - self.options.level)}


def _changes(now: Archive, before: Archive, estimator: Estimator, errors: ErrorCounts | None) -> list[dict[str, Any]]:
    """Balance now minus before, over all outlets and by outlet; articles of both are drawn independently."""
    earlier = Estimator(
        before.names["target"], errors, level=estimator.level, draws=estimator.draws, seed=estimator.seed
    )
    found = []
    for keys in (("target",), ("outlet", "target")):
        sides = []
        for archive, one, salt in ((now, estimator, 0), (before, earlier, 1)):
            cells = one.cells(archive.where(~archive["own"]), keys, salt=salt)
            names = [tuple(archive.names[k][c] for k, c in zip(keys, key, strict=True)) for key in cells.keys]
            sides.append((cells, {name: i for i, name in enumerate(names) if cells.articles[i]}))
        (cells, at), (old, old_at) = sides
        for name, i in at.items():
            if name in old_at:
                row = compare.contrast(cells, i, old, old_at[name], paired=False, level=estimator.level)
                head = {"outlet": "(all)", **dict(zip(keys, name, strict=True))}
                row["articles_now"], row["articles_before"] = row.pop("articles_a"), row.pop("articles_b")
                values = {"now": float(cells.balance[i]), "before": float(old.balance[old_at[name]])}
                found.append({**head, **values, **row})
    return compare.adjusted(found, 1 - estimator.level)


def _largest(archive: Archive) -> list[int]:
    rows = np.bincount(archive["outlet"], minlength=len(archive.names["outlet"]))
    top = np.argsort(-rows, kind="stable")[:_OUTLETS]
    return [int(o) for o in sorted(top[rows[top] > 0], key=lambda o: archive.names["outlet"][o].casefold())]


def _code(archive: Archive, kind: str, name: str) -> int:
    names = archive.names[kind]
    present = {names[c] for c in np.unique(archive[kind])}
    if name not in present:
        shown = ", ".join(sorted(present)[:20])
        raise UsageError(f"no rows of {kind} {name!r}; there are: {shown}")
    return names.index(name)


def _filtered(archive: Archive, options: ReportOptions, strict: bool = True) -> Archive:
    keep = np.ones(len(archive), dtype=bool)
    for kind, wanted in (("outlet", options.outlets), ("target", options.targets), ("country", options.countries)):
        if wanted:
            codes = [_code(archive, kind, n) for n in wanted if strict or n in archive.names[kind]]
            chosen = np.isin(archive[kind], codes)
            keep &= (chosen | archive["own"]) if kind == "country" else chosen
    for bound, after in ((options.since, True), (options.until, False)):
        if bound:
            day = _day(bound)
            keep &= (archive["day"] >= day) if after else (archive["day"] <= day) & (archive["day"] != NO_DATE)
    if options.since and options.until and _day(options.since) > _day(options.until):
        raise UsageError(f"--since {options.since} is after --until {options.until}")
    if not keep.any():
        raise UsageError("no row is left by these filters")
    return archive if keep.all() else archive.where(keep)


def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError as error:
        raise UsageError(f"{text!r} is not a date such as 2024-05-31") from error


def _errors(archive: Archive, options: ReportOptions, notes: list[str]) -> ErrorCounts | None:
    """Return the error counts of the model that made the rows; say so where there are none."""
    try:
        errors = read_error_counts(options.model if options.model is not None else shipped_metrics())
    except ModelError as error:
        if options.model is not None:
            raise
        notes.append(f"Nothing is corrected for the model's errors: {error}.")
        return None
    made = sorted(name for name in archive.models if name)
    if made and made != [errors.model]:
        message = f"the rows were made by {', '.join(made)}, the errors are known of {errors.model}"
        if options.model is not None:
            raise ModelError(f"{options.model}: {message}")
        notes.append(f"Nothing is corrected for the model's errors: {message}.")
        return None
    if not made:
        notes.append(f"The rows name no model; errors are taken to be those of {errors.model}.")
    present = {archive.names["target"][c] for c in np.unique(archive["target"])}
    if unknown := sorted(present - set(errors.counts)):
        notes.append(f"Not corrected, as the model's errors toward them were not measured: {', '.join(unknown)}.")
    for target in sorted(present & set(errors.counts)):
        if weak := errors.weak_labels(target):
            notes.append(f"{target}: the model is weak at {', '.join(weak)} (few test items, or under half found).")
    return errors


def _wire(source: RowSource, archive: Archive, options: ReportOptions, notes: list[str]) -> WireCopy | None:
    if options.wire == "off":
        return None
    articles = archive.articles
    if options.wire == "auto" and articles > _WIRE_AUTO:
        notes.append(f"Wire copy was not looked for in {articles:,} articles; --wire each or once does it.")
        return None
    try:
        wire = find_wire_copy(source, archive)
    except MissingExtraError as error:
        if options.wire != "auto":
            raise
        notes.append(f"Wire copy was not looked for: {error}.")
        return None
    members = int((wire.group >= 0).sum())
    notes.append(
        f"{members:,} of {articles:,} articles share their statements with another ({wire.groups:,} groups); "
        f"{wire.too_short:,} say too little to be compared."
    )
    return wire


def _wire_table(archive: Archive, wire: WireCopy | None) -> list[dict[str, Any]]:
    if wire is None:
        return []
    home = np.full(len(wire.group), -1)
    home[archive["article"]] = archive["outlet"]
    names, outlets = archive.names["article"], archive.names["outlet"]
    members = np.flatnonzero((wire.group >= 0) & (home >= 0))
    order = members[np.argsort(wire.group[members], kind="stable")]
    return [{"group": int(wire.group[a]), "article_id": names[a], "outlet": outlets[home[a]]} for a in order]


def _summary(
    archive: Archive, options: ReportOptions, errors: ErrorCounts | None, notes: Sequence[str], wire: WireCopy | None
) -> dict[str, Any]:
    days = archive["day"][archive["day"] != NO_DATE]
    ends = [date.fromordinal(int(d) + _EPOCH).isoformat() for d in (days.min(), days.max())] if len(days) else []
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
