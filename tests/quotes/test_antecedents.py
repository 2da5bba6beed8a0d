"""What stands before "who", "which" and "it"."""

import pytest

from stance.quotes.antecedents import before_relative, quoted_blank, things


@pytest.mark.parametrize(
    ("lead", "person", "phrase"),
    [
        ("Second place went to Ana Lopes of Portugal, ", True, "Ana Lopes of Portugal"),
        ("It was the luck of Omar Diallo, ", True, "Omar Diallo"),
        ("It was a risk for Diallo, ", True, "Diallo"),
        ("Rosa Delgado backs Diallo, ", True, "Diallo"),
        ("They hope to win worried farmers ", True, "worried farmers"),
        ("She met many members of the club ", True, "many members of the club"),
        ("She met members of the Swiss government, ", False, "the Swiss government"),
        ("It is the study -- ", False, "the study"),
        ("It rained. Of the nine sailors ", True, "the nine sailors"),
        ("It rained. ", True, None),
        ("", True, None),
    ],
)
def test_the_noun_before_a_relative_pronoun(lead, person, phrase):
    span = before_relative(lead, {"Ana Lopes", "Omar Diallo", "Diallo"}.__contains__ if person else None)
    assert (lead[span[0] : span[1]] if span else None) == phrase


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        ("The council met. On Friday ", ["The council"]),
        ("In its report, the World Bank warned. ", ["the World Bank"]),
        ("Although the IMF named nobody, ", ["the IMF"]),
        ("Norway and its trawlers left. The ministry shut. ", ["The ministry", "Norway"]),
        ("Ann Lee left. “The council met.” ", []),
    ],
)
def test_the_things_that_sentences_are_about_the_last_first(lead, words):
    assert [w for _, w in things(lead)] == words


def test_what_is_quoted_is_blanked_and_keeps_its_length():
    text = 'Ann “met Tom” and "Eva" left'
    assert quoted_blank(text) == "Ann           and       left"
