"""What the shipped tagger reads in sentences of our own."""

import pytest

from stance.quotes import extract_many
from stance.quotes.storage import FILES
from stance.quotes.tagger import QuoteTagger, shipped_tagger
from stance.schema import Article


@pytest.fixture(scope="module")
def tagger():
    return QuoteTagger.from_pretrained()


@pytest.fixture(scope="module")
def found(tagger):
    def read(text):
        (statements,) = extract_many([Article("a", text)], engine="learned", tagger=tagger)
        for s in statements:
            assert text[s.start : s.end] == s.text
        return statements

    return read


def test_the_folder_is_small_and_named_by_its_content(tagger):
    assert sum((shipped_tagger() / name).stat().st_size for name in FILES) < 13_000_000
    assert tagger.id == f"quote-minilm@{QuoteTagger.from_pretrained().content_hash}"


@pytest.mark.parametrize(
    ("text", "statement", "speaker", "kind"),
    [
        ("“The port is open again,” said Olena Marchuk.", "The port is open again", "Olena Marchuk", "direct"),
        ('"The port is open again," Olena Marchuk said.', "The port is open again", "Olena Marchuk", "direct"),
        ("Ivan Petrov said that the bridge was safe.", "the bridge was safe", "Ivan Petrov", "indirect"),
        ("Ivan Petrov said the bridge was safe.", "the bridge was safe", "Ivan Petrov", "indirect"),
        ("The bridge was safe, Ivan Petrov said on Monday.", "The bridge was safe", "Ivan Petrov", "indirect"),
        ("According to Ivan Petrov, the bridge was safe.", "the bridge was safe", "Ivan Petrov", "indirect"),
        (
            "Gao Lin said that Washington was “abusing its power” again.",
            "Washington was “abusing its power” again",
            "Gao Lin",
            "mixed",
        ),
    ],
)
def test_plain_sentences(found, text, statement, speaker, kind):
    (s,) = found(text)
    assert (s.text, s.speaker.name, s.quote_type) == (statement, speaker, kind)


def test_interrupted_quotation_is_one_in_two_parts(found):
    first, second = found("“We came at night,” Ann Lee said, “and we stayed until the morning.”")
    assert (first.text, second.text) == ("We came at night", "and we stayed until the morning.")
    assert first.quotation_id == second.quotation_id
    assert first.speaker.name == second.speaker.name == "Ann Lee"


def test_two_speakers_of_one_sentence_are_kept_apart(found):
    text = "Ivan Petrov said that the bridge was safe, but Rosa Delgado said that two of its cables had rusted."
    assert [(s.text, s.speaker.name) for s in found(text)] == [
        ("the bridge was safe", "Ivan Petrov"),
        ("two of its cables had rusted", "Rosa Delgado"),
    ]


@pytest.mark.parametrize("text", ["", "”", "No one spoke.", "The workers' union met the owners' club in the '90s."])
def test_what_is_no_statement(found, text):
    assert found(text) == []


def test_a_heading_glued_to_a_quotation_is_no_part_of_it(found):
    (s,) = found('PORT OPENS AT LAST"The port is open,” Dana Hill said')
    assert (s.text, s.quote_type, s.speaker.name) == ("The port is open", "direct", "Dana Hill")


def test_whom_a_quotation_is_told_to_is_no_part_of_it(found):
    (s,) = found("Senator Ann Lee scolded him: “The harbour is closed and you know it.”")
    assert (s.text, s.quote_type) == ("The harbour is closed and you know it.", "direct")


def test_an_office_stands_for_whom_the_article_introduced(found):
    (s,) = found("Czech Prime Minister Tomas Havel flew to Taipei. The prime minister said that trade came first.")
    assert (s.speaker.name, s.speaker.country, s.speaker.mention) == ("Tomas Havel", "Czechia", "The prime minister")


@pytest.mark.parametrize(
    "text",
    [
        "The “unlimited” friendship between the two capitals cooled last year.",
        "Boxer Ray “The Hammer” Quill won again on Saturday.",
        "He starred in “A Night at the Old Mill” and in “Two Rivers”.",
        "The so-called “special military operation” entered its second year.",
        "The ship, named “Pride of the North”, sank at dawn.",
        "The law, known as the “Clean Water for All Act”, passed on Friday.",
        "Read more: “Five things to watch this week”",
    ],
)
def test_names_and_scare_quotes_are_said_by_nobody(found, text):
    assert found(text) == []


def test_a_short_quotation_after_another_is_kept(found):
    text = "“It was awful and nobody came,” Dana Hill recalled. “Just awful.” She lost her house in the flood."
    assert [s.text for s in found(text)][:2] == ["It was awful and nobody came", "Just awful."]


@pytest.mark.parametrize(
    "text",
    [
        "No one spoke to anyone about anything.",
        "Nobody told anyone.",
        "The president talked to the king about trade.",
        "Ann Lee spoke with reporters on Monday.",
        "Ann Lee said that it rained. Nothing was said about money.",
        "Critics think otherwise.",
        "The mayor saw it differently.",
        "The regional court ruled otherwise.",
    ],
)
def test_talk_that_reports_no_words_is_no_statement(found, text):
    assert [s.text for s in found(text)] in ([], ["it rained"])


def test_a_quotation_of_one_empty_word_is_kept(found):
    text = "Asked about money, Ann Lee smiled. “Nothing,” she said. ‘Everything,’ said Luc Morel, the mayor of Lyon."
    assert [s.text.strip("‘’“”,.") for s in found(text) if s.quote_type == "direct"] == ["Nothing", "Everything"]


def test_who_is_asked_does_not_ask(found):
    first, second = found("Asked about the deal, the envoy, Ann Lee, said it was dead.")
    assert (first.speaker, first.factuality) == (None, "question")
    assert (second.text, second.speaker.name) == ("it was dead", "Ann Lee")


def test_according_to_an_organisation_of_a_country(found):
    text = (
        "According to the Ministry of Agriculture of Moldova, the harvest fell by a third. The ministry said rain had "
        "come too late.\n\nFarmers said the state should pay them."
    )
    assert [(s.text, s.speaker.name, s.speaker.country) for s in found(text)][:2] == [
        ("the harvest fell by a third", "Ministry of Agriculture of Moldova", "Moldova"),
        ("rain had come too late", "Ministry of Agriculture of Moldova", "Moldova"),
    ]


def test_a_dateline_is_no_part_of_what_is_said(found):
    (s,) = found("TBILISI (Wire) — Georgia will reopen its border on Monday, Interior Minister Nika Beridze said.")
    assert s.text == "Georgia will reopen its border on Monday"


def test_where_a_quotation_was_called_out_is_no_part_of_it(found):
    (s,) = found("Several parents shouted “Shame!” from the gallery.")
    assert (s.text, s.quote_type) == ("Shame!", "direct")


def test_a_label_of_the_page_has_no_speaker(found):
    text = "Diego Salas said that the ship would sail in May\n\nRead more: “Why ferries are back”\n\nHe left."
    assert [s.text for s in found(text)] == ["the ship would sail in May"]


def test_a_country_that_the_article_tells_later_counts_for_all(found):
    first, second = found("Li Wen said that trade came first. Taiwan Foreign Minister Li Wen said that rain fell.")
    assert first.speaker.country == second.speaker.country == "Taiwan"
