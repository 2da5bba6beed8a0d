import json
from collections import Counter

import pytest

from training.corpora import basil

PARAGRAPHS = [["It rained in Springfield."], ["The mayor called Ann Lee “a bright light.”", "Crowds cheered."]]


def span(**changes):
    """A span of an invented article."""
    text = "“a bright light.”"
    start = PARAGRAPHS[1][0].index(text)
    made = {"id": "p1", "start": start, "end": start + len(text), "txt": text, "quote": "yes", "aim": "dir"}
    return made | {"speaker": "Joe_Roe", "target": "Ann_Lee", "polarity": "pos"} | changes


@pytest.fixture
def written(tmp_path):
    def write(*spans):
        articles, annotations = (tmp_path / "basil" / room / "2010" for room in ("articles", "annotations"))
        article = {"title": "Rain in Springfield", "body-paragraphs": PARAGRAPHS}
        found = {"phrase-level-annotations": list(spans)}
        for folder, name, content in ((articles, "event_1", article), (annotations, "event_1_ann", found)):
            folder.mkdir(parents=True)
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    return write


def test_a_quoted_span_is_its_speakers_stance(written):
    (example,) = basil.read(written(span()))
    statement = example.statement
    assert (example.labels, example.document, example.corpus) == ({"Ann Lee": "favor"}, "event", "basil")
    assert (statement.text, statement.speaker.name) == ("“a bright light.”", "Joe Roe")
    assert statement.before == "It rained in Springfield. The mayor called Ann Lee "
    assert statement.after == " Crowds cheered."


def test_what_is_no_ones_stance_is_left_out(written):
    others = [span(quote="no"), span(aim="ind_pro"), span(speaker="Ann_Lee")]
    assert list(basil.read(written(*others))) == []


def test_speakers_without_a_name_are_not_named(written):
    (example,) = basil.read(written(span(speaker="other_anti", polarity="neg")))
    assert example.statement.speaker is None
    assert example.labels == {"Ann Lee": "against"}


def test_a_title_has_no_context(written):
    (example,) = basil.read(written(span(id="title", start=0, end=4, txt="Rain")))
    assert (example.statement.before, example.statement.after) == ("", " in Springfield")


@pytest.mark.parametrize("wrong", [{"start": 0}, {"id": "p9"}])
def test_a_span_that_is_not_there_names_its_file(written, wrong):
    with pytest.raises(ValueError, match=r"event_1_ann\.json: span p\d "):
        list(basil.read(written(span(**wrong))))


def test_the_corpus_is_read_whole(data):
    if not (data / "basil").is_dir():
        pytest.skip("BASIL is not here")
    examples = list(basil.read(data))
    labels = Counter(label for e in examples for label in e.labels.values())
    assert labels == {"against": 498, "favor": 80}
    assert len({e.document for e in examples}) == 92
    assert all(e.statement.text for e in examples)
