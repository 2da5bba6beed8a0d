"""Score the resolution of speakers on articles of our own: ``python -m training.quote_resolution [--engine rules]``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stance.quotes import extract_many
from stance.quotes.tagger import QuoteTagger
from stance.schema import Article, Statement

__all__ = ["Gold", "Said", "judge", "main", "read_gold"]

_FILE = Path(__file__).resolve().parent / "own_quotes" / "resolution.yaml"
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """One statement: where its first words stand, the names its speaker may have, and the country (None: not told)."""

    at: int
    names: tuple[str, ...]
    country: str | None


@dataclass(frozen=True, slots=True)
class Gold:
    """One article with who says what in it."""

    article: Article
    said: tuple[Said, ...]


def read_gold(path: Path = _FILE) -> list[Gold]:
    """Read the gold.

    Raises
    ------
    ValueError
        If words of a statement do not stand in their article exactly once; names the article.
    """
    found = []
    for record in yaml.safe_load(path.read_text(encoding="utf-8")):
        text: str = record["text"]
        said = []
        for words, names, country in record["said"]:
            if text.count(words) != 1:
                raise ValueError(f"{path}, article {record['id']}: {words!r} stands there {text.count(words)} times")
            chosen = tuple(names) if isinstance(names, list) else (names,)
            said.append(Said(text.index(words), chosen, country or None))
        found.append(Gold(Article(record["id"], text), tuple(said)))
    return found


def judge(gold: Sequence[Gold], found: Sequence[Sequence[Statement]]) -> tuple[dict[str, float], list[str]]:
    """Return shares of statements found, and of all with the right speaker and country; and what went wrong."""
    total = hit = named = placed = 0
    wrong: list[str] = []
    for article, statements in zip(gold, found, strict=True):
        for said in article.said:
            total += 1
            match = next((s for s in statements if s.start - 6 <= said.at < s.end), None)
            where = f"{article.article.id}: {article.article.text[said.at : said.at + 30]!r}"
            if match is None:
                wrong.append(f"{where} not found")
                continue
            hit += 1
            name = match.speaker.name if match.speaker else ""
            country = match.speaker.country if match.speaker else None
            right = _plain(name) in {_plain(n) for n in said.names}
            named += right
            placed += country == said.country
            if not right or country != said.country:
                wrong.append(f"{where} by {name!r} of {country}, not {said.names[0]!r} of {said.country}")
    figures: dict[str, Any] = {"statements": total, "found": hit / total, "speaker": named / total}
    return figures | {"country": placed / total}, wrong


def _plain(name: str) -> str:
    return _ARTICLE.sub("", name.replace("’", "'")).lower()


def main() -> None:
    """Print the figures and each mistake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("learned", "rules"), default="learned")
    parser.add_argument("--tagger", type=Path, help="folder of a tagger (default: the shipped one)")
    parser.add_argument("--words-from", type=Path, help="folder whose word embeddings it reads with")
    arguments = parser.parse_args()
    gold, tagger = read_gold(), None
    if arguments.engine == "learned":
        tagger = QuoteTagger.from_pretrained(arguments.tagger, words_from=arguments.words_from)
    found = extract_many([g.article for g in gold], engine=arguments.engine, tagger=tagger)
    figures, wrong = judge(gold, found)
    print(*wrong, sep="\n")
    print({k: round(v, 3) for k, v in figures.items()})


if __name__ == "__main__":
    main()
