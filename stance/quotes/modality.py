"""Whether a statement is speech or thought, and whether its speaker asserts it; read from cue and clause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from stance.quotes.words import verb_forms
from stance.schema import Factuality, StatementKind

__all__ = ["factuality", "kind_of"]

_WORD = re.compile(r"n[’']t\b|[’']d\b|\w+?(?=n[’']t\b)|\w+", re.IGNORECASE)
_CLAUSE = re.compile(r"[.!?;:\n“”\"—–]|,\s")
_NOBODY = re.compile(
    r"^(?:(?:but|and|so|that) )?(?:nobody|no one|none of|neither of)\b"
)  # who says it, at a clause's head
_LOOK_BACK = 48  # characters before a cue in which its helpers and its negation stand
_HELPERS = frozenset(
    (
        *("did", "do", "does", "has", "have", "had", "was", "is", "were", "be", "been", "will", "can"),
        *("ever", "yet", "also", "to"),
    )
)


@cache
def _words() -> Mapping[str, frozenset[str]]:
    source = files("stance") / "quotes" / "data" / "modality.yaml"
    data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    irregular: dict[str, list[str]] = data["irregular"]
    found = {name: frozenset(data[name]) for name in ("modal", "negation", "refusal")}
    for name in ("thought", "denied", "question"):
        forms = {form for verb in data[name] for form in (verb, *irregular.get(verb, verb_forms(verb)))}
        found[name] = frozenset(forms | set(data[f"{name}_words"]))
    return found


def kind_of(cue: str | None) -> StatementKind:
    """Return ``thought`` where the cue's main word is one of believing, hoping or feeling, else ``speech``."""
    words = _WORD.findall(cue.lower()) if cue else []
    # the last word that means anything: "had previously believed" is thought, "told of his fears" is speech
    first = next((w for w in words if w not in _HELPERS and not w.endswith("ly")), "")
    return "thought" if first in _words()["thought"] else "speech"


def factuality(text: str, start: int, end: int, cue: str | None, cue_at: int | None) -> Factuality:
    """Return whether the speaker asserts the statement.

    Parameters
    ----------
    text
        The article.
    start, end
        Offsets of the statement.
    cue
        The reporting words, or ``None``.
    cue_at
        Where they begin, or ``None``.
    """
    known = _words()
    words = _WORD.findall(cue.lower()) if cue else []
    clause = _before(text, cue_at, end if cue_at is not None and end <= cue_at else 0) if cue_at is not None else []
    negated = known["negation"] | {"n't", "n’t"}
    helpers = _helpers(clause)
    if (negated | known["refusal"]) & {*words, *helpers} or _NOBODY.search(" ".join(clause)):
        return "not_said"
    if known["denied"] & set(words):
        return "denied"
    if text[start:end].rstrip(" ”\"'’").endswith("?") or known["question"] & set(words):
        return "question"
    if known["modal"] & {*words, *helpers} or "if" in clause:
        return "hypothetical"
    return "asserted"


def _before(text: str, at: int, low: int) -> list[str]:
    """Return the words of the clause before `at`, in lower case."""
    lead = text[max(low, at - _LOOK_BACK) : at]
    cut = [m.end() for m in _CLAUSE.finditer(lead)]
    return _WORD.findall((lead[cut[-1] :] if cut else lead).lower())


def _helpers(clause: list[str]) -> list[str]:
    """Return the helping words right before a cue: "did not", "would", "declined to"."""
    known = _words()
    found: list[str] = []
    for word in reversed(clause):
        helps = word in _HELPERS or word.endswith("ly") or word in ("n't", "n’t")
        if not helps and not any(word in known[k] for k in ("modal", "negation", "refusal")):
            break
        found.append(word)
    return found
