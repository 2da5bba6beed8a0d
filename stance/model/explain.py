"""Which words moved the model: integrated gradients on the embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    targets: Sequence[str] = (),
    label: str | None = None,
    steps: int = _STEPS,
) -> list[TokenAttribution]:
    """Attribute the calibrated probability of a label to the tokens of a statement.

    Integrated gradients (Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks", ICML) from the
    same input with the statement's tokens replaced by padding, by the midpoint rule. The attributions sum, up to
    the rule's error, to the probability with the statement minus that without it; speaker, context and targets stay
    as they are on the whole path and get no share.

    Parameters
    ----------
    classifier
        The model.
    statement
        The statement.
    target
        Name of the target asked about.
    targets
        Names of all targets that were asked about together, in their order: those that share a pass have a slight
        influence on one another. The target alone if not given.
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
        If the model has no such label, the target is not among `targets`, or `steps` is not positive.
    """
    if steps < 1:
        raise UsageError(f"steps must be at least 1, found {steps}")
    if label is not None and label not in classifier.labels:
        raise UsageError(f"the model has no label {label!r}; it has {', '.join(classifier.labels)}")
    names = _shared_pass(classifier, target, targets or [target])
    packed = classifier.packer.pack([statement], [names])[0]
    asked = names.index(target)
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
            else int(_probabilities(classifier, given, packed.markers, asked)[0].argmax())
        )

    def value(embedded: torch.Tensor) -> torch.Tensor:
        return _probabilities(classifier, embedded, packed.markers, asked)[:, chosen]

    gradient = _mean_gradient(value, given, empty, steps)
    shares = ((given - empty)[0, first:last] * gradient[first:last]).sum(dim=-1)
    return [
        TokenAttribution(statement.text[a:b], a, b, float(share)) for (a, b), share in zip(offsets, shares, strict=True)
    ]


def _shared_pass(classifier: StanceClassifier, target: str, targets: Sequence[str]) -> list[str]:
    """Return those of some targets that share a pass with one of them."""
    for names in classifier.packer.passes(targets):
        if target in names:
            return names
    raise UsageError(f"{target!r} is not among the targets asked about together: {', '.join(targets)}")


def _probabilities(
    classifier: StanceClassifier, embedded: torch.Tensor, markers: Sequence[int], asked: int
) -> torch.Tensor:
    """Return calibrated probabilities at one marker for embedded inputs of one length, shape ``(batch, labels)``."""
    mask = torch.ones(embedded.shape[:2], dtype=torch.long)
    places = torch.tensor([list(markers)] * len(embedded))
    view = attention_view(mask, places, classifier.config.target_view)
    hidden = classifier.model.encoder(inputs_embeds=embedded, attention_mask=view).last_hidden_state
    logits = classifier.model.head(hidden[:, markers[asked]])
    return torch.softmax(logits.float() / classifier.config.calibration_temperature, dim=-1)


def _mean_gradient(
    value: Callable[[torch.Tensor], torch.Tensor], given: torch.Tensor, empty: torch.Tensor, steps: int
) -> torch.Tensor:
    """Return the gradient averaged over the straight path, shape ``(tokens, width)``; the weights get none."""
    alphas = ((torch.arange(steps) + 0.5) / steps).view(-1, 1, 1)
    path = (empty + alphas * (given - empty)).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(value(path).sum(), path)
    return gradient.mean(dim=0)
