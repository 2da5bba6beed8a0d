"""The transformer: packing, network, calibration, save and load. Importing it loads torch."""

from stance.model.classifier import Prepared, StanceClassifier, shipped_model
from stance.model.config import StanceConfig
from stance.model.modeling import IGNORED, StanceModel
from stance.model.packing import Packed, Packer, pad

__all__ = [
    "IGNORED",
    "Packed",
    "Packer",
    "Prepared",
    "StanceClassifier",
    "StanceConfig",
    "StanceModel",
    "pad",
    "shipped_model",
]
