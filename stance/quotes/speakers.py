"""Who a mention stands for: full names for surnames, pronouns and roles, and the country spoken for."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field

from stance.quotes.subjects import PERSON, Mention
from stance.quotes.words import country_of, dates, is_office, openers, titles
from stance.schema import Speaker

__all__ = ["SpeakerBook"]

_MALE = re.compile(
    r"\b(?:Mr|King|Prince|Sir|Lord|spokesman|chairman|congressman|businessman|father|son|brother|he|his|him)\b"
)
_FEMALE = re.compile(
    r"\b(?:Mrs|Ms|Miss|Queen|Princess|Lady|spokeswoman|chairwoman|congresswoman|businesswoman|mother|daughter|sister|she|her)\b"
)
_COMPLEMENT = re.compile(r"\s+(?:of|for|from|at|near|in|with|on|who|whose)\s+")
_ORGANISATION = re.compile(
    r"\b(?:House|Ministry|Department|Institute|University|Committee|Council|Alliance|Union|Agency|Bank|Party|Court|"
    r"Office|Association|Group|Company|Corp|Inc|Commission|Foundation|Center|Centre|Post|Times|Journal|News|Press|"
    r"Organization|Organisation|States|Nations|Kingdom|Federation|Army|Force|Forces|Police|Government|Parliament)\b"
)
_CAPITALS = re.compile(rf"{PERSON.pattern}|(?<!\w)[A-ZÀ-Þ][a-zß-ÿ'’-]+(?!\w)")
_REMEMBERED = 20  # speakers that a pronoun or an office may mean
_LOOK_BACK = 500  # characters of a paragraph searched for whom "he" means
_INTRODUCED = re.compile(rf"\b[a-z]{{4,}}\s+({PERSON.pattern})$")  # "ministry spokesman Lu Weimin"
_ADDRESSED = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? ([A-ZÀ-Þ][\w'’-]+)")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_ROLE = re.compile(r"[a-z-]{4,}")
_PERSONAL = {"he": "m", "she": "f"}


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
        The article's text; names written out in it anywhere are known from the start.
    """

    def __init__(self, text: str) -> None:
        self._full: dict[str, str] = {}
        for match in PERSON.finditer(text):
            name = _strip_titles(match.group())
            last = name.rpartition(" ")[2]
            if " " in name and last not in dates() and not country_of(name):
                self._full.setdefault(last, name)
        # a first name, or a surname that comes first as in "Gao Lin"
        self._full = {name.partition(" ")[0]: name for name in self._full.values()} | self._full
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
        lead = text[max(text.rfind("\n", 0, start) + 1, start - _LOOK_BACK) : start]
        person = self._resolve(words, mention.description, lead)
        if person is None:
            return Speaker(words, words, start, end, country_of(words))
        self._recent = [*(p for p in self._recent if p is not person), person][-_REMEMBERED:]
        return Speaker(person.name, words, start, end, person.country)

    def _resolve(self, words: str, description: str, lead: str) -> _Person | None:
        low = words.lower()
        if low in _PERSONAL:
            return self._named_in(lead, _PERSONAL[low]) or self._by_gender(_PERSONAL[low])
        if low in ("they", "it", "we", "i", "you", "who"):
            return self._recent[-1] if self._recent and low != "it" else None
        shouted = words.title()
        name = shouted if words.isupper() and shouted in self._full else _personal_name(words, self._full)
        if name is not None:
            full = name if " " in name else self._full.get(name, name)
            return self._note(full, description, person=True)
        known = self._by_role(words)
        if known is not None:
            return known
        bare = _ARTICLE.sub("", words) if any(w[0].isupper() for w in words.split()[1:]) else words
        person = words.lower().startswith(("a ", "an ", "one ")) or words.split()[-1].lower() in titles()
        return self._note(bare, description, person=person and not _ORGANISATION.search(words))

    def _note(self, name: str, description: str, *, person: bool) -> _Person:
        known = self._known.setdefault(name, _Person(name, person))
        known.words |= {w for w in _ROLE.findall(description.lower()) if w in titles()}
        if not known.gender:
            known.gender = "f" if _FEMALE.search(description) else "m" if _MALE.search(description) else ""
        if known.country is None:
            known.country = country_of(description.replace(name, " ") if person and " " in name else description)
        return known

    def _named_in(self, lead: str, gender: str) -> _Person | None:
        """Find who the paragraph so far is about: the first person it names."""
        for match in _CAPITALS.finditer(lead):
            name = _personal_name(match.group(), self._full)
            if name is None:
                continue
            full = name if " " in name else self._full.get(name, "")
            if self._full.get(full.rpartition(" ")[2]) != full:
                continue
            person = self._known.setdefault(full, _Person(full, person=True))
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

    def _by_role(self, words: str) -> _Person | None:
        """Find who "the minister" is: the last person introduced with that office."""
        if not words.lower().startswith(("the ", "his ", "her ")):
            return None
        role = words.lower().split()[-1]
        for person in reversed(self._recent):
            if role in person.words and person.name != words:
                return person
        return None


def _personal_name(words: str, surnames: Container[str]) -> str | None:
    """Return the personal name in a mention, without titles, or ``None`` for organisations, groups and offices."""
    head = _COMPLEMENT.split(words, maxsplit=1)[0]
    if addressed := _ADDRESSED.fullmatch(head):
        return addressed.group(1)
    if introduced := _INTRODUCED.search(head):
        return _strip_titles(introduced.group(1))
    if _ORGANISATION.search(head):
        return None
    if full := PERSON.search(head):
        name = _strip_titles(full.group())
        if country_of(name) and (" " not in name or is_office(name)):
            return None
        return name if " " in name or name in surnames or name != full.group() else None
    last = head.split()[-1].removesuffix("'s").removesuffix("’s") if head.split() else ""
    return last if last in surnames and not head.lower().startswith(("the ", "a ", "an ")) else None


def _strip_titles(name: str) -> str:
    words = name.split()
    while len(words) > 1 and words[0] in openers():
        words = words[1:]
    if len(words) > 2 and words[0].endswith(("'s", "’s")):
        words = words[1:]
    while len(words) > 1 and (words[0].strip(".").lower() in titles() or words[0].lower() in titles()):
        words = words[1:]
    if len(words) > 2 and country_of(words[0]) and any(w.lower() in titles() for w in words[1:-1]):
        while len(words) > 2 and words[0].lower() not in titles():
            words = words[1:]
        while len(words) > 1 and words[0].lower() in titles():
            words = words[1:]
    return " ".join(words)
