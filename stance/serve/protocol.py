"""HTTP/1.1 as it comes off the socket: uvicorn's compiled parser, with the bounds it lacks."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["MAX_HEAD", "BoundedHttp"]

MAX_HEAD: Final = 32 * 1024
"""Most bytes of a request's line and headers together."""


class BoundedHttp(HttpToolsProtocol):
    """Speaks HTTP/1.1 on one connection; answers 400 to what is malformed, or larger than `MAX_HEAD` before its body.

    The parser keeps an unfinished header for as long as more of it comes, and uvicorn keeps all headers: without a
    bound one client could fill the memory. The length of bodies is the guard's business. Headers after a body
    (trailers) are dropped: uvicorn would put them among those that the guard judges by.
    """

    _unfinished = 0  # bytes since something came to its end: a head, a piece of a body, a message
    _head = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("Invalid HTTP request received.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._head, self._in_head = 0, True

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(len(name) + len(value) + 4)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start on the answer."""
        self._unfinished, self._in_head = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._unfinished = 0
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            raise ValueError("the head of a request is too long")  # the parser makes it its own error: a 400
