"""What a history of changes adds up to: the one place that says what each kind of change does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from stance.annotate.records import Change, ItemState

__all__ = ["fold", "replay", "step"]


def step(before: ItemState, change: Change, version: int, at: str) -> ItemState:
    """Return the state after one change."""
    merged = {**before.labels, **change.labels}
    labels = {target: label for target, label in merged.items() if label is not None}
    kind = change.kind
    status = {"done": "done", "import": "done", "skip": "skipped", "label": "open", "reopen": "open"}.get(kind)
    flagged = {"flag": True, "unflag": False}.get(kind, before.flagged)
    note = (change.text or "") if kind == "note" else before.note
    return ItemState(version, status or before.status, flagged, note, labels, before.millis + change.millis, at)


def fold(rows: Sequence[sqlite3.Row]) -> ItemState:
    """Return the state that rows without undone ones add up to."""
    state = ItemState()
    groups: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        groups.setdefault(row["version"], []).append(row)
    for version, group in groups.items():
        state = step(state, _change_of(group), version, group[0]["at"])
    return state


def replay(rows: Sequence[sqlite3.Row]) -> ItemState:
    """Return the state after a whole history, undoing included."""
    undone = {int(row["text"]) for row in rows if row["kind"] == "undo"}
    kept = [row for row in rows if row["version"] not in undone and row["kind"] != "undo"]
    last = max(row["version"] for row in rows)
    base = fold(kept)
    total = sum(row["millis"] for row in rows)
    at = next(row["at"] for row in rows if row["version"] == last)
    return ItemState(last, base.status, base.flagged, base.note, base.labels, total, at)


def _change_of(group: Sequence[sqlite3.Row]) -> Change:
    first = group[0]
    labels = {row["target"]: row["label"] for row in group if row["target"] is not None}
    return Change(first["kind"], labels=labels, text=first["text"], millis=sum(row["millis"] for row in group))
