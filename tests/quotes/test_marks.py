"""Which marks open and close quotations."""

import pytest

from stance.quotes.marks import find_quotes, paragraphs


def quoted(text):
    return [text[q.start : q.end].strip() for q in find_quotes(text, paragraphs(text))]


@pytest.mark.parametrize(
    "text",
    [
        "The ‘repair’ took a year. Then the mayor said: ‘We are open.’",
        "The 'repair' took a year. Then the mayor said: 'We are open.'",
    ],
)
def test_a_single_mark_closes_before_the_next_quotation_opens(text):
    assert quoted(text) == ["repair", "We are open."]


def test_a_plural_within_single_marks_does_not_close_them():
    assert quoted("‘The dockers’ hall burnt in the ’70s,’ he said.") == ["The dockers’ hall burnt in the ’70s,"]
    assert quoted("‘The dockers’ hall burnt in the ‘70s,’ he said.") == ["The dockers’ hall burnt in the ‘70s,"]


@pytest.mark.parametrize(
    "text",
    [
        "The class of '98 built the rowers' hall.",
        "The class of ‘98 built the rowers’ hall.",
        "In the ‘90s the rowers’ hall burnt.",
        "They danced to rock ‘n’ roll in the rowers’ hall.",
    ],
)
def test_an_apostrophe_at_the_head_of_a_year_or_word_opens_nothing(text):
    assert quoted(text) == []


@pytest.mark.parametrize("text", ["‘20 ships sank,’ said the mayor.", "The mayor said '20 ships sank' on Monday."])
def test_a_number_may_open_a_quotation(text):
    assert quoted(text)[0].strip(",") == "20 ships sank"


def test_a_straight_mark_after_a_space_opens_again():
    assert quoted('"The pier is shut. Then "they went home," she said.') == ["The pier is shut.", "they went home,"]
    assert quoted('"They call it the "old pier," she said.') == ['They call it the "old pier,']


@pytest.mark.parametrize("between", ["\n\n", "\n \n", "\n \t\n\n", "\r\n\r\n"])
def test_an_empty_line_leaves_open_what_was(between):
    text = f"Ann Lee said: “It was cold.{between}“Nobody came.”{between}It rained."
    assert quoted(text) == ["It was cold.", "Nobody came."]
    assert [q.continues for q in find_quotes(text, paragraphs(text))] == [False, True]
