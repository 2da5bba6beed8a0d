"""Vectors of statements from a model's encoder, and an ensemble from its dropout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from stance.model import Packed, StanceClassifier, pad
from stance.schema import Statement

__all__ = ["dropout_ensemble", "target_vectors"]

_TOKENS = 4096


def target_vectors(
    classifier: StanceClassifier, statements: Sequence[Statement], targets: Sequence[str]
) -> NDArray[np.float64]:
    """Return what the model's head reads: the encoder's vector at each target's marker.

    Parameters
    ----------
    classifier
        The model.
    statements, targets
        Every statement is asked about every target, as in `stance.model.StanceClassifier.logits`.

    Returns
    -------
    array of shape (statements, targets, width)
    """
    parts = []
    for names in classifier.packer.passes(targets):
        packed = classifier.packer.pack(statements, [names] * len(statements))
        parts.append(_vectors(classifier, packed, len(names)))
    return np.concatenate(parts, axis=1)


def _vectors(classifier: StanceClassifier, packed: Sequence[Packed], targets: int) -> NDArray[np.float64]:
    model = classifier.model
    out = np.empty((len(packed), targets, model.encoder.config.hidden_size))
    order = sorted(range(len(packed)), key=lambda i: -len(packed[i].ids))
    while order:
        size = max(1, _TOKENS // len(packed[order[0]].ids))
        batch, order = order[:size], order[size:]
        ids, mask, markers = (
            torch.from_numpy(a) for a in pad([packed[i] for i in batch], classifier.config.special_ids["pad"])
        )
        with torch.inference_mode():
            out[batch] = model.at_markers(ids, mask, markers).float().numpy()
    return out


def dropout_ensemble(
    classifier: StanceClassifier,
    vectors: NDArray[np.float64],
    *,
    members: int = 16,
    dropout: float = 0.2,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the calibrated probabilities of an ensemble: the head under several random dropout masks.

    Gal & Ghahramani 2016, "Dropout as a Bayesian approximation", ICML, arXiv:1506.02142. Only the head is drawn
    anew, so the encoder runs once.

    Parameters
    ----------
    classifier
        The model.
    vectors
        From `target_vectors`, shape ``(statements, targets, width)``.
    members
        Number of masks.
    dropout
        Share of a layer's inputs that a mask drops.
    seed
        Seed of the masks.

    Returns
    -------
    array of shape (members, statements, targets, labels)
    """
    generator = torch.Generator().manual_seed(seed)
    layers = [layer for layer in classifier.model.head if not isinstance(layer, torch.nn.Dropout)]
    found = []
    with torch.inference_mode():
        source = torch.from_numpy(vectors).float()
        for _ in range(members):
            hidden = source
            for layer in layers:
                if isinstance(layer, torch.nn.Linear):
                    kept = torch.rand(hidden.shape[-1], generator=generator) >= dropout
                    hidden = hidden * kept / (1 - dropout)
                hidden = layer(hidden)
            found.append(torch.softmax(hidden.double() / classifier.config.calibration_temperature, dim=-1).numpy())
    return np.stack(found)
