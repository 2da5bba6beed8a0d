"""The configuration of ``stance train``: a YAML file whose every key is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from stance.errors import UsageError
from stance.learning.trainer import FitOptions

__all__ = ["TrainingConfig", "load_training_config"]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What ``stance train`` does.

    Parameters
    ----------
    corpus
        Folder or file of the corpus; relative to the current folder.
    output
        Folder to write the model to.
    name
        Name of the new model; the corpus's name if empty.
    base
        Folder of the model to start from; the shipped one if not given.
    labels, targets
        Label set and targets, where the corpus's file does not tell them.
    remember
        Keep what the base model thinks of the default targets. If not given, where it can be kept.
    patience, min_steps, risk
        See `stance.learning.fine_tune`.
    fit
        Options of the optimiser.
    """

    corpus: str
    output: str
    name: str | None = None
    base: str | None = None
    labels: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    remember: bool | None = None
    patience: int = 2
    min_steps: int = 60
    risk: float = 0.15
    fit: FitOptions = field(default_factory=FitOptions)


def load_training_config(path: str | Path) -> TrainingConfig:
    """Read a configuration.

    Raises
    ------
    UsageError
        If the file cannot be read, a key is unknown or missing, or a value is of the wrong kind; names file and key.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot read the configuration: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path}: a configuration is a mapping of keys to values")
    values = _checked(TrainingConfig, data, str(path))
    fit = values.pop("fit", None) or {}
    if not isinstance(fit, dict):
        raise UsageError(f"{path}: fit is a mapping of keys to values")
    for key in ("labels", "targets"):
        if values.get(key) is not None:
            values[key] = _names(values[key], key, str(path))
    return TrainingConfig(**values, fit=FitOptions(**_checked(FitOptions, fit, f"{path}, fit")))


def _checked(kind: type, data: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = {f.name: f for f in fields(kind)}
    if unknown := [str(key) for key in data if key not in known]:
        raise UsageError(f"{where}: unknown key {', '.join(unknown)} (known: {', '.join(known)})")
    found: dict[str, Any] = {}
    for key, value in data.items():
        wanted = str(known[key].type)
        found[key] = _as_number(value) if wanted == "float" else value
        if not _fits(found[key], wanted):
            raise UsageError(f"{where}: {key} should be {wanted}, not {value!r}")
    missing = [name for name in ("corpus", "output") if name in known and not found.get(name)]
    if missing:
        raise UsageError(f"{where}: {', '.join(missing)} is missing")
    return found


def _as_number(value: Any) -> Any:
    """YAML reads ``1e-4`` as text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _fits(value: Any, wanted: str) -> bool:
    kinds: dict[str, type] = {"str": str, "bool": bool, "int": int, "float": float}
    allowed = [part.strip() for part in wanted.split("|")]
    if value is None:
        return "None" in allowed
    simple = [kinds[a] for a in allowed if a in kinds]
    if not simple:
        return True  # lists and mappings are checked by their readers
    return any(isinstance(value, k) and (k is bool or not isinstance(value, bool)) for k in simple)


def _names(value: Any, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise UsageError(f"{where}: {key} should be a list of names")
    return tuple(value)
