"""Two sets of rows compared: now minus before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stance.bias.archive import Archive, read_archive
from stance.bias.cells import Cells, Estimator
from stance.bias.compare import adjusted, contrast
from stance.bias.confusion import ErrorCounts, known_errors
from stance.bias.options import ReportOptions, filtered
from stance.bias.rows import RowSource
from stance.bias.wire import count_once, wire_copy

__all__ = ["changes", "read_before"]

_Side = tuple[Cells, dict[tuple[str, ...], int]]


def read_before(source: RowSource, now: Archive, options: ReportOptions, notes: list[str]) -> Archive:
    """Read the earlier rows, filtered and with wire copy counted as in the later ones, and note what was missing.

    The first and last day of the options are those of the later rows and do not hold here.

    Parameters
    ----------
    source
        The earlier rows.
    now
        The later rows.
    options
        What is counted and how.
    notes
        Gets what the reader must know of the earlier rows.
    """
    archive = read_archive(source)
    notes += [f"Before: {note}" for note in archive.notes]
    archive = filtered(archive, replace(options, since=None, until=None), strict=False)
    if options.wire == "once" and (wire := wire_copy(source, archive, "once", [])) is not None:
        archive, _ = count_once(archive, wire)
    names = np.array(archive.names["article"], dtype=object)[np.unique(archive["article"])]
    later = set(np.array(now.names["article"], dtype=object)[np.unique(now["article"])])
    if shared := sum(name in later for name in names):
        notes.append(f"{shared:,} articles are in both sets of rows; changes take the two sets to be independent.")
    return archive


def changes(
    now: Archive, before: Archive, errors: ErrorCounts | None, options: ReportOptions, notes: list[str]
) -> list[dict[str, Any]]:
    """Return balance now minus before, over all outlets and by outlet, adjusted for the number of comparisons.

    Articles of the two sets are drawn independently; the error rates are drawn once for both.

    Parameters
    ----------
    now, before
        The two sets of rows.
    errors
        The known errors of the model that made the later rows.
    options
        What is counted and how.
    notes
        Gets a sentence if one model's errors are not known: then neither set is corrected here.
    """
    if errors is not None and known_errors(before, options.model, []) is None:
        made = ", ".join(sorted(filter(None, before.models)))
        notes.append(f"Changes are not corrected for the model's errors: the rows before were made by {made}.")
        errors = None
    elif errors is None and set(now.models) != set(before.models):
        notes.append("The rows before were made by another model; a change may be the model's.")
    later, earlier = (
        Estimator(archive.names["target"], errors, level=options.level, draws=options.draws, seed=options.seed)
        for archive in (now, before)
    )
    found = []
    for keys in (("target",), ("outlet", "target")):
        cells, at = _side(later, now, keys, salt=0)
        old, old_at = _side(earlier, before, keys, salt=1)
        for name in at.keys() & old_at.keys():
            i, j = at[name], old_at[name]
            row = contrast(cells, i, old, j, paired=False, level=options.level)
            row["articles_now"], row["articles_before"] = row.pop("articles_a"), row.pop("articles_b")
            head: Mapping[str, str] = {"outlet": "(all)", **dict(zip(keys, name, strict=True))}
            found.append({**head, "now": float(cells.balance[i]), "before": float(old.balance[j]), **row})
    found.sort(key=lambda r: (r["outlet"], r["target"]))
    return adjusted(found, 1 - options.level, errors)


def _side(estimator: Estimator, archive: Archive, keys: Sequence[str], *, salt: int) -> _Side:
    cells = estimator.cells(archive.where(~archive["own"]), keys, salt=salt)
    names = [tuple(archive.names[k][c] for k, c in zip(keys, key, strict=True)) for key in cells.keys]
    return cells, {name: i for i, name in enumerate(names) if cells.articles[i]}
