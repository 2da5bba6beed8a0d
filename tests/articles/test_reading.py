import gzip
import io
import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.articles import count_articles, parse_columns, read_articles
from stance.articles.fields import iso_date
from stance.errors import ArticleError, UsageError
from training.corpora import own

TEXT = "The minister said that the harbor would open again on Monday, and that the ships were ready to sail."


def read(*sources, **options):
    """Read with callbacks; return articles, rules of rejections and rules of warnings."""
    rejected, warned = [], []
    articles = list(read_articles(sources, on_reject=rejected.append, on_warn=warned.append, **options))
    return articles, [(r.record, r.rule) for r in rejected], [(w.record, w.rule) for w in warned]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_text_file_with_and_without_header(tmp_path):
    header = f"Title: Ships\nOutlet: Harbor Ledger\nDate: March 3, 2024\n\n{TEXT}\n"
    (article,), _, _ = read(write(tmp_path / "a.txt", header))
    assert (article.title, article.outlet, article.published) == ("Ships", "Harbor Ledger", "2024-03-03")
    assert article.text == f"{TEXT}\n"
    (bare,), _, _ = read(write(tmp_path / "b.txt", f"Title: but no empty line\n{TEXT}"))
    assert bare.title is None
    assert bare.text.startswith("Title: but")


def test_html_main_text_and_metadata(tmp_path):
    body = "".join(f"<p>{TEXT} Paragraph {i} goes on about the cranes.</p>" for i in range(6))
    page = (
        "<html><head><title>Ships sail</title><meta property='og:site_name' content='Harbor Ledger'>"
        "<meta property='article:published_time' content='2024-03-03T08:00:00Z'></head>"
        f"<body><nav>Home Sports</nav><article><h1>Ships sail</h1>{body}</article></body></html>"
    )
    (article,), rejected, _ = read(write(tmp_path / "a.html", page))
    assert (article.title, article.outlet, article.published) == ("Ships sail", "Harbor Ledger", "2024-03-03")
    assert "cranes" in article.text
    assert "Sports" not in article.text
    assert not rejected


def test_html_without_text_is_rejected(tmp_path):
    assert read(write(tmp_path / "a.html", "<html><body></body></html>"))[1] == [(None, "html")]


def test_jsonl_keeps_the_good_records(tmp_path):
    lines = [
        json.dumps({"id": "1", "body": TEXT, "headline": "One", "source": {"name": "Ledger"}}),
        "{broken",
        json.dumps({"id": "2", "body": ""}),
        json.dumps({"id": "3", "words": TEXT}),
        json.dumps({"id": "4", "body": 7}),
        "[1]",
        json.dumps({"id": "1", "body": TEXT + " Again."}),
        json.dumps({"id": "5", "body": TEXT}),
    ]
    articles, rejected, _ = read(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [a.id for a in articles] == ["1", "5"]
    assert (articles[0].title, articles[0].outlet) == ("One", "Ledger")
    assert rejected == [
        (2, "json"),
        (3, "empty-text"),
        (4, "missing-column"),
        (5, "text-type"),
        (6, "json"),
        (7, "duplicate-id"),
    ]


def test_csv_and_gz_and_ragged_rows(tmp_path):
    table = f'id,text,date\n1,"{TEXT}",2024-05-01\n2,short,x,y\n3,"{TEXT} Two.",soon\n'
    articles, rejected, warned = read(write(tmp_path / "a.csv.gz", gzip.compress(table.encode())))
    assert [(a.id, a.published) for a in articles] == [("1", "2024-05-01"), ("3", None)]
    assert rejected == [(2, "csv-row")]
    assert warned == [(3, "unknown-date")]


def test_parquet_and_datasets_folder(tmp_path):
    import datasets

    rows = {"text": [TEXT, TEXT + " Two."], "outlet": ["A", "B"], "published": [date(2024, 1, 2), None]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    datasets.DatasetDict({"train": datasets.Dataset.from_dict({"text": [TEXT + " Three."]})}).save_to_disk(
        str(tmp_path / "ds")
    )
    articles, rejected, _ = read(tmp_path)
    assert [(a.outlet, a.published) for a in articles] == [("A", "2024-01-02"), ("B", None), (None, None)]
    assert not rejected


def test_damaged_parquet_is_rejected(tmp_path):
    assert read(write(tmp_path / "a.parquet", b"PAR1 nothing"))[1] == [(None, "parquet")]


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.txt", b"", "empty-file"),
        ("a.jsonl", b"", "empty-file"),
        ("a.txt", b"  \n", "empty-file"),
        ("a.txt", bytes(range(256)) * 8, "binary"),
        ("a.doc", b"words", "unknown-format"),
        ("a.csv", b"id,words\n1,x\n", "missing-column"),
        ("a.jsonl", b"\x7fELF\0\0\n\0\n\0\n", "binary"),
        ("a.csv", b"id,text\n1,\0\n", "binary"),
        ("a.jsonl", '{"text": "half a line'.encode("utf-16")[:-1], "json"),
        ("a.txt.gz", b"no gzip", "unreadable"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, rule):
    articles, rejected, _ = read(write(tmp_path / name, content))
    assert not articles
    assert [r for _, r in rejected] == [rule]


def test_missing_file_raises_without_a_callback(tmp_path):
    with pytest.raises(ArticleError, match=r"none\.txt: no such file or folder \[not-found\]"):
        list(read_articles([tmp_path / "none.txt"]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    text = "Ministerpräsident Müller said: “The café’s owner, Señor Peña, is naïve about Köln.” " * 4
    (article,), _, warned = read(write(tmp_path / "a.txt", text.encode(encoding)))
    assert article.text == text
    assert warned == ([(None, "encoding-guessed")] if encoding == "cp1252" else [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_encodings_of_records(tmp_path, encoding, name):
    rows = [f"{TEXT} Müller said “no”.", f"{TEXT} Ċ is two bytes, one of them a newline."]
    table = {
        "a.jsonl": "".join(json.dumps({"text": row}, ensure_ascii=False) + "\n" for row in rows),
        "a.csv": "text\n" + "".join(f'"{row}"\n' for row in rows),
    }
    articles, rejected, warned = read(write(tmp_path / name, table[name].encode(encoding)))
    assert [a.text for a in articles] == rows
    assert not rejected + warned


def test_one_bad_byte_costs_one_record(tmp_path):
    lines = [json.dumps({"text": TEXT}).encode(), b'{"text": "\0"}', json.dumps({"text": TEXT + " Two."}).encode()]
    articles, rejected, _ = read(write(tmp_path / "a.jsonl", b"\n".join(lines)))
    assert len(articles) == 2
    assert rejected == [(2, "json")]


def test_other_language_is_said_and_still_read(tmp_path):
    german = "Der Minister sagte, dass der Hafen am Montag wieder öffnen werde und die Schiffe bereit seien. " * 3
    articles, rejected, warned = read(write(tmp_path / "a.txt", german))
    assert len(articles) == 1
    assert not rejected
    assert warned == [(None, "not-english")]


def test_the_same_text_twice_gets_two_ids(tmp_path):
    articles, rejected, warned = read(write(tmp_path / "a.txt", TEXT), write(tmp_path / "b.txt", TEXT))
    assert articles[1].id == f"{articles[0].id}-2"
    assert not rejected
    assert warned == [(None, "duplicate")]


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        (json.dumps({"text": TEXT}).encode() + b"\n{oops\n", [TEXT]),
        (TEXT.encode(), [TEXT]),
        (b"\n\n" + TEXT.encode(), ["\n\n" + TEXT]),
    ],
)
def test_standard_input(raw, texts):
    articles, _, _ = read("-", stdin=io.BytesIO(raw))
    assert [a.text for a in articles] == texts


def test_columns_option(tmp_path):
    path = write(tmp_path / "a.jsonl", json.dumps({"words": TEXT, "text": "no", "who": "Ledger"}))
    (article,), _, _ = read(path, columns=parse_columns("text=words, outlet=who"))
    assert (article.text, article.outlet) == (TEXT, "Ledger")


def test_columns_that_are_not_there_are_said(tmp_path):
    path = write(tmp_path / "a.csv", f'words,place\n"{TEXT}",Ledger\n"{TEXT} Two.",Ledger\n')
    articles, rejected, warned = read(path, columns=parse_columns("text=words,outlet=plaec"))
    assert [a.outlet for a in articles] == [None, None]
    assert (rejected, warned) == ([], [(None, "missing-column")])
    with pytest.raises(
        ArticleError, match="no column 'wrods', which --columns names for the text, among: words, place"
    ):
        list(read_articles([path], columns=parse_columns("text=wrods")))


@pytest.mark.parametrize("spec", ["text", "text=", "word=x", ""])
def test_bad_columns_option(spec):
    with pytest.raises(UsageError, match="--columns"):
        parse_columns(spec)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-05", "2024-03-05"),
        ("2024-03-05T10:00:00Z", "2024-03-05T10:00:00+00:00"),
        ("5 March 2024", "2024-03-05"),
        ("Tue, 05 Mar 2024 10:00:00 +0000", "2024-03-05T10:00:00+00:00"),
        (1_709_632_800, "2024-03-05T10:00:00+00:00"),
        ("next week", None),
        (True, None),
    ],
)
def test_dates(value, expected):
    assert iso_date(value) == expected


def test_ids_depend_on_content_alone(tmp_path):
    (tmp_path / "x").mkdir()
    first, _, _ = read(write(tmp_path / "a.txt", TEXT))
    second, _, _ = read(write(tmp_path / "x" / "b.txt", TEXT))
    assert first[0].id == second[0].id


def test_count(root, tmp_path):
    write(tmp_path / "a.txt", TEXT)
    write(tmp_path / "b.jsonl", '{"text": "a"}\n\n{"text": "b"}\n')
    assert count_articles([tmp_path]) == 3
    write(tmp_path / "c.csv", f'text\n"{TEXT}"\n"{TEXT}"\n')
    pq.write_table(pa.table({"text": [TEXT] * 4}), tmp_path / "d.parquet")
    assert count_articles([tmp_path]) == 9
    assert count_articles([root / "examples" / "corpus"]) == len(list(own.records()))
    assert count_articles([write(tmp_path / "e.csv.gz", gzip.compress(b"text\nx\n"))]) == 1
    broken = gzip.compress(b"text\nx\n")[:-9]
    assert count_articles([write(tmp_path / "f.csv.gz", broken)]) is None
    assert count_articles(["-"]) is None


def test_articles_are_counted_in_packed_files_tables_and_datasets(tmp_path):
    import datasets

    lines = b'{"text": "a"}\n' * 7
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines + b'{"text": "no newline at the end"}'))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"text\na\nb\n"))
    (tmp_path / "c.tsv").write_bytes(b"text\na")
    datasets.Dataset.from_dict({"text": ["a"] * 5}).save_to_disk(tmp_path / "d")
    assert [count_articles([path]) for path in sorted(tmp_path.iterdir())] == [8, 2, 1, 5]
    assert count_articles([tmp_path]) == 16
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines)[:-9])
    assert count_articles([tmp_path]) is None


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1))
def test_text_is_kept_as_read(text):
    raw = json.dumps({"text": text}).encode()
    articles, rejected, _ = read("-", stdin=io.BytesIO(raw))
    if text.strip():
        assert [a.text for a in articles] == [text]
    else:
        assert rejected == [(1, "empty-text")]
