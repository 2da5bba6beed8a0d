"""``stance serve`` as a process: starts, says where, stops gracefully, refuses what it must."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from stance.cli import main


@pytest.fixture
def process():
    command = [sys.executable, "-m", "stance.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def in_flight(port):
    """How many requests the server is busy with, this one included."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next(line for line in lines if line.startswith("stance_http_requests_in_flight"))


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_the_request_in_hand_finish(process, stop):
    line = process.stdout.readline()
    port = int(re.match(r"http://127\.0\.0\.1:(\d+) is ready", line).group(1))
    statements = [{"id": str(i), "statement": f"Moscow lies about {i} ships"} for i in range(200)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(
        "POST", "/v1/classify", json.dumps({"statements": statements}), {"content-type": "application/json"}
    )
    while "in_flight 2.0" not in in_flight(port):
        assert process.poll() is None
    os.kill(process.pid, stop)
    answer = connection.getresponse()
    rows = json.loads(answer.read())["rows"]
    connection.close()
    assert answer.status == 200
    assert [r["statement_id"] for r in rows[::4]] == [s["id"] for s in statements]
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_wrong_usage_is_said_before_the_model_loads(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("STANCE_TOKEN", raising=False)
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert "needs a --token-file" in capsys.readouterr().err
    assert main(["serve", "--token-file", str(tmp_path / "none")]) == 2
    assert main(["serve", "--targets", "none.yaml"]) == 2


def test_the_engine_asked_for_is_the_one_that_loads(capsys):
    assert main(["serve", "--port", "0", "--engine", "none-such"]) == 2
    assert "none-such" in capsys.readouterr().err


def test_a_port_in_use_is_said(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen there" in capsys.readouterr().err


def test_a_missing_extra_names_the_install_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert main(["serve"]) == 1
    assert "pip install 'stance[serve]'" in capsys.readouterr().err
