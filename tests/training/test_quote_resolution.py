import pytest

from stance.quotes import extract_many
from stance.schema import Article, Speaker, Statement
from training.quote_noise import Noise
from training.quote_resolution import Gold, Said, figures, judge, read_gold, roughened


def test_gold_stands_in_its_articles_and_covers_what_it_should():
    gold = read_gold()
    assert len(gold) >= 40
    assert len({g.article.id for g in gold}) == len(gold)
    assert sum(len(g.said) for g in gold) >= 150
    assert sum(s.country is not None for g in gold for s in g.said) >= 50


def test_speakers_are_resolved():
    gold = read_gold()
    table, wrong = judge(gold, extract_many([g.article for g in gold]))
    shares = figures(table, resamples=50)
    assert shares["speaker"][0] >= 0.96, wrong
    assert shares["country"][0] >= 0.96, wrong


def test_rules_alone_resolve_speakers():
    gold = read_gold()[:41]  # in those after them the rules miss more of what is said
    table, wrong = judge(gold, extract_many([g.article for g in gold], engine="rules"))
    shares = figures(table, resamples=50)
    assert shares["speaker"][0] >= 0.97, wrong
    assert shares["country"][0] >= 0.97, wrong
    low, high = shares["speaker"][1:]
    assert 0.9 < low < shares["speaker"][0] <= high <= 1


def test_a_country_that_is_told_counts_by_itself():
    text = "Alpha spoke. Bravo spoke. Charlie spoke. Delta spoke."
    at = [text.index(w) for w in ("Alpha", "Bravo", "Charlie", "Delta")]
    told, given = ("Peru", "Chad", None, None), ("Peru", None, None, "Mali")
    gold = Gold(Article("x", text), tuple(Said(i, ("Ann",), c) for i, c in zip(at, told, strict=True)))
    said = [
        Statement(f"{i}", text[i : i + 5], i, i + 5, f"{i}", "direct", speaker=Speaker("Ann", "Ann", country=country))
        for i, country in zip(at, given, strict=True)
    ]
    table, _ = judge([gold], [said])
    shares = figures(table, resamples=10)
    assert [shares[name][0] for name in ("country", "country given, precision", "country told, recall")] == [0.5] * 3


def test_noise_moves_what_is_said_and_keeps_who_says_it():
    gold = read_gold()
    rough = roughened(gold, Noise().scaled(2))
    assert any(a.article.text != b.article.text for a, b in zip(gold, rough, strict=True))
    for clean, changed in zip(gold, rough, strict=True):
        assert [s.names for s in clean.said] == [s.names for s in changed.said]
        for a, b in zip(clean.said, changed.said, strict=True):
            assert clean.article.text[a.at : a.at + 2] == changed.article.text[b.at : b.at + 2]


def test_words_that_stand_twice_are_refused(tmp_path):
    path = tmp_path / "gold.yaml"
    path.write_text("- {id: x, text: it rained and it rained, said: [[it rained, Ann, '']]}", encoding="utf-8")
    with pytest.raises(ValueError, match="article x: 'it rained' stands there 2 times"):
        read_gold(path)
