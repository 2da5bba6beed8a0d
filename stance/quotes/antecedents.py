"""What a pronoun that is no person's stands for: the organisation before "it", the noun before "who" and "which"."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from stance.quotes.letters import CAPITALS
from stance.quotes.subjects import PERSON
from stance.quotes.words import country_of, listed, openers

__all__ = ["before_relative", "quoted_blank", "things"]

_LONGEST = 300  # characters before a pronoun that are looked at
_CAPITAL = rf"[{CAPITALS}&][\w.&'’-]*"
_ACRONYM = re.compile(r"(?:the |The )?[A-Z]{2,7}")
_SENTENCE = re.compile(rf"(?<=[.!?”\"])\s+(?=[{CAPITALS}“\"])|\n+")
_ADVERBIAL = re.compile(r"(?:[A-Z][\w'’-]*\s(?:[\w'’-]+\s){0,5}?[\w'’-]+|[A-Z]\w+),\s")  # "On Monday, "
_OPENER = re.compile(r"(?:[A-Z][a-z]+)\s")
_QUOTED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"|''[^\n]*?''")
_WORD = re.compile(r"(?:[A-Z]\.)+|(?:St|Mr|Ms|Mrs|Dr|Sen|Gen|Rep)\.|[\w'’&-]+")
_JOINS = frozenset(("of", "at", "in", "for", "from", "on"))
_MOST_WORDS = 12


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds the name or kind of a thing, and what tells that words are one."""
    kinds = "|".join((*sorted(listed("pronouns", "things"), key=len, reverse=True), r"\w+builder", r"\w+maker"))
    named = rf"{_CAPITAL}(?: (?:(?:of|for|and|on) (?:the )?)?{_CAPITAL})*"
    thing = (
        rf"(?:The|the|[Aa]n?|Its|its|Their|their|{_CAPITAL}['’]s?) (?:[\w'’.&-]+ ){{0,4}}?(?:{kinds})(?!\w)"
        rf"(?: (?:of|for|on) (?:the )?{named})?|(?:[Tt]he )?{named}"
    )
    return re.compile(thing), re.compile(rf"\b(?:{kinds})$|\b(?:{kinds}) (?:of|for|on)\b", re.IGNORECASE)


def quoted_blank(text: str) -> str:
    """Return text with what stands in quotation marks blanked out: whom a speaker names is not who speaks next."""
    return _QUOTED.sub(lambda m: " " * len(m.group()), text)


def things(lead: str) -> list[tuple[int, str]]:
    """Return where the subjects of the sentences in a paragraph so far stand that "it" may mean, the last first."""
    lead = quoted_blank(lead)
    found = []
    starts = [0, *(m.end() for m in _SENTENCE.finditer(lead))]
    for start in starts:
        for at in _heads(lead, start):
            match = _patterns()[0].match(lead, at)
            words = match.group().rstrip(".,") if match else ""
            if _is_thing(words) and not words.lower().startswith(("its ", "their ")):
                found.append((at, words))
                break
    return found[::-1]


def _heads(lead: str, start: int) -> list[int]:
    """Return where the subject of a sentence may begin: at its start, after an opening word, after an adverbial."""
    heads = [start]
    if (opener := _OPENER.match(lead, start)) and opener.group().strip() in openers() and opener.group() != "The ":
        heads = [opener.end()]
    if adverbial := _ADVERBIAL.match(lead, start):
        heads.append(adverbial.end())
    return heads


def _is_thing(words: str) -> bool:
    bare = words.removeprefix("The ").removeprefix("the ")
    return bool(
        _patterns()[1].search(words) or _ACRONYM.fullmatch(words) or (country_of(bare) and not PERSON.fullmatch(bare))
    )


def before_relative(lead: str, is_person: Callable[[str], bool] | None = None) -> tuple[int, int] | None:
    """Return where the noun phrase before "who" or "which" stands, or ``None``.

    "Second place went to Ana Lopes of Portugal, who" gives "Ana Lopes of Portugal".

    Parameters
    ----------
    lead
        The text before the pronoun.
    is_person
        Tells whether words are somebody's name; without it, a thing is looked for.
    """
    body = lead.rstrip(" ,—–-")
    words = list(_WORD.finditer(body, max(0, len(body) - _LONGEST)))
    if not words or words[-1].end() < len(body):
        return None
    begin = len(words)
    for i in range(len(words) - 1, max(-1, len(words) - _MOST_WORDS), -1):
        word = words[i].group()
        apart = i + 1 < len(words) and body[words[i].end() : words[i + 1].start()].strip()
        if apart or word.lower() in listed("pronouns", "stops"):
            break
        if is_person and word.islower() and begin < len(words) and is_person(body[words[begin].start() :]):
            break  # "endorses Omar Diallo, who", "the luck of Omar Diallo, who"
        begin = i
        joined = i > 0 and words[i - 1].group().lower() in _JOINS
        if (joined and not is_person) or (word.lower() in listed("pronouns", "determiners") and not joined):
            break
    while begin < len(words) and words[begin].group().lower() in _JOINS:
        begin += 1
    if 0 < begin < len(words) - 1 and words[begin - 1].group().lower() == "to" and words[begin].group().islower():
        follows = words[begin + 1].group().lower()
        begin += follows not in _JOINS and words[begin].group() not in listed("pronouns", "determiners")
    return (words[begin].start(), words[-1].end()) if begin < len(words) else None
