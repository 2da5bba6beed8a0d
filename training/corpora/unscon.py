"""UNSCon: sentences of UN Security Council speeches, each with the country that speaks.

Zaczynska et al. 2024, "How Diplomats Dispute: The UN Security Council Conflict Corpus", LREC-COLING, in the corrected
form of UMUC. Its own annotation marks conflict alone; this project labels stance (`training.corpora.country_stance`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["records"]

_FILE = Path("umuc-unscon") / "umuc_main_conflicts_sents.csv"
_SPEAKER = re.compile(r"_preproc_(.+)\.txt$")
_CONTEXT = 300  # characters of the speech shown on each side of a sentence


def records(data: Path) -> Iterator[dict[str, Any]]:
    """Yield each sentence as a record of country-stance, without labels; its document is the debate.

    Raises
    ------
    ValueError
        If a file's name does not tell who speaks.
    """
    speeches: dict[str, list[dict[str, str]]] = {}
    with (data / _FILE).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            speeches.setdefault(row["fileid"], []).append(row)
    for speech, rows in speeches.items():
        match = _SPEAKER.search(rows[0]["filename"])
        if match is None:
            raise ValueError(f"{data / _FILE}: {rows[0]['filename']} does not tell who speaks")
        texts = [" ".join(row["text"].split()) for row in rows]
        for i, row in enumerate(rows):
            before, after = " ".join(texts[:i])[-_CONTEXT:], " ".join(texts[i + 1 :])[:_CONTEXT]
            yield {
                "id": f"unscon:{speech}:{row['speech_sentence_id']}",
                "corpus": "unscon",
                "document": speech.rsplit("_", 1)[0],
                "split": "train",
                "statement": texts[i],
                "speaker": match.group(1).replace("_", " "),
                "context": f"{before} ⟦{texts[i]}⟧ {after}",
            }
