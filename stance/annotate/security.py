"""What the labelling page adds to the shared guard: its limits and words, its sessions, a token against forgery."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Scope

from stance.annotate.records import check_name
from stance.errors import AnnotationError, UsageError
from stance.serving.access import MIN_TOKEN, equal, host_names, is_loopback, signature
from stance.serving.guard import POLICY, Guard
from stance.serving.refusals import Refusal

__all__ = [
    "BODY_SECONDS",
    "MAX_BODY",
    "check_address",
    "cookie_name",
    "csrf_token",
    "guarded",
    "open_session",
    "session_key",
    "sign_session",
]

MAX_BODY = 64 * 1024
"""Largest body of a request, in bytes."""
BODY_SECONDS = 30
"""Time a request's body may take to arrive."""
_WORDS = {
    403: "Requests from other sites are refused.",
    408: f"The request did not arrive within {BODY_SECONDS} seconds.",
    413: f"The request is larger than {MAX_BODY} bytes.",
    421: "This server does not answer for that host name.",
}


def guarded(app: ASGIApp, hosts: Sequence[str]) -> ASGIApp:
    """Return an application, whose script may fetch from it, behind the guard for these host names."""
    policy = f"{POLICY}; connect-src 'self'"
    return Guard(app, _refused, names=hosts, max_body=MAX_BODY, seconds=BODY_SECONDS, policy=policy)


def _refused(scope: Scope, refusal: Refusal) -> ASGIApp:
    return PlainTextResponse(_WORDS.get(refusal.status, refusal.message), refusal.status, refusal.headers)


def check_address(host: str, token: str | None, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the host names an address answers for: its own, and further ones it is reached by.

    Raises
    ------
    UsageError
        If the address or a name is open to others and there is no token, or the token is shorter than 16 characters.
    """
    others = [name.lower() for name in (host, *names) if not is_loopback(name)]
    if others and token is None:
        what = f"{others[0]} is open to other machines"
        raise UsageError(f"{what}: give --token-file or $STANCE_TOKEN, or stay on 127.0.0.1")
    if others and token is not None and len(token) < MIN_TOKEN:
        raise UsageError(f"a token needs at least {MIN_TOKEN} characters")
    if host in ("0.0.0.0", "::") and not names:  # recognised, not bound
        raise UsageError(f"{host} answers for any name: give --name, or the address that others use")
    return host_names(host, names)


def cookie_name(store: str) -> str:
    """Return the name of the session's cookie: one per store, since cookies do not tell ports apart."""
    return f"stance_annotator_{store}"


def session_key(secret: bytes, token: str | None) -> bytes:
    """Return what sessions are signed with: another key for each token, so that a new token ends the old sessions."""
    return hmac.digest(secret, f"sessions:{token or ''}".encode(), "sha256")


def sign_session(name: str, secret: bytes) -> str:
    """Return the cookie of an annotator: the name, and a signature only this store's server can make."""
    encoded = urlsafe_b64encode(name.encode()).decode().rstrip("=")
    return f"{encoded}.{signature(secret, f'session:{name}')}"


def open_session(cookie: str | None, secret: bytes) -> str | None:
    """Return the annotator a cookie is signed for, or ``None``."""
    encoded, _, signed = (cookie or "").partition(".")
    try:
        name = check_name(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    except (ValueError, AnnotationError):
        return None
    return name if equal(signed, signature(secret, f"session:{name}")) else None


def csrf_token(name: str, secret: bytes) -> str:
    """Return what a page of this annotator must send along with every change."""
    return signature(secret, f"form:{name}")
