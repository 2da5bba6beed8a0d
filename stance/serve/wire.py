"""The JSON that comes in and goes out, as pydantic models: they check requests and describe the interface."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from stance.schema import QuoteType, row_columns
from stance.serve.options import (
    MAX_ARTICLE_CHARS,
    MAX_ARTICLES,
    MAX_FIELD_CHARS,
    MAX_STATEMENT_CHARS,
    MAX_STATEMENTS,
    MAX_TARGET_CHARS,
    MAX_TARGETS,
)

__all__ = [
    "ArticleIn",
    "ClassifyRequest",
    "ErrorAnswer",
    "Health",
    "ScoreRequest",
    "StatementIn",
    "TargetsAnswer",
    "answers",
]

_NOT_BLANK = r"\S"
_LARGEST = 2**53 - 1  # the largest whole number that every JSON reader keeps exact

Field500 = Annotated[str, Field(max_length=MAX_FIELD_CHARS)]
TargetName = Annotated[str, Field(min_length=1, max_length=MAX_TARGET_CHARS, pattern=_NOT_BLANK)]
TargetNames = Annotated[
    list[TargetName],
    Field(min_length=1, max_length=MAX_TARGETS, json_schema_extra={"uniqueItems": True}),
]


def _whole(value: Any) -> Any:
    """Take 3.0 for 3: to JSON they are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Offset = Annotated[int, Field(ge=0, le=_LARGEST), BeforeValidator(_whole)]


class _Strict(BaseModel):
    """No unknown key passes: a misspelt one must not be silent."""

    model_config = ConfigDict(extra="forbid", strict=True, regex_engine="python-re", frozen=True)


class ArticleIn(_Strict):
    """One news article, in English."""

    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_ARTICLE_CHARS,
            pattern=_NOT_BLANK,
            description="The body. Offsets in the answer count its characters (after CRLF became LF).",
            examples=["“Russia has broken every promise it made to Ukraine,” said Polish minister Jan Kowal."],
        ),
    ]
    id: Field500 | None = Field(default=None, description="Your own id; otherwise one is made from the content.")
    title: Field500 | None = None
    outlet: Field500 | None = None
    published: Field500 | None = Field(default=None, description="A date or date-time.", examples=["2024-04-21"])
    url: Field500 | None = None


class ScoreRequest(_Strict):
    """Articles to find statements in and to score."""

    articles: Annotated[list[ArticleIn], Field(min_length=1, max_length=MAX_ARTICLES)]
    targets: TargetNames | None = Field(default=None, description="What to ask about; the server's targets if absent.")


class StatementIn(_Strict):
    """One statement, as ``stance classify`` reads it."""

    id: Annotated[str, Field(min_length=1, max_length=MAX_FIELD_CHARS, pattern=_NOT_BLANK)]
    statement: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_STATEMENT_CHARS,
            pattern=_NOT_BLANK,
            examples=["China has been a reliable partner to every country in the region."],
        ),
    ]
    speaker: Field500 | None = None
    context: Annotated[str, Field(max_length=MAX_STATEMENT_CHARS)] | None = Field(
        default=None, description="Text around the statement, with the statement in it, best marked by ⟦ ⟧."
    )
    targets: TargetNames | None = Field(default=None, description="For this statement alone.")
    article_id: Field500 | None = None
    quotation_id: Field500 | None = None
    start: Offset | None = None
    end: Offset | None = None
    quote_type: QuoteType | None = None
    cue: Field500 | None = None
    speaker_mention: Field500 | None = None
    speaker_country: Field500 | None = None


class ClassifyRequest(_Strict):
    """Statements to score."""

    statements: Annotated[list[StatementIn], Field(min_length=1, max_length=MAX_STATEMENTS)]
    targets: TargetNames | None = Field(default=None, description="What to ask about; the server's targets if absent.")


class ProblemOut(BaseModel):
    """One thing wrong with a request."""

    where: str = Field(examples=["body.statements[3].id"])
    message: str


class ErrorOut(BaseModel):
    """Why a request was refused."""

    rule: str = Field(description="Short and stable, for programs.", examples=["invalid"])
    message: str = Field(description="For people.")
    problems: list[ProblemOut]


class ErrorAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorOut


class WarningOut(BaseModel):
    """A doubt about an article that was read all the same."""

    rule: str = Field(examples=["not-english"])
    message: str


class ArticleOut(BaseModel):
    """An article as it was read."""

    id: str
    title: str | None
    outlet: str | None
    published: str | None
    url: str | None
    characters: int
    statements: int = Field(description="How many were found.")
    warnings: list[WarningOut]


class TargetOut(BaseModel):
    """Something a speaker may take a side on."""

    name: str
    aliases: list[str]
    description: str


class TargetsAnswer(BaseModel):
    """What is asked about if a request names no targets."""

    targets: list[TargetOut]
    labels: list[str]
    model: str


class Health(BaseModel):
    """Whether requests are taken."""

    status: str = Field(examples=["ok"])
    version: str
    model: str
    waiting: int = Field(description="Statements that wait for the model.")


_ROW_TYPES: dict[str, Any] = {
    **dict.fromkeys(("start", "end"), int),
    **dict.fromkeys(("abstained", "truncated"), bool),
    **dict.fromkeys(("outlet", "published", "quote_type", "cue"), str | None),
    **dict.fromkeys(("speaker", "speaker_mention", "speaker_country"), str | None),
    "confidence": float,
}


def answers(labels: tuple[str, ...]) -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the models of the answers to ``/v1/score`` and ``/v1/classify`` for a label set."""
    kinds: dict[str, Any] = {
        name: float if name.startswith("p_") else _ROW_TYPES.get(name, str) for name in row_columns(labels)
    }
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in kinds.items()}
    row: Any = create_model(
        "Row",
        __doc__="One statement and one target; the columns of the row contract.",
        **fields,
    )
    common: dict[str, Any] = {
        "contract": (str, Field(description="Version of the row contract.")),
        "model": (str, Field(description="Name and content hash of the model.")),
    }
    scored = create_model(
        "ScoreAnswer",
        __doc__="Articles as they were read, and their rows in the order of the text.",
        **common,
        articles=(list[ArticleOut], ...),
        rows=(list[row], ...),
    )
    classified = create_model(
        "ClassifyAnswer", __doc__="Rows in the order of the statements.", **common, rows=(list[row], ...)
    )
    return scored, classified
