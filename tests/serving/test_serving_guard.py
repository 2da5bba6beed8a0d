"""What the guard lets through, before the labelling page and before the scoring server alike."""

import asyncio

import pytest

pytest.importorskip("starlette", reason="neither annotate nor serve is installed")
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

LIMIT = 64 * 1024
HOST = (b"host", b"127.0.0.1:8765")


def _page(app, seconds, monkeypatch):
    from stance.annotate import security

    monkeypatch.setattr(security, "BODY_SECONDS", seconds)
    return security.guarded(app, ("127.0.0.1", "localhost", "::1"))


def _api(app, seconds, monkeypatch):
    pytest.importorskip("prometheus_client", reason="the extra serve is not installed")
    from stance.schema import LABELS
    from stance.serve.guard import CountingGuard, Sessions
    from stance.serve.metrics import Metrics
    from stance.serve.options import ServeOptions

    def answer(scope, refusal):
        return Response(refusal.message, refusal.status, dict(refusal.headers))

    options = ServeOptions(max_body=LIMIT, timeout=seconds)
    return CountingGuard(app, answer, options, Metrics("m", LABELS), Sessions(None), frozenset())


@pytest.fixture(params=[_page, _api], ids=["page", "api"])
def ask(request, monkeypatch):
    """Send a request through a server's guard to an application that answers with the body it was given."""

    def ask(*pieces, method="POST", headers=(HOST,), gone=False, seconds=30, extra=None):
        async def app(scope, receive, send):
            await PlainTextResponse(await Request(scope, receive).body(), headers=extra)(scope, receive, send)

        sent = []
        pending = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        if gone:
            pending.append({"type": "http.disconnect"})
        elif pending:
            pending[-1]["more_body"] = False

        async def receive():
            return pending.pop(0) if pending else await asyncio.sleep(60)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": list(headers)}
        asyncio.run(request.param(app, seconds, monkeypatch)(scope, receive, send))
        start, *bodies = sent
        return start["status"], dict(start["headers"]), b"".join(message["body"] for message in bodies)

    return ask


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost:99", "127.0.0.1:1", "[::1]", "[::1]:8765"])
def test_own_host_names_pass(ask, host):
    assert ask(b"", method="GET", headers=[(b"host", host.encode())])[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "elsewhere.example",
        "127.0.0.1.elsewhere.example:80",
        "localhost.elsewhere.example",
        "localhost.",
        "",
        "[::2]",
        "[[::1]]",
        "é",
    ],
)
def test_other_host_names_are_refused(ask, host):
    assert ask(b"", method="GET", headers=[(b"host", host.encode("latin-1"))])[0] == 421


@pytest.mark.parametrize("headers", [[], [HOST, HOST], [HOST, (b"host", b"elsewhere.example")]])
def test_a_request_has_one_host(ask, headers):
    assert ask(b"", method="GET", headers=headers)[0] == 400


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"https://elsewhere.example"),
        (b"origin", b"null"),
        (b"origin", b""),
        (b"origin", b"http://127.0.0.1:1"),
        (b"origin", b"http://127.0.0.1"),
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-site", b"same-site"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_sites_change_nothing(ask, header, method):
    assert ask(b"x", method=method, headers=[HOST, header])[0] == 403
    assert ask(b"", method="GET", headers=[HOST, header])[0] == 200, "a link on another site's page may lead here"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"origin", b"http://127.0.0.1:8765"), (b"sec-fetch-site", b"same-origin")],
        [(b"origin", b"https://127.0.0.1:8765")],
        [(b"sec-fetch-site", b"none")],
    ],
)
def test_own_pages_do(ask, headers):
    assert ask(b"mi", b"", b"ne", headers=[HOST, *headers])[::2] == (200, b"mine")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_is_as_long_as_the_limit_at_most(ask, method):
    half = b"x" * (LIMIT // 2)
    assert ask(half, half, method=method)[::2] == (200, half + half)
    status, headers, _ = ask(half, half, b"x", method=method)
    assert (status, headers[b"connection"]) == (413, b"close")


@pytest.mark.parametrize(
    ("length", "status"),
    [(str(LIMIT), 200), (str(LIMIT + 1), 413), ("9" * 5000, 413), ("-1", 400), ("²", 400), ("", 400)],
)
def test_an_announced_length_is_believed_before_the_body_is_read(ask, length, status):
    assert ask(b"", headers=[HOST, (b"content-length", length.encode("latin-1"))])[0] == status


def test_a_body_that_never_comes_is_given_up(ask):
    status, headers, _ = ask(seconds=0.05)
    assert (status, headers[b"connection"]) == (408, b"close")


def test_half_a_body_reaches_no_application(ask):
    assert ask(b"na", gone=True)[0] == 499


@pytest.mark.parametrize("headers", [[HOST], []])
def test_every_answer_carries_the_security_headers(ask, headers):
    _, found, _ = ask(b"", method="GET", headers=headers)
    policy = found.pop(b"content-security-policy").decode().split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert {name: value for name, value in found.items() if not name.startswith(b"content")} == {
        b"cache-control": b"no-store",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"referrer-policy": b"same-origin",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
    }


def test_an_answer_with_a_policy_of_its_own_keeps_it(ask):
    found = ask(b"", method="GET", extra={"Content-Security-Policy": "default-src 'none'"})[1]
    assert found[b"content-security-policy"] == b"default-src 'none'"
    assert found[b"x-frame-options"] == b"DENY"
