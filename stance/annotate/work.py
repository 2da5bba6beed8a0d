"""How annotators came by their labels, as JSONL and CSV hold it: mode, seconds, flags and notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stance.annotate.ratings import Ratings
from stance.annotate.records import SECOND_LOOK_MODE, Work
from stance.annotate.store import Store
from stance.articles import Notices, read_any_records
from stance.corpus.records import SECOND_LOOK, decides
from stance.errors import CorpusError

__all__ = ["WorkByItem", "work_in_file", "work_of_store"]

WorkByItem = Mapping[str, Mapping[str, Work]]
"""Work by item and annotator."""


def work_of_store(store: Store, ratings: Ratings) -> WorkByItem:
    """Return the work of all who finished an item, flagged it or left a note."""
    suggested = {(rating.item, rating.annotator) for rating in ratings.ratings if rating.suggested}
    rated = {(rating.item, rating.annotator) for rating in ratings.ratings}
    looked = {(look.item, look.annotator) for look in ratings.looks}
    found: dict[str, dict[str, Work]] = {}
    for item, who, state in store.states():
        pair = (item, who)
        if not (state.flagged or state.note or state.status == "done" or pair in rated):
            continue
        name, mode = who, "suggestion" if pair in suggested else "adjudicate" if decides(who) else "blind"
        if pair in looked and pair not in rated:
            name, mode = SECOND_LOOK + who, SECOND_LOOK_MODE
        found.setdefault(item, {})[name] = Work(mode, state.millis, state.flagged, state.note)
    return found


def work_in_file(path: Path) -> WorkByItem:
    """Return the work that a JSONL or CSV export holds; what is of another form is passed over."""
    found: dict[str, dict[str, Work]] = {}
    for _, record in read_any_records(path, Notices(lambda _: None, None, CorpusError)):
        by_name = _mapping(record.get("work"))
        if by_name:
            found[str(record.get("id"))] = {str(who): Work.from_dict(fields) for who, fields in by_name.items()}
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}
