import pytest

from stance.quotes import extract_many
from training.quote_resolution import judge, read_gold


def test_gold_stands_in_its_articles_and_covers_what_it_should():
    gold = read_gold()
    assert len(gold) >= 30
    assert len({g.article.id for g in gold}) == len(gold)
    assert sum(len(g.said) for g in gold) >= 100
    assert sum(s.country is not None for g in gold for s in g.said) >= 30


def test_rules_resolve_speakers():
    gold = read_gold()
    figures, wrong = judge(gold, extract_many([g.article for g in gold], engine="rules"))
    assert figures["speaker"] >= 0.97, wrong
    assert figures["country"] >= 0.95, wrong


def test_words_that_stand_twice_are_refused(tmp_path):
    path = tmp_path / "gold.yaml"
    path.write_text("- {id: x, text: it rained and it rained, said: [[it rained, Ann, '']]}", encoding="utf-8")
    with pytest.raises(ValueError, match="article x: 'it rained' stands there 2 times"):
        read_gold(path)
