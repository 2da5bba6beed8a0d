"""The encoder without padding: what it may change, and what it may not."""

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from stance.errors import ModelError, UsageError
from stance.quotes import extract_many, inference
from stance.quotes.decoding import Link, Span, link
from stance.quotes.inference import VARIABLE, QuoteEncoder, chosen_precision
from stance.quotes.int8 import has_int8
from stance.quotes.network import QuoteNetwork
from stance.quotes.tagger import QuoteTagger, _ahead
from stance.quotes.windows import VOCABULARY
from stance.schema import Article

LENGTHS = [7, 150, 33, 7]
int8 = pytest.param("int8", marks=pytest.mark.skipif(not has_int8(), reason="no 8-bit instructions"))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    made = QuoteNetwork(torch.randn(VOCABULARY, 32), layers=2, heads=4, inner=64, rank=16).eval()
    torch.nn.init.normal_(made.shapes.weight)
    return made


@pytest.fixture(scope="module")
def inputs():
    torch.manual_seed(6)
    return torch.randint(1, VOCABULARY, (sum(LENGTHS),)), torch.randint(0, 12, (sum(LENGTHS),))


@pytest.fixture(scope="module")
def articles():
    folder = Path(__file__).resolve().parents[2] / "examples" / "articles"
    found = [Article(p.stem, p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.txt"))]
    return [*found, Article("empty", ""), Article("long", "\n\n".join(a.text for a in found * 4))]


@pytest.fixture(scope="module")
def taggers():
    precisions = ["fp32", "bf16", *(["int8"] if has_int8() else [])]
    return {precision: QuoteTagger.from_pretrained(precision=precision) for precision in precisions}


def padded(network, inputs):
    ids, shapes = (torch.nn.utils.rnn.pad_sequence(x.split(LENGTHS), batch_first=True) for x in inputs)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    with torch.inference_mode():
        return network.encode(ids, shapes, mask)[mask]


def test_without_padding_the_vectors_are_those_of_the_padded_encoder(network, inputs):
    found = QuoteEncoder(network, "fp32")(*inputs, LENGTHS)
    assert torch.allclose(found, padded(network, inputs), atol=1e-5)


@pytest.mark.parametrize("packed", [True, False])
def test_bf16_stays_near_with_packed_layers_and_without(network, inputs, packed, monkeypatch):
    if not packed:
        monkeypatch.setattr(inference, "_has_onednn", lambda: False)
    found = QuoteEncoder(network, "bf16")(*inputs, LENGTHS)
    assert found.dtype == torch.float32
    apart = (found - padded(network, inputs)).abs()
    assert 0 < apart.max() < 0.1
    assert apart.mean() < 0.01


def test_a_network_in_training_is_read_as_it_is_in_fp32(inputs):
    torch.manual_seed(5)
    network = QuoteNetwork(torch.randn(VOCABULARY, 32), layers=1, heads=4, inner=64, rank=16).eval()
    shared, copied = QuoteEncoder(network, "fp32"), QuoteEncoder(network, "bf16")
    before = [encoder(*inputs, LENGTHS) for encoder in (shared, copied)]
    torch.nn.init.normal_(network.layers[0].up.weight)
    assert not torch.equal(shared(*inputs, LENGTHS), before[0])
    assert torch.equal(copied(*inputs, LENGTHS), before[1])


def test_precision_is_chosen_forced_and_shown(monkeypatch, taggers):
    monkeypatch.delenv(VARIABLE, raising=False)
    for eight, half, expected in ((True, True, "int8"), (False, True, "bf16"), (False, False, "fp32")):
        monkeypatch.setattr(inference, "has_int8", lambda has=eight: has)
        monkeypatch.setattr(inference, "has_bf16", lambda has=half: has)
        assert chosen_precision() == expected
    monkeypatch.setenv(VARIABLE, "bf16")
    assert (chosen_precision(), chosen_precision("fp32")) == ("bf16", "fp32")
    assert all(tagger.precision == name for name, tagger in taggers.items())
    monkeypatch.setenv(VARIABLE, "int4")
    with pytest.raises(UsageError, match=f"{VARIABLE}: precision 'int4' is unknown, choose from int8, bf16, fp32"):
        QuoteTagger.from_pretrained()


def test_int8_is_for_machines_that_have_it_and_taggers_that_were_measured(monkeypatch, network):
    monkeypatch.delenv(VARIABLE, raising=False)
    for has in (True, False):
        monkeypatch.setattr(inference, "has_int8", lambda has=has: has)
        assert chosen_precision(ranges=False) in ("bf16", "fp32")
    with pytest.raises(UsageError, match="int8 needs a CPU with VNNI"):
        QuoteTagger.from_pretrained(precision="int8")
    with pytest.raises(ModelError, match=r"ranges\.0\.qkv is missing .*training\.quote_ranges"):
        QuoteEncoder(network, "int8")


@pytest.mark.skipif(not has_int8(), reason="no 8-bit instructions")
def test_int8_finds_nearly_the_statements_of_fp32(taggers, articles):
    exact, quick = ([t._encoded(a.text).emissions for a in articles] for t in (taggers["fp32"], taggers["int8"]))
    apart = np.abs(np.concatenate(exact) - np.concatenate(quick))
    assert 0 < apart.mean() < 0.05
    spoken, again = (
        {(s.article_id, s.start, s.end, s.cue) for found in extract_many(articles, tagger=taggers[p]) for s in found}
        for p in ("fp32", "int8")
    )
    assert len(spoken & again) > 0.95 * max(len(spoken), len(again))


def test_bf16_finds_the_statements_of_fp32(taggers, articles):
    exact, quick = ([t._encoded(a.text).emissions for a in articles] for t in (taggers["fp32"], taggers["bf16"]))
    apart = np.abs(np.concatenate(exact) - np.concatenate(quick))
    assert apart.max() < 0.5
    assert apart.mean() < 0.02
    assert extract_many(articles, tagger=taggers["bf16"]) == extract_many(articles, tagger=taggers["fp32"])


@pytest.mark.parametrize("precision", ["fp32", "bf16", int8])
def test_scores_are_the_same_to_the_bit_alone_among_others_and_in_sequence(taggers, articles, precision):
    tagger = taggers[precision]
    texts = [a.text for a in articles]
    together = tagger.read(texts)
    for text, reading in zip(texts, together, strict=True):
        (alone,) = tagger.read([text])
        sequential = tagger._decoded(tagger._encoded(text))
        assert reading.links == alone.links == sequential.links
        assert reading.spans == alone.spans == sequential.spans
    assert extract_many(articles, tagger=tagger) == [extract_many([a], tagger=tagger)[0] for a in articles]
    first, second = (tagger._encoded(texts[0]).emissions for _ in range(2))
    assert np.array_equal(first, second)


def test_attention_that_overflows_is_computed_by_torch():
    torch.manual_seed(2)
    q, k, v = torch.randn(3, 4, 20, 8)
    for size in (1.0, 300.0):
        scaled = (q * size * 8**-0.5 / np.log(2)).bfloat16()
        found = inference._attend_bf16(scaled, k.bfloat16(), v.bfloat16())
        expected = torch.softmax(scaled.float() @ k.bfloat16().float().mT * np.log(2), -1) @ v
        assert (found - expected).abs().max() < 0.1


def test_roles_of_one_window_are_those_of_the_padded_batch(network):
    torch.manual_seed(8)
    windows = [torch.randn(n, 32) for n in (30, 90)]
    shares = [torch.zeros(2, n) for n in (30, 90)]
    for share in shares:
        share[0, 3:5], share[1, 20] = 0.5, 1.0
    centres = torch.tensor([4, 20])
    places = torch.tensor([0, 7, 29])
    with torch.inference_mode():
        padded = torch.nn.utils.rnn.pad_sequence(windows, batch_first=True)
        cues = torch.cat([torch.nn.functional.pad(s, (0, 90 - s.shape[1])) for s in shares])
        expected = network.roles(padded, torch.tensor([0, 0, 1, 1]), cues, centres.repeat(2))[:, places]
        found = torch.cat([network.window_roles(w, places, s, centres) for w, s in zip(windows, shares, strict=True)])
    assert torch.allclose(found, expected, atol=1e-5)


def test_as_many_items_as_threads_are_worked_on_ahead_and_order_is_kept():
    count = torch.get_num_threads() + 3
    begun = [threading.Event() for _ in range(count)]
    inside = []

    def work(i):
        begun[i].set()
        inside.append(torch.get_num_threads())
        return i * 10

    found = _ahead(work, range(count))
    assert next(found) == 0
    assert all(begun[i].wait(5) for i in range(count - 2))
    assert not begun[count - 1].is_set()
    assert list(found) == [i * 10 for i in range(1, count)]
    assert set(inside) == {1}
    assert torch.get_num_threads() == count - 3


def test_what_fails_ahead_is_raised_in_its_place():
    found = _ahead(lambda i: 1 // i, [1, 0])
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)


def plain_odds(span, low, logs, role):
    part = logs[max(0, span.first - low) : max(0, span.last - low), role].astype(float)
    return float(np.mean(part - np.log1p(-np.minimum(np.exp(part), 1 - 1e-6)))) if len(part) else -np.inf


def plain_link(spans, scores, thresholds):
    """`link` as its docstring says it, span by span."""
    cues = [i for i, s in enumerate(spans) if s.kind == "cue"]
    contents, alone = [[] for _ in cues], []
    for i in (i for i, s in enumerate(spans) if s.kind == "content"):
        values = [plain_odds(spans[i], *score, 2) for score in scores]
        best = int(np.argmax(values)) if values else -1
        (contents[best] if values and values[best] > thresholds["content"] else alone).append(i)
    found = [Link(None, (), (i,)) for i in alone]
    for c, cue in enumerate(cues):
        choices = [(plain_odds(s, *scores[c], 1), i) for i, s in enumerate(spans) if s.kind == "source"]
        value, best = max(choices, default=(-np.inf, -1))
        found.append(Link(cue, (best,) if value > thresholds["source"] else (), tuple(contents[c])))
    return sorted(found, key=lambda x: spans[x.contents[0] if x.contents else x.cue].start)


@pytest.mark.parametrize("seed", range(8))
def test_links_are_those_chosen_span_by_span(seed):
    rng = np.random.default_rng(seed)
    borders = np.sort(rng.choice(400, size=2 * int(rng.integers(1, 40)), replace=False)).tolist()
    kinds = rng.choice(["source", "cue", "content"], size=len(borders) // 2)
    spans = [Span(str(k), a, b, 5 * a, 5 * b) for k, (a, b) in zip(kinds, list(pairwise(borders))[::2], strict=True)]
    cues = [(s.first, s.last) for s in spans if s.kind == "cue"]
    scores = []
    for first, last in cues:
        low, high = max(0, first - int(rng.integers(90))), last + int(rng.integers(90))
        raw = rng.normal(scale=3, size=(high - low, 3))
        scores.append((low, (raw - np.log(np.exp(raw).sum(1, keepdims=True))).astype(np.float32)))
    thresholds = {"content": -2.0, "source": -1.0}
    assert link(spans, cues, scores, thresholds) == plain_link(spans, scores, thresholds)
