"""Evaluation reports: how good a model is on a corpus, where it fails, and whether its percentages can be trusted."""

from stance.evaluation.items import Items, Predictions
from stance.evaluation.result import Evaluation
from stance.evaluation.run import Options, evaluate
from stance.evaluation.writing import write_report

__all__ = ["Evaluation", "Items", "Options", "Predictions", "evaluate", "write_report"]
