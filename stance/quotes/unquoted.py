"""The sentences an article says in its own voice: outside every quoted or reported statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stance.quotes.marks import paragraphs
from stance.quotes.sentences import sentences
from stance.schema import Article, Statement, stable_id

__all__ = ["unquoted_sentences"]

_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 4  # of a sentence that can take a side; shorter ones are datelines, credits and captions


def unquoted_sentences(
    article: Article, statements: Sequence[Statement], *, context_chars: int = 200
) -> list[Statement]:
    """Return the sentences of an article that hold no quoted or reported statement.

    A sentence with a statement in it is left out as a whole: what remains of it is mostly the attribution
    (``the minister said``). No speaker is given and `quote_type` is ``None``, which marks the outlet's own voice in
    the row contract.

    Parameters
    ----------
    article
        The article.
    statements
        Its statements, as `stance.extract_statements` returns them.
    context_chars
        Characters of surrounding text kept on each side of a sentence, at most.

    Returns
    -------
    list of Statement
        In the order of the text; ``article.text[s.start:s.end] == s.text`` for each.
    """
    text = article.text
    taken = [(s.start, s.end) for s in statements]
    return [
        Statement(
            id=stable_id(article.id, start, end),
            text=text[start:end],
            start=start,
            end=end,
            quotation_id=stable_id(article.id, start, "own voice"),
            before=text[max(0, start - context_chars) : start],
            after=text[end : end + context_chars],
            article_id=article.id,
        )
        for start, end in _free(text, taken)
        if len(_WORD.findall(text, start, end)) >= _FEWEST_WORDS
    ]


def _free(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the trimmed spans of the sentences that meet no taken span; both lists are in the order of the text."""
    at = 0
    for first, last in paragraphs(text):
        for a, b in sentences(_unbroken(text, first, last, taken)):
            start, end = first + a, first + b
            start += len(text[start:end]) - len(text[start:end].lstrip())
            end -= len(text[start:end]) - len(text[start:end].rstrip())
            while at < len(taken) and taken[at][1] <= start:
                at += 1
            if start < end and not (at < len(taken) and taken[at][0] < end):
                yield start, end


def _unbroken(text: str, first: int, last: int, taken: Sequence[tuple[int, int]]) -> str:
    """Return a paragraph in which stops inside a statement end no sentence."""
    characters = list(text[first:last])
    for start, end in taken:
        for i in range(max(start, first), min(end - 1, last)):
            if characters[i - first] in ".!?…":
                characters[i - first] = " "
    return "".join(characters)
