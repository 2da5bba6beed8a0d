"""The tagger's encoder as it runs fastest on a CPU: windows end to end without padding, bfloat16 where that is quick.

Each window attends to itself alone and the linear layers take tokens one by one, so no mask is needed. In bfloat16 the
linear layers are packed once for oneDNN, which adds the bias and applies GELU while the product is still in the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from stance.cpu import has_bf16
from stance.errors import UsageError
from stance.quotes.network import EncoderLayer, QuoteNetwork

__all__ = ["VARIABLE", "Precision", "QuoteEncoder", "chosen_precision"]

Precision = Literal["bf16", "fp32"]
VARIABLE = "STANCE_EXTRACTOR_PRECISION"
"""Environment variable that forces a precision."""

_Step = Callable[[Tensor], Tensor]
_ROWS = 64
"""The layers see a multiple of this many tokens: oneDNN makes a program for each number, and keeps it in memory."""


def chosen_precision(asked: str | None = None) -> Precision:
    """Return the precision to run in.

    Parameters
    ----------
    asked
        ``bf16`` or ``fp32``; if not given, what `VARIABLE` says, else ``bf16`` where the CPU has it in hardware.

    Raises
    ------
    UsageError
        If there is no such precision.
    """
    wanted = asked or os.environ.get(VARIABLE) or ("bf16" if has_bf16() else "fp32")
    if wanted not in get_args(Precision):
        where = "" if asked else f"{VARIABLE}: "
        raise UsageError(f"{where}precision {wanted!r} is unknown, choose from {', '.join(get_args(Precision))}")
    return cast(Precision, wanted)


class QuoteEncoder:
    """Runs a network's encoder without padding.

    Parameters
    ----------
    network
        The network. In ``fp32`` its weights are shared, so that one still in training is read as it is; in ``bf16``
        they are copied as they are now.
    precision
        Of the layers; embeddings and what is returned are float32.
    """

    def __init__(self, network: QuoteNetwork, precision: Precision) -> None:
        self.precision = precision
        self._network = network
        self._type = torch.bfloat16 if precision == "bf16" else torch.float32
        linear, norm = (_packed, _norm_bf16) if precision == "bf16" else (_shared, _shared)
        with torch.inference_mode():
            self._layers = [_Layer(cast(EncoderLayer, layer), linear, norm) for layer in network.layers]

    def __call__(self, ids: Tensor, shapes: Tensor, lengths: Sequence[int]) -> Tensor:
        """Return token vectors in float32, shape ``(tokens, width)``.

        Parameters
        ----------
        ids, shapes
            Windows end to end, each with its leading and closing special token, shape ``(tokens,)``.
        lengths
            Tokens of each window.
        """
        places = torch.cat([torch.arange(n) for n in lengths])
        with torch.inference_mode():
            x = self._network.embed(ids, shapes, places).to(self._type)
            x = nnf.pad(x, (0, 0, 0, -len(x) % _ROWS))
            for layer in self._layers:
                x = layer(x, lengths)
            return x[: len(ids)].float()


class _Layer:
    def __init__(
        self, layer: EncoderLayer, linear: Callable[[nn.Linear], _Step], norm: Callable[[nn.LayerNorm], _Step]
    ) -> None:
        self._heads = layer.heads
        quick = linear is _packed
        self._qkv = linear(_prescaled(layer.qkv, layer.heads) if quick else layer.qkv)
        self._attend = _attend_bf16 if quick else _attend
        self._out, self._down = linear(layer.out), linear(layer.down)
        self._up_gelu = _packed(layer.up, "gelu") if quick else _then_gelu(linear(layer.up))
        self._norm_1, self._norm_2 = norm(layer.norm_1), norm(layer.norm_2)

    def __call__(self, x: Tensor, lengths: Sequence[int]) -> Tensor:
        n, width = x.shape
        parts = self._qkv(x).view(n, 3, self._heads, width // self._heads).permute(1, 2, 0, 3)
        *windows, filling = parts.split([*lengths, n - sum(lengths)], dim=2)
        mixed = [self._attend(q, k, v).transpose(0, 1) for q, k, v in windows]
        x = self._norm_1(x + self._out(torch.cat([*mixed, filling[0].transpose(0, 1)]).reshape(n, width)))
        return self._norm_2(x + self._down(self._up_gelu(x)))


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return nnf.scaled_dot_product_attention(q[None], k[None], v[None])[0]


def _attend_bf16(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend with queries already scaled: twice as fast as torch's kernel, which spends most of its time on softmax.

    Scores are not shifted by their maximum before they are raised, so that rows may overflow; then torch does it.
    """
    weights = torch.bmm(q, k.transpose(1, 2)).exp_()
    total = weights.sum(-1, keepdim=True)
    if not bool(torch.isfinite(total).all() & (total > 0).all()):
        return nnf.scaled_dot_product_attention(q[None], k[None], v[None], scale=1.0)[0]
    return torch.bmm(weights, v) / total


def _prescaled(qkv: nn.Linear, heads: int) -> nn.Linear:
    """Return a copy of the layer whose queries carry the scale of the attention."""
    width = qkv.in_features
    copy = nn.Linear(width, 3 * width)
    scale = torch.ones(3 * width)
    scale[:width] = (width // heads) ** -0.5
    copy.weight.copy_(qkv.weight * scale[:, None])
    copy.bias.copy_(qkv.bias * scale)
    return copy


def _shared(module: nn.Module) -> _Step:
    return module


def _then_gelu(step: _Step) -> _Step:
    return lambda x: nnf.gelu(step(x))


def _norm_bf16(norm: nn.LayerNorm) -> _Step:
    weight, bias = norm.weight.bfloat16(), norm.bias.bfloat16()
    return lambda x: nnf.layer_norm(x, weight.shape, weight, bias, norm.eps)


def _packed(linear: nn.Linear, activation: Literal["none", "gelu"] = "none") -> _Step:
    """Return a linear layer in bfloat16, packed for oneDNN where this build of torch has it."""
    weight, bias = linear.weight.bfloat16(), linear.bias.bfloat16()
    kernels: Any = torch.ops.mkldnn
    if not _has_onednn():
        plain: _Step = lambda x: nnf.linear(x, weight, bias)  # noqa: E731
        return plain if activation == "none" else _then_gelu(plain)
    packed = kernels._reorder_linear_weight(weight)
    return lambda x: kernels._linear_pointwise(x, packed, bias, activation, [], "none")


def _has_onednn() -> bool:
    names = ("_linear_pointwise", "_reorder_linear_weight", "_is_mkldnn_bf16_supported")
    kernels: Any = torch.ops.mkldnn
    return (
        torch.backends.mkldnn.is_available()
        and all(hasattr(kernels, name) for name in names)
        and bool(kernels._is_mkldnn_bf16_supported())
    )
