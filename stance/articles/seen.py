"""Which ids were read before, in a few bytes each: archives hold more articles than a dictionary should."""

from __future__ import annotations

import hashlib

__all__ = ["SeenIds"]

_WIDTH = 16  # bytes of a digest: at 128 bits no two ids of any archive will ever meet
_EMPTY = bytes(_WIDTH)
_FULLEST = 0.6


class SeenIds:
    """Counts how often each id was met.

    A table of digests with open addressing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L): at most
    60 bytes for each id, where a dictionary of strings takes over 200. Only ids met twice keep a counter.
    """

    def __init__(self) -> None:
        self._slots = 1024
        self._table = bytearray(self._slots * _WIDTH)
        self._used = 0
        self._repeats: dict[bytes, int] = {}

    def count(self, key: str) -> int:
        """Count `key` once more and return how often it was met by now."""
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_WIDTH).digest()
        if self._add(digest):
            if self._used > self._slots * _FULLEST:
                self._grow()
            return 1
        seen = self._repeats[digest] = self._repeats.get(digest, 1) + 1
        return seen

    def __len__(self) -> int:
        return self._used

    def _add(self, digest: bytes) -> bool:
        table, slots = self._table, self._slots
        slot = int.from_bytes(digest[:8], "little") % slots
        while True:
            at = slot * _WIDTH
            held = table[at : at + _WIDTH]
            if held == digest:
                return False
            if held == _EMPTY:
                table[at : at + _WIDTH] = digest
                self._used += 1
                return True
            slot = (slot + 1) % slots

    def _grow(self) -> None:
        old = self._table
        self._slots *= 2
        self._table = bytearray(self._slots * _WIDTH)
        self._used = 0
        for at in range(0, len(old), _WIDTH):
            digest = bytes(old[at : at + _WIDTH])
            if digest != _EMPTY:
                self._add(digest)
