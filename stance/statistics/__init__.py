"""Statistics, each with its source."""

from stance.statistics.aggregation import DawidSkene, dawid_skene, majority
from stance.statistics.agreement import (
    Estimate,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    one_against_rest,
    unit_disagreement,
)
from stance.statistics.bootstrap import clustered_interval, confusion_by_cluster, f1_per_label
from stance.statistics.correction import ErrorRates, corrected_counts, draw_error_rates
from stance.statistics.multiplicity import benjamini_hochberg, holm
from stance.statistics.pooling import pooled_draws
from stance.statistics.resampling import cluster_draws
from stance.statistics.spread import effective_clusters, percentile_interval, small_sample_factor
from stance.statistics.wilson import upper_share

__all__ = [
    "DawidSkene",
    "ErrorRates",
    "Estimate",
    "benjamini_hochberg",
    "cluster_draws",
    "clustered_interval",
    "cohen_kappa",
    "confusion_by_cluster",
    "corrected_counts",
    "dawid_skene",
    "draw_error_rates",
    "effective_clusters",
    "f1_per_label",
    "fleiss_kappa",
    "holm",
    "krippendorff_alpha",
    "majority",
    "one_against_rest",
    "percentile_interval",
    "pooled_draws",
    "small_sample_factor",
    "unit_disagreement",
    "upper_share",
]
