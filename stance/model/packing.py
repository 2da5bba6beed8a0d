"""Input packing: speaker, context, statement and all targets in one token sequence.

::

    [CLS] speaker [SEP] before [S] statement [/S] after [SEP] [TARGET] name [TARGET] name ... [SEP]

Context is what gives way when the input is long. A statement that still does not fit loses its end, as does a name
over its own budget, and the sequence says so in `Packed.truncated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.errors import UsageError
from stance.model.config import StanceConfig
from stance.schema import Statement

__all__ = ["MARKERS", "Packed", "Packer", "pad", "width"]

MARKERS = {"target": "[TARGET]", "open": "[S]", "close": "[/S]"}
"""Tokens added to the encoder's vocabulary, by role."""
_WIDTH_STEP = 8  # few distinct shapes: the CPU kernels are prepared once for each


@dataclass(frozen=True, slots=True)
class Packed:
    """One input sequence.

    Parameters
    ----------
    ids
        Token ids, length ``n``.
    markers
        Position of each target's marker in `ids`.
    truncated
        Whether the end of the statement, of the speaker's name or of a target's name did not fit.
    statement_span
        Positions of the statement's tokens, ``ids[start:end]``.
    """

    ids: list[int]
    markers: list[int]
    truncated: bool
    statement_span: tuple[int, int]


class Packer:
    """Turns statements and target names into `Packed` sequences.

    Parameters
    ----------
    tokenizer
        The encoder's tokenizer with the `MARKERS` added. Markers spelt out in article text are read as plain
        characters: text cannot forge a target.
    config
        Budgets and token ids.
    """

    def __init__(self, tokenizer: Tokenizer, config: StanceConfig) -> None:
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._config = config

    def tokenize(self, texts: Iterable[str]) -> dict[str, list[int]]:
        """Return the token ids of each distinct text."""
        distinct = [text for text in dict.fromkeys(texts) if text]
        encoded = self._tokenizer.encode_batch_fast(distinct, add_special_tokens=False)
        return {"": [], **{text: e.ids for text, e in zip(distinct, encoded, strict=True)}}

    def passes(self, targets: Sequence[str]) -> list[list[str]]:
        """Return target names in the groups that share a pass, at most `StanceConfig.targets_per_pass` in each."""
        step = self._config.targets_per_pass
        return [list(targets[i : i + step]) for i in range(0, len(targets), step)]

    def pack(self, statements: Sequence[Statement], targets: Sequence[Sequence[str]]) -> list[Packed]:
        """Pack each statement with its own target names.

        Parameters
        ----------
        statements
            Length ``n``.
        targets
            For each statement the names of its targets, one of the groups of `passes`.

        Raises
        ------
        UsageError
            If the names leave no room for a statement in `StanceConfig.max_tokens`.
        """
        texts: list[str] = []
        for statement, names in zip(statements, targets, strict=True):
            texts += (_speaker(statement), statement.before, statement.text, statement.after, *names)
        ids = self.tokenize(texts)
        return [self._pack_one(s, names, ids) for s, names in zip(statements, targets, strict=True)]

    def _pack_one(self, statement: Statement, names: Sequence[str], ids: dict[str, list[int]]) -> Packed:
        c, special = self._config, self._config.special_ids
        tail = [special["sep"]]
        offsets = []
        for name in names:
            offsets.append(len(tail))
            tail += [special["target"], *ids[name][: c.target_tokens]]
        tail.append(special["sep"])
        speaker = ids[_speaker(statement)]
        head = [special["cls"], *speaker[: c.speaker_tokens], special["sep"]]
        room = c.max_tokens - len(head) - len(tail) - 2
        if room < 1:
            raise UsageError(
                f"an input of {c.max_tokens} tokens has no room for a statement beside its speaker and {len(names)} "
                f"target(s): raise max_tokens, or lower targets_per_pass"
            )
        body = ids[statement.text]
        names_cut = len(speaker) > c.speaker_tokens or any(len(ids[name]) > c.target_tokens for name in names)
        truncated = names_cut or len(body) > room
        body = body[:room]
        before, after = _fit_context(ids[statement.before], ids[statement.after], c.context_tokens, room - len(body))
        start = len(head) + len(before) + 1
        front = [*head, *before, special["open"], *body, special["close"], *after]
        markers = [len(front) + offset for offset in offsets]
        return Packed([*front, *tail], markers, truncated, (start, start + len(body)))


def _speaker(statement: Statement) -> str:
    return statement.speaker.name if statement.speaker else ""


def _fit_context(before: list[int], after: list[int], limit: int, room: int) -> tuple[list[int], list[int]]:
    left = min(len(before), limit, max(room, 0))
    right = min(len(after), limit, max(room, 0))
    while left + right > room:
        left, right = (left - 1, right) if left >= right else (left, right - 1)
    return before[len(before) - left :], after[:right]


def width(longest: int) -> int:
    """Return the width of a batch whose longest sequence has so many tokens."""
    return -(-longest // _WIDTH_STEP) * _WIDTH_STEP


def pad(batch: Sequence[Packed], pad_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Lay sequences side by side.

    Returns
    -------
    input_ids, attention_mask : arrays of shape (batch, longest sequence rounded up to a multiple of 8)
    marker_positions : array of shape (batch, most targets), 0 where a sequence has fewer
    """
    wide = width(max(len(p.ids) for p in batch))
    most = max(len(p.markers) for p in batch)
    ids = np.full((len(batch), wide), pad_id, dtype=np.int64)
    mask = np.zeros((len(batch), wide), dtype=np.int64)
    markers = np.zeros((len(batch), most), dtype=np.int64)
    for i, p in enumerate(batch):
        ids[i, : len(p.ids)] = p.ids
        mask[i, : len(p.ids)] = 1
        markers[i, : len(p.markers)] = p.markers
    return ids, mask, markers
