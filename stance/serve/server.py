"""The socket and the process: bind, say where, answer, and stop gracefully."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from stance.errors import UsageError
from stance.scoring import Scorer
from stance.serve.app import create_app
from stance.serve.options import ServeOptions
from stance.serve.protocol import BoundedHttp
from stance.serving.process import run_server

__all__ = ["serve"]

_SWITCH = 0.0005  # seconds: the model's threads must not wait 5 ms for the interpreter each time a request comes in
_BACKLOG = 512


def serve(
    scorer: Scorer, options: ServeOptions | None = None, *, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM comes, then finish what was begun and return.

    Parameters
    ----------
    scorer
        Model and default targets.
    options
        Address, limits and token.
    on_ready
        Called with the server's URL as soon as it answers.

    Raises
    ------
    UsageError
        If the address cannot be listened on.
    """
    options = options or ServeOptions()
    with _bound(options) as sock, _quick_switches(), _settled_heap():
        run_server(_config(scorer, options), sock, on_ready)


def _config(scorer: Scorer, options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(scorer, options),
        http=BoundedHttp,
        ws="none",
        loop="auto",  # uvloop where there is one: it spares half the system calls
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(options.timeout) + 1,
    )


def _bound(options: ServeOptions) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family)
    except OSError as error:
        raise UsageError(f"--host {options.host}: cannot listen there: {error.strerror or error}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        where = f"{options.host}:{options.port}"
        raise UsageError(f"{where}: cannot listen there: {error.strerror or error}; try another --port") from error
    return sock


@contextmanager
def _settled_heap() -> Iterator[None]:
    """Keep what is loaded out of later collections: each would look through it for a quarter of a second."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
