"""The model thread: full queues, failures, stops; and the pieces of the page and its reference."""

import threading
from concurrent.futures import CancelledError, wait

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.schema import Statement
from stance.scoring import Scorer, StatementRecord
from stance.serve.batching import Batcher
from stance.serve.metrics import Metrics
from stance.serve.pages import segments
from stance.serve.refusals import Refusal
from stance.targets import default_targets, resolve_targets


def record(i, text="Moscow lies", targets=None):
    return StatementRecord(Statement(id=f"s{i}", text=text), targets)


class Scores(Scorer):
    """Scores for real, fails at one text, and remembers its batches."""

    def __init__(self, classifier):
        super().__init__(classifier, default_targets())
        self.batches = []
        self.threads = set()

    def classify_many(self, records):
        batch = list(records)
        self.batches.append([r.statement.id for r in batch])
        self.threads.add(threading.get_ident())
        if any(r.statement.text == "fail" for r in batch):
            raise RuntimeError("told to fail")
        return super().classify_many(batch)


@pytest.fixture
def scores(tiny):
    return Scores(tiny)


@pytest.fixture
def batcher(scores):
    made = Batcher(scores, Metrics("tiny", scores.labels), batch=8, max_waiting=20)
    yield made
    if made._thread.is_alive():
        assert made.stop(30)


def test_statements_of_many_requests_share_batches_of_one_thread(batcher, scores):
    futures = [batcher.submit([record(i)]) for i in range(16)]
    batcher.start()
    wait(futures, 60)
    assert [f.result()[0].statement_id for f in futures] == [f"s{i}" for i in range(16)]
    assert all(len(f.result()) == 4 for f in futures)
    assert [len(b) for b in scores.batches] == [8, 8]
    assert len(scores.threads) == 1


def test_a_batch_is_the_oldest_and_those_nearest_in_length(batcher, scores):
    texts = ["lie " * 30 if i % 2 else "lies" for i in range(16)]
    futures = [batcher.submit([record(i, text)]) for i, text in enumerate(texts)]
    batcher.start()
    wait(futures, 60)
    assert [sorted(b, key=lambda s: int(s[1:])) for b in scores.batches] == [
        [f"s{i}" for i in range(0, 16, 2)],
        [f"s{i}" for i in range(1, 16, 2)],
    ]


def test_a_request_larger_than_a_batch_keeps_its_order(batcher):
    future = batcher.submit([record(i, "lie " * (i % 5 + 1)) for i in range(19)])
    batcher.start()
    assert [r.statement_id for r in future.result(60)[::4]] == [f"s{i}" for i in range(19)]


def test_other_targets_are_answered_apart(batcher):
    nato = resolve_targets(["NATO"])
    first, second = batcher.submit([record(1, targets=nato)]), batcher.submit([record(2)])
    batcher.start()
    assert [r.target for r in first.result(60)] == ["NATO"]
    assert len(second.result(60)) == 4


def test_a_failure_stays_with_its_own_request(batcher):
    futures = [batcher.submit([record(i, "fail" if i == 2 else "Moscow lies")]) for i in range(5)]
    batcher.start()
    wait(futures, 60)
    with pytest.raises(RuntimeError, match="told to fail"):
        futures[2].result()
    assert all(len(f.result()) == 4 for i, f in enumerate(futures) if i != 2)
    assert len(batcher.submit([record(9)]).result(60)) == 4, "the thread goes on"


def test_a_full_queue_refuses(batcher):
    batcher.submit([record(i) for i in range(20)])
    with pytest.raises(Refusal) as caught:
        batcher.submit([record(21)])
    assert (caught.value.status, caught.value.rule) == (429, "busy")
    assert caught.value.headers["retry-after"]
    batcher.start()


def test_what_is_given_up_is_not_scored(batcher, scores):
    given_up, kept = batcher.submit([record(1)]), batcher.submit([record(2)])
    given_up.cancel()
    batcher.start()
    assert len(kept.result(60)) == 4
    assert scores.batches == [["s2"]]
    with pytest.raises(CancelledError):
        given_up.result()


def test_a_stop_finishes_what_waits_and_takes_no_more(batcher):
    futures = [batcher.submit([record(i)]) for i in range(12)]
    batcher.start()
    assert batcher.stop(60)
    assert all(len(f.result(0)) == 4 for f in futures)
    with pytest.raises(Refusal) as caught:
        batcher.submit([record(13)])
    assert caught.value.status == 503
    assert not batcher.alive


@given(st.text(max_size=80), st.lists(st.integers(0, 80), max_size=8))
def test_segments_joined_are_the_text(text, numbers):
    cuts = sorted({min(n, len(text)) for n in numbers})
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    made = [Statement(id=str(a), text=text[a:b], start=a, end=b) for a, b in spans]
    parts = segments(text, made)
    assert "".join(p.text for p in parts) == text
    assert [p.text for p in parts if p.statement is not None] == [s.text for s in made]
