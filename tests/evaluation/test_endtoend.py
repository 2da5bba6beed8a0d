import json

import pytest

from stance.errors import CorpusError
from stance.evaluation import Options, evaluate
from stance.evaluation.card import model_card
from stance.evaluation.endtoend import (
    articles_corpus,
    is_articles_corpus,
    read_gold_articles,
    same_speaker,
    score_articles,
)
from stance.evaluation.show import paper_tables
from stance.schema import LABELS, StanceRow
from stance.statistics.resampling import ClusterDraws

TEXT = "“Russia lied to us,” said Ann Lee. “China is a friend,” said Bo Dahl. “It will rain,” said Cy Fox."


def gold(words, speaker, **labels):
    start = TEXT.index(words)
    return {"start": start, "end": start + len(words), "speaker": speaker, "labels": labels}


GOLD = [
    gold("Russia lied to us", "Ann Lee", Russia="against", China="not_addressed"),
    gold("China is a friend", "Bo Dahl", Russia="not_addressed", China="favor"),
    gold("It will rain", "Cy Fox", Russia="not_addressed", China="not_addressed"),
]


def write(path, *articles):
    path.write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
    return path


def row(number, start, end, speaker, target, label):
    p = {name: float(name == label) for name in LABELS}
    head = ("art", None, None, f"s{number}", f"s{number}", start, end, "direct", TEXT[start:end], "said")
    return StanceRow(*head, speaker, speaker, None, target, label, p, 1.0, False, False, "m")


def rows(*found):
    out = []
    for number, (item, speaker, russia, china) in enumerate(found):
        start, end = GOLD[item]["start"], GOLD[item]["end"] + 1
        out += [row(number, start, end, speaker, "Russia", russia), row(number, start, end, speaker, "China", china)]
    return out


def figures(tmp_path, *found):
    articles = read_gold_articles(write(tmp_path / "a.jsonl", {"id": "art", "text": TEXT, "statements": GOLD}))
    draws = ClusterDraws(1, resamples=10)
    result = score_articles(articles, [rows(*found)], ("Russia", "China"), draws)
    return {name: f.value for name, f in result.figures.items()}, result


def test_a_triple_counts_only_if_all_of_it_is_right(tmp_path):
    silent = "not_addressed"
    f, result = figures(
        tmp_path,
        (0, "Minister Lee", "against", silent),
        (1, "Ann Lee", silent, "favor"),
        (2, "Cy Fox", silent, "neutral"),
    )
    assert f["extraction_f1"] == 1.0
    assert f["speaker_accuracy"] == pytest.approx(2 / 3)
    assert f["stance_accuracy"] == pytest.approx(5 / 6)
    assert f["triple_precision"] == pytest.approx(1 / 3)
    assert f["triple_recall"] == pytest.approx(1 / 2)
    assert result.missed == ()


def test_missed_statements_are_named(tmp_path):
    f, result = figures(tmp_path, (0, "Ann Lee", "against", "not_addressed"))
    assert f["extraction_recall"] == pytest.approx(1 / 3)
    assert f["extraction_precision"] == 1.0
    assert [text for _, text in result.missed] == ["China is a friend", "It will rain"]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Ann Lee", "Lee", True),
        ("President Ann Lee", "Ann Lee", True),
        ("Ann Lee", "Bo Lee", False),
        (None, None, True),
        ("Ann", None, False),
    ],
)
def test_same_speaker(a, b, same):
    assert same_speaker(a, b) is same


def test_sample_articles_go_the_whole_road(root, scorer):
    path = root / "examples" / "articles_gold.jsonl"
    assert is_articles_corpus(path)
    assert not is_articles_corpus(root / "examples" / "corpus")
    found = evaluate(path, scorer.classifier, Options(resamples=200, behaviour=False, explain=False))
    e = found.end_to_end
    assert (e.articles, e.gold) == (6, len(found.items.records))
    assert e.figures["extraction_f1"].value > 0.7
    assert e.figures["triple_f1"].value < e.figures["extraction_f1"].value
    assert found.items.clusters == 6
    shown = paper_tables(found)["end_to_end"].markdown()
    assert f"| Triples: F1 | {e.figures['triple_f1'].value:.3f} [" in shown
    assert shown in model_card(found)


def test_gold_matches_the_example_articles(root):
    from stance.articles import read_articles

    texts = {a.text for a in read_articles([str(root / "examples" / "articles")])}
    articles = read_gold_articles(root / "examples" / "articles_gold.jsonl")
    assert {each.article.text for each in articles} == texts
    assert set(articles_corpus(articles, "x").targets) == {"United States", "Russia", "China", "Ukraine"}


@pytest.mark.parametrize(
    ("article", "rule"),
    [
        ({"text": "", "statements": []}, "missing-text"),
        ({"text": "x", "statements": {}}, "statements-type"),
        ({"text": "x", "statements": [{"start": 0, "end": 9, "labels": {}}]}, "offsets"),
        ({"text": "x", "statements": [{"start": 0, "end": 1}]}, "statement-type"),
    ],
)
def test_a_bad_article_is_named(tmp_path, article, rule):
    rejected = []
    good = {"text": TEXT, "statements": GOLD}
    assert len(read_gold_articles(write(tmp_path / "a.jsonl", good, article), on_reject=rejected.append)) == 1
    assert [(r.record, r.rule) for r in rejected] == [(2, rule)]
    with pytest.raises(CorpusError, match=rule):
        read_gold_articles(write(tmp_path / "b.jsonl", article))
