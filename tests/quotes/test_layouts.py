"""Speech that the layout gives to its speaker."""

import pytest

from stance.quotes import extract_many
from stance.quotes.layouts import laid_out
from stance.quotes.marks import find_quotes, paragraphs
from stance.schema import Article

SIGNED = """Readers answered by the dozen after the ferry was cut.

“They never asked a single one of us before they sold the boats.” ― Marta Quill
“My mother takes that ferry to her doctor, and now she has no way to go.” — Peter Osei, Harbour Street
“Good riddance, it was never on time and always half empty.” ― Ines Dahl"""

TRANSCRIPT = """The host, Laura Brandt, met the mayor, Tom Okafor, on Sunday.

BRANDT: Mayor, did you know that the bridge was closed?

OKAFOR: I was told on Friday, and I acted the same hour.

BRANDT: Then why were the buses sent over it?

The studio fell silent for a moment."""


def spoken(text, engine="learned"):
    (statements,) = extract_many([Article("a", text)], engine=engine)
    for s in statements:
        assert text[s.start : s.end] == s.text
    return statements


def test_each_signed_quotation_is_one_statement_of_the_one_who_signed_it():
    found = spoken(SIGNED)
    assert [s.speaker.name for s in found] == ["Marta Quill", "Peter Osei", "Ines Dahl"]
    assert found[0].text == "They never asked a single one of us before they sold the boats."
    assert len({s.quotation_id for s in found}) == 3
    assert {s.quote_type for s in found} == {"direct"}


def test_the_lines_of_a_transcript_belong_to_the_names_before_them():
    found = spoken(TRANSCRIPT)
    assert [s.speaker.name for s in found] == ["Laura Brandt", "Tom Okafor", "Laura Brandt"]
    assert found[1].text == "I was told on Friday, and I acted the same hour"
    assert found[1].speaker.mention == "OKAFOR"
    assert len({s.quotation_id for s in found}) == 3


def test_a_label_that_stands_once_speaks_if_the_text_names_it_elsewhere():
    text = "The mayor, Tom Okafor, and Laura Brandt met.\n\nBRANDT: Is it open?\n\nOKAFOR: It is.\n\nBRANDT: Good."
    lines = laid_out(text, find_quotes(text, paragraphs(text)))
    assert [x.mention.description for x in lines] == ["BRANDT", "OKAFOR", "BRANDT"]
    assert laid_out(text.partition("\n\n")[2].replace("BRANDT: Good", "NOTE: Good"), []) == []


@pytest.mark.parametrize(
    "text",
    [
        "NOTE: The office is closed.\n\nUPDATE: It opens at noon.",
        "LONDON: Rain fell on the city.\n\nLONDON: It fell on the river too.\n\nLONDON: It stopped.",
        "The motion — Ann Lee’s own — was lost.",
        "READ MORE: The pier burns\n\nREAD ALSO: The ferry waits\n\nREAD MORE: The harbour sleeps",
        "OSLO: The rain came late.\n\nPARIS: The rain came early.\n\nOSLO: The snow came first.",
        "NOTE: The office is closed.\n\nUPDATE: It opens at noon.\n\nMENU: Soup and bread.",
    ],
)
def test_a_heading_in_capitals_is_no_speaker(text):
    assert spoken(text) == []
