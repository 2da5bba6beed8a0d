"""A loaded stance model: statements and targets in, calibrated probabilities out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from stance.errors import ModelError
from stance.model.config import MODEL_FORMAT, StanceConfig
from stance.model.engines import Engine, make_engine
from stance.model.modeling import StanceModel
from stance.model.packing import MARKERS, Packed, Packer, pad
from stance.schema import Statement

__all__ = ["MODEL_FILES", "Prepared", "StanceClassifier", "shipped_model"]

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")
"""Files of a model folder, all of which its hash covers."""
_BATCHES_PER_LANE, _FEWEST_TOKENS = 3, 256


def shipped_model() -> Path:
    """Return the folder of the model that ships inside the package."""
    return Path(str(files("stance") / "model" / "weights" / "stance-minilm"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """Statements ready for the network.

    Parameters
    ----------
    passes
        The packed sequences of each pass; targets that do not fit one pass are asked about in several.
    targets
        Number of targets of each pass.
    truncated
        Whether the model does not see the whole statement or the whole of a name, shape ``(n,)``.
    """

    passes: list[list[Packed]]
    targets: list[int]
    truncated: NDArray[np.bool_]

    @property
    def tokens(self) -> list[int]:
        """Length of each statement's longest sequence."""
        return [max(len(p.ids) for p in packed) for packed in zip(*self.passes, strict=True)]

    def split(self) -> list[Prepared]:
        """Return each statement by itself."""
        return [
            Prepared([[packed[i]] for packed in self.passes], self.targets, self.truncated[i : i + 1])
            for i in range(len(self.truncated))
        ]

    @classmethod
    def joined(cls, parts: Sequence[Prepared]) -> Prepared:
        """Return statements prepared apart, but for equally many targets, as if they had been prepared together."""
        passes = [[p for packed in same for p in packed] for same in zip(*(x.passes for x in parts), strict=True)]
        return cls(passes, parts[0].targets, np.concatenate([x.truncated for x in parts]))


class StanceClassifier:
    """Model, tokenizer and calibration together.

    Use `from_pretrained` for a trained model and `from_encoder` for a new one.
    """

    def __init__(self, model: StanceModel, tokenizer: Tokenizer, *, content_hash: str = "unsaved") -> None:
        self.model: StanceModel = model.eval()  # type: ignore[no-untyped-call]
        self.config = model.config
        self.tokenizer = tokenizer
        self.packer = Packer(tokenizer, model.config)
        self.content_hash = content_hash
        self.folder: Path | None = None
        self.engine: Engine = make_engine("torch-fp32", self.model, content_hash)

    def use_engine(self, name: str | None = None, *, threads: int | None = None) -> None:
        """Run on another engine from now on.

        Parameters
        ----------
        name
            One of `stance.model.engines.ENGINES`; ``None`` takes the fastest that is installed.
        threads
            Cores used; all that the process may use if not given.

        Raises
        ------
        UsageError
            If there is no such engine, or this machine cannot run it.
        MissingExtraError
            If its extra is not installed.
        ModelError
            If the encoder cannot be exported for it.
        """
        self.engine = make_engine(name, self.model, self.content_hash, threads=threads)

    @property
    def id(self) -> str:
        """Name and content hash, as written into the ``model`` column."""
        return f"{self.config.name}@{self.content_hash}"

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names in the order of the probabilities."""
        return tuple(self.config.labels)

    @classmethod
    def from_pretrained(cls, path: str | Path | None = None) -> Self:
        """Load a model folder, or the shipped model if no path is given.

        Raises
        ------
        ModelError
            If the folder is missing or incomplete, if its tensors are not those of the network (it names them), or if
            it was written by another version of the format.
        """
        folder = Path(path) if path is not None else shipped_model()
        missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
        if missing:
            raise ModelError(f"{folder}: no stance model there, {', '.join(missing)} missing")
        try:
            found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("format")
            if found != MODEL_FORMAT:
                raise ModelError(f"{folder}: model format {found}, this version reads {MODEL_FORMAT}")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            with _without_bars():
                pair: Any = StanceModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
                model, loaded = pair  # the annotation knows of a model alone
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{folder}: damaged stance model: {error}") from error
        for what in ("missing", "unexpected"):
            if tensors := sorted(loaded[f"{what}_keys"]):
                raise ModelError(f"{folder}: damaged stance model, {what} tensors: {_few(tensors)}")
        made = cls(model, tokenizer, content_hash=_content_hash(folder))
        made.folder = folder
        return made

    @classmethod
    def from_encoder(
        cls, encoder: str | Path, *, encoder_options: Mapping[str, object] | None = None, **options: object
    ) -> Self:
        """Put a fresh head on a pretrained encoder that `transformers.AutoModel` can load.

        Parameters
        ----------
        encoder
            Folder of the encoder (or a hub name, where the machine can reach one).
        encoder_options
            Passed to `transformers.AutoModel.from_pretrained`, such as the dropout rates.
        options
            Fields of `StanceConfig`; targets that share a pass are kept apart unless ``target_view`` says otherwise.

        Raises
        ------
        OSError, ValueError
            If `transformers` finds no encoder or tokenizer there.
        ValueError
            If ``target_view`` is none of `stance.model.config.TARGET_VIEWS`.
        """
        hf = AutoTokenizer.from_pretrained(str(encoder))
        hf.add_special_tokens({"additional_special_tokens": list(MARKERS.values())})
        with _without_bars():
            body = AutoModel.from_pretrained(str(encoder), dtype=torch.float32, **dict(encoder_options or {}))
        body.resize_token_embeddings(len(hf), mean_resizing=False)
        special = {role: cast("int", hf.convert_tokens_to_ids(token)) for role, token in MARKERS.items()}
        special |= {"cls": hf.cls_token_id, "sep": hf.sep_token_id, "pad": hf.pad_token_id}
        _start_markers(body.get_input_embeddings(), special, hf.mask_token_id)
        made: dict[str, Any] = {"target_view": "apart", **options}
        config = StanceConfig(encoder=body.config.to_diff_dict(), special_ids=special, **made)
        return cls(StanceModel(config, body), hf.backend_tokenizer)

    def save_pretrained(self, folder: str | Path, *, dtype: torch.dtype = torch.float16) -> None:
        """Write ``config.json``, ``model.safetensors`` and ``tokenizer.json``.

        Parameters
        ----------
        folder
            Created if it does not exist.
        dtype
            Number format of the weights on disk; loading always gives float32.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save(str(path / "tokenizer.json"))
        state = {name: tensor.to(dtype) for name, tensor in self.model.state_dict().items()}
        with _without_bars():
            self.model.save_pretrained(path, state_dict=state)
        self.content_hash = _content_hash(path)

    def logits(
        self, statements: Sequence[Statement], targets: Sequence[str]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Score every statement against every target.

        Parameters
        ----------
        statements
            Length ``n``.
        targets
            Length ``t``, any number.

        Returns
        -------
        logits : array of shape (n, t, labels)
        truncated : array of shape (n,)
            Whether the model did not see the whole statement, its speaker's whole name or a target's.
        """
        prepared = self.prepare(statements, targets)
        return self.run(prepared), prepared.truncated

    def prepare(
        self, statements: Sequence[Statement], targets: Sequence[str], asked: Sequence[Sequence[str]] | None = None
    ) -> Prepared:
        """Tokenise and pack: the half of `logits` that needs no network, for threads that work ahead of it.

        Parameters
        ----------
        statements, targets
            As for `logits`.
        asked
            Names that the targets are asked about by, for each statement as many; their own if not given.
        """
        groups = self.packer.passes(targets)
        names = [groups] * len(statements) if asked is None else [self.packer.passes(each) for each in asked]
        passes = [self.packer.pack(statements, [each[i] for each in names]) for i in range(len(groups))]
        truncated = np.zeros(len(statements), dtype=bool)
        for packed in passes:
            truncated |= np.fromiter((p.truncated for p in packed), dtype=bool, count=len(packed))
        return Prepared(passes, [len(group) for group in groups], truncated)

    def run(self, prepared: Prepared, *, one_lane: bool = False) -> NDArray[np.float32]:
        """Return the logits of prepared statements, shape ``(n, t, labels)``.

        Parameters
        ----------
        prepared
            The statements.
        one_lane
            Whether to leave the engine's other lanes to other threads: as many may do this at once as it has lanes.
        """
        parts = [self._run(packed, n, one_lane) for packed, n in zip(prepared.passes, prepared.targets, strict=True)]
        return np.concatenate(parts, axis=1)

    def predict_proba(
        self, statements: Sequence[Statement], targets: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return calibrated probabilities, shape ``(n, t, labels)``, and the truncation flags of `logits`."""
        logits, truncated = self.logits(statements, targets)
        return self.probabilities(logits), truncated

    def predict_pairs(self, statements: Sequence[Statement], targets: Sequence[str]) -> NDArray[np.float64]:
        """Score each statement against its own target.

        Parameters
        ----------
        statements, targets
            Both of length ``n``.

        Returns
        -------
        array of shape (n, labels)
            Calibrated probabilities.
        """
        packed = self.packer.pack(statements, [[target] for target in targets])
        return self.probabilities(self._run(packed, 1)[:, 0])

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn logits of shape ``(…, labels)`` into calibrated probabilities."""
        scaled = logits.astype(np.float64) / self.config.calibration_temperature
        scaled -= scaled.max(axis=-1, keepdims=True)
        exp = np.exp(scaled)
        return np.asarray(exp / exp.sum(axis=-1, keepdims=True))

    def abstains(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell from calibrated probabilities, shape ``(…, labels)``, which answers the model abstains from."""
        thresholds = np.array(self.config.abstain_thresholds())
        return np.asarray(probabilities.max(axis=-1) < thresholds[probabilities.argmax(axis=-1)])

    def _run(self, packed: Sequence[Packed], targets: int, one_lane: bool = False) -> NDArray[np.float32]:
        if not packed:
            return np.empty((0, targets, len(self.labels)), dtype=np.float32)
        first, which = _distinct(packed)
        batches = list(_batches([packed[i] for i in first], self.engine, 1 if one_lane else self.engine.lanes))
        pad_id = self.config.special_ids["pad"]
        padded = [pad([packed[first[i]] for i in batch], pad_id) for batch in batches]
        found = [self.engine.one(batch) for batch in padded] if one_lane else self.engine.run(padded)
        out = np.empty((len(first), targets, len(self.labels)), dtype=np.float32)
        for batch, logits in zip(batches, found, strict=True):
            out[batch] = logits
        return out[which]


def _start_markers(words: torch.nn.Module, special: Mapping[str, int], mask: int | None) -> None:
    """Give new markers vectors the encoder knows: a target's the one it fills in at a mask, the others a separator's.

    A random vector would have to be learned, and stays what it is where the word vectors are frozen.
    """
    vectors = cast("torch.nn.Parameter", words.weight)
    with torch.no_grad():
        for role in MARKERS:
            known = mask if role == "target" else special["sep"]
            if known is not None:
                vectors[special[role]] = vectors[known]


def _distinct(packed: Sequence[Packed]) -> tuple[list[int], list[int]]:
    """Return the first place of each distinct sequence, and for each sequence which of those is its own.

    Wire copy repeats the same statement in the same surroundings; it is scored once.
    """
    numbers: dict[tuple[int, ...], int] = {}
    first: list[int] = []
    which: list[int] = []
    for i, p in enumerate(packed):
        number = numbers.setdefault(tuple(p.ids), len(first))
        if number == len(first):
            first.append(i)
        which.append(number)
    return first, which


def _batches(packed: Sequence[Packed], engine: Engine, lanes: int) -> Iterator[list[int]]:
    """Yield indices sorted by length, as many to a batch as its padded tokens allow.

    Where few statements come at once, batches are smaller, so that no core is left without one while another has two,
    and little is spent on padding.
    """
    most = engine.tokens_per_batch
    if lanes > 1:
        shared = sum(len(p.ids) for p in packed) // (_BATCHES_PER_LANE * lanes)
        most = min(most, max(_FEWEST_TOKENS, shared))
    order = sorted(range(len(packed)), key=lambda i: -len(packed[i].ids))
    start = 0
    while start < len(order):
        size = max(1, most // len(packed[order[start]].ids))
        yield order[start : start + size]
        start += size


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep transformers' progress bars off standard error: loading takes a fraction of a second."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _few(names: Sequence[str], most: int = 5) -> str:
    """Return some names for a message, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _content_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in MODEL_FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]
