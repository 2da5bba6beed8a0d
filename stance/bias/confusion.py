"""The classifier's known errors, read from ``metrics.json`` beside the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import Archive
from stance.errors import ModelError
from stance.schema import LABELS

__all__ = ["FEWEST_ITEMS", "WEAK_RECALL", "ErrorCounts", "known_errors", "read_error_counts", "shipped_metrics"]

FEWEST_ITEMS = 20
"""A true label with fewer validation items than this is called weak."""
WEAK_RECALL = 0.5
"""A true label of which the model finds less than this share is called weak."""


@dataclass(frozen=True)
class ErrorCounts:
    """How often each true label was answered by each label, by target, on validation statements.

    Parameters
    ----------
    model
        Name and content hash of the model, as in the rows' ``model`` column.
    counts
        Gold × answer counts of each target, shape ``(4, 4)`` in the order of `stance.schema.LABELS`.
    design_effects
        By how much the sampling variance exceeds that of independent statements, since statements of one document
        are alike; 1 where it was not measured.
    """

    model: str
    counts: Mapping[str, NDArray[np.float64]]
    design_effects: Mapping[str, float] = field(default_factory=dict)

    def effective(self) -> NDArray[np.float64]:
        """Return the counts of all targets divided by their design effects, shape ``(targets, 4, 4)``."""
        return np.stack([c / self.design_effects.get(t, 1.0) for t, c in self.counts.items()])

    def weak_labels(self, target: str) -> list[str]:
        """Return which of against, neutral and favor the model finds badly, or was hardly tested on, for a target."""
        counts = self.counts[target]
        items, hits = counts.sum(axis=1), np.diagonal(counts)
        return [
            label for i, label in enumerate(LABELS[:3]) if items[i] < FEWEST_ITEMS or hits[i] < WEAK_RECALL * items[i]
        ]


def shipped_metrics() -> Path:
    """Return the path of the shipped model's ``metrics.json``."""
    return Path(str(files("stance") / "model" / "weights" / "stance-minilm" / "metrics.json"))


def read_error_counts(path: str | Path) -> ErrorCounts:
    """Read a model's error counts.

    Parameters
    ----------
    path
        A model's folder, or its ``metrics.json``: ``{"model": …, "labels": […], "confusion": {target: [[…], …]},
        "design_effect": {target: …}}``; rows of a matrix are true labels, columns answers.

    Raises
    ------
    ModelError
        If the file is missing or breaks a rule; the message names the file, the target and the rule.
    """
    file = Path(path) / "metrics.json" if Path(path).is_dir() else Path(path)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{file}: cannot read the model's metrics: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("confusion"), dict) or not data["confusion"]:
        raise ModelError(f"{file}: needs 'confusion', one matrix per target [missing-confusion]")
    labels = data.get("labels", list(LABELS))
    if list(labels) != list(LABELS):
        raise ModelError(f"{file}: labels must be {', '.join(LABELS)} in this order, found {labels} [labels]")
    if not isinstance(data.get("model"), str):
        raise ModelError(f"{file}: needs 'model', its name and content hash [missing-model]")
    counts = {str(t): _matrix(file, str(t), rows) for t, rows in data["confusion"].items()}
    effects = data.get("design_effect", {})
    if not isinstance(effects, dict) or not all(isinstance(v, int | float) and v >= 1 for v in effects.values()):
        raise ModelError(f"{file}: 'design_effect' must give each target a number of at least 1 [design-effect]")
    return ErrorCounts(data["model"], counts, {str(t): float(v) for t, v in effects.items()})


def known_errors(archive: Archive, model: str | Path | None, notes: list[str]) -> ErrorCounts | None:
    """Return the error counts of the model that made the rows, ``None`` where they are not known.

    Parameters
    ----------
    archive
        The rows.
    model
        Folder of a model, or its ``metrics.json``; the shipped one if not given.
    notes
        Gets what is not corrected, and where the model is weak.

    Raises
    ------
    ModelError
        If a model is named whose errors cannot be read, or that did not make the rows.
    """
    try:
        errors = read_error_counts(model if model is not None else shipped_metrics())
    except ModelError as error:
        if model is not None:
            raise
        notes.append(f"Nothing is corrected for the model's errors: {error}.")
        return None
    made = sorted(name for name in archive.models if name)
    if made and made != [errors.model]:
        message = f"the rows were made by {', '.join(made)}, the errors are known of {errors.model}"
        if model is not None:
            raise ModelError(f"{model}: {message}")
        notes.append(f"Nothing is corrected for the model's errors: {message}.")
        return None
    if not made:
        notes.append(f"The rows name no model; errors are taken to be those of {errors.model}.")
    present = {archive.names["target"][c] for c in np.unique(archive["target"])}
    if unknown := sorted(present - set(errors.counts)):
        notes.append(f"Not corrected, as the model's errors toward them were not measured: {', '.join(unknown)}.")
    for target in sorted(present & set(errors.counts)):
        if weak := errors.weak_labels(target):
            notes.append(f"{target}: the model is weak at {', '.join(weak)} (few test items, or under half found).")
    return errors


def _matrix(file: Path, target: str, rows: Any) -> NDArray[np.float64]:
    k = len(LABELS)
    try:
        matrix = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{file}: confusion of {target!r} is no matrix of numbers [matrix]") from error
    if matrix.shape != (k, k) or not np.isfinite(matrix).all() or (matrix < 0).any():
        raise ModelError(f"{file}: confusion of {target!r} must be {k} x {k} counts of at least 0 [matrix]")
    if not matrix.sum():
        raise ModelError(f"{file}: confusion of {target!r} counts no statement [matrix]")
    return matrix
