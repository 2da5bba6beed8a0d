"""The server against its own OpenAPI description, attacked by schemathesis."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

TOKEN = "a-token-made-for-tests-0123"
pytestmark = pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed (extra: test)")


@pytest.mark.parametrize("token", [None, TOKEN])
def test_schemathesis_finds_nothing(start, token, tmp_path):
    with start(token=token) as client:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{client.url}/openapi.json", "--no-color"]
        command += ["--max-examples", "15", "--seed", "1", "--request-timeout", "60", "--warnings", "off"]
        if token:
            command += ["--header", f"Authorization: Bearer {token}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=500, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 5" in done.stdout
