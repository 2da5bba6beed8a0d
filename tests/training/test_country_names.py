import pytest

from stance.learning import Example
from stance.schema import Speaker, Statement
from training.corpora.country_stance import TARGETS, decode
from training.counterfactual import swap_countries, swappable

US_RU, US_CN, US_UA, RU_UA = (1, 0, 2, 3), (2, 1, 0, 3), (3, 1, 2, 0), (0, 3, 2, 1)


def example(text, code="nnnn", **more):
    return Example(Statement(id="s", text=text, **more), decode(code))


def swapped(text, order, **more):
    return swap_countries(example(text, **more), TARGETS, order).statement


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("Troops left the United States for Peru.", US_RU, "Troops left Russia for Peru."),
        ("Troops are in Russia.", US_RU, "Troops are in the United States."),
        ("The U.S. will pay.", US_RU, "Russia will pay."),
        ("Russia will pay.", US_RU, "The United States will pay."),
        ("It failed. Ukraine paid.", US_UA, "It failed. The United States paid."),
        ('He said, "China is late."', US_CN, 'He said, "The United States is late."'),
        ("the U.S. president", US_RU, "the Russian president"),
        ("the US and Polish armies", US_RU, "the Russian and Polish armies"),
        ("the US and Peru agree", US_RU, "Russia and Peru agree"),
        ("US wants calm, US troops do not", US_RU, "Russia wants calm, Russian troops do not"),
        ("the Ukraine war", US_UA, "the US war"),
        ("US-led talks", US_RU, "Russia-led talks"),
        ("mainland China and a strong China", US_CN, "mainland America and a strong America"),
        ("Trade left the PRC", US_CN, "Trade left the United States"),
        ("the Russian Federation pays", RU_UA, "Ukraine pays"),
        ("an American and a U.S. ship", US_RU, "a Russian and a Russian ship"),
        ("a Russian ship", US_RU, "an American ship"),
        ("An American ship", US_UA, "A Ukrainian ship"),
        ("He left the U.S. He came back.", US_RU, "He left Russia. He came back."),
        ("the U.S. Army", US_RU, "the Russian Army"),
        ("Russia's army", US_RU, "The United States' army"),
        ("the United States’ army", US_RU, "Russia’s army"),
        ("the United States’ backing", US_RU, "Russia’s backing"),
        ("the parties’ and the United States' backing", US_RU, "the parties’ and Russia's backing"),
        ("It asked ‘the United States’ for help", US_RU, "It asked ‘Russia’ for help"),
        ("We thank the United States’, he said", US_RU, "We thank Russia’, he said"),
        ("It praised ‘the United States’ army’", US_RU, "It praised ‘Russia’s army’"),
        ("the Chinese have won", US_CN, "the Americans have won"),
        ("the Chinese ships", US_CN, "the American ships"),
        ("Americans' rights", US_CN, "Chinese people's rights"),
        ("back in the States", US_RU, "back in Russia"),
        ("the U.S. and an American", RU_UA, "the U.S. and an American"),
    ],
)
def test_exchanged_names_are_english(text, order, expected):
    assert swapped(text, order).text == expected


@pytest.mark.parametrize("order", [US_RU, US_CN, US_UA])
@pytest.mark.parametrize(
    "text",
    [
        "The United States sells grain, and the United States' farms pay.",
        "Russia sells grain to the United States, China's port and Ukraine; they like Russia.",
        "An American ship met a Russian, a Chinese and a Ukrainian ship",
        "Americans and Russians met in Moscow; Washington and Beijing told Kyiv.",
        "Joe Biden met the Russians; Putin and Xi met the Americans",
    ],
)
def test_swapping_twice_gives_articles_back(text, order):
    e = example(text, speaker=Speaker("an American envoy", "an American envoy"))
    assert swap_countries(swap_countries(e, TARGETS, order), TARGETS, order) == e


def test_a_statement_begins_in_the_middle_of_its_sentence():
    assert swapped("Russia must pay", US_RU, before="He said that ").text == "the United States must pay"
    assert swapped("Russia must pay", US_RU, before="He left. ").text == "The United States must pay"
    assert swapped("They pay", US_RU, after=" Russia").after == " the United States"


@pytest.mark.parametrize(
    "text",
    [
        "Latin America buys Russian grain",
        "African Americans read of Russia",
        "The Washington Post wrote of Russia",
        "America Ferrera met the Russians",
        "Melania Trump met Putin in Russia",
        "Trump and Obama went to Russia",
        "The continental United States bought Russian grain",
        "Russia teaches the Russian language",
    ],
)
def test_names_that_would_be_nonsense_are_not_swapped(text):
    assert not swappable(example(text, "--n-"), TARGETS, US_RU)
