"""Files to articles: text, HTML, JSONL, CSV, Parquet, folders, datasets folders and standard input."""

from stance.articles.fields import parse_columns
from stance.articles.language import detected_language
from stance.articles.notices import Notices, Notify
from stance.articles.reading import (
    LocatedArticle,
    count_articles,
    read_any_records,
    read_articles,
    read_located_articles,
    source_files,
    warn_of_language,
)

__all__ = [
    "LocatedArticle",
    "Notices",
    "Notify",
    "count_articles",
    "detected_language",
    "parse_columns",
    "read_any_records",
    "read_articles",
    "read_located_articles",
    "source_files",
    "warn_of_language",
]
