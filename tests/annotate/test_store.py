from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.annotate.assignment import _NEEDS, LEASE, next_item, progress, progress_of, set_overlap, take_item
from stance.annotate.ratings import aggregate, finished_by_hand, ratings_of_store
from stance.annotate.records import Change, stored_name
from stance.annotate.store import Store
from stance.annotate.syncing import Synced, sync
from stance.corpus import CorpusRecord
from stance.errors import AnnotationError, ConflictError, UsageError
from tests.annotate.conftest import make_corpus


def test_every_label_is_a_row_and_nothing_is_overwritten(store):
    store.enter("Ada")
    store.save("s0", "Ada", Change("label", {"Russia": "favor"}, millis=900))
    store.save("s0", "Ada", Change("label", {"Russia": "against"}, millis=400))
    rows = store.history("s0", "Ada")
    found = [(r.version, r.target, r.label, r.millis) for r in rows]
    assert found == [(1, "Russia", "favor", 900), (2, "Russia", "against", 400)]
    assert all(r.at.endswith("Z") for r in rows)
    assert store.state("s0", "Ada").labels == {"Russia": "against"}
    assert store.state("s0", "Ada").millis == 1300
    with sqlite3.connect(store.path) as db:
        for statement in ("UPDATE entry SET label = 'favor'", "DELETE FROM entry"):
            with pytest.raises(sqlite3.DatabaseError, match="history"):
                db.execute(statement)
    db.close()


def test_the_file_is_in_wal_mode(store):
    assert store.read("PRAGMA journal_mode")[0][0] == "wal"


def test_undo_goes_back_step_by_step_across_items(store, full):
    store.enter("Ada")
    store.save("s0", "Ada", Change("label", full))
    store.save("s0", "Ada", Change("done"))
    store.save("s1", "Ada", Change("label", {"Russia": "neutral"}))
    store.save("s1", "Ada", Change("note", text="hard"))
    assert store.undo("Ada")[0] == "s1"
    assert store.state("s1", "Ada").note == ""
    assert store.undo("Ada")[1].labels == {}
    item, state = store.undo("Ada")
    assert (item, state.status, dict(state.labels)) == ("s0", "open", full)
    item, state = store.undo("Ada")
    assert (item, dict(state.labels)) == ("s0", {})
    assert store.undo("Ada") is None
    assert len(store.history()) == 4 + 1 + 1 + 1 + 4  # all that was undone is still there


def test_what_is_undone_leaves_a_finished_item_finished(store, full):
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", full))
    for change in (Change("flag"), Change("note", text="hard"), Change("label", {"Russia": "favor"})):
        store.save("s0", "Ada", change)
        state = store.undo("Ada")[1]
        assert (state.status, state.flagged, state.note, state.labels) == ("done", False, "", full)
    assert store.undo("Ada")[1].status == "open"
    assert store.rebuild() == 0


def test_a_stale_tab_is_told_and_changes_nothing(store):
    store.enter("Ada")
    store.save("s0", "Ada", Change("label", {"Russia": "favor"}), base=0)
    with pytest.raises(ConflictError) as caught:
        store.save("s0", "Ada", Change("label", {"Russia": "against"}), base=0)
    assert caught.value.state.version == 1
    assert store.state("s0", "Ada").labels == {"Russia": "favor"}


def test_a_change_sent_twice_is_saved_once(store):
    store.enter("Ada")
    change = Change("label", {"Russia": "favor"}, token="a-1")
    first = store.save("s0", "Ada", change, base=0)
    assert store.save("s0", "Ada", change, base=0) == first
    assert len(store.history()) == 1
    assert store.undo("Ada", token="u-1")[1] == store.undo("Ada", token="u-1")[1]


@pytest.mark.parametrize(
    ("item", "annotator", "change", "rule"),
    [
        ("s0", "Ada", Change("label", {"Mars": "favor"}), "unknown-target"),
        ("s0", "Ada", Change("label", {"Russia": "splendid"}), "unknown-label"),
        ("s99", "Ada", Change("label", {"Russia": "favor"}), "unknown-item"),
        ("s0", "Bob", Change("label", {"Russia": "favor"}), "unknown-annotator"),
        ("s0", "Ada", Change("done"), "incomplete"),
        ("s0", "Ada", Change("flag", {"Russia": "favor"}), "labels"),
        ("s0", "Ada", Change("note", {"Russia": None}, text="n"), "labels"),
    ],
)
def test_what_breaks_a_rule_is_named_and_not_saved(store, item, annotator, change, rule):
    store.enter("Ada")
    with pytest.raises(AnnotationError) as caught:
        store.save(item, annotator, change)
    assert caught.value.rejection.rule == rule
    assert store.history() == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "adjudicator:Ada", "<b>", "a/b", "a\nb"])
def test_names_that_could_do_harm_are_refused(store, name):
    with pytest.raises(AnnotationError, match="letters"):
        store.enter(name)


_KINDS = st.sampled_from(["label", "clear", "done", "skip", "flag", "unflag", "note", "reopen", "undo"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(_KINDS, st.integers(0, 1), st.integers(0, 3)), max_size=25))
def test_states_are_what_the_history_adds_up_to(tmp_path_factory, steps):
    store = Store.create(tmp_path_factory.mktemp("p") / "p.db", make_corpus(2))
    store.enter("Ada")
    for kind, item, i in steps:
        target, label = store.targets[i], store.labels[i]
        if kind == "undo":
            store.undo("Ada")
        elif kind == "done":
            store.save(f"s{item}", "Ada", Change("done", dict.fromkeys(store.targets, label)))
        elif kind in ("label", "clear"):
            store.save(f"s{item}", "Ada", Change("label", {target: label if kind == "label" else None}, millis=i))
        else:
            store.save(f"s{item}", "Ada", Change(kind, text="n" if kind == "note" else None))
    assert store.rebuild() == 0


def test_a_damaged_state_is_rebuilt_from_the_history(store, full):
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", full))
    with store.write() as db:
        db.execute("UPDATE state SET labels = '{}', status = 'open'")
    assert store.rebuild() == 1
    assert (store.state("s0", "Ada").labels, store.state("s0", "Ada").status) == (full, "done")


def test_a_killed_process_loses_nothing_it_was_told_is_saved(tmp_path):
    path = tmp_path / "p.db"
    Store.create(path, make_corpus(2)).enter("Ada")
    script = (
        "import os, sys\n"
        "from stance.annotate.records import Change\n"
        "from stance.annotate.store import Store\n"
        "store = Store(sys.argv[1])\n"
        "for i in range(1000):\n"
        "    store.save('s0', 'Ada', Change('note', text=str(i)))\n"
        "    print(i, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(25)]
    process.kill()
    told += [int(line) for line in process.stdout.read().split()]
    process.stdout.close()
    process.wait()
    found = [int(row.text) for row in Store(path).history()]
    assert found[: len(told)] == told
    assert len(found) <= len(told) + 1


def test_two_annotators_never_hold_one_item(tmp_path, full):
    store = Store.create(tmp_path / "p.db", make_corpus(60))
    names = [store.enter(name) for name in ("Ada", "Bob", "Cy", "Dee")]
    done: dict[str, list[str]] = {name: [] for name in names}

    def work(name: str) -> None:
        while (item := next_item(store, name)) is not None:
            done[name].append(item)
            store.save(item, name, Change("done", full))

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [item for items in done.values() for item in items]
    assert len(everything) == len(set(everything)) == 60
    assert store.rebuild() == 0


def test_overlap_is_labelled_by_two_different_annotators(tmp_path, full):
    store = Store.create(tmp_path / "p.db", make_corpus(20))
    assert set_overlap(store, 0.2) == 4
    for name in ("Ada", "Bob"):
        store.enter(name)
    seen = {"Ada": 0, "Bob": 0}
    for name in ("Ada", "Bob"):
        while (item := next_item(store, name)) is not None:
            seen[name] += 1
            store.save(item, name, Change("done", full))
    assert seen == {"Ada": 20, "Bob": 4}
    with pytest.raises(UsageError, match="from 0 to 1"):
        set_overlap(store, 1.5)


def test_work_is_resumed_claims_run_out_and_skipped_items_go_to_others(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
    assert next_item(store, "Ada", now=1000.0) == "s0"
    assert next_item(store, "Ada", now=1001.0) == "s0"
    assert next_item(store, "Bob", now=1002.0) == "s1"
    store.save("s1", "Bob", Change("skip"))
    assert next_item(store, "Bob", now=1003.0) == "s2"
    store.save("s0", "Ada", Change("done", full))
    assert next_item(store, "Ada", now=1004.0) == "s1"
    bob = next(p for p in progress(store) if p.annotator == "Bob")
    assert (bob.done, bob.skipped) == (0, 1)


def test_an_expired_claim_frees_the_item(store):
    for name in ("Ada", "Bob"):
        store.enter(name)
    assert next_item(store, "Ada", now=0.0) == "s0"
    assert next_item(store, "Bob", now=LEASE + 1) == "s0"


def test_what_is_opened_again_is_given_to_nobody_else(store, full):
    for name in ("Ada", "Bob", "Cy"):
        store.enter(name)
    store.save("s0", "Ada", Change("done", full))
    store.undo("Ada")
    assert next_item(store, "Bob") == "s1"
    store.save("s1", "Bob", Change("done", full))
    store.save("s1", "Bob", Change("label", {"Russia": "favor"}))
    take_item(store, "s3", "Bob")
    assert next_item(store, "Cy") == "s2"
    store.save("s2", "Cy", Change("done", full))
    assert next_item(store, "Cy") == "s4"


def test_a_look_at_what_others_do_is_no_work_begun(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
    assert next_item(store, "Ada") == "s0"
    store.save("s1", "Ada", Change("done", full))
    for item in ("s0", "s1"):
        take_item(store, item, "Bob")
    assert next_item(store, "Bob") == "s2"
    store.enter("Ada", adjudicator=True)
    store.save("s3", "adjudicator:Ada", Change("label", full, mode="adjudicate"))
    store.save("s2", "Bob", Change("done", full))
    assert next_item(store, "Bob") == "s3"


def test_annotators_of_the_corpus_are_taken_over(tmp_path, corpus, full):
    record = replace(corpus.records[0], annotators={"reader a": full})
    labelled = replace(corpus, splits={"train": (record, *corpus.records[1:])})
    store = Store.create(tmp_path / "p.db", labelled)
    assert store.state("s0", "reader a").labels == full
    store.enter("Ada")
    assert next_item(store, "Ada") == "s1"  # s0 has its one annotator


def test_a_rating_counts_wherever_the_corpus_names_it_beside_its_second_look(tmp_path, corpus, full):
    given = {"second-look:Zoe": {"Russia": "favor"}, "adjudicator:Zoe": {"China": "favor"}, "Zoe": full}
    records = tuple(replace(record, annotators=given) for record in corpus.records)
    store = Store.create(tmp_path / "p.db", replace(corpus, splits={"train": records[:1]}))
    assert sync(store, replace(corpus, splits={"train": records})) == Synced(5, 0, 0, 0)
    assert [rating.labels for rating in ratings_of_store(store).ratings] == [full] * 6
    assert aggregate(ratings_of_store(store))["s5"] == {**full, "Russia": "favor", "China": "favor"}


def test_a_label_that_cannot_be_taken_over_leaves_no_half_made_store(tmp_path, corpus, full):
    def with_annotator(name, records, labels=full):
        return replace(corpus, splits={"train": (*records[:-1], replace(records[-1], annotators={name: labels}))})

    path, unknown = tmp_path / "p.db", {"Russia": "splendid"}
    with pytest.raises(AnnotationError, match="splendid"):
        Store.create(path, with_annotator("reader a", corpus.records, unknown))
    assert not path.exists()
    store = Store.create(path, with_annotator("reader a", corpus.records))
    assert store.state("s5", "reader a").labels == full
    with pytest.raises(AnnotationError, match="splendid"):
        sync(store, with_annotator("reader b", make_corpus(8).records, unknown))
    assert len(store.items()) == 6
    assert sync(store, with_annotator("reader b", make_corpus(8).records)).added == 2
    assert store.state("s7", "reader b").labels == full
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.db"]


def test_a_grown_corpus_adds_its_statements(store, corpus):
    store.enter("Ada")
    store.save("s0", "Ada", Change("label", {"Russia": "favor"}))
    assert sync(store, make_corpus(9)).added == 3
    assert [item.id for item in store.items()][-1] == "s8"
    assert store.state("s0", "Ada").labels == {"Russia": "favor"}
    with pytest.raises(AnnotationError, match="targets"):
        sync(store, replace(corpus, targets=("NATO",)))
    changed: CorpusRecord = replace(
        corpus.records[0], statement=replace(corpus.records[0].statement, text="other words")
    )
    with pytest.raises(AnnotationError, match="other words"):
        sync(store, replace(corpus, splits={"train": (changed,)}))


def test_a_store_made_meanwhile_is_not_overwritten(tmp_path, corpus, monkeypatch):
    from stance.annotate import store as module

    path, make = tmp_path / "p.db", module.make_tables

    def slowly(*arguments):
        monkeypatch.setattr(module, "make_tables", make)
        Store.create(path, corpus).enter("Ada")
        make(*arguments)

    monkeypatch.setattr(module, "make_tables", slowly)
    with pytest.raises(AnnotationError, match="there already"):
        Store.create(path, corpus)
    assert Store(path).annotators() == ["Ada"]
    assert [p.name for p in tmp_path.glob("*.part*")] == []


def test_a_corpus_that_grew_is_read_by_several_at_once(tmp_path, corpus):
    store = Store.create(tmp_path / "p.db", corpus)
    start, added = threading.Barrier(4), []

    def work() -> None:
        start.wait()
        added.append(sync(store, make_corpus(200)).added)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [0, 0, 0, 194]


def test_what_changed_in_the_corpus_is_taken_over(store, corpus, full):
    first, second, *rest = corpus.records
    store.set_suggestions("m@1", [(r.id, t, "favor", [0, 0, 1, 0]) for r in corpus.records for t in store.targets])
    article = replace(first, statement=replace(first.statement, before=f"Long before. {first.statement.before}"))
    labelled = replace(second, labels=full)
    changed = replace(corpus, splits={"train": (article, labelled), "test": tuple(rest[:-1])})
    assert sync(store, changed, queued=["s0"]) == Synced(0, 5, 1, 0)
    items = {item.id: item for item in store.items()}
    assert items["s0"].record.statement.before.startswith("Long before.")
    assert items["s1"].record.labels == full
    assert [items[i].split for i in ("s1", "s2")] == ["train", "test"]
    assert [item.id for item in items.values() if item.queued] == ["s0", "s1", "s2", "s3", "s4"]
    assert store.suggestions("s0") == {}
    assert store.suggestions("s1") != {}
    assert sync(store, replace(changed, splits={"train": (first, labelled), "test": tuple(rest[:-1])})).updated == 0
    assert store.item("s0").record.statement.before.startswith("Long before.")  # of the article that was joined once


def test_a_statement_is_queued_only_if_asked_for(store):
    sync(store, make_corpus(8), queued=["s6"])
    assert [item.id for item in store.items() if item.queued][-1] == "s6"
    sync(store, make_corpus(8))
    assert all(item.queued for item in store.items())


def test_labels_the_corpus_corrects_come_in_and_work_done_here_stays(store, corpus, full):
    def by_reader(label):
        records = (replace(r, annotators={"reader": {**full, "Russia": label}}) for r in corpus.records)
        return replace(corpus, splits={"train": tuple(records)})

    sync(store, by_reader("against"))
    store.save("s0", "reader", Change("done", {"Russia": "neutral"}))
    assert sync(store, by_reader("favor")).kept == 1
    assert [store.state(i, "reader").labels["Russia"] for i in ("s0", "s1")] == ["neutral", "favor"]
    store.import_labels([("s1", "reader", {"Russia": "neutral"})])
    assert sync(store, by_reader("favor")).kept == 2
    assert store.state("s1", "reader").labels["Russia"] == "neutral"


def test_what_is_no_store_is_refused(tmp_path, corpus):
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all", encoding="utf-8")
    with pytest.raises(AnnotationError, match="not a labelling store"):
        Store(path)
    with pytest.raises(AnnotationError, match="no such store"):
        Store(tmp_path / "none.db")
    with pytest.raises(AnnotationError, match="there already"):
        Store.create(path, corpus)


def test_an_import_that_leaves_targets_open_is_asked_for_and_counts_as_far_as_it_goes(store, full):
    assert store.import_labels([("s0", "reader", {"Russia": "favor"})]) == 1
    assert store.state("s0", "reader").status == "open"
    store.enter("Ada")
    assert next_item(store, "Ada") == "s0"
    assert [(r.item, r.labels) for r in ratings_of_store(store).ratings] == [("s0", {"Russia": "favor"})]
    store.import_labels([("s0", "reader", {**full, "Russia": "favor"})])
    assert store.state("s0", "reader").status == "done"
    assert store.rebuild() == 0


def test_a_store_that_took_part_of_the_labels_for_all_is_set_right_when_it_is_opened(store, corpus, full):
    store.import_labels([("s0", "reader", {"Russia": "favor"}), ("s1", "reader", full)])
    with store.write() as db:
        db.execute("UPDATE state SET status = 'done'")
    sync(store, corpus)
    assert [store.state(item, "reader").status for item in ("s0", "s1")] == ["open", "done"]
    assert store.rebuild() == 0
    store.enter("Ada")
    assert next_item(store, "Ada") == "s0"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(_KINDS, st.booleans()), max_size=12))
def test_overlap_counts_the_very_ratings_that_agreement_does(tmp_path_factory, steps):
    store = Store.create(tmp_path_factory.mktemp("p") / "p.db", make_corpus(1))
    for name in ("Ada", "Bob"):
        store.enter(name)
    every = dict.fromkeys(store.targets, "favor")
    for kind, looking in steps:
        mode = "second-look" if looking else "blind"
        if kind == "undo":
            store.undo("Ada")
        elif kind in ("done", "label", "clear"):
            labels = {**every, **({"Russia": None} if kind == "clear" else {})}
            store.save("s0", "Ada", Change("done" if kind == "done" else "label", labels, mode=mode))
        else:
            store.save("s0", "Ada", Change(kind, mode=mode))
    with store.write() as db:
        db.execute("DELETE FROM claim")
    rated = store.state("s0", "Ada").status == "done" and bool(ratings_of_store(store).ratings)
    assert (next_item(store, "Bob") is None) is rated


def test_what_is_needed_is_found_without_reading_whole_histories(store):
    plan = store.read(f"EXPLAIN QUERY PLAN SELECT COUNT(*) {_NEEDS}", {"who": "Ada", "adjudicator": "adjudicator:%"})
    steps = [row["detail"] for row in plan if " entry_" in row["detail"]]
    assert len(steps) >= 3
    assert all("entry_of (item=? AND annotator=?" in step for step in steps)


def test_an_import_stands_back_where_the_annotator_has_labelled_since(store, full):
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", full))
    store.save("s1", "Ada", Change("skip"))
    other = {**full, "Russia": "favor"}
    assert store.import_labels([("s0", "Ada", other), ("s1", "Ada", other)]) == 1
    assert store.state("s0", "Ada").labels == full
    store.import_labels([("s1", "Ada", full)])
    assert store.import_labels([("s1", "Ada", other)]) == 0  # they were imported before, and others since
    assert store.state("s1", "Ada").labels == full


def test_who_gave_no_label_is_not_registered(store):
    assert store.import_labels([("s0", "ghost", {"Russia": None})]) == 0
    assert store.annotators() == []


def test_names_of_other_tools_are_kept_and_told_apart(store, full):
    mail = "jane.a.researcher.with.a.long.name@department.of.politics.university.example"
    names = [mail, "a/b", "a:b", "a_b", "", "adjudicator:a/b"]
    assert store.import_labels((f"s{i}", name, full) for i, name in enumerate(names)) == len(names)
    stored = [stored_name(name) for name in names]
    assert store.annotators(adjudicators=True) == sorted(stored)
    assert len(set(stored)) == len(names)
    assert stored[3] == "a_b"
    assert stored[5].startswith("adjudicator:a_b-")
    assert [stored_name(name) for name in stored] == stored


def test_a_word_on_somebody_elses_statement_is_no_work_begun(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
    store.save("s3", "Ada", Change("done", full))
    store.save("s3", "Bob", Change("note", text="sure?"))
    store.save("s3", "Bob", Change("flag"))
    store.undo("Bob")
    assert progress_of(store, "Bob").open == 0
    assert next_item(store, "Bob") == "s0"
    store.save("s0", "Bob", Change("flag"))  # still on screen
    assert next_item(store, "Ada") == "s1"
    assert next_item(store, "Bob") == "s0"
    store.save("s0", "Bob", Change("label", {"Russia": "favor"}))
    assert progress_of(store, "Bob").open == 1


def test_a_begun_statement_that_left_the_corpus_is_asked_of_nobody(store, corpus):
    store.enter("Ada")
    store.save("s0", "Ada", Change("label", {"Russia": "favor"}))
    sync(store, replace(corpus, splits={"train": corpus.records[1:]}))
    assert next_item(store, "Ada") == "s1"
    assert (progress_of(store, "Ada").open, progress_of(store, "Ada").left) == (0, 5)


def test_finishing_that_was_taken_back_is_no_finishing_by_hand(store, full):
    store.import_labels([("s0", "Ada", full)])
    store.save("s0", "Ada", Change("label", {"Russia": "favor"}))
    store.save("s0", "Ada", Change("done"))
    assert list(finished_by_hand(store)) == list(finished_by_hand(store, "Ada", "2000")) == [("s0", "Ada")]
    assert finished_by_hand(store, "Bob") == finished_by_hand(store, since="9999") == {}
    store.undo("Ada")
    store.undo("Ada")
    assert finished_by_hand(store) == {}
    assert (progress_of(store, "Ada").today, store.state("s0", "Ada").labels) == (0, full)


def test_seconds_are_the_median(store, full):
    store.enter("Ada")
    for i, seconds in enumerate((2, 4, 10, 30)):
        store.save(f"s{i}", "Ada", Change("done", full, millis=seconds * 1000))
    assert progress_of(store, "Ada").seconds == 7


def test_a_store_is_made_where_there_are_no_hard_links(tmp_path, corpus, monkeypatch):
    from stance.annotate import store as module

    def no_link(*_):
        raise PermissionError("hard links are not supported")

    monkeypatch.setattr(module.os, "link", no_link)
    store = Store.create(tmp_path / "p.db", corpus)
    assert len(store.items()) == 6
    assert [p.name for p in tmp_path.iterdir()] == ["p.db"]
    made = module.make_tables

    def slowly(path, *rest):
        made(path, *rest)
        (tmp_path / "q.db").write_bytes(b"somebody else's")

    monkeypatch.setattr(module, "make_tables", slowly)
    with pytest.raises(AnnotationError, match="there already"):
        Store.create(tmp_path / "q.db", corpus)
    assert (tmp_path / "q.db").read_bytes() == b"somebody else's"


def test_a_second_look_is_no_rating_but_replaces_what_it_gives(store, full):
    set_overlap(store, 1.0)
    for name in ("Ada", "Bob", "Cy", "Dee"):
        store.enter(name)
    store.save("s0", "Ada", Change("done", full))
    store.save("s0", "Ada", Change("label", {"Russia": "favor"}, mode="second-look"))
    store.save("s0", "Ada", Change("done"))  # of the same look, though it was not said again
    store.save("s1", "Ada", Change("done", full))
    store.save("s1", "Cy", Change("done", dict.fromkeys(full, "favor"), mode="second-look"))
    ratings = ratings_of_store(store)
    assert [(r.item, r.annotator, r.labels) for r in ratings.ratings] == [("s0", "Ada", full), ("s1", "Ada", full)]
    merged = aggregate(ratings)
    assert merged["s0"] == {**full, "Russia": "favor"}
    assert merged["s1"] == dict.fromkeys(full, "favor")
    assert next_item(store, "Dee") == "s0"  # Ada's look is none of the two ratings wanted
    store.save("s0", "Dee", Change("done", full))
    store.save("s1", "Dee", Change("done", dict.fromkeys(full, "against"), mode="second-look"))
    assert set(aggregate(ratings_of_store(store))["s1"].values()) == {"against"}
    assert next_item(store, "Bob") == "s1"  # one rating, two second looks
    store.save("s1", store.enter("Bob", adjudicator=True), Change("done", full, mode="adjudicate"))
    assert aggregate(ratings_of_store(store))["s1"] == full
