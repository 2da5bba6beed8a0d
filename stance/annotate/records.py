"""What the store holds: items, changes, states and the rows of the history."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from stance.corpus import CorpusRecord
from stance.corpus.records import ADJUDICATOR, SECOND_LOOK, decides
from stance.errors import AnnotationError
from stance.schema import Speaker, Statement, stable_id

__all__ = [
    "KINDS",
    "SECOND_LOOK_MODE",
    "Brought",
    "Change",
    "ItemState",
    "Kind",
    "LabelRow",
    "StoredItem",
    "Work",
    "check_name",
    "load_record",
    "store_record",
    "stored_name",
    "with_wider_context",
]

Kind = Literal["label", "done", "skip", "flag", "unflag", "note", "reopen", "undo", "import", "import-flag"]
KINDS: tuple[str, ...] = ("label", "done", "skip", "flag", "unflag", "note", "reopen")
"""Kinds of change that a person makes by hand."""
SECOND_LOOK_MODE = SECOND_LOOK.rstrip(":")
"""Mode of what is given after being told what is suspected of a label."""
Brought = Literal["new", "same", "kept"]
"""What came of labels from elsewhere: they are new, they were known, or the store knows better."""
_LONGEST_NAME = 64
_NAME = re.compile(rf"[\w][\w .@+'-]{{0,{_LONGEST_NAME - 1}}}")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing an annotator did to an item.

    Parameters
    ----------
    kind
        ``label`` sets labels, ``done`` finishes the item, ``skip`` passes it on, ``flag`` and ``unflag`` mark it for
        a second look, ``note`` replaces the note, ``reopen`` takes ``done`` or ``skip`` back, ``import`` brings
        labels (and a note) from elsewhere, ``import-flag`` a flag.
    labels
        Label by target; ``None`` clears one. With ``label``, ``done`` and ``import`` only.
    text
        The note.
    millis
        Milliseconds the item was looked at since the last change.
    mode
        ``blind``, ``suggestion``, ``adjudicate`` or ``second-look``.
    suggestions
        Label the model had suggested on screen, by target.
    token
        Names the change, so that sending it twice saves it once.
    """

    kind: str
    labels: Mapping[str, str | None] = field(default_factory=dict)
    text: str | None = None
    millis: int = 0
    mode: str = "blind"
    suggestions: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None


@dataclass(frozen=True, slots=True)
class ItemState:
    """What one annotator has given one item so far.

    Parameters
    ----------
    version
        Number of the last change, 0 if there is none.
    status
        ``open``, ``done`` or ``skipped``.
    flagged, note
        Marked for a second look; words for others.
    labels
        Label by target, where there is one.
    millis
        Milliseconds spent.
    at
        Time of the last change, UTC.
    """

    version: int = 0
    status: str = "open"
    flagged: bool = False
    note: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    millis: int = 0
    at: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the state as the page reads it."""
        return {**asdict(self), "labels": dict(self.labels)}


@dataclass(frozen=True, slots=True)
class Work:
    """How an annotator came by the labels of an item.

    Parameters
    ----------
    mode
        ``suggestion`` if a label was given with the model's suggestion on screen, ``adjudicate`` for a decision,
        ``second-look`` for what is no more than that, else ``blind``.
    millis
        Milliseconds spent.
    flagged, note
        Marked for a second look; words for others.
    """

    mode: str = "blind"
    millis: int = 0
    flagged: bool = False
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return mode, seconds, flag and note as exports hold them."""
        return {"mode": self.mode, "seconds": self.millis / 1000, "flagged": self.flagged, "note": self.note}

    @classmethod
    def from_dict(cls, found: Any) -> Work:
        """Return what `to_dict` gave; what is missing or of another form counts as not known.

        The name labels are under tells whether they are a decision or a second look, so no mode is read of these.
        """
        fields = found if isinstance(found, dict) else {}
        mode, seconds, note = fields.get("mode"), fields.get("seconds"), fields.get("note")
        known = seconds if isinstance(seconds, int | float) and 0 <= seconds < 10**9 else 0
        return cls(
            mode="suggestion" if mode == "suggestion" else "blind",
            millis=round(known * 1000),
            flagged=fields.get("flagged") is True,
            note=note[:4000] if isinstance(note, str) else "",
        )


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One row of the history; `version` counts the changes of one annotator to one item."""

    id: int
    item: str
    annotator: str
    version: int
    at: str
    kind: str
    target: str | None
    label: str | None
    text: str | None
    millis: int
    mode: str
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class StoredItem:
    """A statement to be labelled.

    Parameters
    ----------
    id
        Id of the statement.
    place
        Place in the corpus.
    split
        Split it belongs to.
    wanted
        How many annotators shall label it.
    queued
        Whether it is to be labelled at all.
    rank
        Place in the queue, the lowest first.
    record
        The record of the corpus.
    """

    id: str
    place: int
    split: str
    wanted: int
    queued: bool
    rank: float
    record: CorpusRecord


def check_name(name: str) -> str:
    """Return an annotator's name without surrounding spaces.

    Raises
    ------
    AnnotationError
        If it is empty, longer than 64 characters, or holds other characters than letters, digits and ``_ .@+'-``.
    """
    known = unicodedata.normalize("NFC", name).strip()
    if not _NAME.fullmatch(known):
        message = f"name {name[:80]!r}: 1 to {_LONGEST_NAME} letters, digits, spaces or any of _ . @ + ' -"
        raise AnnotationError(message, file="annotator", rule="annotator-name")
    return known


def stored_name(annotator: str) -> str:
    """Return the name that labels from elsewhere are stored under, an adjudicator's with the prefix.

    Other tools and corpora name people as they like. What cannot be a name here is written with the characters that
    can, and with a hash that tells two of them apart.
    """
    person = annotator.removeprefix(SECOND_LOOK).removeprefix(ADJUDICATOR)
    prefix = ADJUDICATOR if decides(annotator) else ""
    try:
        return prefix + check_name(person)
    except AnnotationError:
        known = re.sub(r"[^\w .@+'-]", "_", unicodedata.normalize("NFC", person)).strip(" .@+'-")
        code = stable_id(person, length=6)
        return f"{prefix}{known[: _LONGEST_NAME - len(code) - 1] or 'annotator'}-{code}"


def store_record(record: CorpusRecord) -> str:
    """Return a record as JSON; the annotators' labels are left out, they go into the history."""
    fields = {
        "statement": asdict(record.statement),
        "labels": dict(record.labels),
        "document": record.document,
        "outlet": record.outlet,
        "published": record.published,
        "source": record.source,
    }
    return json.dumps(fields, ensure_ascii=False)


def load_record(text: str) -> CorpusRecord:
    """Return the record that `store_record` wrote."""
    fields = json.loads(text)
    statement = fields.pop("statement")
    speaker = statement.pop("speaker")
    made = Statement(**statement, speaker=Speaker(**speaker) if speaker else None)
    return CorpusRecord(statement=made, **fields)


def with_wider_context(record: CorpusRecord, known: CorpusRecord) -> CorpusRecord:
    """Return a record of the corpus with the text of its article around it (and the outlet) that was joined before."""
    new, old = record.statement, known.statement
    if not (old.before.endswith(new.before) and old.after.startswith(new.after)):
        return record
    statement = replace(new, before=old.before, after=old.after)
    return replace(record, statement=statement, outlet=record.outlet or known.outlet)
