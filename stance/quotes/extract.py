"""Articles to statements: the road through tagger or rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Literal, get_args

from stance.errors import UsageError
from stance.quotes.assembly import Found, statements
from stance.quotes.rules import found_by_rules
from stance.schema import Article, Statement

if TYPE_CHECKING:
    from stance.quotes.tagger import QuoteTagger

__all__ = ["DEFAULT", "Engine", "extract_many", "extract_statements", "extract_stream", "extractor_id"]

Engine = Literal["learned", "rules"]
DEFAULT: Engine = "learned"
_WINDOW = 32  # articles read together; no more are held in memory


def extract_statements(
    article: Article, *, context_chars: int = 200, engine: Engine = DEFAULT, tagger: QuoteTagger | None = None
) -> list[Statement]:
    """Find the quoted and reported statements of an article.

    Parameters
    ----------
    article
        The article.
    context_chars
        Characters of surrounding text kept on each side of a statement, at most.
    engine
        ``learned`` reads with the tagger and the exact rules of quotation marks; ``rules`` with rules alone, which
        needs no PyTorch and finds less.
    tagger
        Used by ``learned`` instead of the shipped one.

    Returns
    -------
    list of Statement
        In the order of the text, never overlapping; ``article.text[s.start:s.end] == s.text`` for each.

    Raises
    ------
    UsageError
        If the engine is unknown.
    ModelError
        If the tagger cannot be loaded.
    """
    return extract_many([article], context_chars=context_chars, engine=engine, tagger=tagger)[0]


def extract_many(
    articles: Sequence[Article],
    *,
    context_chars: int = 200,
    engine: Engine = DEFAULT,
    tagger: QuoteTagger | None = None,
) -> list[list[Statement]]:
    """Find the statements of several articles in one go, which is faster than one by one.

    Parameters are those of `extract_statements`; returns one list per article, in order.
    """
    found: Iterable[list[Found]]
    if engine == "rules":
        found = [found_by_rules(article.text) for article in articles]
    elif engine == "learned":
        from stance.quotes.learned import found_by_tagger

        found = found_by_tagger([article.text for article in articles], tagger or _shipped())
    else:
        raise UsageError(f"engine {engine!r} is unknown, choose from {', '.join(get_args(Engine))}")
    return [statements(a, f, context_chars) for a, f in zip(articles, found, strict=True)]


def extract_stream(
    articles: Iterable[Article], *, engine: Engine = DEFAULT, tagger: QuoteTagger | None = None
) -> Iterator[tuple[Article, list[Statement]]]:
    """Yield each article with its statements as they come, a window of articles read together."""
    stream = iter(articles)
    while window := list(islice(stream, _WINDOW)):
        yield from zip(window, extract_many(window, engine=engine, tagger=tagger), strict=True)


def extractor_id() -> str:
    """Return name, content hash and precision of the tagger that reads where none is given."""
    tagger = _shipped()
    return f"{tagger.id} ({tagger.precision})"


@cache
def _shipped() -> QuoteTagger:
    from stance.quotes.tagger import QuoteTagger

    return QuoteTagger.from_pretrained()
