"""The page's server: sessions, refusals, escaping. What a browser does with it is in tests/browser."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette.testclient", reason="the extra annotate is not installed")
from starlette.testclient import TestClient

from stance.annotate import audit
from stance.annotate.app import PageOptions, create_app
from stance.annotate.assignment import next_item
from stance.annotate.jobs import TrainingJob
from stance.annotate.project import guide_html
from stance.annotate.records import Change
from stance.annotate.security import MAX_BODY, check_address, cookie_name, csrf_token
from stance.annotate.store import Store
from stance.errors import UsageError
from tests.annotate.conftest import make_corpus

_EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def _client(store, **options) -> TestClient:
    app = create_app(store, PageOptions(**options))
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def _token(page: str) -> str:
    return re.search(r'(?:data-csrf|name="csrf" value)="([0-9a-f]{64})"', page)[1]


def _enter(client: TestClient, name: str = "Ada", **extra: str) -> str:
    csrf = _token(client.get("/").text)
    answer = client.post("/enter", data={"name": name, "csrf": csrf, **extra})
    assert answer.status_code == 303, answer.text
    return _token(client.get("/label").text)


def _change(client: TestClient, csrf: str, **body):
    return client.post("/api/change", json={"item": "s0", "kind": "label", **body}, headers={"x-csrf-token": csrf})


@pytest.fixture
def client(store):
    return _client(store)


def test_a_change_is_saved_and_answered_with_the_new_state(client, store):
    csrf = _enter(client)
    answer = _change(client, csrf, base=0, labels={"Russia": "against"}, millis=1200, token="t1")
    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert store.state("s0", "Ada").labels == {"Russia": "against"}
    again = _change(client, csrf, base=0, labels={"Russia": "against"}, millis=1200, token="t1")
    assert again.json()["version"] == 1
    late = _change(client, csrf, base=0, labels={"Russia": "favor"})
    assert (late.status_code, late.json()["state"]["labels"]) == (409, {"Russia": "against"})
    undone = client.post("/api/undo", json={}, headers={"x-csrf-token": csrf}).json()
    assert (undone["item"], undone["state"]["labels"]) == ("s0", {})


def test_requests_of_other_sites_are_refused(client, store):
    csrf = _enter(client)
    body = {"item": "s0", "kind": "label", "labels": {"Russia": "favor"}}
    for headers in (
        {"origin": "https://evil.example", "x-csrf-token": csrf},
        {},
        {"x-csrf-token": "0" * 64},
    ):
        assert client.post("/api/change", json=body, headers=headers).status_code == 403
    plain = {"x-csrf-token": csrf, "content-type": "text/plain"}
    assert client.post("/api/change", content=json.dumps(body), headers=plain).status_code == 415
    assert client.post("/enter", data={"name": "Eve", "csrf": "0" * 64}).status_code == 403
    assert client.post("/leave", data={"csrf": "x"}).status_code == 403
    assert store.history() == []
    assert store.annotators() == ["Ada"]


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"host": "evil.example"}, 421, "This server does not answer for that host name."),
        ({"origin": "https://evil.example"}, 403, "Requests from other sites are refused."),
        ({"content-length": "65537"}, 413, "The request is larger than 65536 bytes."),
    ],
)
def test_what_the_guard_refuses_is_said_in_words_of_the_page(client, headers, status, words):
    answer = client.post("/enter", headers=headers)
    assert (answer.status_code, answer.text) == (status, words)


def test_a_session_cannot_be_forged(client, store):
    store.enter("Ada")
    assert client.get("/label").status_code == 303
    for cookie in ("QWRh", "QWRh." + "0" * 64, "....", "%00", "é".encode().hex()):
        client.cookies.set(cookie_name(store.id), cookie)
        assert client.get("/label").headers["location"] == "/"
        assert client.post("/api/undo", json={}, headers={"x-csrf-token": "x"}).status_code == 401


def test_every_answer_carries_the_policy(client):
    _enter(client)
    for path in ("/", "/label", "/progress", "/adjudicate", "/nothing", "/static/annotate.js"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    cookie = client.post("/enter", data={"name": "B", "csrf": "x"}).headers.get("set-cookie")
    assert cookie is None


def test_a_failure_carries_the_policy_too(store, monkeypatch):
    client = TestClient(create_app(store), base_url="http://127.0.0.1", raise_server_exceptions=False)
    monkeypatch.setattr(type(store), "read", lambda *_: 1 / 0)
    answer = client.get("/healthz")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_cookie_is_out_of_reach_of_script_and_other_sites(client):
    csrf = _token(client.get("/").text)
    cookie = client.post("/enter", data={"name": "Ada", "csrf": csrf}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_the_cookie_is_secure_where_a_proxy_speaks_https(store):
    client = _client(store, hosts=("127.0.0.1", "labels.example.org"), token="a-long-enough-token")
    for scheme, secure in (("http", False), ("https", True)):
        headers = {"host": "labels.example.org", "origin": f"{scheme}://labels.example.org"}
        form = {"name": "Ada", "csrf": csrf_token("", store.secret), "token": "a-long-enough-token"}
        answer = client.post("/enter", data=form, headers=headers)
        assert answer.status_code == 303
        assert ("secure" in answer.headers["set-cookie"].lower()) is secure


def test_two_projects_on_one_host_keep_their_sessions_apart(store, tmp_path):
    other = Store.create(tmp_path / "other.db", make_corpus(3, name="other"))
    client, second = _client(store), _client(other)
    _enter(client, "Ada")
    second.cookies = client.cookies  # one browser: cookies do not tell ports apart
    _enter(second, "Bob")
    assert 'class="who">Ada<' in client.get("/label").text
    assert 'class="who">Bob<' in second.get("/label").text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b'{"item": "\\ud800", "kind": "label"}', 400),
        (b'{"item": "s0"}', 422),
        (b'{"item": 7, "kind": "label"}', 422),
        (b'{"item": "s0", "kind": "drop"}', 422),
        (b'{"item": "s0", "kind": "undo"}', 422),
        (b'{"item": "s0", "kind": "label", "labels": []}', 422),
        (b'{"item": "s0", "kind": "label", "labels": {"Russia": 3}}', 422),
        (b'{"item": "s0", "kind": "label", "labels": {"Mars": "favor"}}', 422),
        (b'{"item": "../../etc/passwd", "kind": "label"}', 422),
        (b'{"item": "s0", "kind": "label", "base": true}', 422),
        (b'{"item": "s0", "kind": "label", "base": 1e99}', 422),
        (b'{"item": "s0", "kind": "label", "millis": -1}', 422),
        (b'{"item": "s0", "kind": "done"}', 422),
        (b'{"item": "s0", "kind": "label", "annotator": "Bob"}', 422),
        (b"{" + b" " * (MAX_BODY + 1) + b"}", 413),
    ],
)
def test_malformed_and_oversize_requests_are_refused(client, store, content, status):
    csrf = _enter(client)
    headers = {"x-csrf-token": csrf, "content-type": "application/json"}
    assert client.post("/api/change", content=content, headers=headers).status_code == status
    assert store.history() == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_BODY = st.fixed_dictionaries(
    {"item": st.sampled_from(["s0", "s1"]) | _JSON, "kind": st.sampled_from(["label", "done", "note", "flag"]) | _JSON},
    optional={
        "base": _JSON,
        "labels": st.dictionaries(st.sampled_from(["Russia", "China", "Mars"]), _JSON) | _JSON,
        "text": _JSON,
        "millis": _JSON,
        "token": _JSON,
        "adjudicate": _JSON,
        "back": st.sampled_from(["audit", "progress"]) | _JSON,
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_BODY)
def test_no_body_brings_the_server_down(client, store, body):
    csrf = csrf_token("Ada", store.secret)
    if not client.cookies:
        _enter(client)
    assert _change(client, csrf, **body).status_code in (200, 409, 422)
    assert store.rebuild() == 0


def test_script_in_any_text_is_shown_not_run(tmp_path, monkeypatch):
    corpus = make_corpus(2, name=_EVIL)
    record = corpus.records[0]
    statement = replace(
        record.statement,
        text=_EVIL,
        before=_EVIL,
        after=_EVIL,
        cue=_EVIL,
        speaker=replace(record.statement.speaker, name=_EVIL, country=_EVIL),
    )
    evil = replace(record, statement=statement, outlet=_EVIL)
    target = '"><script>alert(3)</script>'
    twins = tuple(
        replace(evil, statement=replace(statement, id=name, text=_EVIL + name), labels={target: label})
        for name, label in (("twin", "favor"), ("copy", "against"))
    )
    corpus = replace(corpus, targets=(target, *corpus.targets[1:]), splits={"train": (evil, corpus.records[1], *twins)})
    store = Store.create(tmp_path / "evil.db", corpus)
    guide = tmp_path / "guide.md"
    guide.write_text(f"{_EVIL}\n\n[x](javascript:alert(4))", encoding="utf-8")
    store.set_suggestions("m@1", [("s0", t, "favor", [0.1, 0.1, 0.7, 0.1]) for t in store.targets])
    suspect = audit.Suspect("s0", _EVIL, target, "favor", "against", 0.01)
    monkeypatch.setattr(audit, "_suspects", lambda *_: ((suspect,), ""))
    client = _client(store, guide=guide_html(guide), mode="suggestion")
    csrf = _enter(client)
    full = dict.fromkeys(store.targets, "favor")
    _change(client, csrf, kind="note", text=_EVIL)
    _change(client, csrf, kind="flag")
    _change(client, csrf, kind="done", labels=full)
    store.enter("Bob")
    store.save("s0", "Bob", Change("done", dict.fromkeys(store.targets, "against")))
    second = "/label?item=twin&from=audit"
    for path in ("/label?item=s0", "/progress", "/adjudicate", "/adjudicate?item=s0", "/agreement", "/audit", second):
        page = client.get(path)
        text = page.text.lower()
        assert page.status_code == 200
        assert "&lt;script&gt;alert(1)" in text, "it is shown"
        assert "<script>" not in text
        assert "<img" not in text
        assert "javascript:" not in text.replace("[x](javascript:alert(4))", "")
    listed = client.get("/audit").text
    assert listed.count('<a href="/label?item=') == 3, "a suspect and two near-duplicates"
    assert "Why this statement" in client.get(second).text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../store.py",
        "/static/%2e%2e/store.py",
        "/static/..%2f..%2ferrors.py",
        "/static//etc/passwd",
        "/export/..%2f..%2fetc%2fpasswd",
        "/export/pickle",
        "/label?item=../../../etc/passwd",
    ],
)
def test_paths_lead_nowhere_else(client, path):
    _enter(client)
    answer = client.get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_a_corpus_name_cannot_choose_the_file_of_a_download(tmp_path, full):
    store = Store.create(tmp_path / "p.db", make_corpus(2, name='../../x";rm -rf /\r\nSet-Cookie: a=b'))
    client = _client(store)
    csrf = _enter(client)
    _change(client, csrf, kind="done", labels=full)
    answer = client.get("/export/jsonl")
    assert answer.status_code == 200
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w-]+-jsonl\.jsonl", answer.headers["content-disposition"])
    assert "set-cookie" not in answer.headers


def test_blind_mode_shows_no_suggestion_and_suggestion_mode_keeps_what_was_shown(store, full):
    store.set_suggestions("m@1", [("s0", t, "favor", [0.05, 0.03, 0.9, 0.02]) for t in store.targets])
    blind = _client(store)
    csrf = _enter(blind)
    assert "model:" not in blind.get("/label?item=s0").text
    assert "data-suggested" not in blind.get("/label?item=s0").text
    _change(blind, csrf, kind="done", labels=full)
    shown = _client(store, mode="suggestion")
    csrf = _enter(shown, "Bob")
    assert "model: favor 90%" in shown.get("/label?item=s0").text
    _change(shown, csrf, kind="done", labels=full)
    modes = {(row.annotator, row.mode, row.suggestion) for row in store.history()}
    assert modes == {("Ada", "blind", None), ("Bob", "suggestion", "favor")}


def test_an_adjudicator_sees_who_gave_what_and_decides(client, store, full):
    for name, label in (("Ada", "against"), ("Bob", "favor")):
        store.enter(name)
        store.save("s0", name, Change("done", {**full, "Russia": label}))
    csrf = _enter(client, "Cy")
    assert "1 of 1 disagreements" in client.get("/adjudicate").text
    page = client.get("/adjudicate?item=s0").text
    assert re.findall(r'class="giver">(\w+)<', page).count("Ada") == 4
    _change(client, csrf, kind="done", labels={**full, "Russia": "against"}, adjudicate=True)
    assert "0 of 1 disagreements" in client.get("/adjudicate").text
    from stance.annotate.labelled import labelled_corpus

    assert labelled_corpus(store).records[0].labels["Russia"] == "against"
    assert set(labelled_corpus(store).records[0].annotators) == {"Ada", "Bob"}


def test_a_token_is_asked_for_where_there_is_one(store):
    client = _client(store, token="a-long-enough-token")
    csrf = _token(client.get("/").text)
    assert client.post("/enter", data={"name": "Ada", "csrf": csrf, "token": "wrong"}).status_code == 403
    wrong = client.post("/enter", data={"name": "Ada", "csrf": csrf})
    assert wrong.status_code == 403
    store.enter("Mallory")
    for page in (client.get("/"), client.get("/nothing"), wrong):
        assert not re.search("invented|Mallory|6 statements|Russia", page.text), "nothing of the project without it"
    _enter(client, "Ada", token="a-long-enough-token")
    assert client.get("/label").status_code == 200
    for other in (None, "another-long-enough-token"):
        renewed = _client(store, token=other)
        renewed.cookies = client.cookies
        assert renewed.get("/label").headers["location"] == "/", "a session lasts as long as its token"


def test_addresses_open_to_others_need_a_token():
    assert "127.0.0.1" in check_address("127.0.0.1", None)
    for host in ("0.0.0.0", "192.0.2.7", "example.org"):
        with pytest.raises(UsageError, match="--token"):
            check_address(host, None)
    with pytest.raises(UsageError, match="16 characters"):
        check_address("192.0.2.7", "short")
    assert "192.0.2.7" in check_address("192.0.2.7", "a-long-enough-token")
    with pytest.raises(UsageError, match=r"labels\.example\.org is open"):
        check_address("127.0.0.1", None, ["Labels.example.org"])
    for host in ("127.0.0.1", "0.0.0.0"):
        assert "labels.example.org" in check_address(host, "a-long-enough-token", ["Labels.example.org"])


def test_what_is_on_screen_is_given_to_nobody_else(client, store):
    _enter(client)  # shows s0
    assert client.get("/label?item=s1").status_code == 200
    store.enter("Bob")
    assert next_item(store, "Bob") == "s2"


def test_progress_counts_the_queue_alone(tmp_path, full):
    store = Store.create(tmp_path / "p.db", make_corpus(6), queued=["s0", "s1"])
    store.import_labels([(f"s{i}", "reader", full) for i in range(1, 5)])
    store.save("s0", store.enter("Ada", adjudicator=True), Change("done", full, mode="adjudicate"))
    client = _client(store)
    _enter(client, "Bob")
    assert "1 of 2 statements" in client.get("/progress").text


def test_downloads_weigh_annotators_as_the_command_was_told(tmp_path):
    store = Store.create(tmp_path / "p.db", make_corpus(12))
    for i in range(12):
        truth = store.labels[i % 3]
        for name, label in (("good", truth), ("fine", truth), ("poor", store.labels[(i + 1 + i // 3) % 3])):
            if i < 11 or name != "fine":
                store.import_labels([(f"s{i}", name, dict.fromkeys(store.targets, label))])
    found = {}
    for method in ("majority", "dawid-skene"):
        client = _client(store, method=method)
        _enter(client)
        found[method] = json.loads(client.get("/export/jsonl").text.splitlines()[-1])["labels"]["Russia"]
    assert found == {"majority": None, "dawid-skene": store.labels[11 % 3]}


def test_a_second_look_says_what_is_suspected_and_labelling_does_not(client, store, full, monkeypatch):
    module = audit

    suspect = module.Suspect("s0", "words", "Russia", "against", "favor", 0.02)
    twin = module.DuplicateIssue("s1", "s0", "other words", "words", "China", "neutral", "against", 0.9)
    monkeypatch.setattr(module, "audit", lambda *_: module.Audit((suspect,), (twin,), (), 1, 1))
    _enter(client)
    page = client.get("/label?item=s0&from=audit").text
    assert "Russia: labelled against (probability 0.020), favor expected" in page
    assert "China: labelled against, but neutral where it reads “other words”" in page
    for path in ("/label?item=s0", "/label?item=s0&from=progress", "/label?item=s2&from=audit"):
        assert "Why this statement" not in client.get(path).text


def test_many_at_once_are_all_saved(tmp_path):
    store = Store.create(tmp_path / "p.db", make_corpus(12))
    client = _client(store)
    names = [f"A{i}" for i in range(6)]
    wrong: list[int] = []

    def work(name: str) -> None:
        own = _client(store)
        csrf = _enter(own, name)
        for i in range(12):
            answer = _change(own, csrf, item=f"s{i}", kind="done", labels=dict.fromkeys(store.targets, "favor"))
            wrong.extend([answer.status_code] if answer.status_code != 200 else [])

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert client.get("/healthz").json() == {"status": "ok"}, "anyone may ask: nothing of the project"
    assert sum(state.status == "done" for _, _, state in store.states()) == 72


def test_an_audit_is_made_anew_only_when_labels_are_others_and_somebody_asks(client, store, full, monkeypatch):
    made = []
    first = audit.audit
    monkeypatch.setattr(audit, "audit", lambda of, vectors: made.append(of) or first(of, vectors))
    csrf = _enter(client)

    def renewed() -> int:
        assert client.get("/audit?renew=yes").headers["location"] == "/audit"
        assert client.get("/audit").status_code == 200
        return len(made)

    assert renewed() == 1
    _change(client, csrf, kind="note", text="a word")
    _change(client, csrf, kind="flag")
    assert "Renew it" not in client.get("/audit").text
    assert renewed() == 1
    _change(client, csrf, kind="done", labels=full)
    assert "1 statement was labelled since this list was made." in client.get("/audit").text
    assert len(made) == 1
    assert renewed() == 2
    assert "Renew it" not in client.get("/audit").text


def test_a_second_look_is_no_independent_label(client, store, full):
    """So is one from the list of marks, if somebody else left one; where a label came from is told by a known page."""
    csrf = _enter(client)
    store.enter("Bob")
    store.save("s2", "Bob", Change("note", text="mind the irony"))
    looks = {"s0": "audit", "s1": "progress", "s2": "progress", "s3": ""}
    for item, back in looks.items():
        assert _change(client, csrf, item=item, kind="done", labels=full, back=back).status_code == 200
    modes = {row.item: row.mode for row in store.history(annotator="Ada")}
    assert modes == {"s0": "second-look", "s1": "blind", "s2": "second-look", "s3": "blind"}
    for back in ("elsewhere", "/audit", None, ["audit"], {}, 1):
        assert _change(client, csrf, item="s4", kind="done", labels=full, back=back).status_code == 422
    _change(client, csrf, item="s5", kind="done", labels=full, back="audit", adjudicate=True)
    assert {row.mode for row in store.history(item="s5")} == {"adjudicate"}


def test_a_decision_cannot_be_skipped(client, store, full):
    csrf = _enter(client)
    _change(client, csrf, kind="done", labels=full, adjudicate=True)
    assert _change(client, csrf, kind="skip", adjudicate=True).status_code == 422
    assert store.state("s0", "adjudicator:Ada").status == "done"
    assert _change(client, csrf, kind="skip").status_code == 200


def test_what_all_agree_on_is_chosen_for_the_adjudicator(client, store, full):
    for name, label in (("Ada", "against"), ("Bob", "favor")):
        store.import_labels([("s0", name, {**full, "Russia": label}), *[("s1", name, full)] * (name == "Ada")])
    csrf = _enter(client, "Cy")
    chosen = re.findall(r'value="(\w+)" checked data-agreed', client.get("/adjudicate?item=s0").text)
    assert chosen == [full[target] for target in store.targets if target != "Russia"]
    assert "data-agreed" not in client.get("/adjudicate?item=s1").text, "one label is no agreement"
    assert "data-agreed" not in client.get("/label?item=s0").text
    _change(client, csrf, labels={"China": "favor"}, adjudicate=True)
    page = client.get("/adjudicate?item=s0").text
    assert page.count("checked data-agreed") == 2
    assert 'value="favor" checked>' in page


def test_a_second_look_stands_above_the_rating_for_the_adjudicator(client, store, full):
    store.import_labels([("s0", "Ada", full), ("s0", "Bob", {**full, "Russia": "favor"}), ("s0", "Dee", full)])
    store.save("s0", "Dee", Change("label", {"Russia": "neutral"}))  # opened again: not finished, so it counts nowhere
    store.save("s0", "Bob", Change("label", {"Russia": "against"}, mode="second-look"))
    _enter(client, "Cy")

    def shown() -> list[str]:
        page = client.get("/adjudicate?item=s0").text
        row = page[page.index('data-target="Russia"') :].partition("</fieldset>")[0]
        return re.findall(r'class="name">(\w+)</span>|class="giver">(\w+)<|(all agree)', row)

    words = [next(filter(None, found)) for found in shown()]
    assert words == ["against", "Ada", "neutral", "favor", "Bob"]
    assert "<td>open</td>" in client.get("/adjudicate").text
    store.save("s0", "Bob", Change("done"))
    words = [next(filter(None, found)) for found in shown()]
    assert words == ["all agree", "against", "Ada", "Bob", "neutral", "favor"]
    page = client.get("/adjudicate").text
    assert "0 of 1 disagreements" in page
    assert "<td>looked at again</td>" in page
    store.save("s0", store.enter("Cy", adjudicator=True), Change("done", full, mode="adjudicate"))
    assert "<td>settled</td>" in client.get("/adjudicate").text


def test_what_others_say_is_shown_where_it_is_looked_at_again(client, store):
    store.enter("Bob")
    store.save("s0", "Bob", Change("note", text=_EVIL))
    store.save("s0", "Bob", Change("flag"))
    csrf = _enter(client)
    _change(client, csrf, kind="note", text="my own")
    for path in ("/adjudicate?item=s0", "/label?item=s0&from=progress", "/label?item=s0&from=audit"):
        page = client.get(path).text
        assert re.search(r"<b>Bob</b> \(flag\): &lt;script&gt;", page)
        assert "<script>alert" not in page
        assert ("<b>Ada</b>: my own" in page) is path.startswith("/adjudicate")
    for path in ("/label?item=s0", "/label?item=s0&from=elsewhere", "/label?item=s1&from=audit"):
        assert "Bob" not in client.get(path).text


def test_a_finished_statement_says_what_a_change_of_it_would_be(client, full):
    csrf = _enter(client)
    _change(client, csrf, base=0, kind="done", labels=full)
    again, look = "A change opens it again", "A change begins a second look"
    for path, words in (("", again), ("&from=progress", again), ("&from=audit", look)):
        page = client.get(f"/label?item=s0{path}").text
        assert [w for w in (again, look) if w in page] == [words]


@pytest.mark.parametrize("text", ['{"curve": [{"statements": 8', '{"curve": []}', "[]"])
def test_an_old_or_cut_result_leaves_the_training_page_standing(store, tmp_path, text):
    (tmp_path / "loop.json").write_text(text, encoding="utf-8")
    client = _client(store, job=TrainingJob([], tmp_path))
    _enter(client)
    page = client.get("/train")
    assert (page.status_code, "Last run" in page.text) == (200, False)
