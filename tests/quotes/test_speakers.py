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


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("U.S. President Ivo Brandt arrived. Brandt wept.", "United States"),
        ("UK Prime Minister Ivo Brandt arrived. Brandt wept.", "United Kingdom"),
        ("The former FBI Director Ivo Brandt arrived. Brandt wept.", "United States"),
        ("U.S. troops heard Ivo Brandt. Brandt wept.", None),
    ],
)
def test_an_abbreviated_country_before_an_office_counts(text, country):
    assert named(text, "Brandt")[0] == ("Ivo Brandt", country)


def test_a_former_office_is_another():
    text = "Ohio Gov. Ann Lee met former Utah Gov. Tom Reed. The governor wept. The former governor left."
    assert [n for n, _ in named(text, "The governor", "The former governor")] == ["Ann Lee", "Tom Reed"]


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


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("Serbian President Zoran Čavić arrived. Čavić spoke.", "Zoran Čavić", "Serbia"),
        ("Turkish Minister İpek Şanlıoğlu arrived. Şanlıoğlu spoke.", "İpek Şanlıoğlu", "Turkey"),
        ("Vietnamese envoy Phạm Đỗ Hạnh arrived. Hạnh spoke.", "Phạm Đỗ Hạnh", "Vietnam"),
    ],
)
def test_names_are_read_with_all_their_accents(text, name, country):
    assert named(text, text.split(" arrived")[0], name.split()[-1]) == [(name, country)] * 2


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


@pytest.mark.parametrize(
    ("who", "names"),
    [
        ("Ann Lee, Tom Reed and Eva Hill", "Ann Lee, Tom Reed and Eva Hill"),
        ("Mayor Ann Lee, Tom Reed, and Ms. Hill", "Ann Lee, Tom Reed and Eva Hill"),
        ("Ann Lee, the mayor, and Tom Reed", "Ann Lee and Tom Reed"),
        ("Ann Lee, Chief Economist, and Tom Reed", "Ann Lee and Tom Reed"),
    ],
)
def test_all_who_speak_together_are_named(who, names):
    assert named(f"{who} spoke. Eva Hill left.", who)[0][0] == names


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
        ("the Republican People's Party leader", "Turkey"),
        ("a People’s Democratic Party spokesman", None),
        ("Congress leader Rohan Iyer", None),
        ("a member of Congress", "United States"),
        ("the African National Congress", "South Africa"),
        ("the Democratic Republic of Congo's health minister", "Democratic Republic of the Congo"),
        ("the Democratic People’s Republic of Korea", "North Korea"),
        ("Iranians", "Iran"),
        ("many Palestinians", "Palestine"),
        ("Uzbek farmers", "Uzbekistan"),
        ("the Nassau County police", None),
        ("the San Jose mayor", None),
    ],
)
def test_countries_of_groups_and_parties(who, country):
    assert named(f"{who} spoke.", who)[0][1] == country


@pytest.mark.parametrize(
    ("who", "country"),
    [
        ("the Democratic Party of Japan", "Japan"),
        ("the Republican Party of Armenia", "Armenia"),
        ("the Liberal Democratic Party", None),
        ("the Ministry of Agriculture of Moldova", "Moldova"),
        ("the Supreme Court of India", "India"),
        ("the Embassy of France in Berlin", "France"),
        ("the fund's Japan director", None),
        ("France's Mali envoy", "France"),
        ("France and Germany", None),
        ("pro-Russian officials", None),
        ("Iran-backed rebels", None),
        ("a Beijing-based Western diplomat", None),
        ("a Cuban-American voter", None),
        ("a Washington Post-Northport News poll", None),
        ("critics of Israel", None),
        ("supporters of the Kremlin", None),
        ("Russia expert Ann Lee", None),
        ("a China policy analyst", None),
        ("a Chinese analyst", "China"),
        ("an analyst at the Bank of Japan", "Japan"),
        ("Jordan's foreign minister", "Jordan"),
        ("Georgia Prime Minister Levan Lomidze", "Georgia"),
        ("Chad’s president", "Chad"),
        ("Egypt and Jordan", None),
        ("Jordan's lawyer", None),
        ("the University of Georgia's president", None),
        ("Georgia's governor", None),
        ("Northern Ireland's police", "United Kingdom"),
        ("the Republic of Korea's envoy", "South Korea"),
        ("Rep. Gwen Hill (D-Ohio)", "United States"),
        ("Iraq and Kuwait Veterans of Britain", "United Kingdom"),
        ("a team led by Wei Tan of Singapore", None),
    ],
)
def test_countries_of_offices_and_organisations(who, country):
    assert named(f"{who} spoke.", who)[0][1] == country


@pytest.mark.parametrize(
    ("text", "mention", "expected"),
    [
        ("Kathy Ireland came. Ireland said she liked it.", "Ireland said", "Kathy Ireland"),
        ("Her coach, Dan Ireland, ran. Ireland joked.", "Ireland joked", "Dan Ireland"),
        ("Paris Hilton sang for her mother. Hilton left.", "Hilton left", "Paris Hilton"),
        ("Sofia Marin sat in her studio. Marin wept.", "Marin wept", "Sofia Marin"),
        ("Tony Malta, 41, left. Malta called later.", "Malta called", "Tony Malta"),
    ],
)
def test_a_name_that_holds_a_country_is_the_person(text, mention, expected):
    at = text.index(mention)
    last = mention.split()[0]
    speaker = SpeakerBook(text).speaker(Mention(at, at + len(last), last), text, 0)
    assert (speaker.name, speaker.country) == (expected, None)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Ireland said it would vote.", "Ireland"),
        ("Air Malta said it would fly.", "Malta"),
        ("Neighbouring Ethiopia said it had no rain.", "Ethiopia"),
    ],
)
def test_a_country_before_it_is_no_person(text, country):
    assert named(text, text.split(" said")[0])[0][1] == country


def test_someone_elses_name_tells_no_country():
    text = "Kathy Ireland's lawyer, Tom Reed, spoke. Kathy Ireland wept because she was glad."
    book = SpeakerBook(text)
    speaker = book.speaker(Mention(24, 32, "Kathy Ireland's lawyer, Tom Reed"), text, 0)
    assert (speaker.name, speaker.country) == ("Tom Reed", None)


@pytest.mark.parametrize(
    ("text", "pronoun", "expected"),
    [
        ("The council met on Monday. It voted.", "It", "The council"),
        ("Russia's transport ministry was silent. A day earlier it spoke.", "it", "Russia's transport ministry"),
        ("Although the IMF named nobody, it spoke.", "it", "IMF"),
        ("Ann Lee met Tom Reed. In his view it was late.", "his", "Tom Reed"),
        ("Prosecutor Jo Blake asked her why. Ann Lee wept. She could not tell.", "She", "Ann Lee"),
        ("Second place went to Ana Lopes of Portugal, who wept.", "who", "Ana Lopes"),
        ("They wrote to the Northport Fire Department, which spoke.", "which", "Northport Fire Department"),
        ("It was the farmers who spoke.", "who", "the farmers"),
        ("Vera Hill, a clerk in Leeds who spoke, left.", "who", "Vera Hill"),
        ("Omar Diallo won. The 27-year-old thanked all.", "The 27-year-old", "Omar Diallo"),
        ("Mykola Petrenko, whose wife is a judge, wept. He was kind.", "He", "Mykola Petrenko"),
        ("Ann Lee has a studio.\n\n“Come in,” she said.", "she", "Ann Lee"),
        ("Ann Lee laughed. “Tom Reed told me,” he said.", "he", "he"),
        ("“My aunt Vera Hill taught me,” she said. Ann Lee sang.", "she", "she"),
    ],
)
def test_what_pronouns_stand_for(text, pronoun, expected):
    assert named(text, pronoun)[0][0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In a call with U.S. President Joe Brandt, he was kind.", "Ivo Bor"),
        ("Alongside the former mayor Joe Brandt he was kind.", "Ivo Bor"),
        ("The lawyer spoke to Joe Brandt. Then he was kind.", "Joe Brandt"),
        ("A part of Joe Brandt's plan is that he was kind.", "Joe Brandt"),
        ("Secretary of State Joe Brandt told all that he was kind.", "Joe Brandt"),
    ],
)
def test_he_is_not_whom_a_preposition_names(text, expected):
    text = f"Ivo Bor spoke.\n\n{text}"
    book, at = SpeakerBook(text), text.index("he was")
    book.speaker(Mention(0, 7, "Ivo Bor"), text, 0)
    assert book.speaker(Mention(at, at + 2, "he"), text, 0).name == expected


def test_it_is_the_organisation_that_spoke_last_and_they_no_single_person():
    text = "The World Bank warned of a slump. Ann Lee agreed. It added that rain fell. They said so."
    found = [n for n, _ in named(text, "The World Bank", "Ann Lee", "It", "They")]
    assert found == ["World Bank", "Ann Lee", "World Bank", "World Bank"]


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ("Senate Majority Leader Ann Lee", "Ann Lee"),
        ("Massachusetts Sen. Ann Lee", "Ann Lee"),
        ("Secretary of State Ann Lee", "Ann Lee"),
        ("Councillor Ann Lee", "Ann Lee"),
        ("Vice President JD Moss", "JD Moss"),
        ("A.J. Moss", "A.J. Moss"),
        ("NJ Governor Ann Lee", "Ann Lee"),
        ("Fox News's Ann Lee", "Ann Lee"),
        ("Ann Lee's doctor", "Ann Lee's doctor"),
        ("The New Haven businessman", "New Haven businessman"),
        ("The Mayor of London", "Mayor of London"),
        ("The Friends of Mill Road", "Friends of Mill Road"),
        ("A clerk who stole", "A clerk"),
        ("Even Ann Lee", "Ann Lee"),
        ("One Republican", "One Republican"),
    ],
)
def test_what_is_the_name_in_a_mention(who, name):
    assert named(f"{who} spoke.", who)[0][0] == name


def test_a_heading_gives_no_name():
    text = "Ann Lee Hammers Old Valley Bank\n\nAnn Lee spoke on Monday. Lee wept."
    book, at = SpeakerBook(text), text.rindex("Lee")
    assert book.speaker(Mention(at, at + 3, "Lee"), text, 0).name == "Ann Lee"


def test_mr_and_ms_tell_whose_surname_it_is():
    text = "Michelle Ortiz sang. Mr. Ortiz wept. Ms. Ortiz left."
    assert [n for n, _ in named(text, "Mr. Ortiz", "Ms. Ortiz")] == ["Mr. Ortiz", "Michelle Ortiz"]


def test_a_committee_is_nobody_who_sits_in_one():
    text = "Ann Lee, chair of the National Grain Committee, left. The Rural Water Committee voted."
    assert [n for n, _ in named(text, "Ann Lee", "The Rural Water Committee")] == ["Ann Lee", "Rural Water Committee"]


def test_initials_begin_a_name():
    text = "Ohio Sen. J.D. Moss arrived. Moss spoke. The senator left."
    assert [n for n, _ in named(text, "Moss", "The senator")] == ["J.D. Moss"] * 2


def test_what_is_told_of_others_in_a_clause_is_not_of_the_speaker():
    text = "Mykola Petrenko, whose wife is the Danish envoy, wept. Ana Petri, who was the Danish envoy, left."
    found = named(text, "Mykola Petrenko, whose wife is the Danish envoy", "Ana Petri, who was the Danish envoy")
    assert found == [("Mykola Petrenko", None), ("Ana Petri", "Denmark")]


def test_introductions_stand_in_the_order_of_the_text():
    names = Names("The mayor, Ann Lee, came. Kremlin spokesman Oleg Bor left. Tom Reed, a baker, stayed.")
    assert [(x.name, "mayor" in x.description) for x in names.introduced] == [("Ann Lee", True), ("Oleg Bor", False)]
