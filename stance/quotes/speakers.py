"""Who a mention stands for: full names for surnames, pronouns and roles, and the country spoken for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from stance.quotes.names import COMPLEMENT, Names, is_organisation, line_start, title_words
from stance.quotes.subjects import PERSON, Mention
from stance.quotes.words import country_of, titles
from stance.schema import Speaker

__all__ = ["SpeakerBook"]

_MALE = re.compile(
    r"\b(?:Mr|King|Prince|Sir|Lord|spokesman|chairman|congressman|businessman|father|son|brother|husband|he|his|him)\b"
)
_FEMALE = re.compile(
    r"\b(?:Mrs|Ms|Miss|Queen|Princess|Lady|spokeswoman|chairwoman|congresswoman|businesswoman|mother|daughter|sister|"
    r"wife|she|her)\b"
)
_CAPITALS = re.compile(rf"{PERSON.pattern}|(?<!\w)[A-ZÀ-Þ][a-zß-ÿ'’-]+(?!\w)")
_REMEMBERED = 20  # speakers that a pronoun or an office may mean
_LOOK_BACK = 500  # characters of a paragraph searched for whom "he" means
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_AND = re.compile(r",?\s+(?:and|as well as|along with|together with)\s+")
_PERSONAL = {"he": "m", "she": "f"}
_LEADERS = frozenset(("president", "premier", "chancellor", "king", "queen", "minister", "leader"))
_RANKS = frozenset(("deputy", "vice", "former", "assistant", "under"))  # offices that differ by them are not one


@dataclass(slots=True)
class _Person:
    name: str
    person: bool
    words: set[str] = field(default_factory=set)
    gender: str = ""
    country: str | None = None


class SpeakerBook:
    """The speakers of one article, in the order they come up.

    Parameters
    ----------
    text
        The article's text; names written out in it anywhere, and the offices beside them, are known from the start.
    """

    def __init__(self, text: str) -> None:
        self._names = Names(text)
        self._told: dict[str, list[str]] = {}
        for x in self._names.introduced:
            self._told.setdefault(x.name, []).append(x.description)
        self._known: dict[str, _Person] = {}
        self._recent: list[_Person] = []

    def speaker(self, mention: Mention | None, text: str, offset: int) -> Speaker | None:
        """Return the speaker behind a mention.

        Parameters
        ----------
        mention
            Offsets relative to `offset` in `text`.
        """
        if mention is None:
            return None
        start, end = offset + mention.start, offset + mention.end
        words = text[start:end]
        if both := self._jointly(mention.description):
            name = " and ".join(p.name for p in both)
            return Speaker(name, words, start, end, both[0].country if len({p.country for p in both}) == 1 else None)
        lead = text[line_start(text, start, _LOOK_BACK) : start]
        person = self._resolve(words, mention.description, lead, start)
        if person is None:
            return Speaker(words, words, start, end, country_of(words))
        self._remember(person)
        return Speaker(person.name, words, start, end, person.country)

    def _jointly(self, description: str) -> list[_Person]:
        """Return the two persons that speak together, if a description names two."""
        parts = _AND.split(description)
        if len(parts) != 2 or COMPLEMENT.search(parts[0]):
            return []
        names = [self._names.personal(part) for part in parts]
        if any(name is None for name in names):
            return []
        both = [self._note(self._names.fullest(n), p) for n, p in zip(names, parts, strict=True) if n]
        for person in both:
            self._remember(person)
        return both if both[0] is not both[1] else []

    def _remember(self, person: _Person) -> None:
        self._recent = [*(p for p in self._recent if p is not person), person][-_REMEMBERED:]

    def _resolve(self, words: str, description: str, lead: str, at: int) -> _Person | None:
        low = words.lower()
        if low in _PERSONAL:
            return self._named_in(lead, _PERSONAL[low]) or self._by_gender(_PERSONAL[low])
        if low in ("they", "it", "we", "i", "you", "who"):
            return self._recent[-1] if self._recent and low != "it" else None
        shouted = words.title()
        name = shouted if words.isupper() and shouted in self._names else self._names.personal(words)
        if name is not None:
            return self._note(self._names.fullest(name), description)
        known = self._by_role(words, at)
        if known is not None:
            return known
        bare = _ARTICLE.sub("", words) if any(w[0].isupper() for w in words.split()[1:]) else words
        person = words.lower().startswith(("a ", "an ", "one ")) or words.split()[-1].lower() in titles()
        return self._note(
            self._names.written_out(bare), description, named=False, person=person and not is_organisation(words)
        )

    def _note(self, name: str, description: str, *, named: bool = True, person: bool = True) -> _Person:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = _Person(name, person)
            for told in self._told.get(name, ()):
                _describe(known, told, told)
        own = _without(description, name) if named else description  # a surname may be that of a country
        _describe(known, description, own)
        return known

    def _named_in(self, lead: str, gender: str) -> _Person | None:
        """Find who the paragraph so far is about: the first person it names."""
        for match in _CAPITALS.finditer(lead):
            name = self._names.personal(match.group())
            if name is None:
                continue
            full = self._names.fullest(name)
            if " " not in full or self._names.fullest(full.rpartition(" ")[2]) != full:
                continue
            person = self._note(full, "")
            if person.gender in ("", gender):
                person.gender = gender
                return person
        return None

    def _by_gender(self, gender: str) -> _Person | None:
        for person in reversed(self._recent):
            if person.person and person.gender in ("", gender):
                person.gender = gender
                return person
        return None

    def _by_role(self, words: str, at: int) -> _Person | None:
        """Find who "the minister" or "the agency" is: the last one of that office or kind, of the country if told."""
        if not words.lower().startswith(("the ", "his ", "her ")):
            return None
        head = COMPLEMENT.split(words, maxsplit=1)[0]
        role, country, ranks = head.lower().split()[-1], country_of(words), _RANKS & set(words.lower().split())
        roles = _LEADERS if role == "leader" and country else {role}
        second: _Person | None = None
        for person in self._candidates(at):
            kind = not person.person and len(person.name) > len(words) and role in person.name.lower().split()
            if person.name == words or not (kind or roles & person.words) or (country and country != person.country):
                continue
            if _RANKS & person.words == ranks:
                return person
            second = second or person
        return second

    def _candidates(self, at: int) -> Iterator[_Person]:
        """Yield whom an office may mean: those who have spoken, the last first, then those introduced before `at`."""
        yield from reversed(self._recent)
        before = bisect_left(self._names.introduced, at, key=lambda x: x.at)
        for x in reversed(self._names.introduced[max(0, before - _REMEMBERED) : before]):
            yield self._note(x.name, "")


def _without(description: str, name: str) -> str:
    return " ".join(w for w in description.split() if w.strip(",.") not in name.split())


def _describe(known: _Person, description: str, own: str) -> None:
    """Take offices, gender and country from a description; `own` is the description without a personal name."""
    known.words |= title_words(description)
    if not known.gender:
        known.gender = "f" if _FEMALE.search(description) else "m" if _MALE.search(description) else ""
    if known.country is None:
        known.country = country_of(own)
