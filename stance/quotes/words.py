"""Word lists: reporting verbs with their forms, and words that name a country."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from stance.quotes.letters import CAPITALS

__all__ = [
    "Cue",
    "breaks",
    "country_of",
    "cues",
    "dates",
    "given_names",
    "is_office",
    "listed",
    "openers",
    "titles",
    "verb_forms",
]

_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Cue:
    """A form of a reporting verb.

    Parameters
    ----------
    clause
        Whether a bare clause may follow ("said the harvest was lost").
    that
        Whether a clause with "that", or a quotation, may follow.
    object
        Whether what is talked about follows ("accused Moscow of …").
    base
        Whether the form is the bare verb, which needs a plural or an auxiliary before it.
    """

    clause: bool
    that: bool
    object: bool
    base: bool


@cache
def cues() -> Mapping[str, Cue]:
    """Return the reporting verbs by form, in lower case; verbs of several words by their first word's form."""
    data = _load("cues.yaml")
    irregular: dict[str, list[str]] = data["irregular"]
    verbs: dict[str, set[str]] = {}
    for kind in ("clause", "that", "object"):
        for verb in data[kind]:
            verbs.setdefault(verb, set()).add(kind)
    found: dict[str, Cue] = {}
    for verb, kinds in verbs.items():
        head, _, particle = verb.partition(" ")
        for form in (head, *irregular.get(head, verb_forms(head))):
            clause, that = "clause" in kinds, "that" in kinds or "clause" in kinds
            key = f"{form} {particle}".strip()
            found[key] = Cue(clause, that, "object" in kinds, form == head)
    return found


def verb_forms(verb: str) -> list[str]:
    """Return the regular forms of a verb other than its base."""
    if verb.endswith("e"):
        return [f"{verb}d", f"{verb}s", f"{verb[:-1]}ing"]
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return [f"{verb[:-1]}ied", f"{verb[:-1]}ies", f"{verb}ing"]
    third = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x")) else f"{verb}s"
    return [f"{verb}ed", third, f"{verb}ing"]


_NAMESAKES = ("Chad", "Georgia", "Jordan")  # also first names, and a state: countries only before an office
_GOVERNS = (
    r"(?:'s)? (?i:(?:(?:deputy|vice|first|prime|foreign|interior|defen[cs]e|finance|economy|health|justice) )+"
    r"minist(?:er|ry))\b|"
    r"'s (?i:(?:crown )?prince|king|queen|premier|president|parliament|ambassador|embassy)\b"
)


@cache
def _countries() -> tuple[re.Pattern[str], Mapping[str, str]]:
    names = {word: country for country, words in _load("countries.yaml").items() for word in words}
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    namesakes = rf"(?<!of )(?:{'|'.join(_NAMESAKES)})(?={_GOVERNS})"
    pattern = re.compile(rf"(?<![\w-])(?:(?:{longest_first})(?!\w)|{namesakes})")
    return pattern, names | {name: name for name in _NAMESAKES}


_ABOUT = re.compile(
    r"\b(?:to|for|on|toward|towards|with|against|about|in|(?:critics?|opponents?|supporters?|friends?) of)"
    r"\s+(?:the\s+)?$"
)
_TOPIC = re.compile(  # what follows a country that is somebody's subject: "Russia expert", "China policy analyst"
    r"(?:\s[a-z]+){0,2}\s(?:analyst|correspondent|economist|expert|researcher|scholar|specialist|strategist|watcher)s?\b"
)
_SEATED = re.compile(
    r"(?:the\s+)?(?:\w+\s+)?(?:officials|authorities|diplomats|leaders|ministers)\s+in\b", re.IGNORECASE
)
_COMPOUND = re.compile(r"-\w")  # "Iran-backed", "Cuban-American"
_OF = re.compile(rf"(?:\s(?:[{CAPITALS}][\w'.-]*|and|of|for|the))*?\sof\s(?:the\s)?")
_OWNED = re.compile(r"(?:'s|s'|\b(?:its|his|her|their))\s$")  # "the fund's Japan director"
_AND = re.compile(r",\s+(?:and\s+)?|\s+and\s+")
_SEAT = re.compile(r"(?<!\w)[RD]-[A-Z][A-Za-z]{1,9}\b")  # party and state of a member of Congress: "R-Ga."


@lru_cache(maxsize=4096)
def country_of(description: str) -> str | None:
    """Return the country a description names as the speaker's own, or ``None``.

    The first country that is not merely the object of an office counts: Ukraine for "Ukraine's ambassador to
    Germany", none for "the envoy to Syria", "the fund's Japan director", "a China expert" or "Iran-backed rebels";
    where the name of an office goes on with "of", the country after it: Japan for "Democratic Party of Japan". Names
    of persons tell nothing, and those of countries that are also first names only where an office follows.
    """
    pattern, names = _countries()
    description = description.replace("’", "'")
    parts = [part.removeprefix("the ").removeprefix("The ") for part in _AND.split(description.strip())]
    if len({names.get(part) for part in parts}) > 1 and all(names.get(part) for part in parts):
        return None  # "France and Germany"
    found = [
        match
        for match in pattern.finditer(description)
        if names[match.group()] and not _COMPOUND.match(description, match.end())
    ]
    for i, match in enumerate(found):
        country = names[match.group()]
        if any(_OF.fullmatch(description, match.end(), later.start()) for later in found[i + 1 :]):
            continue
        named = match.group() == country
        if named and (_OWNED.search(description, 0, match.start()) or _TOPIC.match(description, match.end())):
            continue
        about = _ABOUT.search(description, 0, match.start())
        if not about or (about.group().startswith("in") and _SEATED.match(description)):
            return country
    return "United States" if _SEAT.search(description) else None


def is_office(words: str) -> bool:
    """Return whether words as a whole name a country, its seat or an office."""
    return words not in _NAMESAKES and bool(_countries()[1].get(words))


@cache
def listed(name: str, key: str) -> frozenset[str]:
    """Return the words of one key of a list in ``data``."""
    return frozenset(_load(f"{name}.yaml")[key])


@cache
def titles() -> frozenset[str]:
    """Return offices and forms of address, in lower case."""
    return frozenset(_load("names.yaml")["titles"])


@cache
def dates() -> frozenset[str]:
    """Return weekdays and months."""
    return frozenset(_load("names.yaml")["dates"])


@cache
def breaks() -> frozenset[str]:
    """Return small words that a heading writes with a capital and that no name holds."""
    return frozenset(_load("names.yaml")["breaks"])


@cache
def given_names() -> Mapping[str, str]:
    """Return first names with ``m`` for those of men mostly, ``f`` for those of women, nothing for those of both."""
    data = _load("names.yaml")
    return {name: gender for gender, key in (("m", "men"), ("f", "women"), ("", "either")) for name in data[key]}


@cache
def openers() -> frozenset[str]:
    """Return words that are capitalised only because they open a sentence."""
    return frozenset(_load("names.yaml")["openers"])


def _load(name: str) -> dict[str, Any]:
    source = files("stance") / "quotes" / "data" / name
    data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return data
