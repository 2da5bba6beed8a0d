from dataclasses import replace

import pytest
import torch

from stance.errors import UsageError
from stance.model import pad
from stance.model.explain import explain
from stance.schema import Speaker, Statement

SAID = Statement("a", "The Kremlin has betrayed every promise it made.", speaker=Speaker("a minister", "minister"))


def test_tokens_stand_where_they_say(scorer):
    parts = explain(scorer.classifier, SAID, "Russia")
    assert all(SAID.text[p.start : p.end] == p.token for p in parts)
    assert "".join(p.token for p in parts) == SAID.text.replace(" ", "")


@pytest.mark.parametrize("targets", [(), ("China", "Russia", "Ukraine")], ids=["alone", "with others"])
def test_attributions_sum_to_what_the_statement_changes(scorer, targets):
    """Completeness, the axiom of integrated gradients: p with the statement minus p with padding in its place."""
    classifier = scorer.classifier
    padding, label = classifier.config.special_ids["pad"], classifier.labels.index("against")
    together = targets or ("Russia",)
    (said,) = classifier.packer.pack([SAID], [together])
    first, last = said.statement_span
    unsaid = replace(said, ids=[*said.ids[:first], *[padding] * (last - first), *said.ids[last:]])
    with torch.no_grad():
        logits = classifier.model(*map(torch.from_numpy, pad([said, unsaid], padding))).logits.numpy()
    with_it, without_it = classifier.probabilities(logits)[:, together.index("Russia"), label]
    assert with_it - without_it > 0.5
    found = sum(p.attribution for p in explain(classifier, SAID, "Russia", targets=targets, label="against"))
    assert found == pytest.approx(with_it - without_it, abs=0.01)


def test_the_label_explained_is_the_one_given_among_the_targets_asked_together(tiny):
    """A model whose targets see one another, so that what is asked beside one decides on its label."""
    tiny.config.target_view, tiny.config.targets_per_pass = "shared", 3
    tiny.model.head[-1].weight.data.mul_(40)
    names = ["Russia", "China", "Peru", "Chad", "Ukraine"]
    together = tiny.predict_proba([SAID], names)[0][0].argmax(1)
    alone = tiny.predict_pairs([SAID] * len(names), names).argmax(1)
    assert (together != alone).any()
    for name, label in zip(names, together, strict=True):
        parts = explain(tiny, SAID, name, targets=names, steps=4)
        assert parts == explain(tiny, SAID, name, targets=names, label=tiny.labels[label], steps=4)
        assert parts != explain(tiny, SAID, name, label=tiny.labels[label], steps=4)


def test_attributions_of_all_labels_cancel(scorer):
    labels = scorer.classifier.labels
    by_label = [explain(scorer.classifier, SAID, "Russia", label=label) for label in labels]
    for token in zip(*by_label, strict=True):
        assert sum(p.attribution for p in token) == pytest.approx(0, abs=1e-4)


def test_the_word_that_decides_counts_most(scorer):
    by_token = {p.token: p.attribution for p in explain(scorer.classifier, SAID, "Russia", label="against")}
    assert by_token["betrayed"] > max(by_token[w] for w in ("The", "it", "."))


def test_weights_keep_no_gradient(tiny):
    explain(tiny, SAID, "Russia", steps=2)
    assert all(p.grad is None for p in tiny.model.parameters())


def test_long_statement_is_explained_as_far_as_it_is_seen(tiny):
    long = Statement("b", "peace " * 900)
    parts = explain(tiny, long, "Russia", steps=1)
    assert 100 < len(parts) < 900


def test_wrong_questions(tiny):
    with pytest.raises(UsageError, match="no label 'odd'"):
        explain(tiny, SAID, "Russia", label="odd")
    with pytest.raises(UsageError, match="steps"):
        explain(tiny, SAID, "Russia", steps=0)
    with pytest.raises(UsageError, match="'Russia' is not among the targets asked about together: China, Peru"):
        explain(tiny, SAID, "Russia", targets=["China", "Peru"])
