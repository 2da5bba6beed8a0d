"""Serving the labelling page."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

from stance.annotate.store import Store
from stance.errors import MissingExtraError, UsageError

__all__ = ["serve_page"]


def serve_page(
    store: Store,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    names: Sequence[str] = (),
    token: str | None = None,
    options: object = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the page of a store until interrupted.

    Parameters
    ----------
    store
        The store.
    host, port
        Address; port 0 takes any free one. An address that others can reach needs a token.
    names
        Further host names the page is reached by, such as the one a proxy passes on; they need a token too.
    token
        What an annotator must enter besides a name.
    options
        `stance.annotate.app.PageOptions`; hosts and token are set here.
    on_ready
        Called with the page's URL as soon as it answers.

    Raises
    ------
    MissingExtraError
        If starlette, uvicorn or jinja2 is not installed.
    UsageError
        If the address is refused, or taken.
    """
    try:
        import uvicorn

        from stance.annotate.app import PageOptions, create_app
        from stance.annotate.security import check_address
        from stance.serving.process import run_server
    except ImportError as error:
        raise MissingExtraError("the labelling page", "annotate") from error
    hosts = check_address(host, token, names)
    chosen = options if isinstance(options, PageOptions) else PageOptions()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot listen on {host} port {port}: {error}") from error
        hosts = (*hosts, listener.getsockname()[0])  # what the address said when it is ready names
        app = create_app(store, replace(chosen, hosts=hosts, token=token))
        config = uvicorn.Config(
            app,
            http="h11",  # bounds the head of a request, where httptools would not
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        listener.listen(128)
        try:
            run_server(config, listener, on_ready)
        finally:
            if chosen.job is not None:
                chosen.job.stop()
