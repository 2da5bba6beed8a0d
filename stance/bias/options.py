"""What a bias report counts and how; and which rows that leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from stance.bias.archive import EPOCH, NO_DATE, Archive
from stance.errors import UsageError

__all__ = ["ReportOptions", "WireMode", "code_of", "filtered"]

WireMode = Literal["auto", "each", "once", "off"]


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
        if self.examples < 0:
            raise UsageError(f"the number of examples must be at least 0, found {self.examples}")
        if self.wire not in ("auto", "each", "once", "off"):
            raise UsageError(f"wire copy is auto, each, once or off, found {self.wire!r}")


def code_of(archive: Archive, kind: str, name: str) -> int:
    """Return the code of an outlet, target or country.

    Raises
    ------
    UsageError
        If no row has it; the message names those there are.
    """
    names = archive.names[kind]
    present = {names[c] for c in np.unique(archive[kind])}
    if name not in present:
        shown = ", ".join(sorted(present)[:20])
        raise UsageError(f"no rows of {kind} {name!r}; there are: {shown}")
    return names.index(name)


def filtered(archive: Archive, options: ReportOptions, *, strict: bool = True) -> Archive:
    """Return the rows that the options leave.

    Parameters
    ----------
    archive
        All rows.
    options
        Days, outlets, targets and speaker countries that are counted; the outlets' own voice has no speaker and stays.
    strict
        Whether a name that no row has is an error.

    Raises
    ------
    UsageError
        If nothing is left, or a filter makes no sense.
    """
    keep = np.ones(len(archive), dtype=bool)
    for kind, wanted in (("outlet", options.outlets), ("target", options.targets), ("country", options.countries)):
        if wanted:
            codes = [code_of(archive, kind, n) for n in wanted if strict or n in archive.names[kind]]
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
        return date.fromisoformat(text).toordinal() - EPOCH
    except ValueError as error:
        raise UsageError(f"{text!r} is not a date such as 2024-05-31") from error
