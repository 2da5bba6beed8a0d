"""The names in an article: their fullest forms, spellings, abbreviations, and the offices they are introduced with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stance.quotes.subjects import PERSON
from stance.quotes.words import country_of, dates, is_office, openers, titles

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

COMPLEMENT = re.compile(r"\s+(?:of|for|from|at|near|in|with|on|who|whose)\s+")
"""What may follow the head of a noun phrase: "a spokesman for the company"."""

_ORGANISATION = re.compile(
    r"\b(?:House|Ministry|Department|Institute|University|Committee|Council|Alliance|Union|Agency|Bank|Party|Court|"
    r"Office|Association|Group|Company|Corp|Inc|Commission|Foundation|Center|Centre|Post|Times|Journal|News|Press|"
    r"Organization|Organisation|States|Nations|Kingdom|Federation|Army|Force|Forces|Police|Government|Parliament)\b"
)
_INTRODUCED = re.compile(rf"\b[a-z]{{4,}}\s+({PERSON.pattern})$")  # "ministry spokesman Lu Weimin"
_ADDRESSED = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? ([A-ZÀ-Þ][\w'’-]+)")
_CAPITAL = r"[A-ZÀ-Þ][\w.'’-]*"
_LONG = re.compile(rf"((?:{_CAPITAL}\s+(?:(?:of|for|and|the|on)\s+){{0,2}}){{1,7}}{_CAPITAL})\s+\(([A-Z]{{2,7}})\)")
_BEFORE = re.compile(
    rf"(?:(?:\b(?:the|its|his|her|their|an?)|['’]s|\b{_CAPITAL})(?: [\w.-]+){{1,6}}, |"
    rf"(?:{_CAPITAL} ){{0,5}}(?:[a-z-]+ ){{0,3}})$"
)
_AFTER = re.compile(r",\s+((?:(?:the|an?|[A-ZÀ-Þ][\w-]+(?:['’]s)?)\s+)?[^,;:.()“”\"\n]{2,80})(?=[,.;])")
_AROUND = 90  # characters before and after a name in which its office is looked for
_LETTERS = ((re.compile(r"[iy]+"), "i"), (re.compile(r"kh|ck"), "k"), (re.compile(r"(.)\1"), r"\1"))
_ROLE = re.compile(r"[a-z-]{4,}")


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
        self._full: dict[str, str] = {}
        spans: list[tuple[int, int, str]] = []
        for match in PERSON.finditer(text):
            name = strip_titles(match.group())
            last = name.rpartition(" ")[2]
            if " " in name and last not in dates() and not country_of(name):
                spans.append((*match.span(), name))
                self._full.setdefault(last, name)
        # a first name, or a surname that comes first as in "Gao Lin"
        self._full = {name.partition(" ")[0]: name for name in self._full.values()} | self._full
        self._spelled = {folded(short): name for short, name in reversed(self._full.items())}
        self.introduced = list(_introductions(text, spans, self.fullest))
        self._long = {m.group(2): long for m in _LONG.finditer(text) if (long := _spells(m.group(1), m.group(2)))}

    def __contains__(self, word: object) -> bool:
        """Whether a word is the first or last name of somebody in the article, in whatever spelling."""
        return isinstance(word, str) and (word in self._full or folded(word) in self._spelled)

    def fullest(self, name: str) -> str:
        """Return the fullest form of a personal name; one of another spelling gives the article's first."""
        if " " not in name:
            return self._full.get(name) or self._spelled.get(folded(name), name)
        known = self._full.get(name.rpartition(" ")[2]) or self._spelled.get(folded(name.rpartition(" ")[2]))
        return known if known and folded(known) == folded(name) else name

    def written_out(self, words: str) -> str:
        """Return what an abbreviation stands for, if the article says so; else the words."""
        long = self._long.get(words.rpartition("(")[2].rstrip(")"), words)
        return long if words.startswith(long) or words in self._long else words

    def personal(self, words: str) -> str | None:
        """Return the personal name in a mention, without titles; ``None`` for organisations, groups and offices."""
        head = COMPLEMENT.split(words, maxsplit=1)[0]
        if addressed := _ADDRESSED.fullmatch(head):
            return addressed.group(1)
        if introduced := _INTRODUCED.search(head):
            return strip_titles(introduced.group(1))
        full = PERSON.search(head)
        name = strip_titles(full.group()) if full else ""
        if is_organisation(head) and (" " not in name or is_organisation(name) or not titles() & _lower(head)):
            return None
        if full:
            if country_of(name) and (" " not in name or is_office(name) or name.endswith(("'s", "’s"))):
                return None
            return name if " " in name or name in self or name != full.group() else None
        last = head.split()[-1].removesuffix("'s").removesuffix("’s") if head.split() else ""
        return last if last in self and not head.lower().startswith(("the ", "a ", "an ")) else None


def is_organisation(words: str) -> bool:
    """Return whether a word of organisations stands among the words."""
    return _ORGANISATION.search(words) is not None


def title_words(description: str) -> set[str]:
    """Return the words of offices in a description."""
    return {w for w in _ROLE.findall(description.lower()) if w in titles()}


def strip_titles(name: str) -> str:
    """Return a name without the offices, forms of address and sentence openers before it."""
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


def _introductions(text: str, spans: list[tuple[int, int, str]], fullest: Callable[[str], str]) -> Iterator[Introduced]:
    """Yield the persons that an office stands beside, as title or as apposition, in the order of the text."""
    last = 0
    for start, end, name in spans:
        before = _BEFORE.search(text, max(line_start(text, start, _AROUND), last), start)
        last = end
        after = _AFTER.match(text, end, end + _AROUND)
        parts = [before.group() if before else "", text[start:end].removesuffix(name), after.group(1) if after else ""]
        told = [part for part in parts if title_words(part)]
        if told:
            yield Introduced(start, fullest(name), " ".join(told))


def line_start(text: str, at: int, size: int) -> int:
    """Return where the line begins, or `size` characters before `at`: a text may be one line of megabytes."""
    low = max(0, at - size)
    return max(low, text.rfind("\n", low, at) + 1)


def _lower(words: str) -> set[str]:
    return {w.strip(".").lower() for w in words.split()}


def _spells(words: str, short: str) -> str:
    """Return the last of the words whose initials spell an abbreviation, or nothing if they do not."""
    capitals = [m.start() for m in re.finditer(r"(?<!\S)[A-ZÀ-Þ]", words)][-len(short) :]
    return words[capitals[0] :] if "".join(words[i] for i in capitals) == short else ""


def folded(name: str) -> str:
    """Return a name as all its usual transliterations spell it: Andriy and Andrii, Zelensky and Zelenskiy."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if c.isalpha() or c == " ").lower()
    for letters, one in _LETTERS:
        plain = letters.sub(one, plain)
    return plain
