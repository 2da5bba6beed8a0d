"""Days in periods of even meaning: days, weeks, months, quarters or years, as many as a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import EPOCH, NO_DATE

__all__ = ["Periods", "choose_periods"]

_MOST = 24
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Periods:
    """A way of cutting time: ``day``, ``week`` (from Monday), ``month``, ``quarter`` or ``year``."""

    unit: str

    def of(self, days: NDArray[Any]) -> NDArray[np.int64]:
        """Return the period of each day (days since 1970-01-01), numbers that grow by one per period."""
        days = days.astype(np.int64)
        if self.unit == "day":
            return days
        if self.unit == "week":
            return (days + 3) // 7  # 1970-01-01 was a Thursday
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(months // _MONTHS[self.unit])

    def label(self, period: int) -> str:
        """Return the first day of a period in ISO 8601, or its shorter name (``2024-03``, ``2024-Q1``, ``2024``)."""
        if self.unit in ("day", "week"):
            return date.fromordinal(self._start(period) + EPOCH).isoformat()
        if self.unit == "month":
            return f"{1970 + period // 12}-{period % 12 + 1:02d}"
        return f"{1970 + period // 4}-Q{period % 4 + 1}" if self.unit == "quarter" else str(1970 + period)

    def ends(self, period: int) -> tuple[int, int]:
        """Return the first and last day of a period as days since 1970-01-01."""
        return self._start(period), self._start(period + 1) - 1

    def _start(self, period: int) -> int:
        if self.unit in ("day", "week"):
            return period if self.unit == "day" else period * 7 - 3
        month = period * _MONTHS[self.unit]
        year = 1970 + month // 12
        return (date(year, month % 12 + 1, 1).toordinal() if year <= MAXYEAR else date.max.toordinal() + 1) - EPOCH


def choose_periods(days: NDArray[Any]) -> Periods:
    """Return the finest periods of which there are no more than a page can show."""
    dated = days[days != NO_DATE]
    if not len(dated):
        return Periods("month")
    ends = np.array([dated.min(), dated.max()])
    for unit in ("day", "week", "month", "quarter"):
        first, last = Periods(unit).of(ends)
        if last - first < _MOST:
            return Periods(unit)
    return Periods("year")
