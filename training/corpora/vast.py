"""VAST: stance of readers' comments toward thousands of topics (Allaway & McKeown 2020, EMNLP).

The comment's author is the one whose side is labelled, so no speaker is given. Its neutral items are of two kinds:
those that its annotators found neutral, and those where a comment was put beside a topic of another comment; the latter
are `not_addressed` here. The dev part is not among the published files: ``validation`` is a tenth of train, by comment.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from stance.learning import Example
from stance.schema import Statement

__all__ = ["LABEL_OF", "read"]

LABEL_OF = {"0": "against", "1": "favor", "2": "neutral"}
_ELSEWHERE = "4"  # type of an item whose topic was drawn from another comment
_VALIDATION_SHARE = 0.1
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_COLUMN = re.compile("[A-Z]+")


def read(data: Path, split: str) -> Iterator[Example]:
    """Yield the examples of ``train``, ``validation`` or ``test``; the document is the comment.

    Parameters
    ----------
    data
        Folder of the corpora.
    split
        ``validation`` is cut from the corpus's train split.
    """
    part = "test" if split == "test" else "train"
    for row in _rows(data / "vast" / f"vast_{part}.xlsx"):
        if split == "test" or _is_validation(row["arc_id"]) == (split == "validation"):
            label = "not_addressed" if row["type_idx"] == _ELSEWHERE else LABEL_OF[row["label"]]
            statement = Statement(id=f"vast:{row['new_id']}", text=row["post"])
            yield Example(statement, {row["new_topic"]: label}, corpus="vast", document=row["arc_id"])


def _is_validation(comment: str) -> bool:
    """Tell whether a training comment is kept for validation; depends on its id alone."""
    digest = hashlib.sha256(comment.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _VALIDATION_SHARE


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a workbook's first sheet by the names in its first row; empty cells are left out."""
    with zipfile.ZipFile(path) as book:
        strings = [
            "".join(t.text or "" for t in item.iter(f"{_SHEET}t")) for item in _items(book, "sharedStrings", "si")
        ]
        names: dict[str, str] = {}
        for row in _items(book, "worksheets/sheet1", "row"):
            cells = dict(_cells(row, strings))
            if names:
                yield {names[column]: value for column, value in cells.items() if column in names}
            else:
                names = cells


def _cells(row: ElementTree.Element, strings: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the column letters and the text of each cell that is not empty."""
    for cell in row.iter(f"{_SHEET}c"):
        value, place = cell.findtext(f"{_SHEET}v"), _COLUMN.match(cell.get("r", ""))
        if value is not None and place:
            yield place.group(), strings[int(value)] if cell.get("t") == "s" else value


def _items(book: zipfile.ZipFile, part: str, tag: str) -> Iterator[ElementTree.Element]:
    with book.open(f"xl/{part}.xml") as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag == f"{_SHEET}{tag}":
                yield element
                element.clear()
