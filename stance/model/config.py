"""Configuration of a stance model: the encoder, the label set, the input's budget and the calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import AutoConfig, PretrainedConfig

from stance.schema import LABELS

__all__ = ["MODEL_FORMAT", "TARGET_VIEWS", "StanceConfig"]

MODEL_FORMAT = 1
TARGET_VIEWS = ("apart", "shared")
"""What targets that share a pass may see of one another, see `StanceConfig`."""


class StanceConfig(PretrainedConfig):
    """Everything about a stance model that is not a weight.

    Parameters
    ----------
    encoder
        Configuration of the encoder as a dictionary with its ``model_type``.
    labels
        Label names in the order of the head's outputs.
    name
        Name of the model, the first half of the table's ``model`` column.
    max_tokens
        Longest input in tokens; at most what the encoder's position table holds.
    context_tokens
        Tokens of surrounding text read on each side of the statement, at most.
    speaker_tokens, target_tokens
        Tokens read of a speaker's and of a target's name, at most.
    targets_per_pass
        How many targets share one encoder pass; more are split over several passes.
    special_ids
        Token ids of the roles ``cls``, ``sep``, ``pad``, ``target``, ``open`` and ``close``.
    calibration_temperature
        Divides the logits before the softmax; fitted on validation (Guo et al. 2017, arXiv:1706.04599).
    abstain_threshold, abstain_risk, abstain_scope
        Rows whose predicted label is in the scope (every label if ``None``) and whose confidence is under the
        threshold are marked ``abstained``; of the others in the scope, at most the share `abstain_risk` is wrong,
        by an upper bound of 95 % on validation (`stance.learning.calibration`).
    abstain_threshold_elsewhere
        The same for rows whose predicted label is outside the scope.
    head_dropout
        Dropout in the head while training.
    target_view
        What targets that share a pass see of one another: nothing (``apart``; the text sees them all, so that each
        still has a slight influence on the others by way of it) or everything (``shared``, as models written before
        there was a choice).
    known_targets
        Targets that it knows by these names whatever a statement calls them, as it was trained on labels toward them.
        Others are asked about by the name that the statement uses (`stance.targets.name_in`), where they have aliases;
        where this is not told (``None``) none are.
    """

    model_type = "stance"

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        labels: Sequence[str] = LABELS,
        name: str = "stance",
        max_tokens: int = 512,
        context_tokens: int = 48,
        speaker_tokens: int = 24,
        target_tokens: int = 16,
        targets_per_pass: int = 8,
        special_ids: Mapping[str, int] | None = None,
        calibration_temperature: float = 1.0,
        abstain_threshold: float = 0.0,
        abstain_risk: float = 1.0,
        abstain_scope: Sequence[str] | None = None,
        abstain_threshold_elsewhere: float = 0.0,
        head_dropout: float = 0.1,
        target_view: str = "shared",
        known_targets: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.format = MODEL_FORMAT
        self.encoder = dict(encoder or {})
        self.labels = list(labels)
        self.name = name
        self.max_tokens = max_tokens
        self.context_tokens = context_tokens
        self.speaker_tokens = speaker_tokens
        self.target_tokens = target_tokens
        self.targets_per_pass = targets_per_pass
        self.special_ids = dict(special_ids or {})
        self.calibration_temperature = calibration_temperature
        self.abstain_threshold = abstain_threshold
        self.abstain_risk = abstain_risk
        self.abstain_scope = None if abstain_scope is None else list(abstain_scope)
        self.abstain_threshold_elsewhere = abstain_threshold_elsewhere
        self.head_dropout = head_dropout
        if target_view not in TARGET_VIEWS:
            raise ValueError(f"target_view is {target_view!r}, must be one of {', '.join(TARGET_VIEWS)}")
        self.target_view = target_view
        self.known_targets = None if known_targets is None else list(known_targets)
        super().__init__(**kwargs)

    def abstain_thresholds(self) -> list[float]:
        """Return the threshold of each label, in the order of `labels`."""
        scope = self.labels if self.abstain_scope is None else self.abstain_scope
        return [self.abstain_threshold if x in scope else self.abstain_threshold_elsewhere for x in self.labels]

    def encoder_config(self) -> PretrainedConfig:
        """Return the encoder's own configuration object."""
        options = dict(self.encoder)
        return AutoConfig.for_model(options.pop("model_type"), **options)
