"""Which words moved the model: integrated gradients on the embeddings."""

from __future__ import annotations

from typing import NamedTuple

import torch

from stance.errors import UsageError
from stance.model.classifier import StanceClassifier
from stance.model.modeling import attention_view
from stance.schema import Statement

__all__ = ["TokenAttribution", "explain"]

_STEPS = 32


class TokenAttribution(NamedTuple):
    """What one token of the statement adds to the probability of the explained label.

    Parameters
    ----------
    token
        The token's characters in the statement.
    start, end
        Their offsets into the statement's text.
    attribution
        Part of the probability it adds (negative: takes away).
    """

    token: str
    start: int
    end: int
    attribution: float


def explain(
    classifier: StanceClassifier,
    statement: Statement,
    target: str,
    *,
    label: str | None = None,
    steps: int = _STEPS,
) -> list[TokenAttribution]:
    """Attribute the calibrated probability of a label to the tokens of a statement.

    Integrated gradients (Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks", ICML) from the
    same input with the statement's tokens replaced by padding, by the midpoint rule. The attributions sum, up to
    the rule's error, to the probability with the statement minus that without it; speaker, context and target stay
    as they are on the whole path and get no share.

    Parameters
    ----------
    classifier
        The model.
    statement
        The statement.
    target
        Name of the target asked about.
    label
        The label explained; the one the model gives if not named.
    steps
        Points of the path, 32 are enough for an error of about a hundredth.

    Returns
    -------
    list of TokenAttribution
        One for each token of the statement that the model sees, in order. Empty for a statement without tokens.

    Raises
    ------
    UsageError
        If the model has no such label, or `steps` is not positive.
    """
    if steps < 1:
        raise UsageError(f"steps must be at least 1, found {steps}")
    if label is not None and label not in classifier.labels:
        raise UsageError(f"the model has no label {label!r}; it has {', '.join(classifier.labels)}")
    packed = classifier.packer.pack([statement], [[target]])[0]
    first, last = packed.statement_span
    offsets = classifier.tokenizer.encode(statement.text, add_special_tokens=False).offsets[: last - first]
    if not offsets:
        return []
    embed = classifier.model.encoder.get_input_embeddings()
    ids = torch.tensor([packed.ids])
    with torch.no_grad():
        given = embed(ids)
        empty = given.clone()
        empty[0, first:last] = embed(torch.tensor(classifier.config.special_ids["pad"]))
        chosen = (
            classifier.labels.index(label)
            if label is not None
            else int(_probabilities(classifier, given, packed.markers[0])[0].argmax())
        )
    gradient = _mean_gradient(classifier, given, empty, packed.markers[0], chosen, steps)
    shares = ((given - empty)[0, first:last] * gradient[first:last]).sum(dim=-1)
    return [
        TokenAttribution(statement.text[a:b], a, b, float(share)) for (a, b), share in zip(offsets, shares, strict=True)
    ]


def _probabilities(classifier: StanceClassifier, embedded: torch.Tensor, marker: int) -> torch.Tensor:
    """Return calibrated probabilities of embedded inputs of one length, shape ``(batch, labels)``."""
    mask = torch.ones(embedded.shape[:2], dtype=torch.long)
    markers = torch.full((len(embedded), 1), marker)
    view = attention_view(mask, markers, classifier.config.target_view)
    hidden = classifier.model.encoder(inputs_embeds=embedded, attention_mask=view).last_hidden_state
    logits = classifier.model.head(hidden[:, marker])
    return torch.softmax(logits.float() / classifier.config.calibration_temperature, dim=-1)


def _mean_gradient(
    classifier: StanceClassifier,
    given: torch.Tensor,
    empty: torch.Tensor,
    marker: int,
    label: int,
    steps: int,
) -> torch.Tensor:
    """Return the gradient averaged over the straight path, shape ``(tokens, width)``; the weights get none."""
    alphas = ((torch.arange(steps) + 0.5) / steps).view(-1, 1, 1)
    path = (empty + alphas * (given - empty)).detach().requires_grad_(True)
    value = _probabilities(classifier, path, marker)[:, label].sum()
    (gradient,) = torch.autograd.grad(value, path)
    return gradient.mean(dim=0)
