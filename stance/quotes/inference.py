"""The tagger's encoder as it runs fastest on a CPU: windows end to end without padding, in the numbers that are quick.

Each window attends to itself alone and the linear layers take tokens one by one, so no mask is needed. In bfloat16 the
linear layers are packed once for oneDNN, which adds the bias and applies GELU while the product is still in the cache.
In 8 bits (`stance.quotes.int8`) it rounds and adds as well; attention is then in bfloat16 where that is quick.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from stance.cpu import has_bf16
from stance.errors import ModelError, UsageError
from stance.quotes.int8 import LINEAR, Feed8, Linear8, Ranges, has_int8, range_name
from stance.quotes.network import EncoderLayer, QuoteNetwork

__all__ = ["VARIABLE", "Precision", "QuoteEncoder", "chosen_precision"]

Precision = Literal["int8", "bf16", "fp32"]
VARIABLE = "STANCE_EXTRACTOR_PRECISION"
"""Environment variable that forces a precision."""

_Step = Callable[[Tensor], Tensor]
_Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
_ROWS = 32
"""The layers see a multiple of this many tokens: oneDNN makes a program for each number, and keeps it in memory."""


def chosen_precision(asked: str | None = None, *, ranges: bool = True) -> Precision:
    """Return the precision to run in.

    Parameters
    ----------
    asked
        ``int8``, ``bf16`` or ``fp32``; if not given, what `VARIABLE` says, else the first of them that the CPU has in
        hardware.
    ranges
        Whether the tagger's ranges have been measured, which ``int8`` needs.

    Raises
    ------
    UsageError
        If there is no such precision, or this machine has no ``int8``.
    """
    wanted = asked or os.environ.get(VARIABLE) or _quickest(ranges)
    where = "" if asked else f"{VARIABLE}: "
    if wanted not in get_args(Precision):
        raise UsageError(f"{where}precision {wanted!r} is unknown, choose from {', '.join(get_args(Precision))}")
    if wanted == "int8" and not has_int8():
        raise UsageError(f"{where}precision int8 needs a CPU with VNNI and a build of torch with oneDNN")
    return cast(Precision, wanted)


def _quickest(ranges: bool) -> Precision:
    if ranges and has_int8():
        return "int8"
    return "bf16" if has_bf16() else "fp32"


class QuoteEncoder:
    """Runs a network's encoder without padding.

    Parameters
    ----------
    network
        The network. In ``fp32`` its weights are shared, so that one still in training is read as it is; else they are
        copied as they are now.
    precision
        Of the layers; embeddings and what is returned are float32.
    ranges
        What the linear layers read, measured; needed by ``int8``.

    Raises
    ------
    ModelError
        If ranges are needed and one is missing or has another width.
    """

    def __init__(self, network: QuoteNetwork, precision: Precision, ranges: Ranges | None = None) -> None:
        self.precision = precision
        self._network = network
        self._type = torch.bfloat16 if precision == "bf16" else torch.float32
        self._layers: list[_Layer | _Layer8] = []
        for number, module in enumerate(network.layers):
            layer = cast(EncoderLayer, module)
            with torch.inference_mode():
                if precision == "int8":
                    self._layers.append(_Layer8(layer, _ranges_of(layer, number, ranges or {})))
                else:
                    self._layers.append(_Layer(layer, quick=precision == "bf16"))

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
    def __init__(self, layer: EncoderLayer, *, quick: bool) -> None:
        self._heads = layer.heads
        linear, norm = (_packed, _norm_bf16) if quick else (_shared, _shared)
        self._qkv = linear(_prescaled(layer.qkv, layer.heads) if quick else layer.qkv)
        self._attend = _attend_bf16 if quick else _attend
        self._out, self._down = linear(layer.out), linear(layer.down)
        self._up_gelu = _packed(layer.up, "gelu") if quick else _then_gelu(linear(layer.up))
        self._norm_1, self._norm_2 = norm(layer.norm_1), norm(layer.norm_2)

    def __call__(self, x: Tensor, lengths: Sequence[int]) -> Tensor:
        mixed = _mixed(self._qkv(x), self._heads, lengths, self._attend, x.dtype)
        x = self._norm_1(x + self._out(mixed))
        return self._norm_2(x + self._down(self._up_gelu(x)))


class _Layer8:
    def __init__(self, layer: EncoderLayer, ranges: Sequence[Tensor]) -> None:
        qkv, out, up, down = ranges
        self._heads = layer.heads
        quick = has_bf16()
        self._type = torch.bfloat16 if quick else torch.float32
        self._attend = _attend_bf16 if quick else _attend
        self._qkv = Linear8.of(layer.qkv, qkv, _query_scale(layer.qkv, layer.heads) if quick else None)
        self._out = Linear8.of(layer.out, out)
        self._feed = Feed8(layer.up, layer.down, up, down)
        self._norm_1, self._norm_2 = deepcopy(layer.norm_1), deepcopy(layer.norm_2)

    def __call__(self, x: Tensor, lengths: Sequence[int]) -> Tensor:
        qkv = self._qkv(self._qkv.rounded(x), self._type)
        mixed = _mixed(qkv, self._heads, lengths, self._attend, torch.float32)
        x = self._norm_1(self._out.plus(self._out.rounded(mixed), x))
        found: Tensor = self._norm_2(self._feed(x))
        return found


def _ranges_of(layer: EncoderLayer, number: int, ranges: Ranges) -> list[Tensor]:
    found = []
    for linear in LINEAR:
        name = range_name(number, linear)
        ends = ranges.get(name)
        if ends is None or ends.shape != (2, getattr(layer, linear).in_features):
            raise ModelError(
                f"{name} is missing or damaged; `python -m training.quote_ranges` measures what int8 needs"
            )
        found.append(ends)
    return found


def _mixed(qkv: Tensor, heads: int, lengths: Sequence[int], attend: _Attend, kind: torch.dtype) -> Tensor:
    """Return the values that each token attends to in its window, shape ``(tokens, width)``; zeros after the last."""
    n, width = len(qkv), qkv.shape[1] // 3
    parts = qkv.view(n, 3, heads, width // heads).permute(1, 2, 0, 3)
    mixed = torch.zeros(n, heads, width // heads, dtype=kind)
    *windows, _ = parts.split([*lengths, n - sum(lengths)], dim=2)
    *places, _ = mixed.split([*lengths, n - sum(lengths)])
    for window, place in zip(windows, places, strict=True):
        place.copy_(attend(*window.contiguous()).transpose(0, 1))
    return mixed.view(n, width)


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return nnf.scaled_dot_product_attention(q[None], k[None], v[None])[0]


def _attend_bf16(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend with queries already scaled: twice as fast as torch's kernel, which spends most of its time on softmax.

    Scores are to the base 2 and not shifted by their maximum before they are raised, so that rows may overflow; then
    torch does it.
    """
    weights = torch.bmm(q, k.transpose(1, 2)).exp2_()
    total = weights.sum(-1, keepdim=True)
    least, most = (float(end) for end in total.aminmax())
    if not 0 < least <= most < math.inf:
        return nnf.scaled_dot_product_attention(q[None], k[None], v[None], scale=math.log(2))[0]
    return torch.bmm(weights, v) / total


def _query_scale(qkv: nn.Linear, heads: int) -> Tensor:
    """Return what the rows of the layer are multiplied by: queries carry the scale that `_attend_bf16` reads."""
    width = qkv.in_features
    scale = torch.ones(3 * width)
    scale[:width] = (width // heads) ** -0.5 / math.log(2)
    return scale


def _prescaled(qkv: nn.Linear, heads: int) -> nn.Linear:
    """Return a copy of the layer whose queries carry the scale of the attention."""
    copy, scale = nn.Linear(qkv.in_features, qkv.out_features), _query_scale(qkv, heads)
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
