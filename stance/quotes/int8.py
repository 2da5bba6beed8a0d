"""Linear layers of the tagger's encoder in 8 bits: whole numbers times whole numbers, summed in 32 bits by VNNI.

Numbers that a layer reads are rounded to 255 steps between the ends that were measured on training articles
(`training.quote_ranges`). Two things keep the steps fine. Channels are first brought to like size, what one is divided
by going into its weights (Xiao et al. 2023). And a unit of the feed-forward part that rises far above the others is
followed by copies of itself which go on where it leaves off (after Zhao et al. 2019), so that it needs no wider range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from stance.cpu import has_vnni

__all__ = ["LINEAR", "Feed8", "Linear8", "Ranges", "has_int8", "range_name"]

Ranges = Mapping[str, Tensor]
"""Lowest and highest number that each linear layer reads, channel by channel: shape ``(2, width)``, by `range_name`."""
LINEAR = ("qkv", "out", "up", "down")

_SHARE = 0.75  # of a channel's size that goes into the weights; chosen by the tags' scores on PolNeAR dev
_COPIES = 32  # of units of the feed-forward part, at most
_LEAST_CUT = 4.0  # a unit is not cut below it: GELU is crooked near zero, so the parts would not add up
_BLOCK = 16  # their number is a multiple of this
_LEAST_GELU = -0.17
_CLOSED = -100.0  # bias of a unit that only fills the block: GELU gives zero


def range_name(layer: int, linear: str) -> str:
    """Return the name that a layer's range is stored under."""
    return f"ranges.{layer}.{linear}"


def has_int8() -> bool:
    """Tell whether this CPU multiplies 8-bit numbers in hardware and this build of torch has the kernels for it."""
    kernels: Any = torch.ops.onednn
    return has_vnni() and all(hasattr(kernels, name) for name in ("qlinear_pointwise", "qlinear_prepack"))


class Linear8:
    """A linear layer in 8 bits.

    Parameters
    ----------
    weight, bias
        Of the layer, in float32.
    low, high
        Ends of what it reads, shape ``(width,)``.
    smooth
        What each channel is divided by before it is rounded, shape ``(width,)``; ones where rounding is done before
        this layer.
    """

    def __init__(self, weight: Tensor, bias: Tensor, low: Tensor, high: Tensor, smooth: Tensor) -> None:
        least, most = min(0.0, float((low / smooth).min())), max(0.0, float((high / smooth).max()))
        self.step = max((most - least) / 255, 1e-8)
        self.zero = round(-least / self.step)
        weight = weight * smooth
        scale = (weight.abs().amax(1) / 127).clamp(min=1e-9)
        rounded = (weight / scale[:, None]).round().clamp(-127, 127).to(torch.int8)
        packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._read = (self.step, self.zero, packed, scale, torch.zeros(len(scale), dtype=torch.int64))
        self._bias = bias.clone()
        self._factor, self._shift = 1 / (smooth * self.step), torch.full_like(smooth, self.zero - 128.0)

    @classmethod
    def of(cls, linear: nn.Linear, ends: Tensor, rows: Tensor | None = None) -> Self:
        """Return a layer with its channels brought to like size; `rows` multiplies what it gives."""
        low, high = ends.float()
        smooth = torch.maximum(high, -low).clamp(min=1e-3) ** _SHARE
        smooth /= linear.weight.abs().amax(0).clamp(min=1e-4) ** (1 - _SHARE)
        rows = torch.ones(linear.out_features) if rows is None else rows
        return cls(linear.weight * rows[:, None], linear.bias * rows, low, high, smooth)

    def rounded(self, x: Tensor) -> Tensor:
        """Return float32 `x` in the steps of this layer."""
        steps = torch.addcmul(self._shift, x, self._factor).round_().clamp_(-128, 127)
        # torch turns floats into signed bytes six times as fast as into unsigned ones; the kernel reads unsigned ones
        return steps.to(torch.int8).bitwise_xor_(-128).view(torch.uint8)

    def __call__(self, steps: Tensor, kind: torch.dtype) -> Tensor:
        """Return what the layer gives as `kind`."""
        found: Tensor = torch.ops.onednn.qlinear_pointwise(steps, *self._read, self._bias, 1.0, 0, kind, "none", [], "")
        return found

    def plus(self, steps: Tensor, x: Tensor) -> Tensor:
        """Return what the layer gives, added to `x`, in float32."""
        numbers = (1.0, 0, torch.float32, 1.0, 0)
        found: Tensor = torch.ops.onednn.qlinear_pointwise.binary(
            steps, *self._read, x, self._bias, *numbers, "add", 1.0, "none", [], ""
        )
        return found

    def gelu(self, steps: Tensor, step: float, zero: int) -> Tensor:
        """Return GELU of what the layer gives, rounded to steps of `step` around `zero`."""
        found: Tensor = torch.ops.onednn.qlinear_pointwise(
            steps, *self._read, self._bias, step, zero, torch.uint8, "gelu", [], "none"
        )
        return found


class Feed8:
    """The feed-forward part of a layer in 8 bits.

    Parameters
    ----------
    up, down
        Its linear layers.
    read, inner
        Ends of what they read.
    """

    def __init__(self, up: nn.Linear, down: nn.Linear, read: Tensor, inner: Tensor) -> None:
        most, unit, place = _split(inner[1].float())
        wider = nn.Linear(up.in_features, up.out_features + len(unit))
        wider.weight.copy_(torch.cat([up.weight, up.weight[unit]]))
        wider.bias.copy_(torch.cat([up.bias, torch.where(place > 0, up.bias[unit] - place * most, _CLOSED)]))
        ends = torch.ones(wider.out_features)
        self._up = Linear8.of(wider, read)
        weight = torch.cat([down.weight, down.weight[:, unit]], dim=1)
        self._down = Linear8(weight, down.bias, _LEAST_GELU * ends, most * ends, ends)

    def __call__(self, x: Tensor) -> Tensor:
        """Return `x` and what the part adds to it."""
        inner = self._up.gelu(self._up.rounded(x), self._down.step, self._down.zero)
        return self._down.plus(inner, x)


def _split(high: Tensor) -> tuple[float, Tensor, Tensor]:
    """Return how far a unit may rise, and for each copy its unit and which it is, counted from 1; 0 where none.

    GELU(a) is about the sum of GELU(a - k most), each cut at `most`, over k = 0, 1, …
    """
    top = max(float(high.max()), 1e-3)
    for most in torch.linspace(min(_LEAST_CUT, top), top, 400).tolist():
        copies = ((high / most).ceil() - 1).clamp(min=0).long()
        if int(copies.sum()) <= _COPIES:
            break
    unit = torch.repeat_interleave(torch.arange(len(high)), copies)
    place = torch.cat([torch.arange(1, n + 1) for n in copies.tolist()])
    filling = -len(unit) % _BLOCK
    return most, nn.functional.pad(unit, (0, filling)), nn.functional.pad(place, (0, filling))
