"""Fine-tuning. Needs the extra ``train``."""

from stance.learning.calibration import calibrate
from stance.learning.config import TrainingConfig, load_training_config
from stance.learning.examples import Augment, Example
from stance.learning.finetune import FineTuned, fine_tune
from stance.learning.trainer import FitOptions, fit

__all__ = [
    "Augment",
    "Example",
    "FineTuned",
    "FitOptions",
    "TrainingConfig",
    "calibrate",
    "fine_tune",
    "fit",
    "load_training_config",
]
