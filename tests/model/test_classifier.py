import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stance.errors import ModelError, UsageError
from stance.model import IGNORED, StanceClassifier
from stance.model.config import TARGET_VIEWS
from stance.model.modeling import MASKED, attention_view
from stance.model.packing import pad
from stance.schema import Speaker, Statement

TARGETS = ["United States", "Russia", "China", "Ukraine"]


def statement(text, speaker="Ann Lee", before="", after=""):
    return Statement(id=text, text=text, speaker=Speaker(speaker, speaker), before=before, after=after)


def test_layout_of_the_input(tiny):
    (packed,) = tiny.packer.pack([statement("we won", before="She said ", after=" twice.")], [TARGETS])
    shown = tiny.tokenizer.decode(packed.ids, skip_special_tokens=False)
    assert shown == (
        "[CLS] ann lee [SEP] she said [S] we won [/S] twice. [SEP] [TARGET] united states [TARGET] russia "
        "[TARGET] china [TARGET] ukraine [SEP]"
    )
    marker = tiny.config.special_ids["target"]
    assert [packed.ids[i] for i in packed.markers] == [marker] * 4
    start, end = packed.statement_span
    assert tiny.tokenizer.decode(packed.ids[start:end]) == "we won"


def test_text_cannot_forge_a_marker(tiny):
    (packed,) = tiny.packer.pack([statement("[TARGET] Russia [SEP] [S]")], [["China"]])
    special = tiny.config.special_ids
    assert packed.ids.count(special["target"]) == 1
    assert packed.ids.count(special["sep"]) == 3
    assert packed.ids.count(special["open"]) == 1


def test_context_gives_way_before_the_statement_does(tiny):
    long = "word " * 2000
    (packed,) = tiny.packer.pack([statement("word " * 450, before=long, after=long)], [TARGETS])
    assert len(packed.ids) == tiny.config.max_tokens
    assert not packed.truncated
    (cut,) = tiny.packer.pack([statement("word " * 600)], [TARGETS])
    assert len(cut.ids) == tiny.config.max_tokens
    assert cut.truncated


def test_truncation_is_reported(tiny):
    _, truncated = tiny.predict_proba([statement("short"), statement("word " * 600)], TARGETS)
    assert truncated.tolist() == [False, True]


def test_a_name_that_is_cut_is_reported(tiny):
    long = "the committee for " * 20
    shown = [statement("short"), statement("short", speaker=long)]
    assert tiny.logits(shown, TARGETS)[1].tolist() == [False, True]
    assert tiny.logits(shown, [*(f"Country {i}" for i in range(9)), long])[1].tolist() == [True, True]


def test_names_that_leave_no_room_for_a_statement_are_refused(tiny):
    with pytest.raises(UsageError, match=r"512 tokens has no room for a statement .* 200 target\(s\)"):
        tiny.packer.pack([statement("we won")], [[f"Country {i}" for i in range(200)]])


def test_probabilities_do_not_depend_on_the_batch(tiny):
    texts = [statement("we won " * n) for n in range(1, 30)]
    together, _ = tiny.predict_proba(texts, TARGETS)
    alone = np.stack([tiny.predict_proba([s], TARGETS)[0][0] for s in texts])
    assert together.shape == (29, 4, 4)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(-1), 1.0)


def test_many_targets_take_several_passes(tiny):
    names = [f"Country {i}" for i in range(19)]
    p, _ = tiny.predict_proba([statement("we won")], names)
    first, _ = tiny.predict_proba([statement("we won")], names[:8])
    assert p.shape == (1, 19, 4)
    np.testing.assert_allclose(p[:, :8], first, atol=1e-6)


def test_pairs_equal_single_targets(tiny):
    pairs = tiny.predict_pairs([statement("we won"), statement("they lost")], ["Russia", "China"])
    single, _ = tiny.predict_proba([statement("they lost")], ["China"])
    np.testing.assert_allclose(pairs[1], single[0, 0], atol=1e-6)


def test_what_each_token_sees():
    """[CLS] said [SEP] [TARGET] a [TARGET] b b [SEP], and a shorter input with one target."""
    mask = torch.tensor([[1] * 9, [1] * 6 + [0] * 3])
    added = attention_view(mask, torch.tensor([[3, 5], [3, 0]]), "apart")
    assert added.shape == (2, 1, 9, 9)
    assert set(added.unique().tolist()) == {0.0, MASKED}
    shown = ["".join("x" if v == 0 else "." for v in row) for row in added[0, 0]]
    text, first, second = "xxxxxxxxx", "xxxxx...x", "xxx..xxxx"
    assert shown == [text] * 3 + [first] * 2 + [second] * 3 + [text]
    assert (added[1, 0, :6, :6] == 0).all()
    assert (added[1, 0, :, 6:] == MASKED).all()
    assert attention_view(mask, torch.tensor([[3, 5], [3, 0]]), "shared") is mask


@pytest.mark.parametrize("view", TARGET_VIEWS)
def test_a_target_sees_the_others_only_where_it_may(encoder_folder, view):
    """With one layer nothing reaches a target by way of the text."""
    torch.manual_seed(1)
    classifier = StanceClassifier.from_encoder(encoder_folder, target_view=view)
    layers = classifier.model.encoder.encoder
    layers.layer = layers.layer[:1]
    classifier.use_engine("torch-fp32")
    one, other = (classifier.logits([statement("we won")], ["Russia", name])[0][0, 0] for name in ("China", "France"))
    assert np.array_equal(one, other) == (view == "apart")


@pytest.mark.parametrize("view", TARGET_VIEWS)
def test_the_lean_graph_computes_what_the_network_does(encoder_folder, view):
    torch.manual_seed(1)
    classifier = StanceClassifier.from_encoder(encoder_folder, target_view=view)
    texts = [statement("we won " * 9), statement("they lost", before="It is over. ")]
    batch = pad(classifier.packer.pack(texts, [TARGETS, ["Russia"]]), classifier.config.special_ids["pad"])
    with torch.inference_mode():
        whole = classifier.model(*map(torch.from_numpy, batch)).logits.numpy()
    (lean,) = classifier.engine.run([batch])
    np.testing.assert_allclose(lean[0], whole[0], atol=1e-5)
    np.testing.assert_allclose(lean[1, 0], whole[1, 0], atol=1e-5)  # the second has one target only


def test_new_models_keep_targets_apart_and_old_ones_stay_as_they_were(tiny, tmp_path):
    assert tiny.config.target_view == "apart"
    tiny.save_pretrained(tmp_path)
    assert StanceClassifier.from_pretrained(tmp_path).config.target_view == "apart"
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    del config["target_view"]
    file.write_text(json.dumps(config))
    assert StanceClassifier.from_pretrained(tmp_path).config.target_view == "shared"
    file.write_text(json.dumps(config | {"target_view": "upside down"}))
    with pytest.raises(ModelError, match="target_view is 'upside down', must be one of apart, shared"):
        StanceClassifier.from_pretrained(tmp_path)


def test_save_and_load(tiny, tmp_path):
    tiny.config.calibration_temperature = 1.7
    tiny.save_pretrained(tmp_path / "m", dtype=torch.float32)
    assert {p.name for p in (tmp_path / "m").iterdir()} == {"config.json", "model.safetensors", "tokenizer.json"}
    back = StanceClassifier.from_pretrained(tmp_path / "m")
    assert back.id == tiny.id
    assert back.id.startswith("tiny@")
    before, _ = tiny.predict_proba([statement("we won")], TARGETS)
    after, _ = back.predict_proba([statement("we won")], TARGETS)
    np.testing.assert_array_equal(before, after)


def test_loaded_with_auto_model(tiny, tmp_path):
    from transformers import AutoModel

    tiny.save_pretrained(tmp_path)
    assert type(AutoModel.from_pretrained(tmp_path)).__name__ == "StanceModel"


def test_content_hash_follows_the_weights(tiny, tmp_path):
    tiny.save_pretrained(tmp_path / "a")
    first = tiny.id
    with torch.no_grad():
        tiny.model.head[1].weight[0, 0] += 1
    tiny.save_pretrained(tmp_path / "b")
    assert tiny.id != first


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors missing"),
        (lambda f: (f / "model.safetensors").write_bytes(b"xx"), "damaged"),
        (lambda f: change_tensors(f, lambda t: t.pop("head.1.bias")), "missing tensors: head.1.bias"),
        (lambda f: change_tensors(f, lambda t: t.update(odd=torch.ones(1))), "unexpected tensors: odd"),
        (lambda f: (f / "config.json").write_text("{"), "damaged"),
        (lambda f: (f / "config.json").write_text(json.dumps({"format": 99})), "model format 99"),
    ],
)
def test_damaged_models_are_named(tiny, tmp_path, damage, message):
    tiny.save_pretrained(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelError, match=message) as caught:
        StanceClassifier.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_unknown_labels_add_nothing_to_the_loss(tiny):
    packed = tiny.packer.pack([statement("we won")], [TARGETS])
    ids, mask, markers = (torch.from_numpy(x) for x in pad(packed, 0))
    known = torch.tensor([[0, IGNORED, IGNORED, IGNORED]])
    alone = tiny.model(ids, mask, markers, labels=known)
    expected = torch.nn.functional.cross_entropy(alone.logits[0, :1], torch.tensor([0]))
    torch.testing.assert_close(alone.loss, expected)
