from collections import Counter, defaultdict

import numpy as np
import pytest

from stance.schema import LABELS
from training.corpora import own
from training.corpora.country_stance import TARGETS, decode
from training.families import FEWEST, by_family, pairs_right
from training.tasks import own_task

SILENT = LABELS.index("not_addressed")


@pytest.fixture(scope="module", params=["validation", "test"])
def task(request):
    return own_task(request.param)


def test_every_kind_of_difficulty_is_measured(task):
    found = by_family(task, task.gold)
    assert {"swap", "negation", "agent-patient", "irony", "we-our", "neutral-grim", "implied", "multi"} <= set(found)
    assert all(family.right == (1.0, 1.0, 1.0) for family in found.values())


def test_a_family_of_few_pairs_is_left_out_whatever_the_model_says(task):
    families = {record["id"]: record["family"] for record in own.records()}
    addressed = Counter()
    for e in task.examples:
        addressed[families[e.statement.id]] += sum(label != "not_addressed" for label in e.labels.values())
    enough = {family: pairs for family, pairs in addressed.items() if pairs >= FEWEST}
    assert len(enough) < len(addressed)
    for predicted in (task.gold, np.full_like(task.gold, SILENT), np.zeros_like(task.gold)):
        assert {name: family.pairs for name, family in by_family(task, predicted).items()} == enough


def test_silence_about_what_is_addressed_and_a_side_where_none_is_taken_both_count(task):
    silent = by_family(task, np.full_like(task.gold, SILENT))
    assert all(family.right[0] == 0.0 for family in silent.values())
    loud = np.where(task.gold == SILENT, LABELS.index("against"), task.gold)
    addressed = {name: family.right[0] for name, family in by_family(task, loud).items()}
    assert all(0 < share < 1 for share in addressed.values())


def test_a_pair_is_right_when_each_member_is(task):
    whole = pairs_right(task, task.gold)
    assert all(right == count for right, count in whole.values())
    one_sided = task.gold.copy()
    seen = set()
    for i, example in enumerate(task.examples):
        if example.document not in seen:  # the first member of each pair, and what stands alone
            seen.add(example.document)
            one_sided[4 * i] = (one_sided[4 * i] + 1) % len(LABELS)
    assert {family: (0, count) for family, (_, count) in whole.items()} == pairs_right(task, one_sided)


def test_our_statements_written_after_the_fourth_release_are_minimal_pairs_that_repeat_nothing():
    found = list(own.records())
    said = Counter(record["statement"].casefold() for record in found)
    pairs = defaultdict(list)
    for record in found:
        assert set(decode(record["label"])) == set(TARGETS)
        assert f"⟦{record['statement']}⟧" in record["context"] or "⟦" not in record["context"]
        if record["id"][:6] in {f"own-{letter}-" for letter in "jklmn"}:
            assert said[record["statement"].casefold()] == 1
            pairs[record["pair"]].append(record["label"])
    assert sum(map(len, pairs.values())) == 1195
    assert all(len(set(labels)) > 1 for labels in pairs.values())
    assert len({r["id"] for r in found}) == len(found)
