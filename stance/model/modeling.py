"""The network: one encoder pass over a statement and all targets, one head read at each target's marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils.generic import ModelOutput

from stance.model.config import StanceConfig

__all__ = ["IGNORED", "MASKED", "StanceModel", "StanceOutput", "attention_view"]

IGNORED = -100
"""Label id of a target whose label is unknown: it adds nothing to the loss."""


@dataclass
class StanceOutput(ModelOutput):
    """What a forward pass returns.

    Parameters
    ----------
    loss
        Mean cross-entropy over the labelled targets, shape ``()``; ``None`` without labels.
    logits
        Shape ``(batch, targets, labels)``, before calibration.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None


class StanceModel(PreTrainedModel):
    """Encoder and head.

    The head reads the encoder's vector at each target's marker, so that the cost of a statement hardly grows
    with the number of targets.
    """

    config_class = StanceConfig
    config: StanceConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: StanceConfig, encoder: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        self.encoder = encoder if encoder is not None else AutoModel.from_config(config.encoder_config())
        width = self.encoder.config.hidden_size
        self.head = nn.Sequential(
            nn.Dropout(config.head_dropout),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Dropout(config.head_dropout),
            nn.Linear(width, len(config.labels)),
        )
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        marker_positions: torch.Tensor,
        labels: torch.Tensor | None = None,
        soft_labels: torch.Tensor | None = None,
        soft_weight: float = 1.0,
        soft_temperature: float = 1.0,
        **_: Any,
    ) -> StanceOutput:
        """Score every target of every statement.

        Parameters
        ----------
        input_ids, attention_mask
            Shape ``(batch, tokens)``.
        marker_positions
            Position of each target's marker, shape ``(batch, targets)``; 0 where there are fewer targets.
        labels
            Label ids, shape ``(batch, targets)``; `IGNORED` where unknown.
        soft_labels
            Label distributions to imitate, shape ``(batch, targets, labels)``; rows of zeros where there is none.
        soft_weight, soft_temperature
            Share of the loss that imitation has where there is a distribution (at 1 it replaces the label), and the
            temperature that softens both sides of it (Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a
            neural network", arXiv:1503.02531).
        """
        logits = self.head(self.at_markers(input_ids, attention_mask, marker_positions))
        loss = None
        if labels is not None:
            loss = _masked_loss(logits, labels, soft_labels, soft_weight, soft_temperature)
        return StanceOutput(loss=loss, logits=logits)

    def at_markers(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marker_positions: torch.Tensor
    ) -> torch.Tensor:
        """Return what the head reads: the encoder's vector at each target's marker, shape ``(batch, targets, width)``.

        Parameters
        ----------
        input_ids, attention_mask, marker_positions
            As in `forward`.
        """
        view = attention_view(attention_mask, marker_positions, self.config.target_view)
        if view.is_floating_point():
            view = view.to(self.dtype)
        hidden = self.encoder(input_ids=input_ids, attention_mask=view).last_hidden_state
        index = marker_positions.unsqueeze(-1).expand(-1, -1, hidden.size(-1))
        vectors: torch.Tensor = hidden.gather(1, index)
        return vectors


MASKED = -1e4
"""Added to the attention scores of what may not be seen: its weight is zero after the softmax in every precision."""


def attention_view(attention_mask: torch.Tensor, marker_positions: torch.Tensor, view: str) -> torch.Tensor:
    """Return which tokens see which, for the encoder.

    Parameters
    ----------
    attention_mask
        1 for tokens, 0 for padding, shape ``(batch, tokens)``.
    marker_positions
        Shape ``(batch, targets)``, ascending; 0 where there are fewer targets.
    view
        One of `stance.model.config.TARGET_VIEWS`.

    Returns
    -------
    torch.Tensor
        The mask as it was given for ``shared``. For ``apart`` what is added to the attention scores, shape
        ``(batch, 1, tokens, tokens)``: 0 where the text sees anything, and where a target's tokens see the text or one
        another; `MASKED` elsewhere.
    """
    if view == "shared":
        return attention_mask
    place = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    markers = marker_positions.unsqueeze(1)
    owner = ((place[None, :, None] >= markers) & (markers > 0)).sum(-1)  # 0: the text; n: the n-th target
    last = attention_mask.sum(1, keepdim=True) - 1
    owner = owner * (place[None] != last)  # the [SEP] at the end belongs to the text
    asking, asked = owner[:, :, None], owner[:, None, :]
    seen = ((asking == asked) | (asking == 0) | (asked == 0)) & (attention_mask[:, None, :] > 0)
    return ((~seen).float() * MASKED).unsqueeze(1)


def _masked_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    soft_labels: torch.Tensor | None,
    soft_weight: float,
    temperature: float,
) -> torch.Tensor:
    log_p = torch.log_softmax(logits.float(), dim=-1)
    known = labels != IGNORED
    loss = -log_p.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    if soft_labels is not None:
        soft = soft_labels.sum(-1) > 0
        imitation = _imitation(logits.float(), soft_labels, temperature)
        loss = torch.where(soft, (1 - soft_weight) * loss * known + soft_weight * imitation, loss)
        known = known | soft
    return (loss * known).sum() / known.sum().clamp(min=1)


def _imitation(logits: torch.Tensor, soft_labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the divergence of softened distributions, less what does not depend on the logits, per target."""
    softened = soft_labels.pow(1 / temperature)
    softened = softened / softened.sum(-1, keepdim=True).clamp(min=1e-9)
    return -(temperature**2) * (softened * torch.log_softmax(logits / temperature, dim=-1)).sum(-1)


AutoConfig.register("stance", StanceConfig)
AutoModel.register(StanceConfig, StanceModel)
