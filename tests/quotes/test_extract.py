import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.quotes import extract_statements
from stance.schema import Article


def found(text):
    """The rules' reading; tests/quotes/test_tagger.py and test_learned.py are about the tagger's."""
    statements = extract_statements(Article("a", text), engine="rules")
    for s in statements:
        assert text[s.start : s.end] == s.text
    return statements


def one(text):
    (statement,) = found(text)
    return statement


@pytest.mark.parametrize(
    ("text", "statement", "speaker", "cue"),
    [
        ("“The port is open,” said Olena Marchuk.", "The port is open", "Olena Marchuk", "said"),
        ('"The port is open," Olena Marchuk said.', "The port is open", "Olena Marchuk", "said"),
        ("‘The port is open,’ said Olena Marchuk.", "The port is open", "Olena Marchuk", "said"),
        ("'The port isn't open,' said Olena Marchuk.", "The port isn't open", "Olena Marchuk", "said"),
        ("«The port is open», Olena Marchuk said.", "The port is open", "Olena Marchuk", "said"),
        ("Olena Marchuk said: “The port is open.”", "The port is open.", "Olena Marchuk", "said"),
        ("Olena Marchuk told reporters on Monday, “The port is open.”", "The port is open.", "Olena Marchuk", "told"),
        ("Minister: ‘We are ready for talks’", "We are ready for talks", "Minister", None),
    ],
)
def test_direct(text, statement, speaker, cue):
    s = one(text)
    assert (s.text, s.quote_type, s.speaker.name, s.cue) == (statement, "direct", speaker, cue)


@pytest.mark.parametrize(
    ("text", "statement", "speaker"),
    [
        ("Ivan Petrov said that the bridge was safe.", "the bridge was safe", "Ivan Petrov"),
        ("Ivan Petrov said the bridge was safe.", "the bridge was safe", "Ivan Petrov"),
        ("The bridge was safe again, Ivan Petrov said on Monday.", "The bridge was safe again", "Ivan Petrov"),
        ("According to Ivan Petrov, the bridge was safe.", "the bridge was safe", "Ivan Petrov"),
        ("The bridge was safe again, according to Ivan Petrov.", "The bridge was safe again", "Ivan Petrov"),
        ("Ivan Petrov, the mayor of Tver, also said that the bridge was safe.", "the bridge was safe", "Ivan Petrov"),
        ("The mayor, Ivan Petrov, said the bridge was safe.", "the bridge was safe", "Ivan Petrov"),
        ("In Tver, Ivan Petrov denied that the bridge was unsafe.", "the bridge was unsafe", "Ivan Petrov"),
        ("Moscow accused Kyiv of shelling the bridge.", "Kyiv of shelling the bridge", "Moscow"),
        ("Talks on the bridge put off until autumn — Kremlin", "Talks on the bridge put off until autumn", "Kremlin"),
    ],
)
def test_indirect(text, statement, speaker):
    s = one(text)
    assert (s.text, s.quote_type, s.speaker.name) == (statement, "indirect", speaker)


def test_mixed_keeps_the_whole_clause():
    s = one("Gao Lin said that Washington was “abusing its power” again.")
    assert (s.text, s.quote_type) == ("Washington was “abusing its power” again", "mixed")


def test_interrupted_quotation_shares_its_id_cue_and_speaker():
    first, second, third = found(
        "“We came,” she said, “and we stayed.” It rained. “Nobody asked us to go,” Ann Lee said."
    )
    assert first.quotation_id == second.quotation_id != third.quotation_id
    assert (first.text, second.text) == ("We came", "and we stayed.")
    assert first.speaker.mention == second.speaker.mention == "she"


def test_quotation_that_goes_on_after_its_cue():
    first, second = found("“We came at night,” Ann Lee said. “Nobody asked us to leave.”")
    assert first.quotation_id == second.quotation_id
    assert second.speaker.name == "Ann Lee"


def test_quotation_over_paragraphs_is_one_quotation_in_parts():
    text = "“We came at night,” Ann Lee said. “It was cold.\n\n“Nobody asked us to leave.”\n\nThe hall was empty."
    parts = found(text)
    assert [p.text for p in parts] == ["We came at night", "It was cold.", "Nobody asked us to leave."]
    assert len({p.quotation_id for p in parts}) == 1
    assert {p.speaker.name for p in parts} == {"Ann Lee"}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('LATE RAIN"The port is open," Ann Lee said.', ["The port is open"]),
        ('Ann Lee said, "We came."Ivan Petrov said, "We stayed."', ["We came.", "We stayed."]),
        ('The mast was 6"High winds broke it', []),
    ],
)
def test_marks_glued_to_words(text, quoted):
    assert [s.text for s in found(text)] == quoted


def test_missing_close_ends_with_its_paragraph():
    first, second = found("Ann Lee said: “We came at night\n\nIvan Petrov said that it was late.")
    assert first.text == "We came at night"
    assert second.speaker.name == "Ivan Petrov"


@pytest.mark.parametrize(
    "text",
    [
        "The workers' union met the owners' club in the '90s.",
        "The mast was 6' 2\" high and the yacht's crew didn't mind.",
        "It is said to be the oldest bridge. The said contract ended. Needless to say, it rained.",
        "He wore the “Iron” badge to the ceremony.",
        "No one spoke.",
        "",
        "”",
        "“",
    ],
)
def test_what_is_no_statement(text):
    assert found(text) == []


def test_surname_pronoun_and_role_lead_to_the_full_name():
    text = (
        "“It works,” said Energy Minister Oleg Tarasov. Tarasov said that the valve was new. "
        "He added that it was cheap.\n\nThe minister said that tests would follow."
    )
    assert [s.speaker.name for s in found(text)] == ["Oleg Tarasov"] * 4
    assert [s.speaker.mention for s in found(text)][1:] == ["Tarasov", "He", "The minister"]


def test_pronoun_follows_gender():
    text = (
        "Spokeswoman Gao Lin said the deal was off. Chairman Tom Hill said it was on. She said that talks would go on."
    )
    assert found(text)[-1].speaker.name == "Gao Lin"


def test_mention_offsets_point_into_the_text():
    text = "Late on Friday the rain stopped. “It works,” said Energy Minister Oleg Tarasov."
    speaker = one(text).speaker
    assert text[speaker.start : speaker.end] == speaker.mention == "Energy Minister Oleg Tarasov"


@pytest.mark.parametrize(
    ("who", "country"),
    [
        ("Kremlin spokesman Andrei Belov", "Russia"),
        ("White House adviser Dana Hill", "United States"),
        ("Taiwan Foreign Minister Li Wen", "Taiwan"),
        ("Ukraine's ambassador to Germany", "Ukraine"),
        ("Beijing", "China"),
        ("Ivan Petrov", None),
        ("the envoy to Syria", None),
    ],
)
def test_country_comes_from_office_never_from_a_name(who, country):
    assert one(f"{who} said that talks would go on.").speaker.country == country


def test_country_is_carried_with_the_name():
    text = "Kremlin spokesman Andrei Belov said the deal was off. Belov said that talks would go on."
    assert [s.speaker.country for s in found(text)] == ["Russia", "Russia"]


def test_ids_are_pinned():
    s = one("Ivan Petrov said that the bridge was safe.")
    assert (s.id, s.quotation_id) == ("233b75753e180fa0", "5fa91376b7a3c24c")


def test_five_megabytes_in_one_line():
    text = "“Trade goes on,” said Ann Lee. It was a “so-called truce. " * 87_000
    assert len(text) > 5_000_000
    assert len(found(text)) >= 87_000


@pytest.mark.parametrize("text", ["A" * 30_000, "A." * 20_000, "The harbour was shut on Friday" + " " * 30_000 + "x"])
def test_a_long_run_without_a_word_is_passed_at_once(text):
    begun = time.process_time()
    assert found(text) == []
    assert time.process_time() - begun < 2


MARKS = ["“", "”", '"', "'", "‘", "’", "«", "»", ", ", ". ", "\n", "\n\n", "¤", "‡", "— ", ": ", "(D-Ohio) "]
WORDS = [
    "said ",
    "Ann Lee ",
    "he ",
    "that ",
    "according to ",
    "Moscow ",
    "the talks failed ",
    "told reporters ",
    "U.S. ",
]
pieces = st.sampled_from([*MARKS, *WORDS])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(pieces, st.text(max_size=6)), max_size=40).map("".join))
def test_any_text_keeps_the_contract(text):
    statements = found(text)
    assert all(a.end <= b.start for a, b in pairwise(statements))
    assert len({s.id for s in statements}) == len(statements)
    assert statements == found(text)
    for s in statements:
        assert s.start < s.end
        if s.speaker:
            assert text[s.speaker.start : s.speaker.end] == s.speaker.mention
        assert text[: s.start].endswith(s.before)
        assert text[s.end :].startswith(s.after)


def test_polnear_articles_keep_the_contract(data):
    paths = sorted((data / "polnear").glob("*/text/*.txt"))
    assert len(paths) == 1008
    for path in paths:
        found(path.read_text(encoding="utf-8"))
