"""The tagger's folder on disk: ``config.json``, ``model.safetensors`` (8 bits a weight) and ``tokenizer.json``.

Matrices are stored row by row as whole numbers from -127 to 127 with one half-precision scale a row; vectors in
half precision. Word embeddings are not stored: they are those of the stance model, whose training leaves them as the
common encoder has them. Where they have been measured, the ends of what each linear layer reads stand beside them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from stance.errors import ModelError
from stance.quotes.int8 import Ranges
from stance.quotes.windows import VOCABULARY

__all__ = ["FILES", "FORMAT", "check_words", "content_hash", "read_folder", "word_embeddings", "write_folder"]

FORMAT = 2
"""Written; format 1, which held no ranges, is read as well."""
FILES = ("config.json", "model.safetensors", "tokenizer.json")
_WORDS = "embeddings.word_embeddings.weight"
_PROBE = "words.probe"
_RANGES = "ranges."
_EVERY = 61  # rows of the embeddings between two that the probe keeps
_COLUMNS = 8
_DRIFT = 0.02


def word_embeddings(folder: str | Path) -> Tensor:
    """Return the word embeddings in a model's folder as float32, shape ``(vocabulary, width)``.

    Raises
    ------
    ModelError
        If the folder has no weights, or they hold no word embeddings.
    """
    path = Path(folder) / "model.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.endswith(_WORDS)]  # noqa: SIM118 - no mapping
            if len(names) != 1:
                raise ModelError(f"{path}: expected one tensor named …{_WORDS}, found {len(names)}")
            words: Tensor = file.get_slice(names[0])[:VOCABULARY].float()
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: no word embeddings can be read there: {error}") from error
    return words


def check_words(words: Tensor, probe: Tensor, folder: str | Path) -> None:
    """Make sure that word embeddings are those the tagger was trained on.

    Raises
    ------
    ModelError
        If they differ by more than rounding.
    """
    own = _probe(words)
    drift = float((own - probe.float()).abs().mean() / probe.float().abs().mean()) if own.shape == probe.shape else 1.0
    if drift > _DRIFT:
        raise ModelError(
            f"{folder}: its word embeddings differ by {drift:.1%} from those the quotation tagger was trained on; "
            "train it again with `python -m training.build_quotes`, or extract with engine='rules'"
        )


def _probe(words: Tensor) -> Tensor:
    return words[::_EVERY, :_COLUMNS].float().contiguous()


def write_folder(
    folder: str | Path,
    state: Mapping[str, Tensor],
    words: Tensor,
    config: Mapping[str, Any],
    tokenizer: str,
    ranges: Ranges | None = None,
) -> None:
    """Write a folder.

    Parameters
    ----------
    folder
        Created if it does not exist.
    state
        Weights by name.
    words
        The word embeddings trained on; a probe of them is kept.
    config
        Sizes and thresholds.
    tokenizer
        The tokenizer as JSON.
    ranges
        What the linear layers read, if it has been measured.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    packed: dict[str, Tensor] = {_PROBE: _probe(words).half()}
    for name, tensor in state.items():
        if tensor.ndim == 2 and tensor.numel() > 4096:
            scale = (tensor.float().abs().amax(dim=1) / 127).clamp(min=1e-7).half()
            packed[name] = (tensor.float() / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
            packed[f"{name}.scale"] = scale
        else:
            packed[name] = tensor.float().contiguous() if tensor.numel() < 4096 else tensor.half().contiguous()
    packed |= {name: ends.half().contiguous() for name, ends in (ranges or {}).items()}
    save_file(packed, path / "model.safetensors")
    written = json.dumps({**config, "format": FORMAT}, indent=1, sort_keys=True) + "\n"
    (path / "config.json").write_text(written, encoding="utf-8")
    (path / "tokenizer.json").write_text(tokenizer, encoding="utf-8")


def read_folder(folder: str | Path) -> tuple[dict[str, Tensor], Ranges, Tensor, dict[str, Any]]:
    """Return the weights as float32, the ranges measured, the probe of the word embeddings, and the configuration.

    Raises
    ------
    ModelError
        If a file is missing, damaged, or of another format.
    """
    path = Path(folder)
    missing = [name for name in FILES if not (path / name).is_file()]
    if missing:
        raise ModelError(f"{path}: no quotation tagger there, {', '.join(missing)} missing")
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        packed = load_file(path / "model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(f"{path}: damaged quotation tagger: {error}") from error
    if config.get("format") not in (1, FORMAT):
        raise ModelError(f"{path}: tagger format {config.get('format')}, this version reads 1 and {FORMAT}")
    ranges = {name: packed.pop(name).float() for name in list(packed) if name.startswith(_RANGES)}
    state = {
        name: tensor.float() * packed[f"{name}.scale"].float()[:, None] if f"{name}.scale" in packed else tensor.float()
        for name, tensor in packed.items()
        if not name.endswith(".scale") and name != _PROBE
    }
    if _PROBE not in packed:
        raise ModelError(f"{path}: damaged quotation tagger: {_PROBE} is missing")
    return state, ranges, packed[_PROBE], config


def content_hash(folder: str | Path) -> str:
    """Return the first 12 digits of the hash of the folder's files."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((Path(folder) / name).read_bytes())
    return digest.hexdigest()[:12]
