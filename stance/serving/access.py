"""Who may reach a server: the addresses and names it answers for, its token, and what it signs."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from stance.errors import UsageError

__all__ = [
    "LOCAL_NAMES",
    "MIN_TOKEN",
    "WRONG_TOKEN_PAUSE",
    "equal",
    "host_names",
    "is_loopback",
    "read_token",
    "signature",
]

LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "::1")
MIN_TOKEN: Final = 16
WRONG_TOKEN_PAUSE: Final = 0.5  # seconds: guessing must be slow


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_names(host: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the host names a server answers for, lower case: this machine's, its address, and further ones."""
    return (*LOCAL_NAMES, host.lower(), *(name.lower() for name in names))


def read_token(path: str | Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token in a file, or else in ``$STANCE_TOKEN``, or ``None``.

    It is no option of its own because every user of a machine can read the command lines of its processes.

    Raises
    ------
    UsageError
        If the file cannot be read or is empty.
    """
    if path is None:
        return environment.get("STANCE_TOKEN") or None
    try:
        token = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {path}: cannot be read: {error}") from error
    if not token:
        raise UsageError(f"--token-file {path}: the file is empty")
    return token


def equal(given: str, expected: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def signature(key: bytes, text: str) -> str:
    """Return what only a holder of the key can put beside a text: HMAC-SHA256, in hexadecimal digits."""
    return hmac.digest(key, text.encode(), "sha256").hex()
