"""A real server in a thread of its own, on a free port."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
import uvicorn

from stance.serve import ServeOptions, create_app
from stance.serve.protocol import BoundedHttp

TOKEN = "a-token-made-for-tests-0123"


class Client:
    """Sends requests to a server; a new connection each."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def send(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.send("GET", path, headers=headers)

    def post(self, path, data, headers=None):
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        return self.send("POST", path, raw, {"content-type": "application/json", **(headers or {})})

    def form(self, path, headers=None, **fields):
        kind = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
        return self.send("POST", path, urlencode(fields).encode(), {**kind, **(headers or {})})


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def rule(self):
        return self.json["error"]["rule"]


@contextmanager
def running(scorer, **options):
    made = ServeOptions(**options)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            create_app(scorer, made), http=BoundedHttp, ws="none", log_level="error", access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            until = time.monotonic() + 60
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                assert time.monotonic() < until, "the server did not start in time"
                time.sleep(0.02)
            yield Client(sock.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="module")
def client(scorer):
    with running(scorer) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(scorer):
    """A server with a token and a small limit on the body."""
    with running(scorer, token=TOKEN, max_body=4096) as client:
        yield client


@pytest.fixture
def start(scorer):
    """Start a server with options of the test's own."""
    return lambda **options: running(scorer, **options)
