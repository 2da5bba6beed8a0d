"""Draw README's picture, ``docs/score.svg``: ``python -m training.picture``."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

import stance
from stance.scoring.display import rows_table

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[1]
_STATEMENTS = 9


def main() -> None:
    """Score the first example article and save its table as it looks on a terminal."""
    scorer = stance.load()
    article = next(stance.read_articles([_ROOT / "examples" / "articles" / "04-lakeside-tribune-aid-vote.txt"]))
    rows = scorer.score(article)[: _STATEMENTS * len(scorer.targets)]
    console = Console(record=True, width=130, file=io.StringIO(), force_terminal=True)
    console.print("$ stance score examples/articles/04-lakeside-tribune-aid-vote.txt")
    console.print(rows_table(rows, f"{article.outlet} — {article.title}"))
    (_ROOT / "docs").mkdir(exist_ok=True)
    # the picture must not fetch a font from anywhere
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="stance"), flags=re.DOTALL)
    (_ROOT / "docs" / "score.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
