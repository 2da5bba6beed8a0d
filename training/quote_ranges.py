"""Measure what the tagger's linear layers read: ``python -m training.quote_ranges [FOLDER]``.

The extractor rounds these numbers to 8 bits between the ends that are stored here; nothing else in the folder changes.
They are measured in float32 on articles of PolNeAR's training split.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stance.quotes.inference import QuoteEncoder
from stance.quotes.int8 import LINEAR, range_name
from stance.quotes.network import QuoteNetwork
from stance.quotes.tagger import QuoteTagger, shipped_tagger
from training.corpora import data_folder
from training.corpora.polnear import Annotated, read

__all__ = ["main", "measured", "sampled"]

_ARTICLES = 200
_SEED = 7


def measured(network: QuoteNetwork, windows: Iterable[tuple[Tensor, Tensor, list[int]]]) -> dict[str, Tensor]:
    """Return the ends of what each linear layer reads, by `range_name`.

    Parameters
    ----------
    network
        The network.
    windows
        Inputs as `QuoteEncoder` takes them.
    """
    found: dict[str, Tensor] = {}
    hooks = [
        getattr(layer, linear).register_forward_hook(_widening(found, range_name(number, linear)))
        for number, layer in enumerate(network.layers)
        for linear in LINEAR
    ]
    encoder = QuoteEncoder(network, "fp32")
    for inputs in windows:
        encoder(*inputs)
    for hook in hooks:
        hook.remove()
    return found


def _widening(found: dict[str, Tensor], name: str) -> Callable[[nn.Module, Any, Any], None]:
    def widen(module: nn.Module, inputs: Any, output: Any) -> None:
        x = inputs[0]
        ends = torch.stack([x.amin(0), x.amax(0)])
        if name in found:
            ends = torch.stack([torch.minimum(ends[0], found[name][0]), torch.maximum(ends[1], found[name][1])])
        found[name] = ends

    return widen


def sampled(tagger: QuoteTagger, articles: list[Annotated]) -> dict[str, Tensor]:
    """Return `measured` for a sample of articles."""
    chosen = np.random.default_rng(_SEED).permutation(len(articles))[:_ARTICLES]
    return measured(tagger.network, (batch for i in chosen for batch in tagger.inputs(articles[i].text)))


def main() -> None:
    """Measure, and write the ends into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=shipped_tagger())
    arguments = parser.parse_args()
    tagger = QuoteTagger.from_pretrained(arguments.folder, precision="fp32")
    tagger.ranges = sampled(tagger, list(read(data_folder(), "train", one_annotator=True)))
    tagger.save_pretrained(arguments.folder)
    print(f"measured {tagger.id}")


if __name__ == "__main__":
    main()
