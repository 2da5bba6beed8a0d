"""The training run that the page starts: a process of its own, so that labelling goes on meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stance.annotate.curve import LoopResult, read_result

__all__ = ["TrainingJob"]

_KEPT_LINES = 200
_PATIENCE = 30.0  # seconds for a run to end by itself


class TrainingJob:
    """Starts ``stance annotate … --train`` and keeps what it says.

    Parameters
    ----------
    arguments
        Arguments of the command, from ``annotate`` on.
    output
        Folder it writes; ``loop.json`` in it is the result.
    """

    def __init__(self, arguments: Sequence[str], output: str | Path) -> None:
        self._arguments = list(arguments)
        self._output = Path(output)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> bool:
        """Start a run; ``False`` if one is under way."""
        with self._lock:
            if self.running:
                return False
            self._lines = []
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stance.cli", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
            )
            threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
            return True

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._lines = [*self._lines, line.rstrip()][-_KEPT_LINES:]
        process.wait()

    def state(self) -> dict[str, Any]:
        """Return whether a run is under way, how the last one ended, and its last lines."""
        code = None if self._process is None else self._process.poll()
        return {"running": self.running, "code": code, "lines": self._lines[-30:]}

    def result(self) -> LoopResult | None:
        """Return the result of the last finished run, ``None`` if there is none that can be read."""
        return read_result(self._output)

    def stop(self) -> None:
        """End a run that is under way and wait for it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
