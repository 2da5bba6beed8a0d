"""What stands before an application: whom it answers, how much they may bring, and how long that may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stance.serving.refusals import Refusal

__all__ = ["POLICY", "Guard", "came_by_tls", "replayed"]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content security policy of pages that load what is theirs and nothing else."""
# "no-referrer" would make browsers send "Origin: null" with the page's own form
_HEADERS: Final = {
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class Guard:
    """ASGI middleware that refuses before anything is read or parsed, and puts security headers on every answer.

    In this order: requests without one ``Host`` header (400), those addressed to another host name (421; it stops DNS
    rebinding), those another site's page has sent (403), what `admit` refuses, bodies too long (413) or too slow (408).
    Bodies are read whole here, so that the application never waits for a client.

    Parameters
    ----------
    app
        The application.
    answer
        Turns a refusal into an answer for a request's scope.
    names
        Host names that are ours, lower case and without port; ``None`` if any will do.
    max_body
        Longest body, in bytes, also where its length is not announced.
    seconds
        Time a body may take to arrive.
    policy
        Content security policy of answers that bring none.
    """

    def __init__(
        self,
        app: ASGIApp,
        answer: Callable[[Scope, Refusal], ASGIApp],
        *,
        names: Collection[str] | None,
        max_body: int,
        seconds: float,
        policy: str = POLICY,
    ) -> None:
        self._app = app
        self._answer = answer
        self._names = None if names is None else frozenset(names)
        self._max_body = max_body
        self._seconds = seconds
        self._headers = {**_HEADERS, b"content-security-policy": policy.encode()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def mark_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                given = {name.lower() for name, _ in own}
                extra = [(name, value) for name, value in self._headers.items() if name not in given]
                message = {**message, "headers": [*own, *extra]}
            await send(message)

        try:
            headers = dict(reversed(scope["headers"]))  # the first of a name counts
            self._check_host(scope)
            _check_site(scope, headers)
            self.admit(scope, headers)
            body = await self._body(headers, receive)
        except Refusal as refusal:
            await self._answer(scope, refusal)(scope, receive, mark_and_send)
            return
        await self._app(scope, replayed(body, receive), mark_and_send)

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Raise a `Refusal` where one server asks for more than others; its body is not read yet."""

    def _check_host(self, scope: Scope) -> None:
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            raise Refusal(400, "host", "a request needs exactly one Host header")
        name = _host_name(given[0])
        if self._names is not None and name not in self._names:
            message = f"this server does not answer for {name[:100]!r}; start it with --name to allow that"
            raise Refusal(421, "host", message)

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            raise Refusal(400, "length", "Content-Length is no number")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(receive, int(length[:20]))
        except TimeoutError as error:
            message = f"the request did not arrive within {self._seconds:g} seconds"
            raise Refusal(408, "slow-body", message, headers={"connection": "close"}) from error

    async def _read(self, receive: Receive, announced: int) -> bytes:
        body, more = bytearray(), True
        while max(announced, len(body)) <= self._max_body:
            if not more:
                return bytes(body)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(499, "gone", "the client closed the connection")
            body += message.get("body", b"")
            more = message.get("more_body", False)
        words = f"the request is longer than {self._max_body} bytes; send less at once"
        raise Refusal(413, "too-long", words, headers={"connection": "close"})


def _check_site(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    if scope["method"] in ("GET", "HEAD"):
        return
    foreign = headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none")
    if b"origin" in headers:
        # only the authority is compared: behind a proxy that ends TLS the schemes differ
        foreign |= headers[b"origin"].partition(b"://")[2] != headers[b"host"]
    if foreign:
        raise Refusal(403, "cross-site", "another site's page may not send requests here")


def _host_name(host: str) -> str:
    """Return a Host header's name without its port, lower case, IPv6 without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def replayed(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read to whoever reads next; after it comes what the client does."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def came_by_tls(request: HTTPConnection) -> bool:
    """Tell whether a page was reached by TLS, through a proxy: the server itself speaks HTTP."""
    return request.headers.get("origin", "").startswith("https://")
