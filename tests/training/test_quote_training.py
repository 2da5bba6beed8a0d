import json
from dataclasses import asdict, fields

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from stance.quotes.names import folded
from stance.quotes.network import TAGS, QuoteNetwork
from stance.quotes.tagger import QuoteTagger, shipped_tagger
from stance.quotes.windows import VOCABULARY, article_tokens
from training import build_quotes
from training.benchmark_quotes import linked_counts, linked_figures
from training.build_quotes import QuoteRecipe, fit
from training.corpora import polnear, polnear_cofenet
from training.corpora.polnear import Annotated, Attribution
from training.quote_data import batches, collate, examples, tag_ids
from training.quote_metrics import COLUMNS, Predicted, counts, linked, predictions, quote_type
from training.quote_noise import Noise, edited, noisy

TEXT = "Ann Lee said that the port was open. “It works,” she added, “and it is cheap.”"


def span(*parts, text=TEXT):
    return tuple((text.index(p), text.index(p) + len(p)) for p in parts)


ARTICLE = Annotated(
    "a",
    "0001",
    TEXT,
    (
        Attribution(span("Ann Lee"), span("said"), span("that the port was open")),
        Attribution(span("she"), span("added"), span("“It works,”", "“and it is cheap.”")),
    ),
)


def write(tmp_path, ann, text=TEXT, name="a_00ff"):
    for kind in ("text", "attributions"):
        (tmp_path / "polnear" / "dev" / kind).mkdir(parents=True, exist_ok=True)
    (tmp_path / "polnear" / "dev" / "text" / f"{name[:-5]}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "polnear" / "dev" / "attributions" / f"{name}.ann").write_text(ann, encoding="utf-8")
    return tmp_path


def test_reader_joins_the_pieces_of_a_span(tmp_path):
    (a, b), (c, d) = span("“It works,”", "“and it is cheap.”")
    ann = (
        "T1\tSource 0 7\tAnn Lee\nT2\tCue 8 12\tsaid\n"
        f"T3\tContent {c} {d};{a} {b}\tboth\nstill covered text\nT4\tAttribution 8 12\tsaid\n"
        "E1\tAttribution:T4 Source:T1 Cue:T2 Content:T3\n#1\tAnnotatorNotes T1\ta note\n"
    )
    (found,) = polnear.read(write(tmp_path, ann), "dev")
    assert (found.article, found.annotator) == ("a", "00ff")
    assert found.attributions == (Attribution(((0, 7),), ((8, 12),), ((a, b), (c, d))),)


@pytest.mark.parametrize(
    ("ann", "message"),
    [
        ("T1\tCue 8 9999\tsaid\n", "line 1: span 8 9999 lies outside the text"),
        ("T1\tCue 8 12\tsaid\nE1\tAttribution:T1 Cue:T7\n", "line 2: span T7 is not defined"),
    ],
)
def test_reader_names_file_and_line(tmp_path, ann, message):
    with pytest.raises(ValueError, match=f"a_00ff.ann, {message}"):
        list(polnear.read(write(tmp_path, ann), "dev"))


def test_one_annotator_of_an_article_can_be_kept(tmp_path):
    write(tmp_path, "", name="a_0001")
    write(tmp_path, "", name="a_0002")
    assert [a.annotator for a in polnear.read(tmp_path, "dev")] == ["0001", "0002"]
    assert [a.annotator for a in polnear.read(tmp_path, "dev", one_annotator=True)] == ["0001"]


def test_spans_follow_every_edit():
    at = TEXT.index("the port")
    changed = edited(ARTICLE, [(0, 0, "Photo: Ann.\n\n"), (at, at + 3, "a"), (len(TEXT) - 1, len(TEXT), "")])
    assert changed.text == "Photo: Ann.\n\n" + TEXT[:-1].replace("the port", "a port")
    source, cue, content = (getattr(changed.attributions[0], r)[0] for r in ("source", "cue", "content"))
    assert changed.text[slice(*source)] == "Ann Lee"
    assert changed.text[slice(*cue)] == "said"
    assert changed.text[slice(*content)] == "that a port was open"
    assert changed.text[slice(*changed.attributions[1].content[1])] == "“and it is cheap."


def test_noise_is_repeatable_and_keeps_every_word_said():
    article = Annotated("a", "1", f"{TEXT}\n\nHead\n\n{TEXT}", ARTICLE.attributions)
    texts = set()
    for seed in range(20):
        one, two = (noisy(article, Noise().scaled(3), seed) for _ in range(2))
        assert one == two
        texts.add(one.text)
        said = [one.text[slice(*p)].strip("“”\"`',. ") for p in one.attributions[1].content]
        assert said == ["It works", "and it is cheap"]
    assert len(texts) > 10


def test_one_surname_is_spelled_in_two_ways():
    text = "Andriy Kovalenko spoke. Kovalenko left. Kovalenko came back. Kovalenko slept. It rained."
    only = Noise(**{f.name: 0.0 for f in fields(Noise)} | {"respelled": 1.0})
    for seed in range(5):
        rough = noisy(Annotated("a", "1", text, ()), only, seed).text
        names = {w.strip(".") for w in rough.split() if w.startswith("Ko")}
        assert len(names) in (1, 2)
        assert len({folded(n) for n in names}) == 1
    assert len(names) == 2


@pytest.fixture(scope="module")
def tokenizer(encoder_folder):
    made = Tokenizer.from_file(str(encoder_folder / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def test_gold_tags_spell_the_gold_spans(tokenizer):
    tokens = article_tokens(TEXT, tokenizer)
    tags = [TAGS[i] for i in tag_ids(tokens, ARTICLE)]
    assert tags[:4] == ["B-source", "I-source", "B-cue", "B-content"]
    assert tags.count("B-content") == 3
    (example,) = examples(ARTICLE, tokenizer)
    assert example.roles.shape == (2, len(tokens) + 2)
    assert [(r == 1).sum() for r in example.roles] == [2, 1]
    batch = collate([example, example])
    assert batch.rows.tolist() == [0, 0, 1, 1]
    assert torch.allclose(batch.cues.sum(1), torch.ones(4))


def test_batches_hold_each_example_once_and_keep_their_size():
    lengths = list(range(5, 300, 3))
    found = batches(lengths, 600, np.random.default_rng(0))
    assert sorted(i for b in found for i in b) == list(range(len(lengths)))
    assert all(len(b) == 1 or max(lengths[i] for i in b) * len(b) <= 600 for b in found)


def test_tagger_learns_an_article_by_heart(tokenizer):
    torch.manual_seed(0)
    network = QuoteNetwork(torch.randn(VOCABULARY, 32) * 0.1, layers=2, heads=4, inner=64, rank=16, dropout=0.0)
    tagger = QuoteTagger(network, tokenizer, {"name": "tiny", "thresholds": {}})
    recipe = QuoteRecipe(epochs=150, rate=3e-3, head_rate=1e-2, noisy_share=0.0, dropout=0.0)
    fit(tagger, [ARTICLE], recipe)
    from stance.quotes import extract_many

    table = linked_counts([ARTICLE], lambda a: extract_many(a, engine="learned", tagger=tagger))
    figures = linked_figures(table, resamples=10)
    assert figures["F1"][0] == figures["speaker exact, of matched"][0] == figures["exact content, of matched"][0] == 1


def test_the_recipe_is_that_of_the_shipped_tagger():
    shipped = json.loads((shipped_tagger() / "config.json").read_text(encoding="utf-8"))["recipe"]
    assert {k: v for k, v in asdict(QuoteRecipe()).items() if k != "minutes"} == shipped


def test_a_training_that_is_cut_off_writes_nothing_where_the_tagger_is(encoder_folder, monkeypatch, tmp_path):
    def cut_off(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(build_quotes, "get_model_path", lambda: encoder_folder)
    monkeypatch.setattr(build_quotes, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(build_quotes, "read", lambda *arguments, **options: [ARTICLE])
    monkeypatch.setattr(build_quotes, "sampled", cut_off)
    monkeypatch.setattr("sys.argv", ["build_quotes", "-o", str(tmp_path / "tagger"), "--epochs", "1"])
    with pytest.raises(KeyboardInterrupt):
        build_quotes.main()
    assert not (tmp_path / "tagger").exists()


def test_linked_counts_what_matches_one_to_one():
    a, b = (x.content for x in ARTICLE.attributions)
    assert linked([a, b], [b, a, a]) == [(1, 0), (0, 1)] or linked([a, b], [b, a, a]) == [(0, 1), (1, 0)]
    half = ((a[0][0], a[0][0] + (a[0][1] - a[0][0]) // 2 - 1),)
    assert linked([a], [half]) == []
    row = dict(zip(COLUMNS, counts(ARTICLE, [Predicted(a, span("Ann"), "indirect")]), strict=True))
    assert (row["gold"], row["predicted"], row["matched"], row["exact"]) == (2, 1, 1, 1)
    assert (row["source_overlap"], row["source_exact"]) == (1, 0)
    assert (row["gold_direct"], row["gold_indirect"], row["matched_direct"]) == (1, 1, 0)
    assert quote_type(ARTICLE) == ["indirect", "direct"]


def test_predictions_join_the_parts_of_a_quotation():
    from stance.quotes import extract_statements
    from stance.schema import Article

    found = predictions(TEXT, extract_statements(Article("a", TEXT), engine="rules"))
    assert [(len(p.content), p.quote_type) for p in found] == [(1, "indirect"), (2, "direct")]


def test_tag_spans_and_tokens_traced_to_the_text():
    tags = ("B-source", "I-source", "B-cue", "I-content", "I-content", "O", "B-cue", "B-cue")
    assert polnear_cofenet.tag_spans(tags) == {
        ("source", 0, 2),
        ("cue", 2, 3),
        ("content", 3, 5),
        ("cue", 6, 7),
        ("cue", 7, 8),
    }
    tokens = ("``", "It", "works", ",", "''", "she", "added", "-LRB-", "xyz")
    paragraph = polnear_cofenet.Paragraph("a_1", tokens, ("O",) * len(tokens))
    (starts,) = polnear_cofenet.trace(TEXT, [paragraph])
    assert [TEXT[s] for s in starts[:7]] == ["“", "I", "w", ",", "”", "s", "a"]
    assert starts[7:] == [-1, -1]


def test_polnear_and_its_other_form_agree(data):
    texts = {f"{a.article}_{a.annotator}": a for a in polnear.read(data, "dev")}
    documents = {}
    for paragraph in polnear_cofenet.read(data, "dev"):
        documents.setdefault(paragraph.document, []).append(paragraph)
    assert set(documents) == set(texts)
    starts = [s for d, ps in documents.items() for part in polnear_cofenet.trace(texts[d].text, ps) for s in part]
    assert starts.count(-1) / len(starts) < 0.02
