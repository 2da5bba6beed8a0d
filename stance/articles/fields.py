"""Which column holds what, and the values of an article's fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from stance.errors import UsageError

__all__ = ["FIELDS", "find_columns", "iso_date", "parse_columns", "plain"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "body", "content", "article", "article_text", "maintext", "full_text", "fulltext"),
    "title": ("title", "headline"),
    "outlet": ("outlet", "source", "publisher", "sitename", "site", "publication", "domain", "source_domain"),
    "published": (
        "published",
        "date",
        "published_at",
        "publish_date",
        "date_publish",
        "pubdate",
        "datetime",
        "timestamp",
    ),
    "url": ("url", "link"),
    "id": ("id", "article_id", "uuid", "guid"),
}
"""Fields of an article and the column names they usually have, most usual first."""

_DATE_FORMATS = (
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%d.%m.%Y",
)
_EPOCH = (0, 4_102_444_800)  # 1970 to 2100, in seconds


def parse_columns(spec: str) -> dict[str, str]:
    """Read ``"text=body,title=head"`` into a mapping from field to column.

    Raises
    ------
    UsageError
        If a part is not FIELD=COLUMN, or the field is unknown.
    """
    columns: dict[str, str] = {}
    for part in spec.split(","):
        name, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column:
            raise UsageError(f"--columns: {part.strip()!r} is not FIELD=COLUMN")
        if name not in FIELDS:
            raise UsageError(f"--columns: unknown field {name!r}; known: {', '.join(FIELDS)}")
        columns[name] = column
    return columns


def find_columns(available: Iterable[str], asked: Mapping[str, str] | None) -> dict[str, str]:
    """Return the column of each field that has one; what the user asked for goes first, then the usual names."""
    by_name = {name.strip().casefold(): name for name in reversed(list(available))}
    found: dict[str, str] = {}
    for field, usual in FIELDS.items():
        names = (asked[field],) if asked and field in asked else usual
        column = next((by_name[n.casefold()] for n in names if n.casefold() in by_name), None)
        if column is not None:
            found[field] = column
    return found


def plain(value: Any) -> str | None:
    """Return a title, outlet or url as text: ``{"name": "…"}`` gives its name, empty values give ``None``."""
    if isinstance(value, Mapping):
        value = value.get("name")
    if value is None or value != value:  # NaN of a data frame
        return None
    return str(value).strip() or None


def iso_date(value: Any) -> str | None:
    """Return a date or time as ISO 8601, or ``None`` if the value is none that is understood."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC).isoformat() if _EPOCH[0] < value < _EPOCH[1] else None
    text = str(value).strip()
    for read in (_from_iso, _from_format, _from_mail):
        if (found := read(text)) is not None:
            return found
    return None


def _from_iso(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _from_format(text: str) -> str | None:
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return None


def _from_mail(text: str) -> str | None:
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, IndexError, TypeError):
        return None
