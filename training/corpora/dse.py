"""DSE: directed sentiment between two entities of a news sentence (p toward q, q toward p, or neither)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stance.learning import Example
from stance.schema import Speaker, Statement

__all__ = ["CLASSES", "Pair", "read", "read_pairs"]

# class: (stance of p toward q, stance of q toward p)
CLASSES = {
    0: ("neutral", "neutral"),
    1: ("favor", "neutral"),
    2: ("neutral", "favor"),
    3: ("against", "neutral"),
    4: ("neutral", "against"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One record: its sentence without brackets, the entities p and q, and the class 0–4."""

    line: int
    text: str
    p: str
    q: str
    label: int

    def statement(self, speaker: str) -> Statement:
        """Return the sentence as a statement of one of the two."""
        return Statement(id=f"dse:{self.line}", text=self.text, speaker=Speaker(speaker, speaker))


def read_pairs(data: Path, split: str) -> Iterator[Pair]:
    """Yield the records of ``train``, ``valid`` or ``test``; lines are counted from 0."""
    with (data / "dse" / f"{split}.txt").open(encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            sentence, p, q, label = line.rstrip("\n").split("\t")
            text = sentence.replace("[", "").replace("]", "").strip()
            yield Pair(i, text, p.strip(), q.strip(), int(label))


def read(data: Path, split: str) -> Iterator[Example]:
    """Yield the stance of p toward q and, for records that take a side, also that of q toward p."""
    for pair in read_pairs(data, split):
        forward, backward = CLASSES[pair.label]
        document = f"{split}:{pair.line}"
        yield Example(pair.statement(pair.p), {pair.q: forward}, corpus="dse", document=document)
        if pair.label:
            yield Example(pair.statement(pair.q), {pair.p: backward}, corpus="dse", document=document)
