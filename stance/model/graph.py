"""The network as inference runs it: one function of three integer arrays, with nothing in it that only training needs.

For a BERT encoder the last layer is computed at the targets' markers alone: the head reads no other position, so
queries, attention output and feed-forward of all others would be thrown away. Their keys and values are still
needed. With six layers this saves a seventh of the arithmetic, and no number changes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from stance.model.modeling import MASKED, StanceModel, StanceOutput, attention_view

__all__ = ["InferenceGraph", "inference_graph"]


class InferenceGraph(nn.Module):
    """Any stance model, reduced to its logits.

    Parameters
    ----------
    model
        The model; its weights are shared, not copied.
    """

    def __init__(self, model: StanceModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marker_positions: torch.Tensor
    ) -> torch.Tensor:
        """Return logits of shape ``(batch, targets, labels)`` for inputs shaped as in `StanceModel.forward`."""
        output: StanceOutput = self.model(
            input_ids=input_ids, attention_mask=attention_mask, marker_positions=marker_positions
        )
        assert output.logits is not None
        return output.logits


class _BertGraph(InferenceGraph):
    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, marker_positions: torch.Tensor
    ) -> torch.Tensor:
        encoder: Any = self.model.encoder
        parts = encoder.embeddings
        hidden = parts.word_embeddings(input_ids)
        hidden = hidden + parts.position_embeddings.weight[: input_ids.shape[1]].unsqueeze(0)
        hidden = parts.LayerNorm(hidden + parts.token_type_embeddings.weight[0])
        apart = self.model.config.target_view == "apart"
        if apart:
            mask = attention_view(attention_mask, marker_positions, "apart").to(hidden.dtype)
        else:
            mask = ((1.0 - attention_mask.to(hidden.dtype)) * MASKED)[:, None, None, :]
        layers = list(encoder.encoder.layer)
        for layer in layers[:-1]:
            hidden = self._layer(layer, hidden, hidden, mask)
        if apart:
            rows = marker_positions[:, None, :, None].expand(-1, -1, -1, mask.shape[-1])
            mask = mask.gather(2, rows)
        index = marker_positions.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        logits: torch.Tensor = self.model.head(self._layer(layers[-1], hidden.gather(1, index), hidden, mask))
        return logits

    def _layer(self, layer: Any, asking: torch.Tensor, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        attention = layer.attention.self
        heads = self.model.encoder.config.num_attention_heads
        width = hidden.shape[-1] // heads

        def split(x: torch.Tensor) -> torch.Tensor:
            return x.view(x.shape[0], -1, heads, width).transpose(1, 2)

        seen = functional.scaled_dot_product_attention(
            split(attention.query(asking)), split(attention.key(hidden)), split(attention.value(hidden)), attn_mask=mask
        )
        seen = seen.transpose(1, 2).reshape(asking.shape[0], -1, heads * width)
        asking = layer.attention.output(seen, asking)
        found: torch.Tensor = layer.output(layer.intermediate(asking), asking)
        return found


def inference_graph(model: StanceModel) -> InferenceGraph:
    """Return the leanest graph that computes the model's logits."""
    config = model.encoder.config
    plain_bert = (
        config.model_type == "bert"
        and getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
        and not getattr(config, "is_decoder", False)
    )
    return (_BertGraph if plain_bert else InferenceGraph)(model).eval()
