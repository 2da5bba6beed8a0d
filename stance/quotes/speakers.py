"""Who a mention stands for: full names for surnames, pronouns and roles, and the country spoken for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from stance.quotes.antecedents import before_relative, quoted_blank, things
from stance.quotes.assembly import Found
from stance.quotes.letters import CAPITALS, SMALL
from stance.quotes.names import COMPLEMENT, Names, is_organisation, line_start, title_words
from stance.quotes.subjects import PERSON, Mention
from stance.quotes.words import country_of, listed, titles
from stance.schema import Speaker

__all__ = ["SpeakerBook"]

_MALE = re.compile(
    r"\b(?:Mr|King|Prince|Sir|Lord|spokesman|chairman|congressman|businessman|father|son|brother|husband|he)\b"
)
_FEMALE = re.compile(
    r"\b(?:Mrs|Ms|Miss|Queen|Princess|Lady|spokeswoman|chairwoman|congresswoman|businesswoman|mother|daughter|sister|"
    r"wife|she)\b"
)
_CAPITALS = re.compile(rf"{PERSON.pattern}|(?<!\w)[{CAPITALS}][{SMALL}'’-]+(?!\w)")
_REMEMBERED = 20  # speakers that a pronoun or an office may mean
_LOOK_BACK = 500  # characters of a paragraph searched for whom "he" means
_FAR_BACK = 1500  # characters before a pronoun searched where nobody has spoken yet
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_EVEN = re.compile(r"^(?:Even|even|Only|only|Also|But|And|Yet|Unlike|Like)\s+(?=[A-Z])")
_AND = re.compile(r",?\s+(?:and|as well as|along with|together with)\s+")
_PERSONAL = {"he": "m", "him": "m", "his": "m", "himself": "m", "she": "f", "her": "f", "hers": "f", "herself": "f"}
_ASKED = {  # "Ann Lee asked her why": another woman is meant
    gender: re.compile(
        r"\s+(?:\w+\s+)?(?:asked|told|called|reminded|pressed|questioned|interrupted|thanked|warned|assured|urged|accused|"
        rf"invited|advised|answered)\s+{word}\b"
    )
    for gender, word in (("m", "him"), ("f", "her"))
}
_RELATIVE = re.compile(r"(?:who|whom|whose|which|that)$|(?:who|which)\s", re.IGNORECASE)
_AGED = re.compile(r"the \d{1,3}-year-old\b", re.IGNORECASE)
_OF_OTHERS = re.compile(r"\b(?:whom|whose)\s")
_CLAUSE = re.compile(r",?\s+(?:who|whose|which|that)(?:\s|$)")
_APPOSED_TO = re.compile(rf"({PERSON.pattern}), $")
_LONGEST_NAME = 80
_LED = re.compile(r",?\s+(?:led|headed|run|backed|founded|written)\s+by\s")
_LABELLED = re.compile(r"[A-Z][A-Z .'’-]+:")  # "PENCE: I said" in a transcript
_LEADERS = frozenset(("president", "premier", "chancellor", "king", "queen", "minister", "leader"))
_PARTIES = frozenset(("republican", "democratic"))
_PREPOSITIONS = frozenset(("with", "to", "by", "from", "of", "for", "against", "alongside"))
_POSSESSIVE = ("'s", "’s", "s'", "s’")
_STOP = re.compile(r"(?<!\b[A-Z])[.!?][”\"]?\s")
_RANKS = frozenset(("deputy", "vice", "former", "assistant", "under"))  # offices that differ by them are not one


@dataclass(slots=True)
class _Person:
    name: str
    person: bool
    words: set[str] = field(default_factory=set)
    gender: str = ""
    country: str | None = None
    named: bool = False
    at: int = -1


class SpeakerBook:
    """The speakers of one article, in the order they come up.

    Parameters
    ----------
    text
        The article's text; names written out in it anywhere, and the offices beside them, are known from the start.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._names = Names(text)
        self._told: dict[str, list[str]] = {}
        for x in self._names.introduced:
            self._told.setdefault(x.name, []).append(x.description)
        for name, description in self._names.described:
            self._told.setdefault(name, []).append(description)
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
        if several := self._jointly(mention.description, start):
            *others, last = (p.name for p in several)
            country = several[0].country if len({p.country for p in several}) == 1 else None
            return Speaker(f"{', '.join(others)} and {last}", words, start, end, country)
        lead = text[line_start(text, start, _LOOK_BACK) : start]
        person = self._resolve(words, mention.description, lead, start)
        if person is None:
            return Speaker(words, words, start, end, country_of(self._names.unnamed(words)))
        self._remember(person, start)
        return Speaker(person.name, words, start, end, person.country)

    def _jointly(self, description: str, at: int) -> list[_Person]:
        """Return the persons that speak together, if a description names two or more."""
        parts = _AND.split(description)
        if len(parts) != 2 or COMPLEMENT.search(parts[0]):
            return []
        for each in ([*parts[0].split(", "), parts[1]], parts):  # what follows a comma may be an apposition
            names = [self._names.personal(part) for part in each]
            if None not in names:
                break
        else:
            return []
        found = [self._note(self._names.fullest(n), p) for n, p in zip(names, each, strict=True) if n]
        for person in found:
            self._remember(person, at)
        return found if len({p.name for p in found}) == len(found) else []

    def settled(self, found: Iterable[Found]) -> list[Found]:
        """Return what was found, each speaker with the country that any place of the article tells."""
        return [self._settled(f) for f in found]

    def _settled(self, found: Found) -> Found:
        speaker = found.speaker
        known = self._known.get(speaker.name) if speaker and not speaker.country else None
        if speaker is None or known is None or not known.named or not known.country:
            return found
        return replace(found, speaker=replace(speaker, country=known.country))

    def _remember(self, person: _Person, at: int) -> None:
        person.at = at
        self._recent = [*(p for p in self._recent if p is not person), person][-_REMEMBERED:]

    def _resolve(self, words: str, description: str, lead: str, at: int) -> _Person | None:
        low = words.lower()
        if low in _PERSONAL:
            return self._human(_PERSONAL[low], lead, at)
        if low in ("it", "its", "itself"):
            return self._thing(lead, at)
        if low in ("they", "their", "them"):
            return next((p for p in self._lately(at) if not p.named or not self._names.is_known(p.name)), None)
        if low in ("we", "i", "you", "my", "our", "me", "us"):  # outside a quotation the author is meant
            inside = lead.count("“") > lead.count("”") or lead.count('"') % 2 or _LABELLED.match(lead)
            return self._recent[-1] if self._recent and inside else None
        if _RELATIVE.match(low):
            return self._antecedent(low.split()[0], lead, at)
        if _AGED.match(words):
            return self._named_in(lead, "") or next((p for p in reversed(self._recent) if p.person), None)
        shouted = words.title()
        name = shouted if words.isupper() and shouted in self._names else self._names.personal(words)
        if name is not None:
            return self._note(self._names.fullest(name), description)
        known = self._by_role(words, at)
        if known is not None:
            return known
        words, description = _CLAUSE.split(words, maxsplit=1)[0], _LED.split(description, maxsplit=1)[0]
        words = _EVEN.sub("", words)
        bare = _ARTICLE.sub("", words) if any(w[0].isupper() for w in words.split()[1:]) else words
        person = words.lower().startswith(("a ", "an ", "one ")) or words.split()[-1].lower() in titles()
        return self._note(
            self._names.written_out(bare), description, named=False, person=person and not is_organisation(words)
        )

    def _note(self, name: str, description: str, *, named: bool = True, person: bool = True) -> _Person:
        known = self._known.get(name)
        if known is None:
            gender = self._names.gender(name) if named else ""
            known = self._known[name] = _Person(name, person, gender=gender, named=named)
            for told in self._told.get(name, ()):
                _describe(known, told, self._names.unnamed(told))
        description = self._names.unnamed(description)
        own = _without(description, name) if named else description  # a surname may be that of a country
        _describe(known, description, own)
        return known

    def _human(self, gender: str, lead: str, at: int) -> _Person | None:
        """Find whom "he" or "her" means: in the paragraph, among those who spoke, in the paragraphs before."""
        found = self._named_in(lead, gender, sure=True) or self._by_gender(gender) or self._named_in(lead, gender)
        end = at - len(lead)
        while found is None and end > max(0, at - _FAR_BACK):
            start = line_start(self._text, end - 1, _LOOK_BACK)
            found = self._named_in(self._text[start:end], gender)
            end = min(start, end - 1)
        return found

    def _thing(self, lead: str, at: int) -> _Person | None:
        """Find what "it" means: the organisation that a sentence of the paragraph is about, or that spoke last."""
        spoke = next((p for p in self._lately(at) if _is_one_thing(p) and (not p.named or p is self._recent[-1])), None)
        for start, words in things(lead):
            if spoke and spoke.at > at - len(lead) + start:
                break
            known = self._by_role(words, at - len(lead) + start)
            bare = _ARTICLE.sub("", words) if any(w[0].isupper() for w in words.split()[1:]) else words
            return known or self._note(self._names.written_out(bare), words, named=False, person=False)
        return spoke

    def _lately(self, at: int) -> Iterator[_Person]:
        """Yield who spoke not far before `at`, the last first."""
        return (p for p in reversed(self._recent) if at - p.at < _FAR_BACK)

    def _antecedent(self, word: str, lead: str, at: int) -> _Person | None:
        """Find whom "who" or "which" means: the noun before it."""
        span = before_relative(lead, self._is_named if word.startswith("who") else None)
        if span is None:
            return None
        words = lead[span[0] : span[1]]
        beside = _APPOSED_TO.search(lead, max(0, span[0] - _LONGEST_NAME), span[0])  # "Ann Lee, a clerk who"
        who = beside.group(1) if beside and self._names.personal(beside.group(1)) else words
        return self._resolve(who, words, lead[: span[0]], at - len(lead) + span[0])

    def _is_named(self, words: str) -> bool:
        """Whether words are a person's name that stands in the article in full or with Mr or Ms."""
        name = self._names.personal(words)
        return name is not None and self._names.is_known(self._names.fullest(name))

    def _named_in(self, lead: str, gender: str, *, sure: bool = False) -> _Person | None:
        """Find who the paragraph so far is about: the first person it names, if `sure` no place or thing,
        nor whom a preposition names in the pronoun's own sentence."""
        lead = quoted_blank(lead)
        for match in _CAPITALS.finditer(lead):
            name = self._names.personal(match.group())
            if name is None or (gender and _ASKED[gender].match(lead, match.end())):
                continue
            full = self._names.fullest(name)
            if not self._names.is_known(full):
                continue
            if sure and _is_object(lead, match.start(), match.end()):
                continue
            person = self._note(full, "")
            if sure and not (person.at >= 0 or self._names.is_person(full)):
                continue
            if not gender or person.gender in ("", gender):
                person.gender = person.gender or gender
                return person
        return None

    def _by_gender(self, gender: str) -> _Person | None:
        """Find the last person of that gender; one whose gender is not told only if none is among the last two."""
        known = [p for p in self._recent if p.person][-2:]
        if sure := [p for p in known if p.gender == gender]:
            return sure[-1]
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
        roles = _LEADERS if role == "leader" and country else set() if is_organisation(role.title()) else {role}
        marks = {w.lower() for w in head.split()[1:]}
        party = _PARTIES & marks
        second: _Person | None = None
        for person in self._candidates(at):
            if person.name == words or (country and country != person.country):
                continue
            if party and _PARTIES & person.words and not party & person.words:
                continue
            if not (roles & person.words or _is_kind(person, words, marks)):
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


def _is_object(lead: str, start: int, end: int) -> bool:
    """Whether a preposition stands before a name in the last sentence: "in a call with President Ann Lee, he"."""
    if lead[:end].endswith(_POSSESSIVE) or _STOP.search(lead, end):
        return False
    beside = listed("pronouns", "determiners") | titles()
    words = ["", *lead[max(0, start - _LONGEST_NAME) : start].split()]
    for before, word in zip(reversed(words[:-1]), reversed(words[1:]), strict=True):
        if word.lower() in _PREPOSITIONS:
            return before.lower() not in titles()  # "Secretary of State Ann Lee"
        if word.endswith(",") or not (word[0].isupper() or word in beside):
            return False
    return False


def _is_kind(speaker: _Person, words: str, marks: set[str]) -> bool:
    """Whether "the agency" may be short for a speaker: all its words stand in the longer name."""
    named = {w.removesuffix("'s").removesuffix("’s") for w in speaker.name.lower().split()}
    return not speaker.person and len(speaker.name) > len(words) and marks <= named


def _is_one_thing(speaker: _Person) -> bool:
    """Whether "it" may mean a speaker: no person, and not several."""
    head = COMPLEMENT.split(speaker.name, maxsplit=1)[0].split()[-1]
    several = head.islower() and (head in ("people", "police", "men", "women") or re.search(r"(?<![sui])s$", head))
    return not several and not (speaker.person and (speaker.gender or speaker.words))


def _without(description: str, name: str) -> str:
    return " ".join(w for w in description.split() if w.strip(",.") not in name.split())


def _describe(known: _Person, description: str, own: str) -> None:
    """Take offices, gender and country from a description; `own` is the description without a personal name."""
    description, own = (_OF_OTHERS.split(words, maxsplit=1)[0] for words in (description, own))
    known.words |= title_words(description)
    if not known.gender:
        known.gender = "f" if _FEMALE.search(description) else "m" if _MALE.search(description) else ""
    if known.country is None:
        known.country = country_of(own)
