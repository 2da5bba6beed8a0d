"""Reporting verbs in groups: what the reporter does with a speaker's words."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml

__all__ = ["GROUPS", "OTHER", "verb_group"]

OTHER = "other"
GROUPS = (
    *("neutral", "doubted", "conceded", "insisted", "denied", "attacked", "warned", "urged", "praised"),
    OTHER,
)
"""Groups in the order of tables; their verbs are in ``data/verbs.yaml`` with their source."""
_WORD = re.compile(r"[a-z]+")
_IRREGULAR = {
    "said": "say",
    "told": "tell",
    "wrote": "write",
    "written": "write",
    "thought": "think",
    "swore": "swear",
    "spoke": "speak",
    "quipped": "quip",
    "slammed": "slam",
    "admitted": "admit",
    "denied": "deny",
    "denies": "deny",
    "replied": "reply",
    "replies": "reply",
    "decried": "decry",
    "decries": "decry",
    "testified": "testify",
    "testifies": "testify",
    "implied": "imply",
    "implies": "imply",
}


@cache
def _table() -> dict[tuple[str, ...], str]:
    source = files("stance") / "bias" / "data" / "verbs.yaml"
    groups: dict[str, list[str]] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return {tuple(verb.split()): group for group, verbs in groups.items() for verb in verbs}


def verb_group(cue: str | None) -> str | None:
    """Return the group of a cue such as ``"told reporters"``; ``None`` when there is no cue.

    The first verb that is known decides; a longer one (``"call for"``) goes before a shorter one.
    """
    if not cue or not cue.strip():
        return None
    words = _WORD.findall(cue.casefold())
    forms = [_bases(word) for word in words]
    table = _table()
    for i in range(len(words)):
        for length in (3, 2, 1):
            rest = tuple(words[i + 1 : i + length])
            if len(rest) == length - 1:
                for base in forms[i]:
                    if group := table.get((base, *rest)):
                        return group
    return OTHER


def _bases(word: str) -> list[str]:
    """Return what the base form of a verb may be, likeliest first."""
    found = [_IRREGULAR.get(word, word)]
    for ending in ("ing", "ed", "es", "s", "d"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word.removesuffix(ending)
            found += [stem, f"{stem}e"] if ending in ("ing", "ed") else [stem]
    return found
