"""Sources of all kinds to a stream of articles."""

from __future__ import annotations

import glob
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stance.articles.decoding import UndecodableError, decode
from stance.articles.documents import html_fields, text_fields
from stance.articles.fields import find_columns, iso_date, plain
from stance.articles.language import detected_language
from stance.articles.notices import Notices, Notify
from stance.articles.records import (
    RECORD_ENDINGS,
    Record,
    count_records,
    ending_of,
    is_dataset,
    jsonl_records,
    read_bytes,
    read_records,
)
from stance.articles.seen import SeenIds
from stance.errors import ArticleError
from stance.schema import Article, stable_id

__all__ = [
    "LocatedArticle",
    "count_articles",
    "read_any_records",
    "read_articles",
    "read_located_articles",
    "source_files",
    "warn_of_language",
]

_DOCUMENT_ENDINGS = (".txt", ".html", ".htm")
_KNOWN = ", ".join((*_DOCUMENT_ENDINGS, *RECORD_ENDINGS))
_BROKEN = (OSError, EOFError, zlib.error)
"""What a file that is missing, cut short or damaged raises, packed or not."""


@dataclass(frozen=True, slots=True)
class LocatedArticle:
    """An article and where it was read.

    Parameters
    ----------
    article
        The article.
    file, record
        See `stance.errors.Rejection`.
    """

    article: Article
    file: str
    record: int | None


def read_articles(
    sources: Iterable[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    on_reject: Notify | None = None,
    on_warn: Notify | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Article]:
    """Read articles one by one, in the order of the sources.

    Parameters
    ----------
    sources
        Files (``.txt``, ``.html``, ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``; all but Parquet also as ``.gz`` or
        ``.zst``), folders of such files, folders written by `datasets`, glob patterns (``news/**/*.jsonl.zst``), or
        ``-`` for standard input. Record files are read as a stream: they may be larger than memory.
    columns
        Column of a record for each field; fields not named are looked for under their usual names.
    on_reject
        Called for each input that is left out; the others go on. If not given, the first one raises.
    on_warn
        Called for each doubt about an article that is read all the same. If not given, it is a Python warning.
    stdin
        Stream that ``-`` stands for.

    Raises
    ------
    ArticleError
        At the first bad input, if `on_reject` is not given.
    """
    notices = Notices(on_reject, on_warn, ArticleError)
    for located in read_located_articles(sources, notices, columns=columns, stdin=stdin):
        warn_of_language(located, notices)
        yield located.article


def read_located_articles(
    sources: Iterable[str | Path],
    notices: Notices,
    *,
    columns: Mapping[str, str] | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[LocatedArticle]:
    """Read articles as `read_articles` does, with the place of each; languages are not looked at."""
    builder = _Builder(notices, columns)
    for source in sources:
        if str(source) == "-":
            yield from builder.from_stream(stdin)
        else:
            for path in _expand(Path(source), notices):
                yield from builder.from_path(path)


def warn_of_language(located: LocatedArticle, notices: Notices) -> None:
    """Warn if an article does not look English."""
    language = detected_language(located.article.text)
    if language not in (None, "en"):
        message = f"looks like {language!r}; statements are found and scored in English only"
        notices.warn(located.file, located.record, "not-english", message)


def source_files(sources: Iterable[str | Path]) -> Iterator[Path]:
    """Yield the files that the sources stand for, in reading order; standard input and what is missing are left out."""
    silent = Notices(lambda rejection: None, lambda notice: None, ArticleError)
    for source in sources:
        if str(source) != "-":
            for path in _expand(Path(source), silent):
                yield from sorted(path.rglob("*.arrow")) if path.is_dir() else [path]


def count_articles(sources: Iterable[str | Path]) -> int | None:
    """Return how many articles the sources hold at most, or ``None`` if that cannot be told.

    Compressed files are unpacked for it, which takes about as long as hashing them does; standard input is unknown.
    """
    total = 0
    silent = Notices(lambda rejection: None, lambda notice: None, ArticleError)
    for source in sources:
        if str(source) == "-":
            return None
        for path in _expand(Path(source), silent):
            count = 1 if path.is_file() and ending_of(path) not in RECORD_ENDINGS else count_records(path)
            if count is None:
                return None
            total += count
    return total


def read_any_records(source: str | Path, notices: Notices, stdin: BinaryIO | None = None) -> Iterator[Record]:
    """Yield the records of one file of records, a datasets folder, or JSONL on standard input (``-``)."""
    path, name = Path(source), str(source)
    if name == "-" and stdin is not None:
        yield from jsonl_records(stdin, "-", notices)
    elif not path.exists():
        notices.reject(name, None, "not-found", "no such file or folder")
    elif (path.is_dir() and is_dataset(path)) or (path.is_file() and ending_of(path) in RECORD_ENDINGS):
        try:
            yield from read_records(path, notices)
        except _BROKEN as error:
            notices.reject(name, None, "unreadable", f"cannot be read: {error}")
    else:
        message = f"unknown format {path.suffix or 'without an ending'!r}; known: {', '.join(RECORD_ENDINGS)}"
        notices.reject(name, None, "unknown-format", message)


def _expand(path: Path, notices: Notices) -> Iterator[Path]:
    if not path.exists() and glob.has_magic(str(path)):
        found = sorted(glob.glob(str(path), recursive=True))
        if not found:
            notices.reject(str(path), None, "no-match", "no file matches this pattern")
        for name in found:
            yield from _expand(Path(name), notices)
    elif not path.exists():
        notices.reject(str(path), None, "not-found", "no such file or folder")
    elif not path.is_dir() or is_dataset(path):
        yield path
    else:
        inside = [
            p for p in sorted(path.rglob("*")) if not any(part.startswith(".") for part in p.relative_to(path).parts)
        ]
        folders = [p for p in inside if p.is_dir() and is_dataset(p)]
        datasets = [p for p in folders if not any(outer in p.parents for outer in folders)]
        files = [p for p in inside if p.is_file() and not any(d in p.parents for d in datasets)]
        if not files and not datasets:
            notices.reject(str(path), None, "empty-folder", "no file in this folder")
        yield from sorted([*datasets, *files])


class _Builder:
    """Turns files into articles and sees to it that each article comes once."""

    def __init__(self, notices: Notices, columns: Mapping[str, str] | None) -> None:
        self.notices = notices
        self._columns = columns
        self._seen = SeenIds()

    def from_path(self, path: Path) -> Iterator[LocatedArticle]:
        name = str(path)
        try:
            if path.is_dir() or ending_of(path) in RECORD_ENDINGS:
                if path.is_file() and path.stat().st_size == 0:
                    self.notices.reject(name, None, "empty-file", "the file is empty")
                    return
                yield from self._from_records(read_records(path, self.notices), name)
            elif ending_of(path) in _DOCUMENT_ENDINGS:
                yield from self._from_bytes(read_bytes(path), name, html=ending_of(path) != ".txt")
            else:
                message = f"unknown format {path.suffix or 'without an ending'!r}; known: {_KNOWN}"
                self.notices.reject(name, None, "unknown-format", message)
        except _BROKEN as error:
            self.notices.reject(name, None, "unreadable", f"cannot be read: {error}")

    def from_stream(self, stream: BinaryIO | None) -> Iterator[LocatedArticle]:
        """Read standard input: JSONL if it begins with ``{``, HTML if with ``<``, else one plain text."""
        if stream is None:
            raise ArticleError("no standard input to read", file="-", rule="not-found")
        head = b""
        while not head.strip() and (line := stream.readline()):
            head += line
        if head.lstrip().startswith(b"{"):
            yield from self._from_records(jsonl_records(_chained(head, stream), "-", self.notices), "-")
        else:
            yield from self._from_bytes(head + stream.read(), "-", html=head.lstrip().startswith(b"<"))

    def _from_bytes(self, raw: bytes, name: str, *, html: bool) -> Iterator[LocatedArticle]:
        if not raw.strip():
            self.notices.reject(name, None, "empty-file", "the file is empty")
            return
        try:
            text, guessed = decode(raw)
        except UndecodableError as error:
            self.notices.reject(name, None, "binary", str(error))
            return
        if guessed:
            self.notices.warn(name, None, "encoding-guessed", f"not UTF-8, read as {guessed}")
        fields = html_fields(text, name, self.notices) if html else text_fields(text)
        if fields is not None:
            yield from self._article(fields, name, None)

    def _from_records(self, records: Iterable[tuple[int, dict[str, Any]]], name: str) -> Iterator[LocatedArticle]:
        count = 0
        unmet = dict(self._columns or {})
        for count, record in records:
            if unmet:
                met = find_columns(record, unmet)
                unmet = {field: column for field, column in unmet.items() if field not in met}
            yield from self._article(record, name, count)
        if not count:
            self.notices.warn(name, None, "no-records", "no usable record in this file")
            return
        unmet.pop("text", None)  # each record without it was rejected
        for field, column in unmet.items():
            message = f"no record has the column {column!r} that --columns names for {field}, so it is left empty"
            self.notices.warn(name, None, "missing-column", message)

    def _article(self, record: Mapping[str, Any], name: str, number: int | None) -> Iterator[LocatedArticle]:
        found = find_columns(record, self._columns if number is not None else None)
        problem = _text_problem(record, found, (self._columns or {}).get("text"))
        if problem:
            self.notices.reject(name, number, *problem)
            return
        text = str(record[found["text"]]).replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
        title, outlet, url = (plain(record.get(found.get(f, ""))) for f in ("title", "outlet", "url"))
        published = self._published(record.get(found.get("published", "")), name, number)
        own_id = plain(record.get(found.get("id", "")))
        content = stable_id(text, title, outlet, published, url)
        article_id = self._unique_id(own_id, content, name, number)
        if article_id is not None:
            yield LocatedArticle(Article(article_id, text, title, outlet, published, url), name, number)

    def _published(self, value: Any, name: str, number: int | None) -> str | None:
        if value is None or not str(value).strip() or value != value:
            return None
        published = iso_date(value)
        if published is None:
            self.notices.warn(name, number, "unknown-date", f"date {str(value)[:40]!r} is not understood, left empty")
        return published

    def _unique_id(self, own_id: str | None, content: str, name: str, number: int | None) -> str | None:
        """Return the id of an article, or ``None`` if its own id is taken.

        Articles without an id of their own get one from their content; the second of two alike ends in ``-2``.
        """
        key = own_id or content
        seen = self._seen.count(key)
        if seen == 1:
            return key
        if own_id is not None:
            self.notices.reject(name, number, "duplicate-id", f"an article with the id {own_id!r} was read before")
            return None
        self.notices.warn(name, number, "duplicate", f"the same article was read before, its id here is {key}-{seen}")
        return f"{key}-{seen}"


def _text_problem(record: Mapping[str, Any], found: Mapping[str, str], asked: str | None) -> tuple[str, str] | None:
    if "text" not in found:
        names = ", ".join(map(str, record)) or "none"
        if asked is not None:
            return "missing-column", f"no column {asked!r}, which --columns names for the text, among: {names}"
        return "missing-column", f"no text column among: {names}; name it with --columns text=COLUMN"
    text = record[found["text"]]
    if text is not None and not isinstance(text, str):
        return "text-type", f"column {found['text']!r} holds {type(text).__name__}, not text"
    if text is None or not text.strip():
        return "empty-text", f"column {found['text']!r} is empty"
    return None


def _chained(head: bytes, rest: BinaryIO) -> Any:
    yield from head.splitlines(keepends=True)
    yield from rest
