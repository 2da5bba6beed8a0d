"""Latin letters with all their accents, as they stand between the brackets of a pattern: Š and ğ as well as S and g."""

from __future__ import annotations

__all__ = ["CAPITALS", "SMALL"]

_ACCENTED = "".join(map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))))
CAPITALS = "A-Z" + "".join(c for c in _ACCENTED if c.isupper())
"""Letters that a name begins with."""
SMALL = "a-z" + "".join(c for c in _ACCENTED if c.islower())
"""Letters that a name goes on with."""
