import re
import tracemalloc
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from stance.errors import ModelError, UsageError
from stance.quotes import extract_many, extract_statements
from stance.quotes.decoding import Span, link, spans_of, viterbi
from stance.quotes.network import TAGS, QuoteNetwork
from stance.quotes.storage import read_folder, word_embeddings, write_folder
from stance.quotes.tagger import QuoteTagger
from stance.quotes.windows import SEP, VOCABULARY, article_tokens, article_windows
from stance.schema import Article


@pytest.fixture(scope="module")
def tokenizer(encoder_folder):
    made = Tokenizer.from_file(str(encoder_folder / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


@pytest.fixture(scope="module")
def tagger(tokenizer):
    """Random weights: spans and links fall anywhere, which is what the decoder has to stand."""
    torch.manual_seed(3)
    network = QuoteNetwork(torch.randn(VOCABULARY, 32), layers=2, heads=4, inner=64, rank=16)
    torch.nn.init.normal_(network.tag.weight, std=2.0)
    return QuoteTagger(network, tokenizer, {"name": "random", "thresholds": {"content": -9.0, "source": -9.0}})


def test_windows_own_every_token_once_and_fit_the_encoder(tokenizer):
    text = "\n\n".join(["One. " * 20, "Word " * 1500, "“We came,” she said. " * 200, "End."])
    tokens = article_tokens(text, tokenizer)
    windows = article_windows(tokens)
    assert [w.first for w in windows] == [0, *(w.last for w in windows[:-1])]
    assert windows[-1].last == len(tokens)
    assert all(w.low <= w.first < w.last <= w.high for w in windows)
    assert max(w.high - w.low + 2 for w in windows) <= 512


def test_tokens_point_into_the_text_and_separate_paragraphs(tokenizer):
    text = "“Üñ” came.\n\nIt rained [SEP] hard."
    tokens = article_tokens(text, tokenizer)
    between = [i for i in range(len(tokens)) if tokens.start[i] == tokens.end[i]]
    assert [int(tokens.ids[i]) for i in between] == [SEP]
    assert tokens.paragraph.tolist() == sorted(tokens.paragraph.tolist())
    words = "".join(text[a:b] for a, b in zip(tokens.start, tokens.end, strict=True))
    assert words == "".join(text.split())
    inside = tokens.shape[:3] % 3
    assert inside.tolist() == [1, 2, 2] or inside.tolist() == [1, 2, 1]


def test_viterbi_finds_the_best_sequence():
    rng = np.random.default_rng(0)
    network = QuoteNetwork(torch.zeros(VOCABULARY, 8), layers=1, heads=2, inner=8, rank=4)
    torch.nn.init.normal_(network.transitions)
    moves = network.moves().detach().numpy()
    emissions = rng.normal(size=(9, 7)).astype(np.float32)
    paragraph = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    found = viterbi(emissions, moves, paragraph)
    for first, last in ((0, 4), (4, 7), (7, 9)):

        def score(tags, first=first):
            if tags[0] and tags[0] % 2 == 0:
                return -1e9
            gone = sum(moves[a, b] for a, b in pairwise(tags))
            return sum(emissions[first + i, t] for i, t in enumerate(tags)) + gone

        best = max(product(range(7), repeat=last - first), key=score)
        assert tuple(found[first:last]) == best


def test_viterbi_needs_no_memory_for_paragraphs_that_ended():
    paragraph = np.concatenate([np.zeros(2000, dtype=np.int64), np.arange(1, 2001)])
    tracemalloc.start()
    viterbi(np.zeros((4000, 7), dtype=np.float32), np.zeros((7, 7), dtype=np.float32), paragraph)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_crf_loss_is_the_negative_log_likelihood():
    torch.manual_seed(0)
    network = QuoteNetwork(torch.zeros(VOCABULARY, 8), layers=1, heads=2, inner=8, rank=4)
    torch.nn.init.normal_(network.transitions)
    emissions, tags = torch.randn(2, 4, 7), torch.tensor([[1, 2, 0, 5], [0, 3, 4, 0]])
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    moves = network.moves().detach()
    total = 0.0
    for row, n in ((0, 4), (1, 3)):

        def score(path, row=row):
            gone = sum(moves[a, b] for a, b in pairwise(path))
            return sum(emissions[row, i, t] for i, t in enumerate(path)) + gone

        everything = torch.stack([torch.as_tensor(score(p)) for p in product(range(7), repeat=n)])
        total += float(torch.logsumexp(everything, 0) - score(tags[row, :n].tolist()))
    assert network.tag_loss(emissions, tags, mask).item() == pytest.approx(total / 7, rel=1e-4)


def test_each_content_goes_to_its_own_cue_and_may_have_several_pieces():
    spans = [Span(k, i, i + 1, 5 * i, 5 * i + 4) for i, k in enumerate(("content", "cue", "source", "content", "cue"))]
    first, second = np.full((5, 3), -6.0, dtype=np.float32), np.full((5, 3), -6.0, dtype=np.float32)
    first[[0, 3], 2] = first[2, 1] = -0.01
    (one, two) = link(spans, [(1, 2), (4, 5)], [(0, first), (0, second)], {"content": -2.0, "source": -2.0})
    assert (one.cue, one.sources, one.contents) == (1, (2,), (0, 3))
    assert (two.cue, two.sources, two.contents) == (4, (), ())


def test_spans_break_where_a_new_one_begins(tokenizer):
    tokens = article_tokens("a b c d e", tokenizer)
    tags = np.array([TAGS.index(t) for t in ("B-cue", "I-cue", "B-cue", "O", "B-content")])
    assert [(s.kind, s.start, s.end) for s in spans_of(tags, tokens)] == [
        ("cue", 0, 3),
        ("cue", 4, 5),
        ("content", 8, 9),
    ]


def test_folder_round_trip_keeps_the_reading(tagger, tmp_path):
    words = tmp_path / "words"
    words.mkdir()
    from safetensors.torch import save_file

    save_file({"encoder.embeddings.word_embeddings.weight": tagger.network.words.half()}, words / "model.safetensors")
    tagger.ranges = {"ranges.0.qkv": torch.tensor([[-0.5] * 32, [2.0] * 32])}
    tagger.save_pretrained(tmp_path / "tagger")
    loaded = QuoteTagger.from_pretrained(tmp_path / "tagger", words_from=words, precision="fp32")
    assert loaded.id == tagger.id
    assert torch.equal(loaded.ranges["ranges.0.qkv"], tagger.ranges.pop("ranges.0.qkv"))
    for name, value in tagger.network.state_dict().items():
        scale = value.abs().amax().item() / 127 + 1e-3
        assert (loaded.network.state_dict()[name] - value).abs().max() <= scale, name
    assert (tmp_path / "tagger" / "model.safetensors").stat().st_size < 200_000


def test_a_folder_of_format_1_is_read_without_8_bits(tagger, tmp_path, monkeypatch):
    from safetensors.torch import save_file

    monkeypatch.delenv("STANCE_EXTRACTOR_PRECISION", raising=False)
    save_file({"embeddings.word_embeddings.weight": tagger.network.words.half()}, tmp_path / "model.safetensors")
    tagger.save_pretrained(tmp_path / "tagger")
    config = tmp_path / "tagger" / "config.json"
    for number in (1, 3):
        config.write_text(re.sub(r'"format": \d', f'"format": {number}', config.read_text()))
        if number == 1:
            loaded = QuoteTagger.from_pretrained(tmp_path / "tagger", words_from=tmp_path)
            assert loaded.precision in ("bf16", "fp32")
            loaded.save_pretrained(tmp_path / "again")
            assert '"format": 2' in (tmp_path / "again" / "config.json").read_text()
        else:
            with pytest.raises(ModelError, match="tagger format 3, this version reads 1 and 2"):
                read_folder(tmp_path / "tagger")


def test_other_word_embeddings_are_refused(tagger, tmp_path):
    from safetensors.torch import save_file

    tagger.save_pretrained(tmp_path / "tagger")
    torch.manual_seed(9)
    other = tmp_path / "other"
    other.mkdir()
    save_file({"embeddings.word_embeddings.weight": torch.randn(VOCABULARY, 32)}, other / "model.safetensors")
    with pytest.raises(ModelError, match="differ by"):
        QuoteTagger.from_pretrained(tmp_path / "tagger", words_from=other)


def test_what_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json, model\.safetensors, tokenizer\.json missing"):
        read_folder(tmp_path)
    write_folder(tmp_path, {"a": torch.zeros(2)}, torch.zeros(VOCABULARY, 8), {"name": "x"}, "{}")
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="damaged"):
        read_folder(tmp_path)
    with pytest.raises(ModelError, match="no word embeddings"):
        word_embeddings(tmp_path)
    with pytest.raises(UsageError, match="engine 'magic'"):
        extract_statements(Article("a", "x"), engine="magic")


MARKS = ["“", "”", '"', "‘", "’", "``", "''", ", ", ". ", "\n", "\n\n", "(", "🙂", "é"]
PIECES = [*MARKS, "said ", "that ", "Ann Lee ", "he "]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=60).map("".join))
def test_any_text_keeps_the_contract(tagger, text):
    (statements,) = extract_many([Article("a", text)], engine="learned", tagger=tagger)
    assert all(a.end <= b.start for a, b in pairwise(statements))
    assert len({s.id for s in statements}) == len(statements)
    for s in statements:
        assert s.start < s.end
        assert text[s.start : s.end] == s.text
        if s.speaker:
            assert text[s.speaker.start : s.speaker.end] == s.speaker.mention


def test_an_article_reads_the_same_alone_and_among_others(tagger):
    folder = Path(__file__).resolve().parents[2] / "examples" / "articles"
    articles = [Article(p.stem, p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.txt"))]
    together = extract_many(articles, engine="learned", tagger=tagger)
    assert together == extract_many(articles, engine="learned", tagger=tagger)
    assert [extract_many([a], engine="learned", tagger=tagger)[0] for a in articles] == together
    assert sum(map(len, together)) > 0


def test_quotations_are_never_cut(tagger):
    text = "“We came at night and nobody asked us to leave,” Ann Lee said. Ivan Petrov told her that it was late."
    (found,) = extract_many([Article("a", text)], engine="learned", tagger=tagger)
    inner = (1, text.index(",”"))
    for s in found:
        assert s.end <= inner[0] or s.start >= inner[1] or (s.start <= inner[0] and s.end >= inner[1])
