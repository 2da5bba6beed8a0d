"""The store of a labelling project: SQLite in WAL mode, where every label is a row and none is ever changed.

``entry`` is the history: rows are only added (a trigger refuses anything else). ``state`` is what the history adds up
to, one row per item and annotator; it is kept in the same transaction and can be rebuilt from the history alone.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from stance.annotate.history import fold, labels_set, parted, replay, standing, step
from stance.annotate.records import (
    SECOND_LOOK_MODE,
    Brought,
    Change,
    ItemState,
    LabelRow,
    StoredItem,
    Work,
    check_name,
    stored_name,
)
from stance.annotate.tables import (
    add_annotator,
    append_change,
    claim_item,
    item_of_row,
    last_change,
    make_tables,
    put_state,
    read_state,
    release_item,
    renew_claim,
    rows_of,
    state_of_row,
    utc_now,
)
from stance.corpus import Corpus
from stance.corpus.records import ADJUDICATOR, SECOND_LOOK, decides, ratings_first
from stance.errors import AnnotationError, ConflictError

__all__ = ["ADJUDICATOR", "Store"]

_FORMAT = "1"


class Store:
    """A labelling project in one SQLite file.

    Any number of processes and threads may use one file at once: each call opens its own connection, and each
    change is one immediate transaction. Use `create` for a new file and the constructor for an old one.

    Parameters
    ----------
    path
        The file, which must hold a project.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with self._read() as db:
                meta = dict(db.execute("SELECT key, value FROM meta"))
        except sqlite3.DatabaseError as error:
            raise AnnotationError(f"not a labelling store: {error}", file=str(path), rule="store") from error
        if meta.get("format") != _FORMAT:
            found = meta.get("format")
            raise AnnotationError(f"store format {found}, this version reads {_FORMAT}", file=str(path), rule="store")
        self.name: str = meta["name"]
        self.labels: tuple[str, ...] = tuple(json.loads(meta["labels"]))
        self.targets: tuple[str, ...] = tuple(json.loads(meta["targets"]))
        self.secret = bytes.fromhex(meta["secret"])
        self.id: str = meta["id"]

    @classmethod
    def create(cls, path: str | Path, corpus: Corpus, *, queued: Iterable[str] | None = None) -> Store:
        """Make a store of a corpus's statements; labels that name their annotator are taken over.

        Parameters
        ----------
        path
            File to be made.
        corpus
            Statements, label set and targets.
        queued
            Ids of the statements to be labelled; all if not given.

        Raises
        ------
        AnnotationError
            If the file is there already, or cannot be made.
        """
        place = Path(path)
        if place.exists():
            raise AnnotationError("is there already", file=str(path), rule="store-exists")
        wanted = set(queued) if queued is not None else None
        meta = {
            "format": _FORMAT,
            "name": corpus.name,
            "labels": json.dumps(corpus.labels),
            "targets": json.dumps(corpus.targets),
            "secret": secrets.token_hex(32),
            "id": secrets.token_hex(8),
            "created": utc_now(),
        }
        partial = place.with_name(f"{place.name}.{meta['id']}.part")
        try:
            make_tables(partial, meta, corpus, wanted)
            made = cls(partial)
            pairs = ((r.id, ratings_first(r.annotators.items())) for r in corpus.records)
            made.import_labels((item, who, labels) for item, given in pairs for who, labels in given)
            _put_in_place(partial, place)  # not before all labels are in
        except FileExistsError as error:
            raise AnnotationError("is there already", file=str(path), rule="store-exists") from error
        except (sqlite3.Error, OSError) as error:
            raise AnnotationError(f"cannot be made: {error}", file=str(path), rule="store-write") from error
        finally:
            for ending in ("", "-wal", "-shm"):
                partial.with_name(partial.name + ending).unlink(missing_ok=True)
        return cls(place)

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        if not self.path.is_file():
            raise AnnotationError("no such store", file=str(self.path), rule="store-missing")
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            yield db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that holds the write lock from its start; an exception takes it back."""
        with self._read() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def read(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._read() as db:
            return db.execute(query, values).fetchall()

    # items -----------------------------------------------------------------------------------------------------

    def item(self, item: str) -> StoredItem:
        """Return an item.

        Raises
        ------
        AnnotationError
            If there is none of this id.
        """
        rows = self.read("SELECT * FROM item WHERE id = ?", (item,))
        if not rows:
            raise AnnotationError(f"no item {item!r}", file=str(self.path), rule="unknown-item")
        return item_of_row(rows[0])

    def items(self) -> list[StoredItem]:
        """Return all items in the order of the corpus."""
        return [item_of_row(row) for row in self.read("SELECT * FROM item ORDER BY place")]

    def set_ranks(self, ranks: Mapping[str, float]) -> None:
        """Set the order of the queue, the lowest rank first."""
        with self.write() as db:
            db.executemany("UPDATE item SET rank = ? WHERE id = ?", ((rank, item) for item, rank in ranks.items()))

    def set_wanted(self, wanted: Mapping[str, int]) -> None:
        """Set how many annotators shall label each item."""
        with self.write() as db:
            db.executemany("UPDATE item SET wanted = ? WHERE id = ?", ((n, item) for item, n in wanted.items()))

    # annotators ------------------------------------------------------------------------------------------------

    def annotators(self, *, adjudicators: bool = False) -> list[str]:
        """Return the names of all who have a part, in order."""
        names = [row["name"] for row in self.read("SELECT name FROM annotator ORDER BY name")]
        return [n for n in names if adjudicators or not decides(n)]

    def enter(self, name: str, *, adjudicator: bool = False) -> str:
        """Add an annotator, or find the one of this name; returns the name to save under.

        Parameters
        ----------
        name
            The person's name.
        adjudicator
            Whether to return the name under which this person's decisions on disagreements are stored.

        Raises
        ------
        AnnotationError
            If the name breaks a rule.
        """
        known = f"{ADJUDICATOR if adjudicator else ''}{check_name(name)}"
        with self.write() as db:
            add_annotator(db, known)
        return known

    # labels ----------------------------------------------------------------------------------------------------

    def state(self, item: str, annotator: str) -> ItemState:
        """Return what an annotator has given an item so far; version 0 if nothing."""
        with self._read() as db:
            return read_state(db, item, annotator)

    def save(self, item: str, annotator: str, change: Change, *, base: int | None = None) -> ItemState:
        """Add one change to the history and return the new state; it is on disk when this returns.

        Parameters
        ----------
        item, annotator
            Whose label of what.
        change
            What is changed.
        base
            Version the change was made from; ``None`` if any will do.

        Raises
        ------
        ConflictError
            If the item has moved on from `base` (another tab of the same annotator); nothing is saved.
        AnnotationError
            If item, annotator, target or label is unknown, a finished item would lack a label, or labels come with a
            kind of change that sets none.
        """
        self._check(change)
        with self.write() as db:
            if change.token and db.execute("SELECT 1 FROM entry WHERE token = ?", (change.token,)).fetchone():
                return read_state(db, item, annotator)  # sent again after a lost answer
            self._check_known(db, item, annotator)
            before = read_state(db, item, annotator)
            if base is not None and base != before.version:
                raise ConflictError(item, annotator, base, before)
            after = self._apply(before, change)
            append_change(db, item, annotator, after, change)
            put_state(db, item, annotator, after)
            self._claim(db, item, annotator, after, change.kind)
            return after

    def undo(self, annotator: str, *, token: str | None = None) -> tuple[str, ItemState] | None:
        """Take back the annotator's last change that is not yet taken back; returns its item and new state.

        What is taken back stays in the history, and so does the taking back. ``None`` if nothing is left.
        """
        with self.write() as db:
            if token and (row := db.execute("SELECT item FROM entry WHERE token = ?", (token,)).fetchone()):
                return row["item"], read_state(db, row["item"], annotator)
            last = last_change(db, annotator)
            if last is None:
                return None
            item, version = last
            now = read_state(db, item, annotator)
            rows = standing(rows_of(db, item, annotator))
            taken_back = next(row["kind"] for row in rows if row["version"] == version)
            earlier = fold([row for row in rows if row["version"] != version], self.targets)
            after = replace(earlier, version=now.version + 1, millis=now.millis, at=utc_now())
            append_change(db, item, annotator, after, Change("undo", text=str(version), token=token))
            put_state(db, item, annotator, after)
            self._claim(db, item, annotator, after, taken_back)
            return item, after

    def import_labels(self, given: Iterable[tuple[str, str, Mapping[str, str | None]]]) -> int:
        """Add labels from elsewhere, as (item, annotator, label per target); returns how many were new."""
        with self.write() as db:
            return sum(self.import_within(db, *one) == "new" for one in given)

    def import_within(
        self,
        db: sqlite3.Connection,
        item: str,
        annotator: str,
        labels: Mapping[str, str | None],
        work: Work | None = None,
    ) -> Brought:
        """Add what an annotator gave one item elsewhere, in a transaction (`write`); tells what came of it.

        It is ``kept`` out where the store knows better: where the annotator has labelled the item here, where the very
        labels were imported before and others since, or where a second look has followed.
        """
        name = stored_name(annotator)
        known = {target: label for target, label in labels.items() if label is not None}
        looked, done = annotator.startswith(SECOND_LOOK), work or Work()
        mode = SECOND_LOOK_MODE if looked else done.mode
        change = Change("import", known, text=done.note or None, millis=done.millis, mode=mode)
        self._check(change)
        self._check_item(db, item)
        if not known:
            return "same"
        ordinary, look = parted(standing(rows_of(db, item, name)))
        rows = look if looked else ordinary
        if known.items() <= labels_set(rows).items():
            return "same"
        earlier: dict[int, dict[str, str]] = {}
        for row in rows:
            earlier.setdefault(row["version"], {})[row["target"]] = row["label"]
        by_hand = any(row["kind"] in ("label", "done") for row in rows)
        if by_hand or known in earlier.values() or (look and not looked):
            return "kept"
        add_annotator(db, name)
        for each in (change, Change("import-flag")) if done.flagged else (change,):
            after = self._apply(read_state(db, item, name), each)
            append_change(db, item, name, after, each)
            put_state(db, item, name, after)
        return "new"

    def history(self, item: str | None = None, annotator: str | None = None) -> list[LabelRow]:
        """Return the history in the order it happened, of one item or annotator if given."""
        where = [f"{column} = ?" for column, value in (("item", item), ("annotator", annotator)) if value is not None]
        query = "SELECT * FROM entry" + (f" WHERE {' AND '.join(where)}" if where else "") + " ORDER BY id"
        rows = self.read(query, [v for v in (item, annotator) if v is not None])
        return [LabelRow(**{key: row[key] for key in row.keys() if key != "token"}) for row in rows]  # noqa: SIM118

    def states(self) -> list[tuple[str, str, ItemState]]:
        """Return item, annotator and state of everything that was ever labelled."""
        rows = self.read("SELECT * FROM state ORDER BY item, annotator")
        return [(row["item"], row["annotator"], state_of_row(row)) for row in rows]

    def rebuild(self) -> int:
        """Compute every state anew from the history; returns how many differed from what was stored."""
        with self.write() as db:
            pairs = db.execute("SELECT DISTINCT item, annotator FROM entry").fetchall()
            wrong = 0
            for pair in pairs:
                item, annotator = pair["item"], pair["annotator"]
                fresh = replay(rows_of(db, item, annotator), self.targets)
                if fresh != read_state(db, item, annotator):
                    wrong += 1
                    put_state(db, item, annotator, fresh)
            return wrong

    # suggestions -----------------------------------------------------------------------------------------------

    def set_suggestions(self, model: str, rows: Iterable[tuple[str, str, str, Sequence[float]]]) -> None:
        """Keep a model's answers: (item, target, label, probability of each label); replaces those of another."""
        with self.write() as db:
            db.executemany(
                "INSERT OR REPLACE INTO suggestion VALUES (?, ?, ?, ?, ?)",
                ((i, t, label, json.dumps([round(float(x), 6) for x in p]), model) for i, t, label, p in rows),
            )

    def suggestions(self, item: str) -> dict[str, tuple[str, float]]:
        """Return label and probability the model gives an item, by target."""
        rows = self.read("SELECT target, label, p FROM suggestion WHERE item = ?", (item,))
        return {row["target"]: (row["label"], max(json.loads(row["p"]))) for row in rows}

    def suggestion_model(self) -> str | None:
        """Return the model whose answers are stored for every item and target, or ``None``."""
        rows = self.read("SELECT model, COUNT(*) AS n FROM suggestion GROUP BY model")
        items = self.read("SELECT COUNT(*) AS n FROM item")[0]["n"]
        return rows[0]["model"] if len(rows) == 1 and rows[0]["n"] == items * len(self.targets) else None

    def probabilities(self) -> dict[str, dict[str, list[float]]]:
        """Return the stored probabilities by item and target."""
        found: dict[str, dict[str, list[float]]] = {}
        for row in self.read("SELECT item, target, p FROM suggestion"):
            found.setdefault(row["item"], {})[row["target"]] = json.loads(row["p"])
        return found

    # rules -----------------------------------------------------------------------------------------------------

    def _claim(self, db: sqlite3.Connection, item: str, annotator: str, after: ItemState, kind: str) -> None:
        """Keep others off an item that is being worked on, and let them have it again once it is finished."""
        if after.status != "open":
            release_item(db, item, annotator)
        elif kind in ("flag", "unflag", "note"):  # a word on somebody else's item is no work begun
            renew_claim(db, item, annotator, time.time())
        elif not decides(annotator):
            claim_item(db, item, annotator, time.time())

    def _check(self, change: Change) -> None:
        if change.labels and change.kind not in ("label", "done", "import"):
            raise AnnotationError(f"{change.kind!r} sets no labels", file=str(self.path), rule="labels")
        for target, label in change.labels.items():
            if target not in self.targets:
                raise AnnotationError(f"unknown target {target!r}", file=str(self.path), rule="unknown-target")
            if label is not None and label not in self.labels:
                raise AnnotationError(f"unknown label {label!r}", file=str(self.path), rule="unknown-label")

    def _check_item(self, db: sqlite3.Connection, item: str) -> None:
        if not db.execute("SELECT 1 FROM item WHERE id = ?", (item,)).fetchone():
            raise AnnotationError(f"no item {item!r}", file=str(self.path), rule="unknown-item")

    def _check_known(self, db: sqlite3.Connection, item: str, annotator: str) -> None:
        self._check_item(db, item)
        if not db.execute("SELECT 1 FROM annotator WHERE name = ?", (annotator,)).fetchone():
            raise AnnotationError(f"no annotator {annotator!r}", file=str(self.path), rule="unknown-annotator")

    def _apply(self, before: ItemState, change: Change) -> ItemState:
        after = step(before, change, before.version + 1, utc_now(), self.targets)
        missing = [t for t in self.targets if t not in after.labels]
        if change.kind == "done" and missing:
            message = f"not finished: no label for {', '.join(missing)}"
            raise AnnotationError(message, file=str(self.path), rule="incomplete")
        return after


def _put_in_place(made: Path, place: Path) -> None:
    """Give a file its name, never over one that was made meanwhile."""
    try:
        os.link(made, place)
    except FileExistsError:
        raise
    except OSError:  # no hard links here, as on exFAT: the name is taken by an empty file, which is then replaced
        place.open("x").close()
        try:
            os.replace(made, place)
        except OSError:
            place.unlink()
            raise
