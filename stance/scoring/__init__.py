"""The batch road from articles to stance rows."""

from stance.scoring.scorer import Scorer, load
from stance.scoring.statements import StatementRecord, read_statements
from stance.scoring.table import StanceRows

__all__ = ["Scorer", "StanceRows", "StatementRecord", "load", "read_statements"]
