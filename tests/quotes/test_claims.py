"""What becomes of a tagger's readings: made by hand here, so that they are the same whatever the tagger learns."""

import pytest

from stance.quotes import extract_many
from stance.quotes.decoding import Link, Reading, Span
from stance.schema import Article

KINDS = ("cue", "source", "content")


class Reader:
    """Stands for the tagger: reads the attributions that it is given."""

    def __init__(self, *attributions):
        self.attributions = attributions

    def readings(self, texts):
        for text in texts:
            spans, links, at = [], [], 0
            for attribution in self.attributions:
                found = []
                for kind, words in zip(KINDS, attribution, strict=True):
                    start = text.index(words, at if kind == "content" else 0) if words else None
                    found.append(len(spans) if words else None)
                    spans += [Span(kind, 0, 1, start, start + len(words))] if words else []
                cue, source, content = found
                links.append(Link(cue, () if source is None else (source,), () if content is None else (content,)))
                at = spans[-1].end
            yield Reading(None, None, spans, links)


def read(text, *attributions):
    (statements,) = extract_many([Article("a", text)], engine="learned", tagger=Reader(*attributions))
    for s in statements:
        assert text[s.start : s.end] == s.text
    return statements


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ("that the pier was shut", "the pier was shut"),
        ("that would be a mistake", "that would be a mistake"),
        ("that wasn’t true", "that wasn’t true"),
        ("That would be a mistake", "That would be a mistake"),
        ("that May was too late", "May was too late"),
    ],
)
def test_that_is_left_out_where_it_is_no_pronoun(content, kept):
    (s,) = read(f"Ann Lee warned {content}.", ("warned", "Ann Lee", content))
    assert s.text == kept


@pytest.mark.parametrize("head", ["U.S.-Chilean", "U.S.–Chilean", "NATO-Swedish"])
def test_the_dash_of_a_compound_ends_no_dateline(head):
    text = f"{head} trade has never been better, Ann Lee said."
    (s,) = read(text, ("said", "Ann Lee", text.partition(",")[0]))
    assert s.text == f"{head} trade has never been better"


@pytest.mark.parametrize("dateline", ["OSLO (Wire) — ", "OSLO—", "OSLO, May 3 - ", "OSLO -- ", "OSLO (Wire) – "])
def test_a_dateline_is_no_part_of_what_is_said(dateline):
    content = f"{dateline}Trade has never been better"
    (s,) = read(f"{content}, Ann Lee said.", ("said", "Ann Lee", content))
    assert s.text == "Trade has never been better"


@pytest.mark.parametrize(
    ("text", "source", "kept"),
    [
        (
            "It rained. The U.S. coast guard saved 12 rowers, according to the port.",
            "the port",
            "The U.S. coast guard saved 12 rowers",
        ),
        (
            "According to the port, the U.S. coast guard saved 12 rowers. It rained.",
            "the port",
            "the U.S. coast guard saved 12 rowers",
        ),
        ("It rained for a whole week. According to the port.", "the port", None),
        ("The " + "very " * 90 + "old ferry sank, according to the port.", "the port", None),
    ],
)
def test_the_clause_beside_according_to_is_a_whole_sentence(text, source, kept):
    cue = "According to" if "According" in text else "according to"
    assert [s.text for s in read(text, (cue, source, None))] == ([kept] if kept else [])


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Credit Union Lee said the harbour would close.", "Credit Union Lee"),
        ("Share dealers said the harbour would close.", "Share dealers"),
        ("Video artist Ann Lee said the harbour would close.", "Ann Lee"),
    ],
)
def test_a_word_of_the_page_may_begin_a_sentence(text, source):
    (s,) = read(text, ("said", source, "the harbour would close"))
    assert s.text == "the harbour would close"


@pytest.mark.parametrize("label", ["Credit: Ann Lee", "Read more: Ann Lee", "Watch: the mayor", "Video by Ann Lee"])
def test_a_line_of_the_page_is_no_statement(label):
    text = f"It rained.\n\n{label} says the harbour will close."
    assert read(text, ("says", None, "the harbour will close")) == []


def test_a_short_quotation_of_its_own_follows_another():
    text = "“Nobody asked us to leave,” said Ann Lee. “It was cold.”\n\n“We stayed.”\n\nThe hall was empty."
    found = read(text, ("said", "Ann Lee", "“Nobody asked us to leave,”"))
    assert [s.text for s in found] == ["Nobody asked us to leave", "It was cold.", "We stayed."]
    assert {s.speaker.name for s in found} == {"Ann Lee"}


@pytest.mark.parametrize(
    "after",
    [
        "\n\n“Wet” was the word.",
        "\n\n“We stayed”",
        "\n\nIt rained.\n\n“We stayed.”",
        " “Ace” Quill left.",
        " The “Wet” Inn burnt.",
    ],
)
def test_a_short_quotation_is_left_where_it_may_be_anything(after):
    found = read(
        f"Ann Lee said: “Nobody asked us to leave.”{after}", ("said", "Ann Lee", "“Nobody asked us to leave.”")
    )
    assert [s.text for s in found] == ["Nobody asked us to leave."]


def test_what_a_transcript_leaves_of_its_label_is_said_by_nobody():
    text = "The mayor, Tom Okafor, met Laura Brandt.\n\nBRANDT: Is it open?\n\n“OKAFOR: It is.\n\n“BRANDT: Good."
    assert [s.text for s in read(text, (None, None, "“OKAFOR: It is."))] == ["Is it open", "It is.", "Good."]
