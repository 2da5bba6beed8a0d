"""What the scoring server asks for besides the guard both servers have: the token, and JSON; and what it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter, time
from typing import Final

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stance.serve.metrics import Metrics
from stance.serve.options import ServeOptions
from stance.serving.access import equal, signature
from stance.serving.guard import Guard
from stance.serving.refusals import Refusal

__all__ = ["SESSION_COOKIE", "CountingGuard", "Sessions"]

SESSION_COOKIE: Final = "stance_session"
_SESSION_SECONDS = 12 * 3600
_OPEN = ("/healthz", "/openapi.json", "/docs", "/login", "/static/")
_PAGES = ("/", "/logout")
_JSON_PATHS = ("/v1/classify", "/v1/score")
_COUNTED_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Sessions:
    """Proof, kept in a browser's cookie, that somebody knew the token.

    Parameters
    ----------
    token
        The bearer token; it keys the signature and is never part of a cookie. ``None``: nobody needs one.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token or None

    @property
    def needed(self) -> bool:
        """Whether a token is needed at all."""
        return self._token is not None

    def right(self, token: str) -> bool:
        """Tell whether this is the token, in a time that does not depend on how much of it is right."""
        return self._token is None or equal(token, self._token)

    def cookie(self) -> str:
        """Return the value of a new session's cookie."""
        until = str(int(time()) + _SESSION_SECONDS)
        return f"{until}.{self._signature(until)}"

    def valid(self, cookie: str) -> bool:
        """Tell whether a cookie was made here and is not too old."""
        until, _, signed = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 12):
            return False
        return equal(signed, self._signature(until)) and int(until) >= time()

    def _signature(self, until: str) -> str:
        return signature((self._token or "").encode(), f"stance session until {until}")


class CountingGuard(Guard):
    """The guard, which also asks for the token (401) and for JSON (415), and counts what is answered.

    Parameters
    ----------
    app
        The application.
    answer
        Turns a refusal into an answer for a request's scope.
    options
        Limits and names.
    metrics
        Counts requests.
    sessions
        The token, and cookies of signed-in browsers.
    paths
        Paths that the counters tell apart; all others are counted as ``other``.
    """

    def __init__(
        self,
        app: ASGIApp,
        answer: Callable[[Scope, Refusal], ASGIApp],
        options: ServeOptions,
        metrics: Metrics,
        sessions: Sessions,
        paths: frozenset[str],
    ) -> None:
        super().__init__(app, answer, names=options.host_names, max_body=options.max_body, seconds=options.timeout)
        self._metrics = metrics
        self._sessions = sessions
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def note_and_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.in_flight.track_inprogress():
            try:
                await super().__call__(scope, receive, note_and_send)
            finally:
                method = scope["method"] if scope["method"] in _COUNTED_METHODS else "other"
                path = scope["path"] if scope["path"] in self._paths else "other"
                self._metrics.observe(method, path, status, started)

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Refuse who does not know the token, and what is no JSON where JSON is read."""
        self._check_token(scope, headers)
        _check_type(scope, headers)

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


def _check_type(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    """Only JSON passes, which a page of another site cannot send without asking first."""
    if scope["method"] != "POST" or scope["path"] not in _JSON_PATHS:
        return
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        shown = kind.decode("latin-1")[:100] or "none"
        raise Refusal(415, "content-type", f"Content-Type must be application/json, not {shown}")
