"""How outlets and speakers treat each target: aggregates with intervals, and the report page."""

from stance.bias.report import BiasReport, ReportOptions, bias_report

__all__ = ["BiasReport", "ReportOptions", "bias_report"]
