"""What a server may be told, and the limits on what it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stance.errors import UsageError
from stance.serving.access import MIN_TOKEN, host_names, is_loopback

__all__ = [
    "MAX_ARTICLES",
    "MAX_ARTICLE_CHARS",
    "MAX_FIELD_CHARS",
    "MAX_STATEMENTS",
    "MAX_STATEMENT_CHARS",
    "MAX_TARGETS",
    "MAX_TARGET_CHARS",
    "ServeOptions",
]

MAX_ARTICLES: Final = 32
MAX_ARTICLE_CHARS: Final = 100_000
MAX_STATEMENTS: Final = 1_000
MAX_STATEMENT_CHARS: Final = 10_000
MAX_FIELD_CHARS: Final = 500
MAX_TARGETS: Final = 16
MAX_TARGET_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of a server, checked when made.

    Parameters
    ----------
    host
        Address to listen on; any but a loopback address needs a token.
    port
        TCP port, 0 for any that is free.
    token
        Bearer token that every request but ``/healthz`` and the interface's description must bring; at least
        16 printable ASCII characters.
    names
        Further host names the server is reached by, such as the one a reverse proxy passes on.
    max_body
        Longest request body, in bytes.
    timeout
        Seconds a request may take: to arrive, and then to be answered.
    max_waiting
        Statements that may wait for the model; a request that would exceed it is refused.
    batch
        Statements scored in one go, at most.
    linger
        Seconds a model with nothing to do waits for company when fewer than `batch` statements are there.

    Raises
    ------
    UsageError
        If a value is out of its range, or the address needs a token and there is none.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    names: tuple[str, ...] = ()
    max_body: int = 2 * 1024 * 1024
    timeout: float = 60.0
    max_waiting: int = 4 * MAX_STATEMENTS
    batch: int = 32
    linger: float = 0.002

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise UsageError(f"--port: {self.port} is not a port between 0 and 65535")
        if self.max_body < 1024:
            raise UsageError(f"--max-body: {self.max_body} bytes are too few, at least 1024")
        if not 0 < self.timeout <= 3600:
            raise UsageError(f"--timeout: {self.timeout:g} is not between 0 and 3600 seconds")
        if self.max_waiting < 1 or self.batch < 1 or self.linger < 0:
            raise UsageError("max_waiting and batch must be at least 1, linger at least 0")
        if self.token is not None and not _usable(self.token):
            raise UsageError(f"the token needs at least {MIN_TOKEN} printable ASCII characters without spaces")
        if self.token is None and not is_loopback(self.host):
            raise UsageError(
                f"--host {self.host}: other machines could reach it, so it needs a --token-file or $STANCE_TOKEN"
            )

    @property
    def host_names(self) -> frozenset[str] | None:
        """Host names a request may be addressed to, lower case; ``None`` if any will do.

        Any will do where a token guards an address that has names unknown to the server.
        """
        if not self.names and not is_loopback(self.host):
            return None
        return frozenset(host_names(self.host, self.names))


def _usable(token: str) -> bool:
    return len(token) >= MIN_TOKEN and all("!" <= char <= "~" for char in token)
