"""Score the resolution of speakers on articles of our own: ``python -m training.quote_resolution [--engine rules]``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from stance.quotes import extract_many
from stance.quotes.names import folded
from stance.quotes.tagger import QuoteTagger
from stance.schema import Article, Statement, stable_id
from stance.statistics import clustered_interval
from training.corpora.polnear import Annotated, Attribution
from training.quote_noise import Noise, noisy

__all__ = ["COLUMNS", "Gold", "Said", "figures", "judge", "main", "read_gold", "roughened"]

COLUMNS = ("statements", "found", "speaker", "country", "told", "given", "agreed")
"""What `judge` counts: statements, those found, with the right speaker, with the right country or rightly none; then
those whose country the article tells, those given a country, and those given the one that it tells."""

_FIGURES = {
    "found": ("found", "statements"),
    "speaker": ("speaker", "statements"),
    "country": ("country", "statements"),
    "country given, precision": ("agreed", "given"),
    "country told, recall": ("agreed", "told"),
}

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


def roughened(gold: Sequence[Gold], noise: Noise) -> list[Gold]:
    """Return the articles as scraped pages leave them; names in the gold stay as the clean article writes them."""
    found = []
    for g in gold:
        marks = tuple(Attribution((), (), ((said.at, said.at + 1),)) for said in g.said)
        rough = noisy(
            Annotated(g.article.id, "", g.article.text, marks), noise, int(stable_id(g.article.id, length=7), 16)
        )
        said = tuple(replace(s, at=a.content[0][0]) for s, a in zip(g.said, rough.attributions, strict=True))
        found.append(Gold(Article(g.article.id, rough.text), said))
    return found


def judge(gold: Sequence[Gold], found: Sequence[Sequence[Statement]]) -> tuple[NDArray[np.int64], list[str]]:
    """Return the `COLUMNS` of each article, shape ``(articles, columns)``, and what went wrong."""
    rows: list[list[int]] = []
    wrong: list[str] = []
    for article, statements in zip(gold, found, strict=True):
        hit = named = placed = given = agreed = 0
        for said in article.said:
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
            given += country is not None
            agreed += country is not None and country == said.country
            if not right or country != said.country:
                wrong.append(f"{where} by {name!r} of {country}, not {said.names[0]!r} of {said.country}")
        told = sum(said.country is not None for said in article.said)
        rows.append([len(article.said), hit, named, placed, told, given, agreed])
    return np.array(rows, dtype=np.int64), wrong


def figures(table: NDArray[np.int64], resamples: int = 2000) -> dict[str, tuple[float, float, float]]:
    """Return the shares of statements found, with the right speaker and the right country, each with its interval.

    More than half of the statements have no country to tell, so those with one are counted by themselves too.
    """
    found = {}
    for name, columns in _FIGURES.items():
        part, whole = (COLUMNS.index(column) for column in columns)

        def share(s: NDArray[np.int64], part: int = part, whole: int = whole) -> NDArray[np.float64]:
            return s[..., part] / np.maximum(1, s[..., whole])

        low, high = clustered_interval(table, share, resamples=resamples)
        found[name] = (float(share(table.sum(axis=0)[None])[0]), low, high)
    return found


def _plain(name: str) -> str:
    return folded(_ARTICLE.sub("", name))


def main() -> None:
    """Print the figures and each mistake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("learned", "rules"), default="learned")
    parser.add_argument("--tagger", type=Path, help="folder of a tagger (default: the shipped one)")
    parser.add_argument("--words-from", type=Path, help="folder whose word embeddings it reads with")
    parser.add_argument("--noise", type=float, default=0.0, help="strength of the noise generator, 1 is its default")
    arguments = parser.parse_args()
    gold, tagger = read_gold(), None
    if arguments.engine == "learned":
        tagger = QuoteTagger.from_pretrained(arguments.tagger, words_from=arguments.words_from)
    if arguments.noise:
        gold = roughened(gold, Noise().scaled(arguments.noise))
    table, wrong = judge(gold, extract_many([g.article for g in gold], engine=arguments.engine, tagger=tagger))
    print(*wrong, sep="\n")
    print(f"{len(gold)} articles, {table[:, 0].sum()} statements")
    for name, (value, low, high) in figures(table).items():
        print(f"  {name:30} {value:.3f}  [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
