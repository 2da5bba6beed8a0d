"""Is it English? Statements are found and scored in English only."""

from __future__ import annotations

__all__ = ["detected_language"]

_SAMPLE = 2_000
_FEWEST_LETTERS = 60


def detected_language(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language, or ``None`` if it is too short to tell.

    Looks at the first 2,000 characters (py3langid, after Lui & Baldwin 2012, "langid.py").
    """
    sample = text[:_SAMPLE]
    if sum(ch.isalpha() for ch in sample) < _FEWEST_LETTERS:
        return None
    import py3langid

    code, _ = py3langid.classify(sample)
    return str(code)
