"""The linear layers in 8 bits: what rounding may change, and how its steps are kept fine."""

import pytest
import torch

from stance import cpu
from stance.quotes.inference import QuoteEncoder
from stance.quotes.int8 import Feed8, Linear8, _split, has_int8
from stance.quotes.network import QuoteNetwork
from stance.quotes.windows import VOCABULARY
from training.quote_ranges import measured

LENGTHS = [7, 150, 33, 7]
needs_int8 = pytest.mark.skipif(not has_int8(), reason="no 8-bit instructions")


def ends(x):
    return torch.stack([x.amin(0), x.amax(0)])


def error(found, exact):
    return ((found - exact).norm() / exact.norm()).item()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    return QuoteNetwork(torch.randn(VOCABULARY, 32), layers=2, heads=4, inner=64, rank=16).eval()


@pytest.fixture(scope="module")
def inputs():
    torch.manual_seed(6)
    count = sum(LENGTHS)
    return torch.randint(1, VOCABULARY, (count,)), torch.randint(0, 12, (count,)), LENGTHS


def test_ranges_are_the_ends_of_what_each_layer_reads(network, inputs):
    found = measured(network, [inputs, inputs])
    assert len(found) == 8
    with torch.inference_mode():
        places = torch.cat([torch.arange(n) for n in LENGTHS])
        read = network.embed(inputs[0], inputs[1], places)
    low, high = found["ranges.0.qkv"]
    assert torch.allclose(high, read.amax(0).clamp(min=0), atol=1e-6)  # rows that fill the last block are zero
    assert torch.allclose(low, read.amin(0).clamp(max=0), atol=1e-6)
    assert found["ranges.1.down"].shape == (2, 64)
    assert not any(m._forward_hooks for m in network.modules())


@needs_int8
@pytest.mark.parametrize("half", [True, False])
def test_the_encoder_stays_near_float32(network, inputs, half, monkeypatch):
    monkeypatch.setattr("stance.quotes.inference.has_bf16", lambda: half)
    exact = QuoteEncoder(network, "fp32")(*inputs)
    found = QuoteEncoder(network, "int8", measured(network, [inputs]))(*inputs)
    assert found.dtype == torch.float32
    assert 0 < error(found, exact) < 0.03


@needs_int8
def test_a_large_channel_costs_the_others_nothing():
    torch.manual_seed(1)
    linear = torch.nn.Linear(64, 48)
    x = torch.randn(200, 64)
    x[:, 5] *= 60
    linear.weight.data[:, 5] /= 60
    with torch.inference_mode():
        exact = linear(x)
        smoothed = Linear8.of(linear, ends(x))
        plain = Linear8(linear.weight, linear.bias, *ends(x), torch.ones(64))
        errors = [error(layer(layer.rounded(x), torch.float32), exact) for layer in (smoothed, plain)]
        added = smoothed.plus(smoothed.rounded(x), torch.ones(200, 48))
    assert errors[0] < 0.015 < 0.05 < errors[1]
    assert torch.allclose(added, smoothed(smoothed.rounded(x), torch.float32) + 1, atol=1e-5)


@needs_int8
def test_what_lies_beyond_the_range_is_cut_and_never_wraps_round():
    linear = torch.nn.Linear(16, 16)
    x = torch.linspace(-1, 1, 160).view(10, 16)
    with torch.inference_mode():
        layer = Linear8.of(linear, ends(x))
        far, end = layer.rounded(torch.full((1, 16), 1e6)), layer.rounded(torch.full((1, 16), -1e6))
    assert far.unique().tolist() == [255]
    assert end.unique().tolist() == [0]


def test_a_unit_and_its_copies_add_up_to_it():
    high = torch.full((200,), 3.0)
    high[7], high[9] = 50.0, 8.0
    most, unit, place = _split(high)
    assert 3.0 <= most < 8.0
    assert len(unit) % 16 == 0
    assert set(unit[place > 0].tolist()) == {7, 9}
    a = torch.linspace(-5, 50, 500)
    bias = torch.cat([torch.zeros(1), most * place[(unit == 7) & (place > 0)]])
    cut = torch.nn.functional.gelu(a[:, None] - bias).clamp(max=most).sum(1)
    assert (cut - torch.nn.functional.gelu(a)).abs().max() < 0.25


@needs_int8
def test_a_unit_far_above_the_others_keeps_the_steps_fine():
    torch.manual_seed(4)
    up, down = torch.nn.Linear(32, 128), torch.nn.Linear(128, 32)
    up.weight.data[3] *= 40
    down.weight.data[:, 3] /= 10
    x = torch.randn(300, 32)
    with torch.inference_mode():
        inner = torch.nn.functional.gelu(up(x))
        exact = x + down(inner)
        split = Feed8(up, down, ends(x), ends(inner))
        assert split._down.step < 0.3 * inner.max().item() / 255
        assert error(split(x), exact) < 0.01


def test_eight_bits_are_for_cpus_that_have_them(monkeypatch):
    for flags, expected in (({"avx2", "avx512_vnni"}, True), ({"avx_vnni"}, True), ({"avx2", "avx512_bf16"}, False)):
        cpu.has_vnni.cache_clear()
        monkeypatch.setattr(cpu, "_flags", lambda flags=flags: flags)
        assert cpu.has_vnni() is expected
    cpu.has_vnni.cache_clear()
