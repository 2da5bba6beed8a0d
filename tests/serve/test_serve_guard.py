"""What must not come in: other sites, other names, no token, too much, too slow; and script in article text."""

import socket
import time

import pytest

from stance.errors import UsageError
from stance.serve.guard import SESSION_COOKIE, Sessions
from stance.serve.options import ServeOptions
from stance.serve.protocol import MAX_HEAD

TOKEN = "a-token-made-for-tests-0123"  # as in conftest
BODY = {"statements": [{"id": "1", "statement": "Moscow lies"}]}
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("path", ["/v1/classify", "/"])
def test_requests_of_other_sites_are_refused(client, path):
    answer = client.post(path, BODY, {"origin": "https://elsewhere.example"})
    assert (answer.status, answer.rule) == (403, "cross-site")


def test_requests_of_the_own_page_pass(client):
    own = {"origin": client.url, "sec-fetch-site": "same-origin"}
    assert client.post("/v1/classify", BODY, own).status == 200
    assert "access-control-allow-origin" not in client.post("/v1/classify", BODY, own).headers
    assert client.send("OPTIONS", "/v1/classify", headers=own).status == 405


def test_other_host_names_are_refused(client):
    answer = client.get("/v1/targets", host="elsewhere.example")
    assert (answer.status, answer.rule) == (421, "host")
    assert "'elsewhere.example'" in answer.text
    assert "--name" in answer.text


def test_further_host_names_pass(start):
    with start(names=("Scores.Example",)) as named:
        assert named.get("/healthz", host="scores.example").status == 200
        assert named.get("/healthz", host="other.example").status == 421


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_json(client, kind):
    answer = client.send("POST", "/v1/classify", b"{}", {"content-type": kind})
    assert (answer.status, answer.rule) == (415, "content-type")


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}])
def test_without_the_token_nothing_is_answered(guarded, given):
    for method, path in [("POST", "/v1/score"), ("POST", "/v1/classify"), ("GET", "/v1/targets"), ("GET", "/metrics")]:
        answer = guarded.send(method, path, b"{}", {"content-type": "application/json", **given})
        assert (answer.status, answer.rule) == (401, "token")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert TOKEN not in answer.text


def test_with_the_token_all_is_answered(guarded):
    assert guarded.post("/v1/classify", BODY, BEARER).status == 200
    assert guarded.get("/metrics", **BEARER).status == 200
    assert guarded.get("/healthz").status == 200
    described = guarded.get("/openapi.json").json
    assert described["paths"]["/v1/score"]["post"]["security"]
    assert "security" not in described["paths"]["/healthz"]["get"]


def test_a_browser_signs_in_with_the_token_and_out_again(guarded):
    assert guarded.get("/", accept="text/html").headers["location"] == "/login"
    assert guarded.form("/", text="a").status == 401
    wrong = guarded.form("/login", token="wrong")
    assert wrong.status == 401
    assert "set-cookie" not in wrong.headers
    right = guarded.form("/login", token=TOKEN)
    assert (right.status, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert "Secure" not in cookie
    behind_tls = guarded.form("/login", {"origin": f"https://127.0.0.1:{guarded.port}"}, token=TOKEN)
    assert "Secure" in behind_tls.headers["set-cookie"]
    session = {"cookie": cookie.partition(";")[0]}
    assert guarded.get("/", **session).status == 200
    assert guarded.form("/", session, text="“We won,” said Ann Lee.", targets="Russia").status == 200
    assert guarded.get("/v1/targets", **session).status == 401, "the cookie is for pages alone"
    assert "Max-Age=0" in guarded.form("/logout", session).headers["set-cookie"]


def test_sessions_cannot_be_forged_and_grow_old(monkeypatch):
    sessions = Sessions(TOKEN)
    good = sessions.cookie()
    assert sessions.valid(good)
    until, _, signature = good.partition(".")
    for forged in ("", ".", f"{int(until) + 1}.{signature}", f"{until}.{'0' * 64}", f"{until}.é", f"²{until}.x"):
        assert not sessions.valid(forged)
    assert not Sessions(TOKEN + "x").valid(good)
    monkeypatch.setattr("stance.serve.guard.time", lambda: int(until) + 1)
    assert not sessions.valid(good)


def test_too_long_is_refused_before_it_is_read(guarded):
    head = {"content-type": "application/json", **BEARER}
    answer = guarded.send("POST", "/v1/score", b"x" * 5000, head)
    assert (answer.status, answer.rule) == (413, "too-long")
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=60) as raw:
        lines = [f"POST /v1/score HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TOKEN}"]
        raw.sendall(
            "\r\n".join([*lines, "content-type: application/json", "content-length: 99999999999\r\n\r\n"]).encode()
        )
        assert raw.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_is_given_up(start):
    head = (
        b"POST /v1/score HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"
    )
    with start(timeout=1) as client:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as raw:
            raw.sendall(head + b"content-length: 50\r\n\r\n{")
            answer = raw.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"slow-body" in answer
    assert time.monotonic() - began >= 1


def test_work_that_takes_too_long_is_given_up(start):
    statements = [{"id": str(i), "statement": f"Moscow lies about the {i} ships " * 20} for i in range(400)]
    with start(timeout=0.3) as client:
        answer = client.post("/v1/classify", {"statements": statements})
        assert (answer.status, answer.rule) == (408, "time-limit")
        assert "retry-after" in answer.headers
        assert client.get("/healthz").json["status"] == "ok"


HEALTH = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n"
SCORE = b"POST /v1/score HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        HEALTH + b"a : b\r\n\r\n",
        HEALTH + b"a: b\r\n folded\r\n\r\n",
        HEALTH + b"a: b\0c\r\n\r\n",
        SCORE + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        SCORE + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        SCORE + b"content-length: -1\r\n\r\n{}",
        SCORE + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_malformed_http_is_a_400(client, raw):
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        connection.sendall(raw)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"GET /" + b"a" * MAX_HEAD + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", b""),
        (HEALTH + b"a: " + b"a" * MAX_HEAD + b"\r\n\r\n", b""),
        (HEALTH + b"a: b\r\n" * 6000 + b"\r\n", b""),
        (HEALTH, b"a: " + b"a" * 8000 + b"\r\n"),
        (HEALTH + b"a: ", b"a" * 8000),
        (b"", b"A" * 8000),
        (SCORE + b"transfer-encoding: chunked\r\n\r\n2;a=", b"a" * 8000),
        (SCORE + b"transfer-encoding: chunked\r\n\r\n0\r\na: ", b"a" * 8000),
    ],
)
def test_heads_and_trailers_without_end_are_a_400(client, first, more):
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        try:
            connection.sendall(first)
            for _ in range(200 if more else 0):
                connection.sendall(more)
        except OSError:  # the server has closed it, perhaps before its answer could be read
            return
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400")
    assert client.get("/healthz").status == 200


def test_a_head_within_the_bound_is_read_in_whatever_pieces_it_comes(client):
    raw = HEALTH + b"a: " + b"a" * (MAX_HEAD - 1000) + b"\r\nconnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        for start in range(0, len(raw), 1500):
            connection.sendall(raw[start : start + 1500])
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")


def test_trailers_are_no_headers(guarded):
    chunks = b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nauthorization: Bearer " + TOKEN.encode()
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=60) as connection:
        connection.sendall(SCORE + chunks + b"\r\n\r\n")
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 401")


def test_requests_sent_ahead_are_answered_in_turn(client):
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        connection.sendall((HEALTH + b"\r\n") * 3 + HEALTH + b"connection: close\r\n\r\n")
        answers = connection.makefile("rb").read()
    assert answers.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "0.0.0.0"}, "needs a --token-file"),
        ({"host": "::"}, "needs a --token-file"),
        ({"host": "192.0.2.7"}, "needs a --token-file"),
        ({"host": "example.org"}, "needs a --token-file"),
        ({"token": "short"}, "at least 16"),
        ({"token": "with spaces in the token"}, "without spaces"),
        ({"port": 70000}, "not a port"),
        ({"timeout": 0}, "--timeout"),
        ({"timeout": float("nan")}, "--timeout"),
        ({"max_body": 5}, "--max-body"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        ServeOptions(**options)


def test_other_addresses_with_a_token_answer_to_any_name():
    assert ServeOptions(host="0.0.0.0", token=TOKEN).host_names is None
    assert ServeOptions(host="127.0.0.2").host_names >= {"127.0.0.2", "localhost"}


SCRIPT = "<script>alert(1)</script>"


def test_script_in_text_title_outlet_speaker_and_target_is_escaped(client):
    text = f"“Russia {SCRIPT} lies,” said minister Jan {SCRIPT} Kowal. “<img src=x onerror=alert(1)>,” said Ann Lee."
    answer = client.form("/", text=text, title=SCRIPT, outlet=f'"{SCRIPT}', targets=f"Russia, {SCRIPT}")
    assert answer.status == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_errors_on_the_page_are_shown_there_and_escaped(client):
    empty = client.form("/", text=" ", title=SCRIPT)
    assert empty.status == 422
    assert "Paste the text of an article first." in empty.text
    assert "<script>alert" not in empty.text
    assert client.form("/", text="a", targets="Russia, Kremlin").status == 409
    assert "at most 100,000 characters" in client.form("/", text="a" * 100_001).text
    assert "at most 16 names" in client.form("/", text="a", targets=",".join("abcdefghijklmnopqrs")).text
    assert "at most 100 characters" in client.form("/", text="a", targets="a" * 101).text
    page = client.get(f"/{SCRIPT}", accept="text/html")
    assert page.status == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>alert" not in page.text


def test_the_page_marks_each_statement_with_its_speaker(client, scorer, root):
    import stance

    page = client.get("/?example").text
    assert "After long night" in page
    article = next(stance.read_articles([root / "examples" / "articles" / "04-lakeside-tribune-aid-vote.txt"]))
    answer = client.form("/", text=article.text, title=article.title, targets="")
    found = stance.extract_statements(article)
    assert answer.text.count("<mark ") == len(found)
    assert all(s.speaker.name in answer.text for s in found if s.speaker)
    assert answer.text.count('class="card"') == len(found)
    assert SESSION_COOKIE not in str(answer.headers)
