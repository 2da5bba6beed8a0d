"""What a history of changes adds up to: the one place that says what each kind of change does."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from stance.annotate.records import SECOND_LOOK_MODE, Change, ItemState

__all__ = ["TURNS", "finish_of", "fold", "labels_set", "parted", "replay", "standing", "step"]

TURNS = ("label", "done", "skip", "reopen", "import")
"""Kinds of change after which an item is open, finished or passed on."""


def step(before: ItemState, change: Change, version: int, at: str, targets: Collection[str]) -> ItemState:
    """Return the state after one change; an import finishes only what then has a label for each of `targets`."""
    merged = {**before.labels, **change.labels}
    labels = {target: label for target, label in merged.items() if label is not None}
    kind = change.kind
    imported = "done" if all(target in labels for target in targets) else "open"
    status = {"done": "done", "import": imported, "skip": "skipped", "label": "open", "reopen": "open"}.get(kind)
    flagged = {"flag": True, "unflag": False, "import-flag": True}.get(kind, before.flagged)
    note = (change.text or "") if kind == "note" or (kind == "import" and change.text) else before.note
    return ItemState(version, status or before.status, flagged, note, labels, before.millis + change.millis, at)


def fold(rows: Sequence[sqlite3.Row], targets: Collection[str]) -> ItemState:
    """Return the state that rows without undone ones add up to."""
    state = ItemState()
    groups: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        groups.setdefault(row["version"], []).append(row)
    for version, group in groups.items():
        state = step(state, _change_of(group), version, group[0]["at"], targets)
    return state


def replay(rows: Sequence[sqlite3.Row], targets: Collection[str]) -> ItemState:
    """Return the state after a whole history, undoing included."""
    last = max(row["version"] for row in rows)
    base = fold(standing(rows), targets)
    total = sum(row["millis"] for row in rows)
    at = next(row["at"] for row in rows if row["version"] == last)
    return ItemState(last, base.status, base.flagged, base.note, base.labels, total, at)


def standing(rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    """Return the rows of one annotator's history of an item that were not taken back."""
    undone = {int(row["text"]) for row in rows if row["kind"] == "undo"}
    return [row for row in rows if row["version"] not in undone and row["kind"] != "undo"]


def parted(rows: Sequence[sqlite3.Row]) -> tuple[list[sqlite3.Row], list[sqlite3.Row]]:
    """Part standing rows into those before an annotator's second look and those from it on.

    Whoever was told what is suspected of a label no longer judges on their own, so all that follows belongs to the
    second look, however it was given.
    """
    looks = (i for i, row in enumerate(rows) if row["mode"] == SECOND_LOOK_MODE and row["kind"] in TURNS)
    cut = next(looks, len(rows))
    return list(rows[:cut]), list(rows[cut:])


def finish_of(rows: Sequence[sqlite3.Row]) -> sqlite3.Row | None:
    """Return the row that finished an item, by hand or by import; ``None`` where it was not, or was opened again."""
    last = next((row for row in reversed(rows) if row["kind"] in TURNS), None)
    return last if last is not None and last["kind"] in ("done", "import") else None


def labels_set(rows: Sequence[sqlite3.Row]) -> dict[str, str]:
    """Return the labels that rows set and leave set, by target."""
    last = {row["target"]: row["label"] for row in rows if row["target"] is not None}
    return {target: label for target, label in last.items() if label is not None}


def _change_of(group: Sequence[sqlite3.Row]) -> Change:
    first = group[0]
    labels = {row["target"]: row["label"] for row in group if row["target"] is not None}
    return Change(first["kind"], labels=labels, text=first["text"], millis=sum(row["millis"] for row in group))
