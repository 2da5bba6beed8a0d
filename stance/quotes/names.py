"""The names in an article: their fullest forms, spellings, abbreviations, and the offices they are introduced with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from stance.quotes.letters import CAPITALS
from stance.quotes.subjects import PERSON
from stance.quotes.words import breaks, country_of, dates, given_names, is_office, listed, openers, titles

__all__ = [
    "COMPLEMENT",
    "Introduced",
    "Names",
    "folded",
    "is_organisation",
    "line_start",
    "strip_titles",
    "title_words",
]

COMPLEMENT = re.compile(
    r"\s+(?:of|for|from|at|near|in|with|on|who|whose|like|such as|including|(?:led|headed|run) by)\s+"
)
"""What may follow the head of a noun phrase: "a spokesman for the company"."""

_ORGANISATION = re.compile(
    r"\b(?:House|Ministry|Department|Institute|University|Committee|Council|Alliance|Union|Agency|Bank|Party|Court|"
    r"Office|Association|Group|Company|Corp|Inc|Commission|Foundation|Center|Centre|Post|Times|Journal|News|Press|"
    r"Organization|Organisation|States|Nations|Kingdom|Republic|Federation|Army|Force|Forces|Police|Government|Parliament|"
    r"Embassy|Bureau|Chamber|Authority|League|Board|Congress|Senate|Assembly|Service|College|School|Hospital|Museum|"
    r"Club|Coalition|Movement|Campaign|Administration|Academy|Corporation|Airlines|Airways|Fund|Society|Exchange|"
    r"Treasury|Tribunal|Secretariat|Friends|Network|Project|Initiative|Conference|"
    r"Observatory|Laboratory|Programme|Program|Theatre|Orchestra|Library|Railway|Railways|Industries|Holdings)\b"
)
_INTRODUCED = re.compile(rf"\b[a-z]{{4,}}\s+({PERSON.pattern})$")  # "ministry spokesman Lu Weimin"
_ADDRESSED = re.compile(rf"(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? ([{CAPITALS}][\w'’-]+)")
_GENDERED = re.compile(rf"\b(?:(Mr)|Mrs|Ms|Miss)\.? ([{CAPITALS}][\w-]+)")
_CAPITAL = rf"[{CAPITALS}][\w.'’-]*"
_LONG = re.compile(
    rf"\b(?<!\w[.'’-])((?:{_CAPITAL}\s+(?:(?:of|for|and|the|on)\s+){{0,2}}){{1,7}}{_CAPITAL})\s+\(([A-Z]{{2,7}})\)"
)
_BEFORE = re.compile(
    rf"(?:(?:\b(?:the|its|his|her|their|an?)|['’]s|\b{_CAPITAL})(?: [\w.-]+){{1,6}}, |"
    rf"(?:former )?(?:{_CAPITAL} ){{0,5}}(?:[a-z-]+ ){{0,3}})$"
)
_AFTER = re.compile(rf",\s+((?:(?:the|an?|[{CAPITALS}][\w-]+(?:['’]s)?)\s+)?[^,;:.()“”\"\n]{{2,80}})(?=[,.;])")
_AROUND = 90  # characters before and after a name in which its office is looked for
_LETTERS = ((re.compile(r"[iy]+"), "i"), (re.compile(r"kh|ck"), "k"), (re.compile(r"(.)\1"), r"\1"))
_ROLE = re.compile(r"[a-z-]{4,}")
_SHORT = {
    "sen": "senator", "gov": "governor", "rep": "representative", "gen": "general", "prof": "professor", "dr": "doctor",
    "capt": "captain", "col": "colonel", "lt": "lieutenant", "sgt": "sergeant", "adm": "admiral",
}  # fmt: skip
_SHORTENED = re.compile(rf"\b({'|'.join(_SHORT)})\b")
_OWNER = re.compile(r"['’]s?$")
_OWNED = re.compile(r"['’]s\s$")
_STANDING_BY = re.compile(r"\s*(?:$|(?:himself|herself|too|also|alone|yesterday|[A-Z(\d])|[^\w\s])")
_OFFICE_OF = re.compile(rf"^(.*?)\s+(?:of|for)\s+({PERSON.pattern})$")  # "Secretary of State Ann Lee"
_STANDS_FOR = re.compile(  # what comes first after a name, where it is a person's: an age, "who", "she", not "it"
    r"[^.!?\n]{0,60}?(?:(,\s\d{2},|\b(?:he|she|his|her|him|who)\b)|\b(?:its?|itself|they|their|which)\b)"
)
_DESCRIBED = re.compile(r",\s(?:(?:an?|the)\s[a-z]|\d{2},)")  # "Ann Lee, a baker", "Ann Lee, 41,"
_SUFFIXES = frozenset(("Jr", "Sr", "II", "III", "IV"))
_HEAD, _LINES = 600, 4  # characters and lines at the head of a text in which a heading may stand
_SHORTEST, _FEWEST, _SHARE = 4, 4, 0.8  # letters of a heading's words that count, these words, those with a capital
_LOOKED_AT = 20  # places of a surname that are looked at to tell whether it is one


@dataclass(frozen=True, slots=True)
class Introduced:
    """A person introduced with an office: where, by which name, and the words around it."""

    at: int
    name: str
    description: str


class Names:
    """What an article calls people and organisations.

    Parameters
    ----------
    text
        The article's text; names written out in it anywhere are known from the start.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        genders: dict[str, set[str]] = {}
        for match in _GENDERED.finditer(text):
            genders.setdefault(match.group(2), set()).add("m" if match.group(1) else "f")
        self._addressed = {name: found.pop() for name, found in genders.items() if len(found) == 1}
        self._all: dict[str, list[str]] = {}
        spans, self._countries = _names(text)
        for name in dict.fromkeys(name for _, _, name in spans):
            self._all.setdefault(_surname(name), []).append(name)
        self._full = {last: names[0] for last, names in self._all.items()}
        # a first name, or a surname that comes first as in "Gao Lin"
        first = {name.partition(" ")[0]: name for name in self._full.values()}
        self._full = {word: name for word, name in first.items() if not country_of(word)} | self._full
        self._misleading = sorted({name for _, _, name in spans if country_of(name)}, key=len, reverse=True)
        self._spelled = {folded(short): name for short, name in reversed(self._full.items())}
        self.introduced = list(_introductions(text, spans, self.fullest))
        self._with_office = {x.name for x in self.introduced}
        self.described = [
            (self.fullest(name), apposition.group(1))
            for _, end, name in spans
            if _DESCRIBED.match(text, end) and (apposition := _AFTER.match(text, end, end + _AROUND))
        ]
        self._with_office |= {name for name, _ in self.described}
        self._long = {m.group(2): long for m in _LONG.finditer(text) if (long := _spells(m.group(1), m.group(2)))}

    def __contains__(self, word: object) -> bool:
        """Whether a word is the first or last name of somebody in the article, in whatever spelling."""
        return isinstance(word, str) and (word in self._full or folded(word) in self._spelled)

    def is_known(self, name: str) -> bool:
        """Return whether a name is a person's: a full one of the article, or one with Mr or Ms before it somewhere."""
        return name in self._addressed if " " not in name else name in self._all.get(_surname(name), ())

    def is_person(self, name: str) -> bool:
        """Return whether a title, an office or the first name tells that a name is a person's and not a place's."""
        return bool(self.gender(name)) or name in self._with_office

    def gender(self, name: str) -> str:
        """Return ``m`` or ``f`` as the first name or the form of address tells, or nothing."""
        first = name.partition(" ")[0] if " " in name else ""
        return given_names().get(first, "") or self._addressed.get(_surname(name), "")

    def fullest(self, name: str) -> str:
        """Return the fullest form of a personal name; one of another spelling gives the article's first."""
        if " " not in name:
            if gender := self._addressed.get(name):
                return self._of_gender(name, gender)
            return self._full.get(name) or self._spelled.get(folded(name), name)
        last = _surname(name)
        known = self._full.get(last) or self._spelled.get(folded(last))
        return known if known and folded(known) == folded(name) else name

    def _of_gender(self, last: str, gender: str) -> str:
        """Return the full name of "Mr. Lee", where the article may also name an Ann Lee."""
        names = self._all.get(last) or [self._full.get(last) or self._spelled.get(folded(last), last)]
        return next((n for n in names if given_names().get(n.partition(" ")[0], "") in ("", gender)), last)

    def written_out(self, words: str) -> str:
        """Return what an abbreviation stands for, if the article says so; else the words."""
        long = self._long.get(words.rpartition("(")[2].rstrip(")"), words)
        return long if words.startswith(long) or words in self._long else words

    def unnamed(self, description: str) -> str:
        """Return a description without the names of persons that hold a country's: Kathy Ireland, Sofia Marin."""
        for name in self._misleading:
            description = description.replace(name, "")
        return description

    def personal(self, words: str) -> str | None:
        """Return the personal name in a mention, without titles; ``None`` for organisations, groups and offices."""
        office = _OFFICE_OF.match(words)
        if office and titles() & _lower(office.group(1)):
            name = strip_titles(office.group(2))
            if " " in name and name != office.group(2) and not is_organisation(name):
                return name
        head = COMPLEMENT.split(words, maxsplit=1)[0]
        if _ADDRESSED.fullmatch(head):
            return self._addressed_as(head)
        introduced = _INTRODUCED.search(head)
        if introduced and not _OWNER.search(introduced.group(1)):
            return strip_titles(introduced.group(1))
        matches = list(PERSON.finditer(head))
        if not matches:
            return self._short(head)
        # "Massachusetts Sen. Ann Lee": the stop after an office ends what looks like a name
        full = next((m for m in matches if m.group().rpartition(" ")[2].lower() not in titles()), matches[0])
        return self._whole(head, full)

    def _addressed_as(self, head: str) -> str:
        """Return whom "Mr. Lee" means; the words themselves where the article's only Lee is a woman."""
        last = _OWNER.sub("", head.split()[-1])
        gender = "m" if head.startswith(("Mr.", "Mr ")) else "f" if head.startswith("M") else ""
        known = self._of_gender(last, gender) if gender else last
        return head if known == last and last in self._all and last not in self._addressed else known

    def _whole(self, head: str, full: re.Match[str]) -> str | None:
        """Return the name in capitalised words of a mention, if they are what the mention is about."""
        name = strip_titles(full.group())
        introduced = titles() & _lower(head) or _OWNED.search(full.group().removesuffix(name))
        if is_organisation(head) and (" " not in name or is_organisation(name) or not introduced):
            return None
        if not _STANDING_BY.match(head, full.end()) or _is_bare_office(full.group(), name):
            return None  # "the New Haven businessman", "Ann Lee's doctor", "the Mayor"
        if _OWNER.search(name) and head[full.end() :].strip():
            return None
        name = _OWNER.sub("", name)
        if self._is_country(name):
            return None
        return name if " " in name or name in self or name != full.group() else None

    def _short(self, head: str) -> str | None:
        """Return the surname or first name that a mention ends with, if the article knows it."""
        last = _OWNER.sub("", head.split()[-1]) if head.split() else ""
        known = last[:1].isupper() and (last in self or last in self._addressed)
        return last if known and not head.lower().startswith(("the ", "a ", "an ")) else None

    def _is_country(self, name: str) -> bool:
        """Whether capitalised words are a country, an office or a people: "Air France", "Two Democrats"."""
        if not country_of(name):
            return False
        first, _, last = name.rpartition(" ")
        first = first.partition(" ")[0]
        if not first or name in self._countries or is_office(name) or first in listed("names", "no_first"):
            return True
        return is_office(last) and last.endswith("s") and first not in given_names()


def _names(text: str) -> tuple[list[tuple[int, int, str]], set[str]]:
    """Return where each name of a person stands and the name without titles, and what is a country after all."""
    found: list[tuple[int, int, str]] = []
    human: dict[str, bool] = {}
    headings = _headings(text)
    for start, end in (span for match in PERSON.finditer(text) for span in _runs(match)):
        name = strip_titles(text[start:end])
        heading = any(low <= start < high for low, high in headings)
        if heading and (name.count(" ") > 1 or text.find(name, end) < 0):
            continue
        last = name.rpartition(" ")[2]
        if " " not in name or last in dates() or last in listed("names", "no_last"):
            continue
        if last.lower() in _SHORT and text.startswith(".", end):  # "Ohio Sen. Ann Lee"
            continue
        if country_of(name):
            if name not in human:
                human[name] = _is_human(text, start, end, name)
            if not human[name]:
                continue
        found.append((start, end, name))
    whole = {name for _, _, name in found}
    things = {name for name, is_human in human.items() if not is_human and _is_thing(text, name)}
    return [(start, end, _shorter(name, whole)) for start, end, name in found], things


def _headings(text: str) -> list[tuple[int, int]]:
    """Return the lines at the head of a text in which nearly every word has a capital."""
    found = []
    for line in islice(re.finditer(r"[^\n]+", text[:_HEAD]), _LINES):
        words = [w for w in line.group().split() if len(w) >= _SHORTEST]
        if len(words) >= _FEWEST and sum(w[0].isupper() for w in words) >= _SHARE * len(words):
            found.append(line.span())
    return found


def _surname(name: str) -> str:
    words = name.split()
    return words[-2] if len(words) > 2 and words[-1].strip(".") in _SUFFIXES else words[-1]


def _runs(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Cut capitalised words at small words that a heading writes large, and at an owner: "Ann Lee Is Right"."""
    start = end = match.start()
    for word in re.finditer(r"\S+", match.group()):
        at, stop = match.start() + word.start(), match.start() + word.end()
        if word.group() in breaks():
            yield start, end
            start = end = stop
            continue
        if start == end:
            start = at
        end = stop
        if owner := _OWNER.search(word.group()):
            yield start, stop - len(owner.group())
            start = end = stop
    yield start, end


def _shorter(name: str, known: set[str]) -> str:
    """Return a name without the word before it, where the article also gives it so: "Rival Ann Lee"."""
    rest = name.partition(" ")[2]
    return rest if " " in rest and rest in known else name


def _is_human(text: str, start: int, end: int, name: str) -> bool:
    """Whether two words, one of them a country's or a capital's name, are a person: Kathy Ireland, Sofia Marin."""
    words = name.split()
    first, last = words[0], words[-1]
    if (
        is_office(first) == is_office(last)
        or first in listed("names", "no_first")
        or {first.lower(), last.lower()} & titles()
    ):
        return False
    if is_organisation(name):
        return False
    if (
        (first in given_names() and is_office(last))
        or _introduced(text, start, end, name, 0)
        or re.search(rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Sir)\.? {re.escape(last)}\b", text)
    ):
        return True
    if is_office(first) and first not in given_names():  # "Iraq War", "Paris Agreement"
        return False
    places = islice(re.finditer(rf"(?<!\w){re.escape(last)}(?!\w)", text), _LOOKED_AT)
    return any((found := _STANDS_FOR.match(text, at.end())) and found.group(1) for at in places)


def _is_thing(text: str, name: str) -> bool:
    """Whether "it" or "its" is what comes after a name first: "Neighbouring Ethiopia said it"."""
    found = _STANDS_FOR.match(text, text.index(name) + len(name))
    return found is not None and not found.group(1)


def _is_bare_office(words: str, name: str) -> bool:
    """Whether what is left of capitalised words is no name: "The Mayor", "The Foreign Minister"."""
    before = words.split()[:-1]
    return " " not in name and (name.lower() in titles() or all(w in openers() for w in before))


def is_organisation(words: str) -> bool:
    """Return whether a word of organisations stands among the words."""
    return _ORGANISATION.search(words) is not None


def title_words(description: str) -> set[str]:
    """Return the words of offices in a description."""
    low = description.lower()
    return {w for w in _ROLE.findall(low) if w in titles()} | {_SHORT[w] for w in _SHORTENED.findall(low)}


def strip_titles(name: str) -> str:
    """Return a name without the offices, forms of address and sentence openers before it."""
    words = name.split()
    while len(words) > 1 and words[0] in openers():
        words = words[1:]
    owners = [i for i in range(len(words) - 2) if words[i].endswith(("'s", "’s"))]
    words = words[owners[-1] + 1 :] if owners else words
    while len(words) > 1 and (words[0].strip(".").lower() in titles() or words[0].lower() in titles()):
        words = words[1:]
    offices = [i for i in range(1, len(words) - 2) if words[i].lower() in titles()]
    words = words[offices[-1] + 1 :] if offices else words  # "Majority Leader Ann Lee"
    if len(words) > 2 and country_of(words[0]) and any(w.lower() in titles() for w in words[1:-1]):
        while len(words) > 2 and words[0].lower() not in titles():
            words = words[1:]
        while len(words) > 1 and words[0].lower() in titles():
            words = words[1:]
    return " ".join(words)


def _introductions(text: str, spans: list[tuple[int, int, str]], fullest: Callable[[str], str]) -> Iterator[Introduced]:
    """Yield the persons that an office stands beside, as title or as apposition, in the order of the text."""
    last = 0
    for start, end, name in spans:
        told = _introduced(text, start, end, name, last)
        last = end
        if told:
            yield Introduced(start, fullest(name), told)


def _introduced(text: str, start: int, end: int, name: str, last: int) -> str:
    """Return the office beside a name, if one stands there; `last` is where the name before it ends."""
    before = _BEFORE.search(text, max(line_start(text, start, _AROUND), last), start)
    after = _AFTER.match(text, end, end + _AROUND)
    title = text[start:end].removesuffix(name)
    if before and is_office(owner := before.group().rstrip().rpartition(" ")[2]):
        title = f"{owner} {title}"  # "U.S. President Ann Lee", "FBI Director Tom Reed"
    parts = [before.group() if before else "", title, after.group(1) if after else ""]
    return " ".join(part for part in parts if title_words(part))


def line_start(text: str, at: int, size: int) -> int:
    """Return where the line begins, or `size` characters before `at`: a text may be one line of megabytes."""
    low = max(0, at - size)
    return max(low, text.rfind("\n", low, at) + 1)


def _lower(words: str) -> set[str]:
    return {w.strip(".").lower() for w in words.split()}


def _spells(words: str, short: str) -> str:
    """Return the last of the words whose initials spell an abbreviation, or nothing if they do not."""
    capitals = [m.start() for m in re.finditer(rf"(?<!\S)[{CAPITALS}]", words)][-len(short) :]
    return words[capitals[0] :] if "".join(words[i] for i in capitals) == short else ""


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a name as all its usual transliterations spell it: Andriy and Andrii, Zelensky and Zelenskiy."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if c.isalpha() or c == " ").lower()
    for letters, one in _LETTERS:
        plain = letters.sub(one, plain)
    return plain
