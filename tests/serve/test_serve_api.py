"""The JSON interface, spoken to over a real socket."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

import stance
from stance.scoring.statements import statement_record

GOOD = "“Russia has broken every promise it made to Ukraine,” said Polish minister Jan Kowal in Warsaw on Monday."
EXACT = ("article_id", "statement_id", "quotation_id", "start", "end", "statement", "cue", "speaker", "target", "label")


def same(rows, expected):
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert list(row) == list(other)
        assert {k: row[k] for k in EXACT} == {k: other[k] for k in EXACT}
        for name in row:
            if name.startswith("p_") or name == "confidence":
                assert row[name] == pytest.approx(other[name], abs=2e-2)
            elif name not in EXACT:
                assert row[name] == other[name], name


def record(i, statement, **more):
    return {"id": f"s{i}", "statement": statement, **more}


def test_score_gives_what_the_library_gives(client, scorer, root):
    articles = list(stance.read_articles([root / "examples" / "articles"]))[:2]
    sent = [{"text": a.text, "title": a.title, "outlet": a.outlet, "published": a.published} for a in articles]
    answer = client.post("/v1/score", {"articles": sent})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    expected = [row.to_dict() for rows in scorer.score_many(articles) for row in rows]
    same(answer.json["rows"], expected)
    assert [a["id"] for a in answer.json["articles"]] == [a.id for a in articles]
    assert sum(a["statements"] for a in answer.json["articles"]) * 4 == len(expected)
    assert answer.json["contract"] == "1"
    assert answer.json["model"] == scorer.model_id


def test_offsets_point_into_the_text(client):
    text = "First line.\r\n\r\n" + GOOD
    rows = client.post("/v1/score", {"articles": [{"text": text}]}).json["rows"]
    assert rows
    assert all(text.replace("\r\n", "\n")[r["start"] : r["end"]] == r["statement"] for r in rows)


def test_classify_gives_what_the_library_gives(client, scorer):
    records = [
        record(1, "We thank the United States for its help", speaker="Ann Lee", context="She said: ⟦x⟧"),
        record(2, "NATO is a threat to peace", targets=["NATO", "Kremlin"]),
        record(3, "Beijing is bullying its neighbours", start=7, end=40, quote_type="direct", cue="said"),
    ]
    answer = client.post("/v1/classify", {"statements": records})
    assert answer.status == 200
    expected = [r.to_dict() for rows in scorer.classify_many(map(statement_record, records)) for r in rows]
    same(answer.json["rows"], expected)
    assert [(r["statement_id"], r["target"]) for r in answer.json["rows"]][4:6] == [("s2", "NATO"), ("s2", "Russia")]


def test_targets_of_the_request_and_of_the_server(client):
    listed = client.get("/v1/targets").json
    assert [t["name"] for t in listed["targets"]] == ["United States", "Russia", "China", "Ukraine"]
    assert listed["labels"] == ["against", "neutral", "favor", "not_addressed"]
    rows = client.post("/v1/classify", {"statements": [record(1, "Moscow lies")], "targets": ["Kremlin", "EU"]}).json
    assert [r["target"] for r in rows["rows"]] == ["Russia", "EU"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../../configs/targets.yaml", "configs/targets.yaml"])
def test_a_target_is_never_a_path(client, name):
    rows = client.post("/v1/classify", {"statements": [record(1, "Moscow lies")], "targets": [name]}).json["rows"]
    assert [r["target"] for r in rows] == [name]


def test_doubts_are_said(client):
    german = "Der Fluss stieg in der Nacht um zwei Meter, und am Morgen war die Brücke nicht mehr da."
    answer = client.post("/v1/score", {"articles": [{"text": german, "published": "soon"}, {"text": GOOD}]})
    rules = [[w["rule"] for w in a["warnings"]] for a in answer.json["articles"]]
    assert rules == [["unknown-date", "not-english", "no-statement"], []]


def test_many_clients_at_once_get_each_their_own_answer(client, scorer):
    texts = [f"{who} {verb} {what} number {n}" for n in range(6) for who, verb, what in WORDS]
    some = [None, ["Russia", "China"], ["NATO"]]
    records = [record(i, text, targets=some[i % 3]) for i, text in enumerate(texts)]
    alone = [rows for r in records for rows in scorer.classify_many([statement_record(r)])]

    def ask(i):
        return client.post("/v1/classify", {"statements": [records[i]]})

    with ThreadPoolExecutor(24) as pool:
        for i, answer in enumerate(pool.map(ask, range(len(records)))):
            assert answer.status == 200
            same(answer.json["rows"], [r.to_dict() for r in alone[i]])


WORDS = [
    ("Russia", "has attacked", "a free country"),
    ("China", "helps", "its neighbours in every way that can be thought of, year after year"),
    ("The weather", "was", "fine"),
    ("America", "leads", "the world and we are grateful"),
]


def test_metrics_count_and_parse(start):
    with start() as client:
        client.post("/v1/classify", {"statements": [record(1, "Moscow lies"), record(2, "Thank you, America")]})
        client.get("/nowhere")
        client.post("/v1/score", {})
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = {f.name: f for f in text_string_to_metric_families(answer.text)}
    values = {(s.name, *sorted(s.labels.values())): s.value for f in families.values() for s in f.samples}
    assert values[("stance_statements_total",)] == 3  # with the one that warms the model up
    assert values[("stance_http_requests_total", "/v1/classify", "200", "POST")] == 1
    assert values[("stance_http_requests_total", "404", "GET", "other")] == 1
    assert values[("stance_refused_requests_total", "invalid")] == 1
    assert sum(value for name, value in values.items() if name[0] == "stance_rows_total") == 12


def test_health(client, scorer):
    answer = client.get("/healthz")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "version": stance.__version__, "model": scorer.model_id, "waiting": 0}


@pytest.mark.parametrize(
    ("path", "body", "status", "rule", "where"),
    [
        ("/v1/score", b"{oops", 400, "json", None),
        ("/v1/score", b"[" * 100_000, 400, "json", None),
        ("/v1/score", b"\xff\xfe\x00", 400, "json", None),
        ("/v1/score", b"", 422, "invalid", "body"),
        ("/v1/score", b"[]", 422, "invalid", "body"),
        ("/v1/score", b'{"articles": [{"text": "\\ud800"}]}', 422, "invalid", "body.articles[0].text"),
        ("/v1/score", {"articles": []}, 422, "invalid", "body.articles"),
        ("/v1/score", {"articles": [{"text": " \n"}]}, 422, "invalid", "body.articles[0].text"),
        ("/v1/score", {"articles": [{"text": "a", "titel": "b"}]}, 422, "invalid", "body.articles[0].titel"),
        ("/v1/score", {"articles": [{"text": 5}]}, 422, "invalid", "body.articles[0].text"),
        ("/v1/score", {"articles": [{"text": "a" * 100_001}]}, 422, "invalid", "body.articles[0].text"),
        ("/v1/score", {"articles": [{"text": "a"}] * 33}, 422, "invalid", "body.articles"),
        ("/v1/score", {"articles": [{"text": "a", "id": "1"}] * 2}, 409, "duplicate-id", "body.articles[1]"),
        ("/v1/score", {"articles": [{"text": "a"}], "targets": []}, 422, "invalid", "body.targets"),
        ("/v1/score", {"articles": [{"text": "a"}], "targets": ["x"] * 17}, 422, "invalid", "body.targets"),
        ("/v1/score", {"articles": [{"text": "a"}], "targets": ["Russia", "kremlin"]}, 409, "unique", "body.targets"),
        ("/v1/classify", {"statements": [{"statement": "a"}]}, 422, "invalid", "body.statements[0].id"),
        (
            "/v1/classify",
            {"statements": [record(1, "a"), record(1, "b")]},
            409,
            "duplicate-id",
            "body.statements[1].id",
        ),
        ("/v1/classify", {"statements": [record(1, "a", start=-1)]}, 422, "invalid", "body.statements[0].start"),
        ("/v1/classify", {"statements": [record(1, "a", start="1")]}, 422, "invalid", "body.statements[0].start"),
        ("/v1/classify", b'{"statements": [{"id": "1", "statement": "a", "end": NaN}]}', 422, "invalid", None),
    ],
)
def test_bad_requests_are_refused_by_rule_and_place(client, path, body, status, rule, where):
    answer = client.post(path, body)
    assert (answer.status, answer.rule) == (status, rule)
    if where:
        assert where in [p["where"] for p in answer.json["error"]["problems"]]


def test_who_hangs_up_is_not_waited_for(start):
    body = json.dumps({"statements": [record(i, f"Moscow lies about {i} ships " * 20) for i in range(400)]}).encode()
    head = "POST /v1/classify HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    with start() as client:
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as raw:
            raw.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            until = time.monotonic() + 60
            while client.get("/healthz").json["waiting"] == 0 and time.monotonic() < until:
                time.sleep(0.02)
        while client.get("/healthz").json["waiting"] and time.monotonic() < until:
            time.sleep(0.05)
        text = client.get("/metrics").text
    assert 'stance_refused_requests_total{rule="gone"} 1.0' in text
    scored = next(line for line in text.splitlines() if line.startswith("stance_statements_total"))
    assert float(scored.split()[1]) < 300


def test_too_many_statements_in_one_request(client):
    text = "“We saw it,” said Ann Lee.\n\n" * 1001
    answer = client.post("/v1/score", {"articles": [{"text": text}]})
    assert (answer.status, answer.rule) == (413, "too-many-statements")


def test_other_paths_and_methods(client):
    assert (client.get("/nowhere").status, client.get("/nowhere").rule) == (404, "not-found")
    answer = client.get("/v1/score")
    assert (answer.status, answer.rule, answer.headers["allow"]) == (405, "method", "POST")
    for path in ("/static/../options.py", "/static/%2e%2e/options.py", "/static/..%2foptions.py", "//etc/passwd"):
        assert client.get(path).status == 404


def test_the_description_names_every_answer(client):
    described = client.get("/openapi.json").json
    assert set(described["paths"]) == {"/v1/score", "/v1/classify", "/v1/targets", "/healthz", "/metrics"}
    assert {"400", "401", "403", "408", "409", "413", "415", "421", "422", "429", "503"} <= set(
        described["paths"]["/v1/score"]["post"]["responses"]
    )
    page = client.get("/docs")
    assert page.status == 200
    assert all(path in page.text for path in described["paths"])
    assert 'src="http' not in page.text
    assert json.dumps(described).count("#/components/schemas/Row") >= 1
