"""Write ten hard cases and what comes out: ``python -m training.hard_cases [-o docs/hard-cases.md]``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import yaml

from stance.quotes import extract_many
from stance.quotes.tagger import QuoteTagger
from stance.schema import Article

__all__ = ["PAGE", "main", "markdown"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "hard-cases.md"
_HEAD = (
    "# Ten hard cases\n",
    "What `stance extract` finds in ten texts of our own writing. Written by `python -m training.hard_cases`; how it",
    "works, and what it reaches on real news, is in [quotes.md](quotes.md).\n",
)

_FILE = Path(__file__).resolve().parent / "own_quotes" / "hard_cases.yaml"
_COLUMNS = ("statement", "type", "speaker", "cue", "country", "kind", "factuality")


def markdown(engine: str, tagger: QuoteTagger | None) -> Iterator[str]:
    """Yield the page's lines."""
    yield from _HEAD
    cases = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    articles = [Article(f"case-{i}", case["text"]) for i, case in enumerate(cases, 1)]
    for i, (case, found) in enumerate(zip(cases, extract_many(articles, engine=engine, tagger=tagger), strict=True), 1):
        yield f"**{i}. {case['name']}**\n"
        yield "\n".join(f"> {line}" if line else ">" for line in case["text"].split("\n"))
        yield ""
        if not found:
            yield "No statement.\n"
            continue
        yield "| " + " | ".join(_COLUMNS) + " |"
        yield "|" + "---|" * len(_COLUMNS)
        for s in found:
            who = s.speaker.name if s.speaker else ""
            country = (s.speaker.country if s.speaker else None) or ""
            cells = (s.text, s.quote_type, who, s.cue or "", country, s.kind, s.factuality)
            yield "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"
        yield ""


def main() -> None:
    """Print the page, or write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("learned", "rules"), default="learned")
    parser.add_argument("--tagger", type=Path, help="folder of a tagger (default: the shipped one)")
    parser.add_argument("--words-from", type=Path, help="folder whose word embeddings it reads with")
    parser.add_argument("-o", "--output", type=Path, help="write the page there")
    arguments = parser.parse_args()
    tagger = None
    if arguments.engine == "learned":
        tagger = QuoteTagger.from_pretrained(arguments.tagger, words_from=arguments.words_from)
    page = "\n".join(markdown(arguments.engine, tagger))
    if arguments.output:
        arguments.output.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
