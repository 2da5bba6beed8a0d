"""Every error this package raises on purpose.

::

    StanceError
    ├── InputError          an input (file, record, value) breaks a rule
    │   ├── ArticleError    an article cannot be read
    │   ├── StatementError  a statement record cannot be read
    │   ├── CorpusError     a labelled record or its corpus breaks a rule
    │   ├── AnnotationError a labelling store, or what is to be saved in it, breaks a rule
    │   │   └── ConflictError   a label was changed in the meantime
    │   ├── RowError        a stance row cannot be read
    │   └── TargetError     a target is unknown or badly described
    ├── OutputError         a result cannot be written
    │   └── ResumeError     an unfinished run was begun with another model or configuration
    ├── ModelError          a model folder is missing, damaged or of another format
    ├── MissingExtraError   an optional dependency is not installed
    └── UsageError          options that contradict each other
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

__all__ = [
    "AnnotationError",
    "ArticleError",
    "ConflictError",
    "CorpusError",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "Rejection",
    "ResumeError",
    "RowError",
    "StanceError",
    "StatementError",
    "TargetError",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class Rejection:
    """One input that was left out, and why.

    Parameters
    ----------
    file
        Path as the user gave it, ``-`` for standard input.
    record
        Record inside the file: ``None`` for the whole file, otherwise counted from 1 (a line of JSONL or
        CSV data, a row of Parquet).
    rule
        Short name of the rule that was broken, such as ``empty-text``; stable, for programs.
    message
        What is wrong and what would mend it, for people.
    """

    file: str
    record: int | None
    rule: str
    message: str

    def to_dict(self) -> dict[str, str | int | None]:
        """Return the four fields as a plain dictionary."""
        return asdict(self)

    def __str__(self) -> str:
        where = self.file if self.record is None else f"{self.file}, record {self.record}"
        return f"{where}: {self.message} [{self.rule}]"


class StanceError(Exception):
    """Base of every error raised on purpose by this package."""


class InputError(StanceError):
    """An input breaks a rule; carries file, record and rule.

    Parameters
    ----------
    message
        What is wrong and what would mend it.
    file, record, rule
        See `Rejection`.
    """

    default_rule: ClassVar[str] = "input"

    def __init__(
        self, message: str, *, file: str = "<input>", record: int | None = None, rule: str | None = None
    ) -> None:
        self.rejection = Rejection(file, record, rule or self.default_rule, message)
        super().__init__(str(self.rejection))


class ArticleError(InputError):
    """An article cannot be read."""

    default_rule = "article"


class StatementError(InputError):
    """A statement record cannot be read."""

    default_rule = "statement"


class CorpusError(InputError):
    """A labelled record, or the corpus it stands in, breaks a rule."""

    default_rule = "corpus"


class AnnotationError(InputError):
    """A labelling store, or what is to be saved in it, breaks a rule."""

    default_rule = "annotation"


class ConflictError(AnnotationError):
    """A label was changed in the meantime, in another tab of the same annotator.

    Parameters
    ----------
    item, annotator
        What was to be changed.
    base
        Version the change was made from.
    state
        The present state, a `stance.annotate.records.ItemState`.
    """

    def __init__(self, item: str, annotator: str, base: int, state: object) -> None:
        self.state = state
        message = f"item {item!r} of {annotator!r} has moved on from version {base}"
        super().__init__(message, file="store", rule="conflict")


class RowError(InputError):
    """A stance row cannot be read."""

    default_rule = "row"


class TargetError(InputError):
    """A target is unknown or badly described."""

    default_rule = "target"


class OutputError(StanceError):
    """A result cannot be written."""


class ResumeError(OutputError):
    """An unfinished run cannot be gone on with: it was begun differently, or another process works on it."""


class ModelError(StanceError):
    """A model folder is missing, damaged or of another format."""


class UsageError(StanceError):
    """Options contradict each other or cannot be understood."""


class MissingExtraError(StanceError):
    """An optional dependency is not installed.

    Parameters
    ----------
    feature
        What the user asked for.
    extra
        The extra of this package that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{feature} needs an optional dependency: pip install 'stance[{extra}]'")
