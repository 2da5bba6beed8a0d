"""The records that travel the road from article to table, and the Arrow schema of the table.

The row contract is versioned by `CONTRACT_VERSION`; it is written into the metadata of every file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "CONTRACT_VERSION",
    "LABELS",
    "Article",
    "Factuality",
    "QuoteType",
    "Speaker",
    "StanceRow",
    "Statement",
    "StatementKind",
    "Target",
    "row_columns",
    "rows_schema",
    "split_context",
    "stable_id",
    "statements_schema",
]

CONTRACT_VERSION = "1"
LABELS: tuple[str, ...] = ("against", "neutral", "favor", "not_addressed")
QuoteType = Literal["direct", "indirect", "mixed"]
StatementKind = Literal["speech", "thought"]
Factuality = Literal["asserted", "denied", "question", "hypothetical", "not_said"]


def split_context(context: str | None, statement: str) -> tuple[str, str]:
    """Return what stands before and after a statement in its context.

    Parameters
    ----------
    context
        Text around the statement, which is marked by ``⟦ ⟧`` or stands there as it is; a context without either, such
        as a title, comes before it.
    statement
        Text of the statement.
    """
    if not context:
        return "", ""
    for inner in (f"⟦{statement}⟧", statement):
        if inner in context:
            before, _, after = context.partition(inner)
            return before, after
    before, mark, rest = context.partition("⟦")
    if mark and "⟧" in rest:  # the same statement, spaced otherwise
        return before, rest.partition("⟧")[2]
    return (context if context[-1].isspace() else f"{context} "), ""


def stable_id(*parts: object, length: int = 16) -> str:
    """Return a hexadecimal id that depends on the parts alone.

    Parameters
    ----------
    parts
        Values whose ``str`` identifies the thing; their order counts.
    length
        Number of hexadecimal digits, 4 bits each.
    """
    joined = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Article:
    """One news article.

    Parameters
    ----------
    id
        Unique within a run and the same on every run over the same input.
    text
        The body as read; every offset of a statement counts characters of it.
    title, outlet, published, url
        What is known of its origin, ``None`` where unknown. `published` is an ISO 8601 date or date-time.
    """

    id: str
    text: str
    title: str | None = None
    outlet: str | None = None
    published: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who made a statement.

    Parameters
    ----------
    name
        The resolved name, the fullest form in the article (``"John Kirby"`` for a later ``"he"``).
    mention
        The words in the text next to the statement.
    start, end
        Character offsets of `mention` in the article's text, ``None`` when there is no article.
    country
        Country the speaker speaks for, or ``None`` when the text does not say.
    """

    name: str
    mention: str
    start: int | None = None
    end: int | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One unbroken quoted or reported statement.

    Parameters
    ----------
    id
        Stable id of the statement.
    text
        The statement's words; within an article, ``article.text[start:end] == text``.
    start, end
        Character offsets into the article's text.
    quotation_id
        Shared by the parts of one quotation that its cue interrupts.
    quote_type
        ``direct``, ``indirect`` or ``mixed``; ``None`` where it was never looked for.
    cue
        The reporting words (``"said"``), or ``None``.
    speaker
        Who said it, or ``None`` when the text does not tell.
    before, after
        Text around the statement, for the model to read as context.
    kind
        ``speech``, or ``thought`` for what is believed, hoped or felt; ``None`` where it was never looked for.
    factuality
        Whether the speaker asserts it: ``asserted``, ``denied`` (said to be untrue), ``question``, ``hypothetical``
        (what would or might be said) or ``not_said`` ("did not say that"); ``None`` where it was never looked for.
    """

    id: str
    text: str
    start: int = 0
    end: int = 0
    quotation_id: str = ""
    quote_type: QuoteType | None = None
    cue: str | None = None
    speaker: Speaker | None = None
    before: str = ""
    after: str = ""
    article_id: str = ""
    kind: StatementKind | None = None
    factuality: Factuality | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as a record of the extraction file (columns of `statements_schema`)."""
        speaker = self.speaker
        return {
            "article_id": self.article_id,
            "statement_id": self.id,
            "quotation_id": self.quotation_id,
            "start": self.start,
            "end": self.end,
            "quote_type": self.quote_type,
            "statement": self.text,
            "cue": self.cue,
            "speaker": speaker.name if speaker else None,
            "speaker_mention": speaker.mention if speaker else None,
            "speaker_start": speaker.start if speaker else None,
            "speaker_end": speaker.end if speaker else None,
            "speaker_country": speaker.country if speaker else None,
            "context": f"{self.before}⟦{self.text}⟧{self.after}",
            "kind": self.kind,
            "factuality": self.factuality,
        }


@dataclass(frozen=True, slots=True)
class Target:
    """Something a speaker may take a side on.

    Parameters
    ----------
    name
        Name written into the table, and into the model's input but for targets that it was not trained on, which are
        asked about by the name that the statement uses.
    aliases
        Other names for it (``"Kremlin"`` for Russia).
    description
        One sentence for people.
    """

    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class StanceRow:
    """The stance of one statement toward one target: one row of the table.

    `probabilities` maps each label to its calibrated probability (they sum to 1); `to_dict` lays them out
    as the columns ``p_<label>``. The other fields are the columns of the row contract.
    """

    article_id: str
    outlet: str | None
    published: str | None
    statement_id: str
    quotation_id: str
    start: int
    end: int
    quote_type: QuoteType | None
    statement: str
    cue: str | None
    speaker: str | None
    speaker_mention: str | None
    speaker_country: str | None
    target: str
    label: str
    probabilities: Mapping[str, float] = field(repr=False)
    confidence: float
    abstained: bool
    truncated: bool
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return the row with one ``p_<label>`` entry per label, in the order of the row contract."""
        p = self.probabilities
        return dict(zip(_columns(tuple(p)), (*_BEFORE_P(self), *p.values(), *_AFTER_P(self)), strict=True))


def row_columns(labels: Sequence[str] = LABELS) -> tuple[str, ...]:
    """Return the column names of the row contract for a label set, in order."""
    return (*_COLUMNS_BEFORE_P, *(f"p_{label}" for label in labels), *_COLUMNS_AFTER_P)


_COLUMNS_BEFORE_P = (
    *("article_id", "outlet", "published", "statement_id", "quotation_id", "start", "end", "quote_type"),
    *("statement", "cue", "speaker", "speaker_mention", "speaker_country", "target", "label"),
)
_COLUMNS_AFTER_P = ("confidence", "abstained", "truncated", "model")
_BEFORE_P, _AFTER_P = attrgetter(*_COLUMNS_BEFORE_P), attrgetter(*_COLUMNS_AFTER_P)
_columns = cache(row_columns)
_INTEGERS = {"start", "end", "speaker_start", "speaker_end"}
_BOOLEANS = {"abstained", "truncated"}


def _arrow_schema(columns: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    def kind(name: str) -> pa.DataType:
        if name in _INTEGERS:
            return pa.int64()
        if name in _BOOLEANS:
            return pa.bool_()
        return pa.float64() if name == "confidence" or name.startswith("p_") else pa.string()

    metadata = {"stance.contract": CONTRACT_VERSION}
    return pa.schema([(name, kind(name)) for name in columns], metadata=metadata)


def rows_schema(labels: Sequence[str] = LABELS, aliases: Sequence[str] = ()) -> pa.Schema:
    """Return the Arrow schema of a table of stance rows.

    Parameters
    ----------
    labels
        The label set.
    aliases
        Targets that were asked about by alias (`stance.scoring.Scorer.aliases`), for the metadata.
    """
    schema = _arrow_schema(row_columns(labels))
    return schema.with_metadata({**schema.metadata, "stance.aliases": "; ".join(aliases)}) if aliases else schema


def statements_schema() -> pa.Schema:
    """Return the Arrow schema of a table of extracted statements."""
    return _arrow_schema(tuple(Statement(id="", text="").to_dict()))
