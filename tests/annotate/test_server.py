"""The labelling page as a process."""

import os
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from stance.errors import UsageError

_PAGE = """
import subprocess, sys
from stance.annotate.app import PageOptions
from stance.annotate.jobs import TrainingJob
from stance.annotate.server import serve_page
from stance.annotate.store import Store

job = TrainingJob([], sys.argv[2])
job._process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
ready = lambda url: print(url, job._process.pid, flush=True)
serve_page(Store(sys.argv[1]), port=0, options=PageOptions(job=job), on_ready=ready)
"""


def test_the_head_of_a_request_has_a_bound(store, tmp_path):
    command = [sys.executable, "-c", _PAGE, str(store.path), str(tmp_path / "loop")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url, run = process.stdout.readline().split()
            os.kill(int(run), signal.SIGKILL)
            address = urlsplit(url)
            with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 100_000)  # and never an end
                assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_the_training_run_and_is_no_error(store, tmp_path, stop):
    command = [sys.executable, "-c", _PAGE, str(store.path), str(tmp_path / "loop")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            url, run = process.stdout.readline().split()
            assert url.startswith("http://127.0.0.1:")
            os.kill(process.pid, stop)
            assert process.wait(60) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(int(run), 0)


def test_the_address_that_is_said_is_one_it_answers_for(store, monkeypatch):
    from starlette.testclient import TestClient

    from stance.annotate.server import serve_page
    from stance.serving import process

    seen = []
    monkeypatch.setattr(process, "run_server", lambda config, sock, _: seen.append((config.app, sock.getsockname())))
    try:
        serve_page(store, host="127.2", port=0, token="x" * 16)  # a name whose address reads otherwise
    except UsageError:
        pytest.skip("this machine has one loopback address")
    app, (host, _) = seen[0]
    assert host == "127.0.0.2"
    for name, status in ((host, 200), ("127.2", 200), ("127.0.0.3", 421)):
        assert TestClient(app, base_url=f"http://{name}").get("/healthz").status_code == status


def test_a_run_that_does_not_end_by_itself_is_killed(tmp_path, monkeypatch):
    from stance.annotate import jobs

    monkeypatch.setattr(jobs, "_PATIENCE", 0.5)
    job = jobs.TrainingJob([], tmp_path)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    job._process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True)
    assert job._process.stdout.readline() == "deaf\n"
    job.stop()
    job._process.stdout.close()
    assert job._process.returncode == -signal.SIGKILL
