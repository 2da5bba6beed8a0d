"""What every request to the labelling page must pass: host, origin, size, session, and a token against forgery."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stance.addresses import is_loopback
from stance.annotate.records import check_name
from stance.errors import AnnotationError, UsageError

__all__ = [
    "BODY_SECONDS",
    "MAX_BODY",
    "Guard",
    "check_address",
    "cookie_name",
    "csrf_token",
    "open_session",
    "session_key",
    "sign_session",
]

MAX_BODY = 64 * 1024
"""Largest body of a request, in bytes."""
BODY_SECONDS = 30
"""Time a request's body may take to arrive."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware that refuses what no page of ours sends, and marks every answer.

    - another ``Host`` than ours: 421 (a foreign name that resolves to this machine);
    - a changing request that another site started: 403;
    - a body larger than `MAX_BODY`: 413, also where its length is not announced;
    - a body that has not arrived within `BODY_SECONDS`: 408.

    Parameters
    ----------
    app
        The application.
    hosts
        Host names that are ours, without port.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        body = b""
        if refusal is None:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _body(scope, receive)
            except TimeoutError:
                refusal = (408, f"The request did not arrive within {BODY_SECONDS} seconds.")
            if len(body) > MAX_BODY:
                refusal = (413, f"The request is larger than {MAX_BODY} bytes.")
        if refusal is not None:
            await PlainTextResponse(refusal[1], refusal[0])(scope, receive, send_marked)
            return
        given = False

        async def receive_again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_again, send_marked)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _without_port(host) not in self._hosts:
            return 421, "This server does not answer for that host name."
        if method in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, "Requests from other sites are refused."
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "Requests from other sites are refused."
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return 400, "Content-Length is no number."
        return (413, f"The request is larger than {MAX_BODY} bytes.") if int(length) > MAX_BODY else None


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Return what a changing request brings, no further than it is too long."""
    body, more = b"", scope["method"] not in ("GET", "HEAD")
    while more and len(body) <= MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[").lower()
    return host.partition(":")[0].lower()


def check_address(host: str, token: str | None, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the host names an address answers for: its own, and further ones it is reached by.

    Raises
    ------
    UsageError
        If the address or a name is open to others and there is no token, or the token is shorter than 16 characters.
    """
    local = ("127.0.0.1", "localhost", "::1")
    others = [name.lower() for name in (host, *names) if not is_loopback(name)]
    if others and token is None:
        what = f"{others[0]} is open to other machines"
        raise UsageError(f"{what}: give --token-file or $STANCE_TOKEN, or stay on 127.0.0.1")
    if others and token is not None and len(token) < 16:
        raise UsageError("a token needs at least 16 characters")
    if host in ("0.0.0.0", "::") and not names:  # recognised, not bound
        raise UsageError(f"{host} answers for any name: give --name, or the address that others use")
    return (*local, host.lower(), *(name.lower() for name in names))


def cookie_name(store: str) -> str:
    """Return the name of the session's cookie: one per store, since cookies do not tell ports apart."""
    return f"stance_annotator_{store}"


def session_key(secret: bytes, token: str | None) -> bytes:
    """Return what sessions are signed with: another key for each token, so that a new token ends the old sessions."""
    return hmac.new(secret, f"sessions:{token or ''}".encode(), hashlib.sha256).digest()


def sign_session(name: str, secret: bytes) -> str:
    """Return the cookie of an annotator: the name, and a signature only this store's server can make."""
    encoded = urlsafe_b64encode(name.encode()).decode().rstrip("=")
    return f"{encoded}.{_mac(secret, 'session', name)}"


def open_session(cookie: str | None, secret: bytes) -> str | None:
    """Return the annotator a cookie is signed for, or ``None``."""
    encoded, _, signature = (cookie or "").partition(".")
    try:
        name = check_name(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    except (ValueError, AnnotationError):
        return None
    expected = _mac(secret, "session", name)
    return name if hmac.compare_digest(signature.encode(), expected.encode()) else None


def csrf_token(name: str, secret: bytes) -> str:
    """Return what a page of this annotator must send along with every change."""
    return _mac(secret, "form", name)


def _mac(secret: bytes, purpose: str, name: str) -> str:
    return hmac.new(secret, f"{purpose}:{name}".encode(), hashlib.sha256).hexdigest()
