"""The process of a server: it says when it is ready, and ends normally when it is stopped."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

__all__ = ["run_server"]


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def run_server(config: uvicorn.Config, sock: socket.socket, on_ready: Callable[[str], None] | None) -> None:
    """Answer on a socket that listens until SIGINT or SIGTERM comes, finish what was begun, and return.

    Parameters
    ----------
    config
        The application and how it is served.
    sock
        Bound to its address.
    on_ready
        Called with the server's URL, without a path, as soon as it answers.
    """
    host, port = sock.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    with _quiet_signals():
        _Server(config, lambda: on_ready(url) if on_ready else None).run([sock])


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Let a stop by signal end normally: uvicorn raises the signal once more when it is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, lambda number, frame: None) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
