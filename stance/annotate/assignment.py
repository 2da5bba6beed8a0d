"""Who labels what next: overlap, claims that keep two annotators off one item, and progress."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from stance.annotate.history import TURNS
from stance.annotate.ratings import finished_by_hand
from stance.annotate.records import SECOND_LOOK_MODE
from stance.annotate.store import ADJUDICATOR, Store
from stance.annotate.tables import claim_item
from stance.errors import UsageError
from stance.schema import stable_id

__all__ = ["LEASE", "Progress", "next_item", "progress", "progress_of", "set_overlap", "take_item"]

LEASE = 30 * 60.0
"""Seconds for which an item that someone has on screen is given to nobody else."""

_BEGUN = "(s.status = 'open' AND s.labels <> '{}')"
"""Work begun: a note or a flag alone is none."""
_TURN = f"""
{{0}}.item = s.item AND {{0}}.annotator = s.annotator AND {{0}}.kind IN {TURNS}
AND NOT EXISTS (SELECT 1 FROM entry u WHERE u.item = s.item AND u.annotator = s.annotator AND u.kind = 'undo'
                AND u.text = CAST({{0}}.version AS TEXT))
"""
_RATED = f"""
(SELECT e.kind FROM entry e
 WHERE {_TURN.format("e")} AND +e.id < COALESCE(
     (SELECT MIN(+f.id) FROM entry f WHERE {_TURN.format("f")} AND f.mode = '{SECOND_LOOK_MODE}'), e.id + 1)
 ORDER BY +e.id DESC LIMIT 1) IN ('done', 'import')
"""
"""Finished other than by a second look, which is no rating; as `stance.annotate.history` parts and ends a history.

The plus keeps SQLite from the index of an annotator's whole history, which it would search for each statement.
"""
_NEEDS = f"""
FROM item i
WHERE i.queued = 1
  AND NOT EXISTS (SELECT 1 FROM state s
                  WHERE s.item = i.id AND s.annotator = :who AND (s.status <> 'open' OR {_BEGUN}))
  AND (SELECT COUNT(*) FROM state s
       WHERE s.item = i.id AND s.status = 'done' AND s.annotator NOT LIKE :adjudicator AND {_RATED})
    + (SELECT COUNT(*) FROM claim c WHERE c.item = i.id AND c.annotator <> :who) < i.wanted
"""
_NEXT = f"SELECT i.id {_NEEDS} ORDER BY i.rank, i.place LIMIT 1"
_UNFINISHED = f"""
SELECT i.id FROM item i
LEFT JOIN claim c ON c.item = i.id AND c.annotator = :who
LEFT JOIN state s ON s.item = i.id AND s.annotator = :who
WHERE i.queued = 1 AND ((c.item IS NOT NULL AND COALESCE(s.status, 'open') = 'open') OR {_BEGUN})
ORDER BY s.at DESC, c.at LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an annotator has come.

    Parameters
    ----------
    annotator
        Name.
    done, skipped, flagged, open
        Items finished, passed on, marked for a second look, and begun.
    left
        Items in the queue that this annotator could still be given.
    seconds
        Median seconds spent on a finished item; ``None`` if none is finished by hand.
    today
        Items finished by hand since midnight UTC.
    """

    annotator: str
    done: int
    skipped: int
    flagged: int
    open: int
    left: int
    seconds: float | None
    today: int

    @property
    def share(self) -> float:
        """Share of this annotator's work that is done, 0 to 1."""
        return self.done / (self.done + self.left) if self.done + self.left else 1.0


def set_overlap(store: Store, share: float, *, annotators: int = 2, seed: int = 0) -> int:
    """Have a share of the items labelled by several annotators, the rest by one; returns how many.

    Parameters
    ----------
    store
        The project.
    share
        Share of the queued items, 0 to 1.
    annotators
        How many label each of them.
    seed
        Which items are drawn; the same seed draws the same items.

    Raises
    ------
    UsageError
        If the share is not from 0 to 1, or fewer than one annotator is asked for.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"overlap must be from 0 to 1, found {share}")
    if annotators < 1:
        raise UsageError(f"an item needs at least one annotator, found {annotators}")
    queued = [item.id for item in store.items() if item.queued]
    drawn = sorted(queued, key=lambda item: stable_id(seed, item))[: round(share * len(queued))]
    store.set_wanted({**dict.fromkeys(queued, 1), **dict.fromkeys(drawn, annotators)})
    return len(drawn)


def next_item(store: Store, annotator: str, *, now: float | None = None) -> str | None:
    """Return the id of what an annotator shall label next, and claim it; ``None`` if nothing is left.

    Work that was begun comes first, the latest of it; then the first item of the queue that still needs an
    annotator and is on nobody else's screen.
    """
    clock = time.time() if now is None else now
    with store.write() as db:
        db.execute("DELETE FROM claim WHERE at < ?", (clock - LEASE,))
        row = db.execute(_UNFINISHED, {"who": annotator}).fetchone()
        if row is None:
            row = db.execute(_NEXT, _asked_by(annotator)).fetchone()
        if row is None:
            return None
        claim_item(db, row["id"], annotator, clock)
        return str(row["id"])


def take_item(store: Store, item: str, annotator: str, *, now: float | None = None) -> None:
    """Claim an item that an annotator opens out of turn, if the queue could give it to them or they have begun it."""
    clock = time.time() if now is None else now
    with store.write() as db:
        db.execute("DELETE FROM claim WHERE at < ?", (clock - LEASE,))
        begun = f"SELECT 1 FROM state s WHERE s.item = :item AND s.annotator = :who AND {_BEGUN}"
        needed = f"SELECT 1 {_NEEDS} AND i.id = :item"
        if db.execute(f"{begun} UNION {needed}", {"item": item, **_asked_by(annotator)}).fetchone():
            claim_item(db, item, annotator, clock)


def progress(store: Store) -> list[Progress]:
    """Return the progress of every annotator, in order of name."""
    return [progress_of(store, name) for name in store.annotators()]


def progress_of(store: Store, annotator: str) -> Progress:
    """Return the progress of one annotator."""
    begun = f"i.queued = 1 AND {_BEGUN}"
    query = f"SELECT s.*, {begun} AS begun FROM state s JOIN item i ON i.id = s.item WHERE s.annotator = ?"
    rows = store.read(query, (annotator,))
    times = [row["millis"] / 1000 for row in rows if row["status"] == "done" and row["millis"]]
    begun_now = sum(row["begun"] for row in rows)
    midnight = datetime.now(UTC).date().isoformat()
    finished = finished_by_hand(store, annotator, midnight)
    return Progress(
        annotator=annotator,
        done=sum(row["status"] == "done" for row in rows),
        skipped=sum(row["status"] == "skipped" for row in rows),
        flagged=sum(row["flagged"] for row in rows),
        open=begun_now,
        left=begun_now + _left(store, annotator),
        seconds=statistics.median(times) if times else None,
        today=sum(r["status"] == "done" and finished.get((r["item"], annotator), "") >= midnight for r in rows),
    )


def _left(store: Store, annotator: str) -> int:
    return int(store.read(f"SELECT COUNT(*) AS n {_NEEDS}", _asked_by(annotator))[0]["n"])


def _asked_by(annotator: str) -> dict[str, str]:
    """Return the values of `_NEEDS`."""
    return {"who": annotator, "adjudicator": f"{ADJUDICATOR}%"}
