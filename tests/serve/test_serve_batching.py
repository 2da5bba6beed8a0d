"""The model's threads: full queues, failures, stops; and the pieces of the page and its reference."""

import asyncio
import itertools
import threading
import time
from concurrent.futures import CancelledError, wait

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.model.packing import width
from stance.schema import Statement
from stance.scoring import Scorer, StatementRecord
from stance.serve.batching import Batcher
from stance.serve.choosing import cheapest
from stance.serve.metrics import Metrics
from stance.serve.pages import segments
from stance.serving.refusals import Refusal
from stance.targets import default_targets, resolve_targets


def record(i, text="Moscow lies", targets=None):
    return StatementRecord(Statement(id=f"s{i}", text=text), targets)


class Scores(Scorer):
    """Scores for real, fails at one text, and remembers its batches."""

    def __init__(self, classifier):
        super().__init__(classifier, default_targets())
        self.batches = []

    def finish(self, statements, *rest):
        self.batches.append([s.id for s in statements])
        if any(s.text == "fail" for s in statements):
            raise RuntimeError("told to fail")
        return super().finish(statements, *rest)


@pytest.fixture
def scores(tiny):
    return Scores(tiny)


@pytest.fixture
def batcher(scores):
    made = Batcher(scores, Metrics("tiny", scores.labels), batch=8, max_waiting=20)
    yield made
    if made.alive:
        assert made.stop(30)


def test_statements_of_many_requests_share_batches(batcher, scores):
    futures = [batcher.submit([record(i)]) for i in range(16)]
    batcher.start()
    wait(futures, 60)
    assert [f.result()[0].statement_id for f in futures] == [f"s{i}" for i in range(16)]
    assert all(len(f.result()) == 4 for f in futures)
    assert [len(b) for b in scores.batches] == [8, 8]


def test_a_batch_is_the_oldest_and_those_nearest_in_length(batcher, scores):
    texts = ["lie " * 30 if i % 2 else "lies" for i in range(16)]
    futures = [batcher.submit([record(i, text)]) for i, text in enumerate(texts)]
    batcher.start()
    wait(futures, 60)
    assert sorted(sorted(b, key=lambda s: int(s[1:])) for b in scores.batches) == [
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


def test_what_is_no_number_is_a_failure_of_its_own_request(batcher, scores, monkeypatch):
    encode = scores.encode

    def broken(prepared):
        logits = encode(prepared)
        logits[[len(p.ids) == longest for p in prepared.passes[0]]] = float("nan")
        return logits

    longest = scores.prepare([record(0, "Moscow lies and lies").statement]).tokens[0]
    monkeypatch.setattr(scores, "encode", broken)
    bad, good = batcher.submit([record(1, "Moscow lies and lies")]), batcher.submit([record(2)])
    batcher.start()
    assert isinstance(bad.exception(60), FloatingPointError)
    assert len(good.result(60)) == 4


def test_a_future_of_the_event_loop_is_settled_in_its_thread(batcher):
    async def ask():
        loop = asyncio.get_running_loop()
        batcher.start(loop.call_soon_threadsafe)
        future, given_up = loop.create_future(), loop.create_future()
        future.add_done_callback(lambda _: threads.append(threading.current_thread()))
        batcher.take([record(1), record(2)], future)
        batcher.take([record(3)], given_up)
        given_up.cancel()
        return await future

    threads = []
    rows = asyncio.run(ask())
    assert [r.statement_id for r in rows[::4]] == ["s1", "s2"]
    assert threads == [threading.main_thread()]


def test_a_failure_after_scoring_is_answered_and_the_thread_goes_on(batcher, monkeypatch):
    def fails(*_):
        raise RuntimeError("cannot count")

    with monkeypatch.context() as broken:
        broken.setattr(Metrics, "count_batch", fails)
        futures = [batcher.submit([record(i), record(10 + i)]) for i in range(3)]
        batcher.start()
        wait(futures, 60)
    assert {str(f.exception(0)) for f in futures} == {"cannot count"}
    assert len(batcher.submit([record(9)]).result(60)) == 4
    assert (batcher.alive, batcher.waiting) == (True, 0)


def test_a_failure_around_tokenising_leaves_no_statement_counted_as_waiting(batcher, scores, monkeypatch):
    prepare = scores.prepare
    with monkeypatch.context() as broken:
        broken.setattr(scores, "prepare", lambda statements, targets: prepare([*statements, *statements], targets))
        future = batcher.submit([record(1), record(2)])
        batcher.start()
        assert isinstance(future.exception(60), ValueError)
    assert len(batcher.submit([record(9)]).result(60)) == 4
    assert batcher.waiting == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_is_no_longer_called_alive(batcher, monkeypatch):
    monkeypatch.setattr("stance.serve.batching.cheapest", lambda *_, **__: 1 / 0)
    batcher.start()
    assert batcher.alive
    batcher.submit([record(1)])
    ended = time.monotonic() + 60
    while batcher.alive and time.monotonic() < ended:
        time.sleep(0.01)
    assert not batcher.alive
    assert batcher.stop(60)


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


class TwoLanes:
    """Lets the first batch through only when a second one is there beside it."""

    name, version, tokens_per_batch, lanes = "two", "0", 1024, 2

    def __init__(self, engine):
        self.engine = engine
        self.meeting = threading.Barrier(2, timeout=60)
        self.lock = threading.Lock()
        self.calls = itertools.count()

    def one(self, batch):
        if next(self.calls) < 2:
            self.meeting.wait()
        with self.lock:
            return self.engine.run([batch])[0]


def test_lanes_work_side_by_side_and_no_answer_is_mixed_up(tiny, monkeypatch):
    texts = [f"Moscow lies about {'the ' * (i % 7)}ship {i}" for i in range(40)]
    alone = [
        rows for i, t in enumerate(texts) for rows in Scorer(tiny, default_targets()).classify_many([record(i, t)])
    ]
    monkeypatch.setattr(tiny, "engine", TwoLanes(tiny.engine))
    scores = Scores(tiny)
    batcher = Batcher(scores, Metrics("tiny", scores.labels), batch=20)
    futures = [batcher.submit([record(i, text)]) for i, text in enumerate(texts)]
    batcher.start()
    for future, rows in zip(futures, alone, strict=True):
        got = future.result(60)
        assert [(r.statement_id, r.target) for r in got] == [(r.statement_id, r.target) for r in rows]
        assert [r.confidence for r in got] == pytest.approx([r.confidence for r in rows], abs=1e-4)
    assert batcher.stop(60)
    assert batcher.waiting == 0


def test_answers_are_handed_over_once_for_each_batch(batcher, scores):
    calls = []
    futures = [batcher.submit([record(i)]) for i in range(16)]
    batcher.start(calls.append)
    assert batcher.stop(60)
    assert not any(f.done() for f in futures)
    assert len(calls) == len(scores.batches) == 2
    for call in calls:
        call()
    assert all(len(f.result(0)) == 4 for f in futures)


@given(
    st.lists(st.integers(10, 120), min_size=1, max_size=30),
    st.integers(0, 29),
    st.integers(1, 12),
    st.integers(100, 1000),
)
def test_the_slice_holds_its_place_and_keeps_the_limits(lengths, place, most, tokens):
    lengths, place = sorted(lengths), place % len(lengths)
    start, end = cheapest(lengths, place, most=most, tokens=tokens, overhead=25)
    assert start <= place < end
    assert end - start <= most
    assert end - start == 1 or width(lengths[end - 1]) * (end - start) <= tokens

    def cost(a, b):
        return (25 + width(lengths[b - 1]) * (b - a)) / sum(lengths[a:b])

    allowed = [
        cost(a, b)
        for a in range(place + 1)
        for b in range(place + 1, len(lengths) + 1)
        if b - a <= most and (b - a == 1 or width(lengths[b - 1]) * (b - a) <= tokens)
    ]
    assert cost(start, end) == pytest.approx(min(allowed))


@given(st.text(max_size=80), st.lists(st.integers(0, 80), max_size=8))
def test_segments_joined_are_the_text(text, numbers):
    cuts = sorted({min(n, len(text)) for n in numbers})
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    made = [Statement(id=str(a), text=text[a:b], start=a, end=b) for a, b in spans]
    parts = segments(text, made)
    assert "".join(p.text for p in parts) == text
    assert [p.text for p in parts if p.statement is not None] == [s.text for s in made]
