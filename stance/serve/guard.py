"""What stands before the application: who may come in, how much they may bring, and how long that may take."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from time import perf_counter, time
from typing import Final

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stance.serve.metrics import Metrics
from stance.serve.options import ServeOptions
from stance.serve.refusals import Refusal

__all__ = ["SESSION_COOKIE", "Guard", "Sessions", "header", "replayed"]

SESSION_COOKIE: Final = "stance_session"
_SESSION_SECONDS = 12 * 3600
_OPEN = ("/healthz", "/openapi.json", "/docs", "/login", "/static/")
_PAGES = ("/", "/logout")
_JSON_PATHS = ("/v1/classify", "/v1/score")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_COUNTED_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
# "no-referrer" would make browsers send "Origin: null" with the page's own form
_HEADERS: Mapping[bytes, bytes] = {
    b"cache-control": b"no-store",
    b"content-security-policy": (
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class Sessions:
    """Proof, kept in a browser's cookie, that somebody knew the token.

    Parameters
    ----------
    token
        The bearer token; it keys the signature and is never part of a cookie. ``None``: nobody needs one.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token else None

    @property
    def needed(self) -> bool:
        """Whether a token is needed at all."""
        return self._token is not None

    def right(self, token: str) -> bool:
        """Tell whether this is the token, in a time that does not depend on how much of it is right."""
        return self._token is None or hmac.compare_digest(token.encode("utf-8", "replace"), self._token)

    def cookie(self) -> str:
        """Return the value of a new session's cookie."""
        until = str(int(time()) + _SESSION_SECONDS)
        return f"{until}.{self._signature(until)}"

    def valid(self, cookie: str) -> bool:
        """Tell whether a cookie was made here and is not too old."""
        until, _, signature = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 12):
            return False
        right = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(until).encode())
        return right and int(until) >= time()

    def _signature(self, until: str) -> str:
        return hmac.new(self._token or b"", f"stance session until {until}".encode(), hashlib.sha256).hexdigest()


class Guard:
    """ASGI middleware that refuses before anything is read or parsed, and counts what is answered.

    In this order: requests addressed to another host name (421; it stops DNS rebinding), requests another site's
    page has sent (403), requests without the token (401), bodies that are no JSON (415), too long (413) or too slow
    (408). Bodies are read whole here, so that the application never waits for a client.

    Parameters
    ----------
    app
        The application.
    options
        Limits, names and token.
    metrics
        Counts requests and refusals.
    sessions
        Cookies of signed-in browsers.
    answer
        Turns a refusal into an answer for a request's scope.
    paths
        Paths that the counters tell apart; all others are counted as ``other``.
    """

    def __init__(
        self,
        app: ASGIApp,
        options: ServeOptions,
        metrics: Metrics,
        sessions: Sessions,
        answer: Callable[[Scope, Refusal], ASGIApp],
        paths: frozenset[str],
    ) -> None:
        self._app = app
        self._options = options
        self._names = options.host_names
        self._metrics = metrics
        self._sessions = sessions
        self._answer = answer
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def count_and_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message.get("headers", ())}
                extra = [(name, value) for name, value in _HEADERS.items() if name not in present]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        with self._metrics.in_flight.track_inprogress():
            try:
                await self._handle(scope, receive, count_and_send)
            finally:
                method = scope["method"] if scope["method"] in _COUNTED_METHODS else "other"
                path = scope["path"] if scope["path"] in self._paths else "other"
                self._metrics.observe(method, path, status, started)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = dict(reversed(scope["headers"]))  # the first of a name counts
            self._check_host(scope)
            self._check_site(scope, headers)
            self._check_token(scope, headers)
            self._check_type(scope, headers)
            body = await self._body(headers, receive)
        except Refusal as refusal:
            await self._answer(scope, refusal)(scope, receive, send)
            return
        await self._app(scope, replayed(body, receive), send)

    def _check_host(self, scope: Scope) -> None:
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            raise Refusal(400, "host", "a request needs exactly one Host header")
        name = _host_name(given[0])
        if self._names is not None and name not in self._names:
            message = f"this server does not answer for {name[:100]!r}; start it with --name to allow that"
            raise Refusal(421, "host", message)

    def _check_site(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        if scope["method"] in _SAFE_METHODS:
            return
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        foreign = site is not None and site not in (b"same-origin", b"none")
        if origin is not None:
            # only the authority is compared: behind a proxy that ends TLS the schemes differ
            authority = origin.lower().partition(b"://")[2]
            foreign |= authority != headers.get(b"host", b"").lower()
        if foreign:
            raise Refusal(403, "cross-site", "another site's page may not send requests here")

    def _check_token(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        path: str = scope["path"]
        if not self._sessions.needed or any(path == p or (p[-1] == "/" and path.startswith(p)) for p in _OPEN):
            return
        if path in _PAGES:
            cookies = cookie_parser(headers.get(b"cookie", b"").decode("latin-1"))
            if self._sessions.valid(cookies.get(SESSION_COOKIE, "")):
                return
            if scope["method"] == "GET":
                raise Refusal(303, "token", "sign in first", headers={"location": "/login"})
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer" and self._sessions.right(token.strip()):
            return
        message = "this server needs the header 'Authorization: Bearer TOKEN' with its token"
        raise Refusal(401, "token", message, headers={"www-authenticate": 'Bearer realm="stance"'})

    def _check_type(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Only JSON passes, which a page of another site cannot send without asking first."""
        if scope["method"] != "POST" or scope["path"] not in _JSON_PATHS:
            return
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            shown = kind.decode("latin-1")[:100] or "none"
            raise Refusal(415, "content-type", f"Content-Type must be application/json, not {shown}")

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > self._options.max_body:
            raise self._too_long()
        try:
            async with asyncio.timeout(self._options.timeout):
                return await self._read(receive)
        except TimeoutError as error:
            message = f"the request did not arrive within {self._options.timeout:g} seconds"
            raise Refusal(408, "slow-body", message, headers={"connection": "close"}) from error

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(499, "gone", "the client closed the connection")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._options.max_body:
                raise self._too_long()
            more = message.get("more_body", False)
        return b"".join(parts)

    def _too_long(self) -> Refusal:
        message = f"the request is longer than {self._options.max_body} bytes; send less at once"
        return Refusal(413, "too-long", message, headers={"connection": "close"})


def header(scope: Scope, name: bytes) -> str:
    """Return the first header of a name (lower case), or the empty string."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _host_name(host: str) -> str:
    """Return a Host header's name without its port, lower case, IPv6 without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


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
