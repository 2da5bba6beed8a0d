from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pyarrow
import pytest
from pyarrow import parquet

from stance.annotate.formats import FORMATS, Imported, export_bytes, export_labels, import_labels
from stance.annotate.labelled import labelled_corpus, left_out
from stance.annotate.ratings import ratings_of_corpus, ratings_of_store
from stance.annotate.records import Change
from stance.annotate.store import Store
from stance.corpus import read_corpus
from stance.errors import AnnotationError, OutputError, UsageError
from tests.annotate.conftest import make_corpus

_PLACES = {"datasets": "d", "jsonl": "l.jsonl", "csv": "l.csv", "label-studio": "l.json", "doccano": "c", "potato": "p"}


@pytest.fixture
def labelled(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
    store.save("s0", "Ada", Change("done", full))
    store.save("s0", "Bob", Change("done", {**full, "Russia": "neutral"}))
    store.save("s2", "Bob", Change("done", dict.fromkeys(store.targets, "favor")))
    return store


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_exported_is_imported_again(labelled, tmp_path, kind, corpus):
    place = tmp_path / "out" / _PLACES[kind]
    place.parent.mkdir()
    assert export_labels(labelled, place, kind=kind) == 2
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    assert import_labels(fresh, place, kind=kind) == Imported(3, 0)
    for item, name in (("s0", "Ada"), ("s0", "Bob"), ("s2", "Bob")):
        assert fresh.state(item, name).labels == labelled.state(item, name).labels
        assert fresh.state(item, name).status == "done"
    assert import_labels(fresh, place, kind=kind) == Imported(0, 0)  # nothing new the second time
    assert {row.kind for row in fresh.history()} == {"import"}


@pytest.mark.parametrize("kind", FORMATS)
def test_downloads_hold_the_same(labelled, kind):
    body, ending = export_bytes(labelled, kind)
    assert ending in (".jsonl", ".csv", ".json", ".zip")
    if ending == ".zip":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.testzip() is None
            assert archive.namelist()
    else:
        assert "Kremlin" in body.decode("utf-8")


def test_corpus_exports_are_corpora_with_ties_left_open(labelled, tmp_path):
    for kind in ("datasets", "jsonl", "csv"):
        place = tmp_path / _PLACES[kind]
        export_labels(labelled, place, kind=kind)
        corpus = read_corpus(place, labels=labelled.labels, targets=labelled.targets)
        first = next(r for r in corpus.records if r.id == "s0")
        assert (first.labels["Russia"], first.labels["Ukraine"]) == (None, "neutral")
        assert first.annotators["Bob"]["Russia"] == "neutral"
        assert first.statement.before == "Before the vote, Mara Quill said "
        assert first.document == "d0"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_decision_is_exported_and_imported_as_one(labelled, tmp_path, kind, corpus, full):
    for name, label in (("Cy", "favor"), ("Dee", "against")):  # the later one counts
        store_as = labelled.enter(name, adjudicator=True)
        labelled.save("s0", store_as, Change("done", {**full, "Russia": label}, mode="adjudicate"))
    labelled.save("s4", store_as, Change("done", full, mode="adjudicate"))
    place = tmp_path / "out" / _PLACES[kind]
    place.parent.mkdir()
    export_labels(labelled, place, kind=kind)
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    assert import_labels(fresh, place, kind=kind) == Imported(5, 0)
    assert ratings_of_store(fresh).settled == ratings_of_store(labelled).settled
    assert labelled_corpus(fresh).records[0].labels["Russia"] == "against"
    assert ratings_of_store(fresh).annotators == ("Ada", "Bob")
    assert not any(":" in path.name for path in tmp_path.rglob("*"))


def test_a_decision_in_a_corpus_is_no_rating(labelled, tmp_path, full):
    labelled.save("s0", labelled.enter("Cy", adjudicator=True), Change("done", full, mode="adjudicate"))
    export_labels(labelled, tmp_path / "l.jsonl")
    ratings = ratings_of_corpus(read_corpus(tmp_path / "l.jsonl", labels=labelled.labels, targets=labelled.targets))
    assert (ratings.annotators, ratings.settled) == (("Ada", "Bob"), {"s0": full})


def test_label_studio_takes_the_tasks_without_knowing_the_annotators(labelled, tmp_path, full):
    labelled.save("s0", labelled.enter("Cy", adjudicator=True), Change("done", full, mode="adjudicate"))
    export_labels(labelled, tmp_path / "l.json")
    annotations = json.loads((tmp_path / "l.json").read_text(encoding="utf-8"))[0]["annotations"]
    assert not any("completed_by" in a for a in annotations)
    assert [a["ground_truth"] for a in annotations] == [False, False, True]
    for a in annotations:  # as Label Studio gives it back
        a["completed_by"] = 1
    again = tmp_path / "again.json"
    again.write_text(json.dumps([{"data": {"statement_id": "s1"}, "annotations": annotations}]), encoding="utf-8")
    assert import_labels(labelled, again) == Imported(3, 0)
    assert labelled.state("s1", "Ada").labels == full


def test_foreign_label_studio_and_doccano_records_are_found_by_their_words(store, tmp_path):
    words = store.item("s1").record.statement.text
    result = {
        "from_name": "Russia",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": ["favor"]},
        "meta": None,
    }
    task = {"id": 9, "data": {"text": words}, "annotations": [{"completed_by": 4, "result": [result]}]}
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task]), encoding="utf-8")
    assert import_labels(store, path) == Imported(1, 0)
    assert store.state("s1", "4").labels == {"Russia": "favor"}
    doccano = tmp_path / "admin.jsonl"
    doccano.write_text(json.dumps({"id": 1, "text": words, "label": ["China: against"]}), encoding="utf-8")
    assert import_labels(store, doccano, kind="doccano") == Imported(1, 0)
    assert store.state("s1", "admin").labels == {"China": "against"}


def test_bad_records_are_named_and_the_rest_goes_on(store, tmp_path):
    path = tmp_path / "admin.jsonl"
    rows = [
        {"text": "no such words", "label": []},
        {"statement_id": "s0", "label": ["Russia"]},
        {"statement_id": "s0", "label": ["Russia: splendid"]},
        {"statement_id": "s0", "label": ["Russia: favor"]},
        ["not", "a", "record"],
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n{cut off", encoding="utf-8")
    rejected = []
    assert import_labels(store, path, kind="doccano", on_reject=rejected.append) == Imported(1, 0)
    assert [(r.record, r.rule) for r in rejected] == [
        (1, "unknown-item"),
        (2, "doccano"),
        (3, "unknown-label"),
        (5, "doccano"),
        (6, "json"),
    ]
    with pytest.raises(AnnotationError, match="record 1"):
        import_labels(store, path, kind="doccano")


def test_two_labels_for_one_target_are_refused_not_chosen_from(store, tmp_path):
    def result(label):
        return {"from_name": "Russia", "to_name": "text", "type": "choices", "value": {"choices": label}}

    tasks = [
        {
            "data": {"statement_id": "s0"},
            "annotations": [{"completed_by": 1, "result": [result(["favor", "against"])]}],
        },
        {"data": {"statement_id": "s1"}, "annotations": [{"completed_by": 1, "result": [result(["favor"])] * 2}]},
        {"data": {"statement_id": "s2"}, "annotations": [{"completed_by": 1, "result": [result([])]}]},
    ]
    rows = [{"statement_id": "s0", "label": ["Russia: favor", "Russia: against"]}]
    potato = [{"id": "s0", "label_annotations": {"Russia": {"favor": "true", "against": "true"}}}]
    for kind, name, text in (
        ("label-studio", "x.json", json.dumps(tasks)),
        ("doccano", "Ada.jsonl", json.dumps(rows[0])),
        ("potato", "Ada/annotated_instances.jsonl", json.dumps(potato[0])),
    ):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
        rejected = []
        import_labels(store, place, kind=kind, on_reject=rejected.append)
        assert [(r.record, r.rule) for r in rejected] == [(1, "two-labels")], kind
    assert store.state("s1", "1").labels == {"Russia": "favor"}
    assert {item for item, _, _ in store.states()} == {"s1"}


def test_targets_with_colons_keep_their_name_in_doccano(tmp_path, corpus):
    targets = ("Treaty: part two", *corpus.targets[1:])
    store = Store.create(tmp_path / "p.db", replace(corpus, targets=targets))
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", dict.fromkeys(targets, "favor")))
    export_labels(store, tmp_path / "out", kind="doccano")
    fresh = Store.create(tmp_path / "f.db", replace(corpus, targets=targets))
    assert import_labels(fresh, tmp_path / "out", kind="doccano") == Imported(1, 0)
    assert fresh.state("s0", "Ada").labels == dict.fromkeys(targets, "favor")


def test_an_ending_that_names_no_format_is_refused(labelled, tmp_path, corpus):
    for name in ("labels.parquet", "labels.xlsx", "labels.jsonl.gz"):
        with pytest.raises(UsageError, match=r"\.jsonl, \.csv, \.json or a folder"):
            export_labels(labelled, tmp_path / name)
    assert not list(tmp_path.glob("labels*"))
    (tmp_path / "release-1.0").mkdir()
    assert export_labels(labelled, tmp_path / "release-1.0") == 2
    assert (tmp_path / "release-1.0" / "README.md").is_file()
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    columns = {"id": ["s0"], "statement": [corpus.records[0].statement.text], "label_Russia": ["favor"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "labels.parquet")
    assert import_labels(fresh, tmp_path / "labels.parquet") == Imported(1, 0)
    assert fresh.state("s0", "imported").labels == {"Russia": "favor"}


def test_what_cannot_be_read_or_written_is_said(store, tmp_path):
    with pytest.raises(AnnotationError, match="nothing is labelled"):
        export_labels(store, tmp_path / "x.jsonl")
    with pytest.raises(UsageError, match="none of"):
        export_labels(store, tmp_path / "x", kind="xml")
    with pytest.raises(AnnotationError, match="no such file"):
        import_labels(store, tmp_path / "none.json")
    broken = tmp_path / "x.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(AnnotationError, match="not JSON"):
        import_labels(store, broken)


def test_dawid_skene_settles_what_a_majority_leaves_open(tmp_path):
    store = Store.create(tmp_path / "p.db", make_corpus(12))
    for name in ("good", "fine", "poor"):
        store.enter(name)
    for i in range(12):
        truth = store.labels[i % 3]
        for name, label in (("good", truth), ("fine", truth), ("poor", store.labels[(i + 1 + i // 3) % 3])):
            if i < 11 or name != "fine":
                store.save(f"s{i}", name, Change("done", dict.fromkeys(store.targets, label)))
    last = labelled_corpus(store).records[-1]
    assert set(last.labels.values()) == {None}
    settled = labelled_corpus(store, "dawid-skene").records[-1]
    assert set(settled.labels.values()) == {store.labels[11 % 3]}


def test_the_decision_that_counts_is_the_one_exported(labelled, tmp_path, corpus, full):
    cy, dee = (labelled.enter(name, adjudicator=True) for name in ("Cy", "Dee"))
    labelled.save("s0", cy, Change("done", {**full, "Russia": "favor"}, mode="adjudicate"))
    labelled.save("s0", dee, Change("done", full, mode="adjudicate"))
    labelled.save("s0", cy, Change("note", text="I still think so", mode="adjudicate"))
    export_labels(labelled, tmp_path / "l.jsonl")
    row = json.loads((tmp_path / "l.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert row["labels"] == full == row["annotators"][dee]
    assert cy not in row["annotators"]
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    fresh.save("s0", fresh.enter("Eve", adjudicator=True), Change("done", dict.fromkeys(full, "favor")))
    import_labels(fresh, tmp_path / "l.jsonl")
    assert (
        ratings_of_store(fresh).decisions["s0"].annotator == "adjudicator:Eve"
    )  # made here, so it is known to be newer


@pytest.mark.parametrize("kind", FORMATS)
def test_labels_of_the_corpus_come_back_as_nobodys(tmp_path, kind, corpus, full):
    own = replace(corpus, splits={"train": (replace(corpus.records[0], labels=full), *corpus.records[1:])})
    store = Store.create(tmp_path / "p.db", own)
    place = tmp_path / "out" / _PLACES[kind]
    export_labels(store, place, kind=kind)
    assert import_labels(store, place, kind=kind) == Imported(0, 0)
    assert store.annotators() == []
    assert import_labels(Store.create(tmp_path / "q.db", corpus), place, kind=kind) == Imported(1, 0)


def test_an_import_tells_what_it_left_as_it_was(labelled, tmp_path, full):
    export_labels(labelled, tmp_path / "l.csv")
    labelled.save("s0", "Ada", Change("done", {**full, "Russia": "favor"}))
    assert import_labels(labelled, tmp_path / "l.csv") == Imported(0, 1)
    assert labelled.state("s0", "Ada").labels["Russia"] == "favor"


@pytest.mark.parametrize("kind", ["doccano", "potato"])
def test_a_folder_written_again_holds_nothing_of_the_last_export(labelled, tmp_path, kind, full):
    place = tmp_path / "out"
    judge = labelled.enter("Cy", adjudicator=True)
    labelled.save("s0", judge, Change("done", full, mode="adjudicate"))
    export_labels(labelled, place, kind=kind)
    assert any("adjudicator" in p.name for p in place.iterdir())
    labelled.undo(judge)
    export_labels(labelled, place, kind=kind)
    assert not any("adjudicator" in p.name for p in place.iterdir())
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "admin.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(OutputError, match="holds other files"):
        export_labels(labelled, foreign, kind=kind)
    (place / "stance-export.json").write_text(json.dumps({"files": ["../foreign/admin.jsonl"]}), encoding="utf-8")
    export_labels(labelled, place, kind=kind)
    assert (foreign / "admin.jsonl").read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_second_look_is_exported_and_imported_as_one(labelled, tmp_path, kind, corpus):
    labelled.save("s0", "Ada", Change("label", {"Russia": "favor"}, mode="second-look"))
    labelled.save("s0", "Ada", Change("done", mode="second-look"))
    place = tmp_path / "out" / _PLACES[kind]
    export_labels(labelled, place, kind=kind)
    assert import_labels(labelled, place, kind=kind) == Imported(0, 0)
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    assert import_labels(fresh, place, kind=kind) == Imported(4, 0)
    there, here = ratings_of_store(fresh), ratings_of_store(labelled)
    assert [(r.annotator, r.labels) for r in there.ratings] == [(r.annotator, r.labels) for r in here.ratings]
    assert [(r.annotator, r.labels) for r in there.looks] == [("Ada", {"Russia": "favor"})]
    assert labelled_corpus(fresh).records[0].labels["Russia"] == "favor"
    if kind not in ("label-studio", "doccano", "potato"):
        read = ratings_of_corpus(read_corpus(place, labels=fresh.labels, targets=fresh.targets))
        assert (read.annotators, [look.annotator for look in read.looks]) == (("Ada", "Bob"), ["Ada"])


def test_a_tool_may_give_a_second_look_back_before_its_rating(labelled, tmp_path, corpus):
    labelled.save("s0", "Ada", Change("label", {"Russia": "favor"}, mode="second-look"))
    labelled.save("s0", "Ada", Change("done"))
    place = tmp_path / "tasks.json"
    export_labels(labelled, place)
    tasks = json.loads(place.read_text(encoding="utf-8"))
    for task in tasks:
        task["annotations"].reverse()
    place.write_text(json.dumps(tasks), encoding="utf-8")
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    assert import_labels(fresh, place) == Imported(4, 0)
    assert ratings_of_store(fresh).annotators == ("Ada", "Bob")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_notes_flags_seconds_and_mode_go_along(labelled, tmp_path, kind, corpus, full):
    labelled.save("s4", "Ada", Change("done", full, millis=2500, mode="suggestion"))
    labelled.save("s4", "Ada", Change("note", text='hard, "very"\nhard'))
    labelled.save("s4", "Ada", Change("flag"))
    place = tmp_path / _PLACES[kind]
    export_labels(labelled, place)
    fresh = Store.create(tmp_path / "fresh.db", corpus)
    assert import_labels(fresh, place) == Imported(4, 0)
    state = fresh.state("s4", "Ada")
    assert (state.note, state.flagged, state.millis) == ('hard, "very"\nhard', True, 2500)
    assert [bool(r.suggested) for r in ratings_of_store(fresh).ratings] == [False, False, False, True]
    assert fresh.undo("Ada") is None
    assert fresh.rebuild() == 0
    assert export_bytes(fresh, kind)[0] == place.read_bytes()


def test_what_is_left_out_is_said(labelled):
    labelled.import_labels([("s3", "adjudicator:Cy", {"China": "favor"})])  # of one target, for which it counts
    labelled.save("s2", "Bob", Change("label", {"Russia": "against"}))
    assert left_out(labelled, labelled_corpus(labelled)) == (
        "1 ratings are begun or opened again and not finished: left out until they are",
        "1 labels are left open, as annotators tie: adjudicate them",
    )
