"""Who said what in the news, and which side they take.

>>> import stance
>>> scorer = stance.load()
>>> rows = scorer.score("“Russia is a reliable friend,” the minister said.")

The names below are loaded when first used; `import stance` alone loads neither torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stance.articles import read_articles
    from stance.bias import bias_report
    from stance.errors import StanceError
    from stance.quotes import extract_statements
    from stance.schema import Article, Speaker, StanceRow, Statement, Target
    from stance.scoring import Scorer, StanceRows, load
    from stance.targets import default_targets, load_targets, resolve_targets

__version__ = "0.1.0"

__all__ = [
    "Article",
    "Scorer",
    "Speaker",
    "StanceError",
    "StanceRow",
    "StanceRows",
    "Statement",
    "Target",
    "bias_report",
    "default_targets",
    "extract_statements",
    "load",
    "load_targets",
    "read_articles",
    "resolve_targets",
]

_HOME = {
    "Article": "schema",
    "Scorer": "scoring",
    "Speaker": "schema",
    "StanceError": "errors",
    "StanceRow": "schema",
    "StanceRows": "scoring",
    "Statement": "schema",
    "Target": "schema",
    "bias_report": "bias",
    "default_targets": "targets",
    "extract_statements": "quotes",
    "load": "scoring",
    "load_targets": "targets",
    "read_articles": "articles",
    "resolve_targets": "targets",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'stance' has no attribute {name!r}")
    return getattr(import_module(f"stance.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
