"""Whom a mention stands for, and for which country he speaks."""

import pytest

from stance.quotes.names import Names, folded
from stance.quotes.speakers import SpeakerBook
from stance.quotes.subjects import Mention


def named(text, *mentions):
    """Return name and country of each mention, read in the order of the text."""
    book, at, found = SpeakerBook(text), 0, []
    for words in mentions:
        at = text.index(words, at)
        speaker = book.speaker(Mention(at, at + len(words), words), text, 0)
        assert text[speaker.start : speaker.end] == speaker.mention == words
        found.append((speaker.name, speaker.country))
        at += len(words)
    return found


def test_an_office_finds_who_was_introduced_with_it_and_has_not_spoken_yet():
    text = "Czech Prime Minister Tomas Havel met farmers. The prime minister said that rain would come."
    assert named(text, "The prime minister") == [("Tomas Havel", "Czechia")]


def test_an_apposition_tells_office_and_country():
    text = "Gao Lin, the Chinese trade minister, flew home. Gao slept. The minister waved. The Chinese leader ate."
    assert named(text, "Gao") == [("Gao Lin", "China")]
    assert named(text, "The minister", "The Chinese leader") == [("Gao Lin", "China")] * 2


def test_an_office_of_another_country_or_rank_is_somebody_else():
    text = (
        "Foreign Minister Li Wen of Taiwan came. Deputy Foreign Minister Jon Park of South Korea left. "
        "The foreign minister smiled. The deputy foreign minister sang. The Russian foreign minister stayed away."
    )
    assert [n for n, _ in named(text, "The foreign minister", "The deputy foreign minister")] == ["Li Wen", "Jon Park"]
    assert named(text, "The Russian foreign minister") == [("Russian foreign minister", "Russia")]


def test_a_kind_of_organisation_finds_the_last_of_its_kind():
    text = "China's embassy in Washington shut. The embassy gave no reason. The agency was empty."
    found = named(text, "China's embassy in Washington", "The embassy", "The agency")
    assert found[:2] == [("China's embassy in Washington", "China")] * 2
    assert found[2][1] is None


def test_an_abbreviation_is_written_out_where_the_article_does_so():
    text = "The International Grain Council (IGC) met. The IGC voted. The IMF did not."
    found = named(text, "The International Grain Council (IGC)", "The IGC", "The IMF")
    assert [n for n, _ in found] == ["International Grain Council"] * 2 + ["IMF"]


@pytest.mark.parametrize(
    ("one", "other"), [("Andriy Kovalenko", "Andrii Kovalenko"), ("Olha Zelenskiy", "Zelensky"), ("José Peña", "Pena")]
)
def test_spellings_of_one_name_are_one_speaker(one, other):
    text = f"{one} came. {other} spoke."
    assert [n for n, _ in named(text, one, other)] == [one, one]


def test_other_names_stay_apart():
    text = "Ann Lee came. Ann Reed spoke. Reed left. Hans Lee sang."
    assert [n for n, _ in named(text, "Ann Lee", "Ann Reed", "Reed", "Hans Lee")] == [
        "Ann Lee",
        "Ann Reed",
        "Ann Reed",
        "Hans Lee",
    ]
    assert folded("Lee") != folded("Leo")


def test_two_who_speak_together_are_named_both():
    text = "French President Luc Morel and German Chancellor Lena Vogt wrote a letter. Morel signed. Vogt signed."
    found = named(text, "French President Luc Morel and German Chancellor Lena Vogt", "Morel", "Vogt")
    assert found == [("Luc Morel and Lena Vogt", None), ("Luc Morel", "France"), ("Lena Vogt", "Germany")]


def test_a_place_of_work_is_no_second_speaker():
    text = "Marta Quill of Grey and Sons Bank spoke."
    assert [n for n, _ in named(text, "Marta Quill of Grey and Sons Bank")] == ["Marta Quill"]


@pytest.mark.parametrize("text", ["Kathy Ireland came. Ms. Ireland spoke.", "Ron France came. Mr. France spoke."])
def test_no_country_is_read_from_a_surname(text):
    mention = text.split(". ", 1)[1].removesuffix(" spoke.")
    assert named(text, mention)[0][1] is None


@pytest.mark.parametrize(
    ("who", "country"),
    [
        ("Democrats", "United States"),
        ("the Liberal Democrats", "United Kingdom"),
        ("the Social Democrats", None),
        ("South Korea's trade ministry", "South Korea"),
        ("Latin American farmers", None),
    ],
)
def test_countries_of_groups_and_parties(who, country):
    assert named(f"{who} spoke.", who)[0][1] == country


def test_introductions_stand_in_the_order_of_the_text():
    names = Names("The mayor, Ann Lee, came. Kremlin spokesman Oleg Bor left. Tom Reed, a baker, stayed.")
    assert [(x.name, "mayor" in x.description) for x in names.introduced] == [("Ann Lee", True), ("Oleg Bor", False)]
