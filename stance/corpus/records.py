"""The labelled record, the corpus, and the rules they keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from stance.errors import CorpusError
from stance.schema import Statement

__all__ = [
    "ADJUDICATOR",
    "SECOND_LOOK",
    "Corpus",
    "CorpusRecord",
    "broken_rule",
    "check_corpus",
    "cluster_of",
    "decides",
    "is_date",
    "rates",
    "ratings_first",
]

ADJUDICATOR = "adjudicator:"
"""Prefix of the name under which a person's decisions on disagreements are stored."""
SECOND_LOOK = "second-look:"
"""Prefix of the name under which a corpus holds what a person gave after being told what is suspected."""
_Given = TypeVar("_Given")
_NOTHING: Mapping[str, Mapping[str, str | None]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """One statement with its labels.

    Parameters
    ----------
    statement
        The statement with speaker and context.
    labels
        Label name per target name; ``None`` (or no entry) where the target was not labelled.
    document
        Document the statement comes from: records of one document never cross splits. Empty if each record
        stands for itself.
    outlet, published, source
        Where and when it was published (ISO 8601), and the corpus or family it was taken from.
    annotators
        The labels each annotator gave, by annotator and target. A name that begins with `ADJUDICATOR` decided on
        disagreements, one with `SECOND_LOOK` looked again at labels under suspicion; neither is a rating.
    """

    statement: Statement
    labels: Mapping[str, str | None]
    document: str = ""
    outlet: str | None = None
    published: str | None = None
    source: str | None = None
    annotators: Mapping[str, Mapping[str, str | None]] = field(default_factory=lambda: _NOTHING)

    @property
    def id(self) -> str:
        """Id of the statement."""
        return self.statement.id


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled statements in splits; label set and targets are data.

    Parameters
    ----------
    name
        Name of the corpus.
    labels
        Label names in the order of every ClassLabel, table and plot.
    targets
        Target names in order.
    splits
        Records per split.
    """

    name: str
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    splits: Mapping[str, tuple[CorpusRecord, ...]]

    @property
    def records(self) -> tuple[CorpusRecord, ...]:
        """The records of all splits, in order."""
        return tuple(record for split in self.splits.values() for record in split)

    def __len__(self) -> int:
        return sum(len(split) for split in self.splits.values())


def cluster_of(record: CorpusRecord) -> str:
    """Return the name of the cluster whose records are drawn together: the document, or the record itself."""
    return f"{record.source or ''}:{record.document}" if record.document else f"id:{record.id}"


def check_corpus(corpus: Corpus) -> None:
    """Check every rule a corpus keeps.

    Raises
    ------
    CorpusError
        At the first record that breaks a rule; names corpus, split, row (counted from 1) and rule.
    """
    for names, what in ((corpus.labels, "label"), (corpus.targets, "target")):
        if not names or len(set(names)) != len(names) or not all(n and n == n.strip() for n in names):
            raise CorpusError(f"needs {what} names, each once and not empty", file=corpus.name, rule=f"{what}-names")
    seen: set[str] = set()
    for split, records in corpus.splits.items():
        for row, record in enumerate(records, 1):
            if problem := broken_rule(record, corpus, seen):
                raise CorpusError(problem[1], file=f"{corpus.name}/{split}", record=row, rule=problem[0])
            seen.add(record.id)


def decides(annotator: str) -> bool:
    """Tell whether labels are under this name as a decision on disagreements, not as a rating."""
    return annotator.startswith(ADJUDICATOR)


def rates(annotator: str) -> bool:
    """Tell whether labels are under this name as a rating: neither a decision nor a second look."""
    return not annotator.startswith((ADJUDICATOR, SECOND_LOOK))


def ratings_first(given: Iterable[tuple[str, _Given]]) -> list[tuple[str, _Given]]:
    """Return what is under annotators' names with second looks and decisions last, else in the order it had.

    Labels are taken over in this order: a rating that came after its annotator's second look would not count.
    """
    return sorted(given, key=lambda pair: not rates(pair[0]))


def broken_rule(record: CorpusRecord, corpus: Corpus, seen: set[str]) -> tuple[str, str] | None:
    """Return rule and message of the first rule a record breaks, or ``None``; `seen` holds the ids read before."""
    if not record.id.strip():
        return "missing-id", "needs an 'id'"
    if record.id in seen:
        return "duplicate-id", f"id {record.id!r} was read before"
    if not record.statement.text.strip():
        return "missing-statement", "needs a 'statement' that is not empty"
    if record.published is not None and not is_date(record.published):
        return "published-date", f"published {record.published!r} is no ISO 8601 date, such as 2024-05-31"
    for who, labels in (("", record.labels), *record.annotators.items()):
        by = f" by annotator {who!r}" if who else ""
        for target, label in labels.items():
            if target not in corpus.targets:
                return "unknown-target", f"target {target!r}{by} is not one of {', '.join(corpus.targets)}"
            if label is not None and label not in corpus.labels:
                known = ", ".join(corpus.labels)
                return "unknown-label", f"label {label!r} for {target!r}{by} is not one of {known}"
    return None


def is_date(text: str) -> bool:
    """Tell whether a text is an ISO 8601 year, month, date or date-time."""
    padded = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        datetime.fromisoformat(padded)
    except ValueError:
        return False
    return True
