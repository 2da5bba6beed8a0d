"""Bytes to text."""

from __future__ import annotations

import codecs

__all__ = ["UndecodableError", "decode", "marked_encoding"]

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 65_536  # bytes that encoding detection looks at
_MOST_CHAOS = 10.0  # percent of oddities in text that is taken for Windows-1252 without comparing


class UndecodableError(ValueError):
    """The bytes are not text."""


def marked_encoding(raw: bytes) -> str:
    """Return the encoding that the first bytes of a file are marked with, ``utf-8`` if with none."""
    return next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")


def decode(raw: bytes) -> tuple[str, str | None]:
    r"""Turn bytes into text, with ``\r\n`` and ``\r`` as ``\n``.

    Returns
    -------
    text : str
    guessed : str or None
        Name of the encoding if it had to be guessed: neither UTF-8 nor marked.

    Raises
    ------
    UndecodableError
        If the bytes hold NUL outside UTF-16, or no encoding makes text of them.
    """
    encoding = marked_encoding(raw)
    guessed = None
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text, guessed = _guess(raw)
    if "\0" in text:
        raise UndecodableError("holds NUL bytes: not a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n"), guessed


def _guess(raw: bytes) -> tuple[str, str]:
    if b"\0" in raw[:_SAMPLE]:
        raise UndecodableError("holds NUL bytes: not a text file")
    from charset_normalizer import from_bytes

    sample = raw[:_SAMPLE]
    # English pages that are not UTF-8 are mostly Windows-1252; its neighbours differ in a few letters only
    western = from_bytes(sample, cp_isolation=["cp1252"]).best()
    best = western if western is not None and western.percent_chaos < _MOST_CHAOS else from_bytes(sample).best()
    if best is None:
        raise UndecodableError("no text encoding fits: not a text file")
    try:
        text = raw.decode(best.encoding)
    except UnicodeDecodeError as error:
        raise UndecodableError(f"looked like {best.encoding}, but byte {error.start} does not fit") from error
    control = sum(ch < " " and ch not in "\n\r\t\f" for ch in text[:_SAMPLE])
    if control > len(text[:_SAMPLE]) / 100:
        raise UndecodableError("is full of control characters: not a text file")
    return text, best.encoding
