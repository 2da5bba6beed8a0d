"""Training examples: a statement with labels for some targets, and how they become batches."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import Dataset, Sampler

from stance.model import IGNORED, Packer, pad
from stance.schema import Statement

__all__ = ["Augment", "Collator", "Example", "ExampleDataset", "LengthBuckets", "asked"]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled statement.

    Parameters
    ----------
    statement
        The statement with speaker and context.
    labels
        Label name per target name; targets without a label are simply absent.
    beliefs
        Probability of each label, in the order of the model's labels, per target: what another model thinks, to be
        imitated. A target may have a label as well.
    corpus, document
        Where it comes from; examples of one document never cross splits.
    """

    statement: Statement
    labels: Mapping[str, str] = field(default_factory=dict)
    beliefs: Mapping[str, Sequence[float]] = field(default_factory=dict)
    corpus: str = ""
    document: str = ""


Augment = Callable[[Example, random.Random], Example]
"""Returns a varied copy of an example; drawn anew each time the example is seen."""


def asked(example: Example) -> list[str]:
    """Return the targets an example is asked about: those with a label, then those with beliefs alone."""
    return [*example.labels, *(target for target in example.beliefs if target not in example.labels)]


class ExampleDataset(Dataset[Example]):
    """Examples, each varied by `augment` on every visit.

    Parameters
    ----------
    examples
        The examples.
    augment
        Applied on each access, or ``None``.
    seed
        Seed of the variation.
    """

    def __init__(self, examples: Sequence[Example], augment: Augment | None = None, seed: int = 0) -> None:
        self.examples = list(examples)
        self._augment = augment
        self._random = random.Random(seed)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        example = self.examples[index]
        return self._augment(example, self._random) if self._augment else example


class LengthBuckets(Sampler[list[int]]):
    """Batches of similar length in random order, so that little of a batch is padding.

    Parameters
    ----------
    lengths
        Length of each example, in any unit.
    batch_size
        Examples to a batch.
    seed
        Seed of the order; every epoch draws a new order from it.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = lengths
        self._size = batch_size
        self._random = random.Random(seed)

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._size)

    def __iter__(self) -> Iterator[list[int]]:
        order = list(range(len(self._lengths)))
        self._random.shuffle(order)
        window = self._size * 50
        batches = []
        for start in range(0, len(order), window):
            part = sorted(order[start : start + window], key=lambda i: self._lengths[i])
            batches += [part[i : i + self._size] for i in range(0, len(part), self._size)]
        self._random.shuffle(batches)
        return iter(batches)


class Collator:
    """Packs examples into the tensors that `StanceModel.forward` takes.

    An example of more targets than share a pass becomes several rows, as when it is scored.

    Parameters
    ----------
    packer
        The model's packer.
    labels
        Label names in the order of the head.
    pad_id
        Token id of padding.
    soft_weight, soft_temperature
        How much beliefs count and how far they are softened, see `stance.model.StanceModel.forward`.
    """

    def __init__(
        self,
        packer: Packer,
        labels: Sequence[str],
        pad_id: int,
        *,
        soft_weight: float = 1.0,
        soft_temperature: float = 1.0,
    ) -> None:
        self._packer = packer
        self._ids = {label: i for i, label in enumerate(labels)}
        self._pad = pad_id
        self._soft = {"soft_weight": soft_weight, "soft_temperature": soft_temperature}

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Return input ids, mask, marker positions, labels and beliefs of a batch."""
        rows = [(e, names) for e in examples for names in self._packer.passes(asked(e)) or [[]]]
        packed = self._packer.pack([e.statement for e, _ in rows], [names for _, names in rows])
        ids, mask, markers = pad(packed, self._pad)
        labels = torch.full(markers.shape, IGNORED, dtype=torch.long)
        beliefs = torch.zeros((*markers.shape, len(self._ids)))
        for i, (example, names) in enumerate(rows):
            for j, name in enumerate(names):
                if name in example.labels:
                    labels[i, j] = self._ids[example.labels[name]]
                if name in example.beliefs:
                    beliefs[i, j] = torch.tensor(example.beliefs[name])
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "marker_positions": torch.from_numpy(markers),
            "labels": labels,
            "soft_labels": beliefs,
            **self._soft,
        }
