import zipfile
from collections import Counter
from xml.sax.saxutils import escape

import pytest

from training.corpora import vast

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
COLUMNS = ("author", "post", "new_topic", "label", "type_idx", "new_id", "arc_id")


def workbook(path, rows):
    """A workbook as a spreadsheet program writes it: strings in a table of their own, empty cells left out."""
    strings: list[str] = []

    def cell(place, value):
        if isinstance(value, int):
            return f'<c r="{place}"><v>{value}</v></c>'
        strings.append(f"<si><t>{escape(value)}</t></si>")
        return f'<c r="{place}" t="s"><v>{len(strings) - 1}</v></c>'

    lines = [
        f'<row r="{i}">{"".join(cell(f"{chr(65 + j)}{i}", v) for j, v in enumerate(row) if v is not None)}</row>'
        for i, row in enumerate([COLUMNS, *rows], start=1)
    ]
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {MAIN}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
        book.writestr("xl/sharedStrings.xml", f"<sst {MAIN}>{''.join(strings)}</sst>")


ROWS = [
    ("Ann", "Parks & ponds cost too much.", "parks", 0, 1, "7-A", 70),
    (None, "Parks & ponds cost too much.", "ponds", 2, 2, "8-A", 70),
    (None, "I love my bicycle.", "bicycles", 1, 3, "9-A", 71),
    (None, "I love my bicycle.", "zoos", 2, 4, "10-A", 71),
]


def test_a_comment_is_a_statement_of_its_author(tmp_path):
    workbook(tmp_path / "vast" / "vast_test.xlsx", ROWS)
    first, *others = vast.read(tmp_path, "test")
    assert (first.statement.id, first.statement.text) == ("vast:7-A", "Parks & ponds cost too much.")
    assert (first.statement.speaker, first.corpus, first.document) == (None, "vast", "70")
    assert first.labels == {"parks": "against"}
    assert [e.document for e in others] == ["70", "71", "71"]


def test_a_topic_of_another_comment_is_not_addressed(tmp_path):
    workbook(tmp_path / "vast" / "vast_test.xlsx", ROWS)
    labels = [dict(e.labels) for e in vast.read(tmp_path, "test")]
    assert labels[1:] == [{"ponds": "neutral"}, {"bicycles": "favor"}, {"zoos": "not_addressed"}]


def test_comments_do_not_cross_splits(tmp_path):
    rows = [(None, f"Comment {i // 2}.", "parks", 0, 1, f"{i}-A", i // 2) for i in range(400)]
    workbook(tmp_path / "vast" / "vast_train.xlsx", rows)
    train, validation = (list(vast.read(tmp_path, split)) for split in ("train", "validation"))
    assert len(train) + len(validation) == 400
    assert 20 <= len(validation) <= 60
    assert not {e.document for e in train} & {e.document for e in validation}


def test_vast_is_read_whole(data):
    if not (data / "vast").is_dir():
        pytest.skip("VAST is not here")
    test = list(vast.read(data, "test"))
    labels = Counter(label for e in test for label in e.labels.values())
    assert labels == {"against": 1018, "favor": 944, "neutral": 45, "not_addressed": 999}
    assert len({e.document for e in test}) == 786
    assert all(e.statement.text for e in test)
