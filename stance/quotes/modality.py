"""Whether a statement is speech or thought, and whether its speaker asserts it; read from cue and clause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import yaml

from stance.quotes.words import cues, verb_forms
from stance.schema import Factuality, StatementKind

__all__ = ["factuality", "kind_of"]

_WORD = re.compile(r"n[’']t\b|[’']d\b|\w+?(?=n[’']t\b)|\w+", re.IGNORECASE)
_CLAUSE = re.compile(r"[.!?;:\n“”\"—–]|,\s")
_NOBODY = re.compile(  # who says it, at a clause's head: "no one", "no official", "neither side"
    r"(?:(?:but|and|so|that) )?(?:(?:nobody|no one|none of|neither of)\b|"
    r"(?:neither|no(?! (?:doubt|matter|wonder|sooner|fewer|less|more|longer|later)\b))"
    r"(?: (?!(?:and|but|is|are|was|were|has|have|had)\b)\w+){1,4}$)"
)
_REQUEST = re.compile(  # what is asked for, not asked: "Congress to approve the aid", "for help"
    r"(?:(?:for|that)\b|(?:(?!(?:whether|if|who|whom|whose|what|which|when|where|why|how|about|is|are|was|were|do|does|"
    r"did|has|have|had|can|could|will|would|should)\b)[\w’'-]+ ){0,6}?to [a-z])"
)
_ASKING = re.compile(r"[”\"’']*\?")
_OPENING, _CLOSING = frozenset("“\"‘'«„"), " ”\"'’"
_LOOK_BACK = 48  # characters before a cue in which its helpers and its negation stand
_UNDENIED = frozenset(("only", "just", "merely", "simply", "doubt", "doubts", "doubted"))
_ADVERBS = frozenset(
    ("ever", "yet", "also", "still", "now", "then", "once", "long", "longer", "always", "already", "just", "even")
)
_HELPERS = _ADVERBS | frozenset(
    (
        *("did", "do", "does", "has", "have", "had", "having", "was", "is", "are", "am", "were", "be", "been", "being"),
        *("will", "can", "ca", "wo", "to"),  # "ca" and "wo" of "can't" and "won't"
    )
)


@cache
def _words() -> Mapping[str, frozenset[str]]:
    source = files("stance") / "quotes" / "data" / "modality.yaml"
    data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    irregular: dict[str, list[str]] = data["irregular"]
    found = {"modal": frozenset(data["modal"]), "refusal": frozenset(data["refusal"])}
    found["negation"] = frozenset(("n't", "n’t", *data["negation"]))
    inflected = {form.partition(" ")[0] for form, cue in cues().items() if not cue.base} | {"been", "gone", "had"}
    for name in ("thought", "denied", "question"):
        forms = {form for verb in data[name] for form in irregular.get(verb, verb_forms(verb))}
        found[name] = frozenset(forms | set(data[name]) | set(data[f"{name}_words"]))
        inflected |= forms
    found["inflected"] = frozenset(inflected)
    return found


def kind_of(cue: str | None) -> StatementKind:
    """Return ``thought`` where the cue's main word is one of believing, hoping or feeling, else ``speech``."""
    known = _words()
    helping = _HELPERS | known["negation"] | known["modal"]
    words = _WORD.findall(cue.lower()) if cue else []
    # the first word that means anything: "had previously believed" is thought, "told of his fears" is speech
    first = next((w for w in words if w not in helping and not w.endswith("ly")), "")
    return "thought" if first in known["thought"] else "speech"


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
    helpers = _helpers(clause)
    subject = " ".join(clause[: len(clause) - len(helpers)])
    saying = _without_undenied([*helpers, *words])
    if (known["negation"] | known["refusal"]) & set(saying) or _NOBODY.match(subject):
        return "not_said"
    if known["denied"] & set(words):
        return "denied"
    if _asks(text, start, end, words):
        return "question"
    if _is_open(saying) or "if" in (*clause, *words):
        return "hypothetical"
    return "asserted"


def _asks(text: str, start: int, end: int, words: list[str]) -> bool:
    """Whether a statement is a question, by its own mark or by its cue."""
    if text[start:end].rstrip(_CLOSING).endswith("?") or _ASKING.match(text, end):
        return True
    if not _words()["question"] & set(words):
        return False
    quoted = text[start - 1 : start] in _OPENING
    if quoted:
        return text[end - 1] not in ".!…"
    return not (any(w.startswith("ask") for w in words) and _REQUEST.match(text, start, end))


def _is_open(words: list[str]) -> bool:
    """Whether a helper leaves it open that it is said: "would say", "he'd say", not "he'd said", "Ann May said"."""
    known = _words()
    told = [w for w in words if w not in _ADVERBS | known["negation"] and not w.endswith("ly")]
    return any(
        (word in known["modal"] and after not in known["inflected"]) or (word, after) == ("were", "to")
        for word, after in pairwise([*told, ""])
    )


def _without_undenied(words: list[str]) -> list[str]:
    """Leave out a negation that denies nothing: "not only said", "had no doubt"."""
    negation = _words()["negation"]
    return [w for w, after in pairwise([*words, ""]) if not (w in negation and after in _UNDENIED)]


def _before(text: str, at: int, low: int) -> list[str]:
    """Return the words of the clause before `at`, in lower case; "" for those that lie too far back."""
    first = max(low, at - _LOOK_BACK)
    cut = [m.end() for m in _CLAUSE.finditer(text, first, at)]
    words = _WORD.findall(text[cut[-1] if cut else first : at].lower())
    return words if cut or first == low else ["", *words[1:]]


def _helpers(clause: list[str]) -> list[str]:
    """Return the helping words right before a cue: "did not", "would", "declined to"."""
    known = _words()
    first = len(clause)
    while first and (
        clause[first - 1] in _HELPERS
        or clause[first - 1].endswith("ly")
        or any(clause[first - 1] in known[k] for k in ("modal", "negation", "refusal"))
    ):
        first -= 1
    return clause[first:]
