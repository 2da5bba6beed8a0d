"""The tables of a labelling store, and how their rows are read and written; each call is part of a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Set
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from stance.annotate.records import Change, ItemState, StoredItem, load_record, store_record
from stance.corpus import Corpus, CorpusRecord

__all__ = [
    "add_annotator",
    "append_change",
    "claim_item",
    "item_of_row",
    "last_change",
    "make_tables",
    "put_item",
    "put_state",
    "read_state",
    "release_item",
    "renew_claim",
    "rows_of",
    "state_of_row",
    "utc_now",
]

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (
    id TEXT PRIMARY KEY, place INTEGER NOT NULL, split TEXT NOT NULL, wanted INTEGER NOT NULL DEFAULT 1,
    queued INTEGER NOT NULL DEFAULT 1, rank REAL NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX item_rank ON item(rank, place);
CREATE TABLE annotator (name TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, item TEXT NOT NULL REFERENCES item(id), annotator TEXT NOT NULL REFERENCES annotator(name),
    version INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, target TEXT, label TEXT, text TEXT,
    millis INTEGER NOT NULL DEFAULT 0, mode TEXT NOT NULL DEFAULT 'blind', suggestion TEXT, token TEXT);
CREATE INDEX entry_of ON entry(item, annotator, version);
CREATE INDEX entry_by ON entry(annotator, id);
CREATE UNIQUE INDEX entry_token ON entry(token) WHERE token IS NOT NULL;
CREATE TRIGGER entry_is_kept BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'history is never changed'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'history is never deleted'); END;
CREATE TABLE state (
    item TEXT NOT NULL, annotator TEXT NOT NULL, version INTEGER NOT NULL, status TEXT NOT NULL,
    flagged INTEGER NOT NULL, note TEXT NOT NULL, labels TEXT NOT NULL, millis INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (item, annotator)) WITHOUT ROWID;
CREATE INDEX state_of ON state(annotator, status);
CREATE TABLE claim (
    item TEXT NOT NULL, annotator TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (item, annotator)) WITHOUT ROWID;
CREATE TABLE suggestion (
    item TEXT NOT NULL, target TEXT NOT NULL, label TEXT NOT NULL, p TEXT NOT NULL, model TEXT NOT NULL,
    PRIMARY KEY (item, target)) WITHOUT ROWID;
"""


def make_tables(path: Path, meta: Mapping[str, str], corpus: Corpus, queued: Set[str] | None) -> None:
    """Write a new file with the statements of a corpus, in WAL mode; all are queued if `queued` is ``None``."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        with db:
            db.executescript(_SCHEMA)
            db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            db.executemany(
                "INSERT INTO item(id, place, split, queued, rank, record) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (r.id, i, split, int(queued is None or r.id in queued), float(i), store_record(r))
                    for i, (split, r) in enumerate((s, r) for s, rs in corpus.splits.items() for r in rs)
                ),
            )
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def append_change(db: sqlite3.Connection, item: str, annotator: str, after: ItemState, change: Change) -> None:
    """Add a change to the history: one row per label, or one where it sets none."""
    rows: list[tuple[str | None, str | None]] = list(change.labels.items()) or [(None, None)]
    for i, (target, label) in enumerate(rows):
        first = i == 0
        db.execute(
            "INSERT INTO entry"
            "(item, annotator, version, at, kind, target, label, text, millis, mode, suggestion, token)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(item, annotator, after.version, after.at, change.kind, target, label, change.text),
                *(change.millis if first else 0, change.mode, change.suggestions.get(target or "")),
                change.token if first else None,
            ),
        )


def put_state(db: sqlite3.Connection, item: str, annotator: str, s: ItemState) -> None:
    """Store a state in place of the one before."""
    db.execute(
        "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (item, annotator, s.version, s.status, int(s.flagged), s.note, json.dumps(s.labels), s.millis, s.at),
    )


def read_state(db: sqlite3.Connection, item: str, annotator: str) -> ItemState:
    """Return a stored state; version 0 if there is none."""
    row = db.execute("SELECT * FROM state WHERE item = ? AND annotator = ?", (item, annotator)).fetchone()
    return state_of_row(row) if row else ItemState()


def state_of_row(row: sqlite3.Row) -> ItemState:
    """Return the state that a row of ``state`` holds."""
    labels = dict(json.loads(row["labels"]))
    return ItemState(row["version"], row["status"], bool(row["flagged"]), row["note"], labels, row["millis"], row["at"])


def rows_of(db: sqlite3.Connection, item: str, annotator: str) -> list[sqlite3.Row]:
    """Return the rows of one annotator's history of an item, in the order it happened."""
    query = "SELECT * FROM entry WHERE item = ? AND annotator = ? ORDER BY id"
    return db.execute(query, (item, annotator)).fetchall()


def last_change(db: sqlite3.Connection, annotator: str) -> tuple[str, int] | None:
    """Return item and version of the last change by hand that is not yet taken back."""
    taken = {
        (row["item"], int(row["text"]))
        for row in db.execute("SELECT item, text FROM entry WHERE annotator = ? AND kind = 'undo'", (annotator,))
    }
    rows = db.execute(
        "SELECT item, version FROM entry"
        " WHERE annotator = ? AND kind NOT IN ('undo', 'import', 'import-flag') ORDER BY id DESC",
        (annotator,),
    )
    for row in rows:
        if (row["item"], row["version"]) not in taken:
            return row["item"], row["version"]
    return None


def add_annotator(db: sqlite3.Connection, name: str) -> None:
    """Add an annotator, unless the name is there."""
    db.execute("INSERT OR IGNORE INTO annotator VALUES (?, ?)", (name, utc_now()))


def claim_item(db: sqlite3.Connection, item: str, annotator: str, at: float) -> None:
    """Note that an annotator has an item on screen, since `at` (seconds)."""
    db.execute("INSERT OR REPLACE INTO claim VALUES (?, ?, ?)", (item, annotator, at))


def renew_claim(db: sqlite3.Connection, item: str, annotator: str, at: float) -> None:
    """Note that an annotator still has an item on screen, if it was noted before."""
    db.execute("UPDATE claim SET at = ? WHERE item = ? AND annotator = ?", (at, item, annotator))


def release_item(db: sqlite3.Connection, item: str, annotator: str) -> None:
    """Forget that an annotator has an item on screen."""
    db.execute("DELETE FROM claim WHERE item = ? AND annotator = ?", (item, annotator))


def item_of_row(row: sqlite3.Row) -> StoredItem:
    """Return the item that a row of ``item`` holds."""
    record: CorpusRecord = load_record(row["record"])
    return StoredItem(row["id"], row["place"], row["split"], row["wanted"], bool(row["queued"]), row["rank"], record)


def put_item(
    db: sqlite3.Connection, old: StoredItem, place: int, split: str, queued: bool, record: CorpusRecord
) -> bool:
    """Bring an item up to date; tells whether more than place and queue changed. Outdated suggestions are dropped."""
    changed = old.split != split or store_record(old.record) != store_record(record)
    if changed or (old.place, old.queued) != (place, queued):
        values = (place, split, queued, store_record(record), old.id)
        db.execute("UPDATE item SET place = ?, split = ?, queued = ?, record = ? WHERE id = ?", values)
    if old.record.statement != record.statement:
        db.execute("DELETE FROM suggestion WHERE item = ?", (old.id,))
    return changed


def utc_now() -> str:
    """Return the time, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
