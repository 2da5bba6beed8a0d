"""What has changed in a corpus since its store was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stance.annotate.records import store_record, with_wider_context
from stance.annotate.store import Store
from stance.annotate.tables import item_of_row, put_item
from stance.corpus import Corpus
from stance.corpus.records import ratings_first
from stance.errors import AnnotationError

__all__ = ["Synced", "sync"]


_REOPEN = """
UPDATE state SET status = 'open' WHERE status = 'done' AND (SELECT COUNT(*) FROM json_each(state.labels)) < ?
"""
"""Stores of before took any import for finished; one that leaves targets open is to be asked for."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a corpus brought to its store.

    Parameters
    ----------
    added, updated
        New statements, and known ones whose labels, context, split or source changed.
    gone
        Statements of the store that the corpus no longer has.
    kept
        Labels of annotators that the corpus says otherwise, where those of the store stand.
    """

    added: int
    updated: int
    gone: int
    kept: int


def sync(store: Store, corpus: Corpus, *, queued: Iterable[str] | None = None) -> Synced:
    """Take over what has changed in a corpus since it was last opened; what annotators gave stays.

    Parameters
    ----------
    store
        The store.
    corpus
        The corpus as it is now.
    queued
        Ids of the statements to be labelled; all if not given. Nothing leaves the queue but what the corpus no
        longer has.

    Raises
    ------
    AnnotationError
        If label set or targets differ, or a statement of the same id has other words.
    """
    for what, ours, theirs in (("labels", store.labels, corpus.labels), ("targets", store.targets, corpus.targets)):
        if ours != theirs:
            message = f"the store's {what} are {', '.join(ours)}, the corpus has {', '.join(theirs)}"
            raise AnnotationError(message, file=str(store.path), rule=f"other-{what}")
    wanted = set(queued) if queued is not None else {record.id for record in corpus.records}
    added = updated = kept = 0
    with store.write() as db:
        db.execute(_REOPEN, (len(store.targets),))
        known = {row["id"]: item_of_row(row) for row in db.execute("SELECT * FROM item")}
        for place, (split, record) in enumerate((s, r) for s, rs in corpus.splits.items() for r in rs):
            item = known.pop(record.id, None)
            if item is None:
                added += 1
                row = (record.id, place, split, record.id in wanted, float(place), store_record(record))
                db.execute("INSERT INTO item(id, place, split, queued, rank, record) VALUES (?,?,?,?,?,?)", row)
            else:
                if item.record.statement.text != record.statement.text:
                    message = f"statement {record.id!r} has other words than the store's"
                    raise AnnotationError(message, file=str(store.path), rule="other-statement")
                fresh = with_wider_context(record, item.record)
                updated += put_item(db, item, place, split, item.queued or record.id in wanted, fresh)
            for who, given in ratings_first(record.annotators.items()):
                kept += store.import_within(db, record.id, who, given) == "kept"
        db.executemany("UPDATE item SET queued = 0 WHERE id = ?", ((item,) for item in known))
    return Synced(added, updated, len(known), kept)
