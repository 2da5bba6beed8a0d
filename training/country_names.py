"""English names of the four countries: which forms stand for one another, and how each is written in its place.

Names and what is derived from them form roles: a country as a noun phrase ("the United States"), bound to another
word ("US-led"), adjective, people, capital, leader. A role is read from the words around, so that exchanged text has
its articles where English has them.
"""

from __future__ import annotations

import re

__all__ = ["MENTION", "column", "exchanged", "unclear"]

_COUNTRY, _BARE, _ADJECTIVE, _PEOPLE = range(4)
# One row per role: (United States, Russia, China, Ukraine). The first spelling of a cell is the one written.
_FORMS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        (
            *("United States", "United States of America", "United States Of America"),
            *("US", "U.S.", "USA", "U.S.A.", "States", "America"),
        ),
        ("Russia", "Russian Federation"),
        ("China", "People's Republic of China", "People’s Republic of China", "PRC"),
        ("Ukraine",),
    ),
    (("US",), ("Russia",), ("China",), ("Ukraine",)),
    (("American",), ("Russian",), ("Chinese",), ("Ukrainian",)),
    (("Americans",), ("Russians",), ("Chinese people",), ("Ukrainians",)),
    (("Washington",), ("Moscow",), ("Beijing",), ("Kyiv", "Kiev")),
    (
        ("Joe Biden", "Donald Trump", "Barack Obama"),
        ("Vladimir Putin",),
        ("Xi Jinping",),
        ("Volodymyr Zelensky", "Vladimir Zelensky", "Volodymyr Zelenskyy"),
    ),
    (("Biden", "Trump", "Obama"), ("Putin",), ("Xi",), ("Zelensky", "Zelenskyy", "Zelenskiy")),
)
_CELLS = {
    spelling: (row, column)
    for row, forms in enumerate(_FORMS)
    if row != _BARE
    for column, cell in enumerate(forms)
    for spelling in cell
}
_WITH_ARTICLE = {s for cell in _FORMS[_COUNTRY] for s in cell} - {"America", "Russia", "China", "Ukraine"}
# Where a spelling is something else: member states, and "the Chinese people", which is an adjective and "people".
_ONLY = {
    "States": r"(?:(?<=\b[Ii]n the )|(?<=\bto the )|(?<=\bfrom the ))States(?! [Oo]f\b)",
    "Chinese people": r"(?<![Tt]he )Chinese people",
}
MENTION = re.compile(
    r"(?<!\w)(?:(?P<article>[Tt]he|[Aa]n?)(?P<gap>\s+))?(?P<form>"
    + "|".join(_ONLY.get(s, re.escape(s)) for s in sorted(_CELLS, key=len, reverse=True))
    + r")(?!\w)(?P<own>['’]s(?!\w)|['’](?!\w))?"
)
"""A form with the article before it and the sign of possession after it."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What follows a whole noun phrase rather than a noun's modifier.
_FUNCTION = _words(
    "a about across after again against all along already also although amid among an and any are aren't around as at "
    "away back be because been before behind being below between beyond but by can cannot could despite did do does "
    "down during each either else even ever every few first for forward from fully had has have he her here his how i "
    "if in inside instead into is it its itself just last later less let like long many may might more much must near "
    "never next no nor not now of off often on once only open or our out over past per quite rather ready regarding "
    "right s seldom shall she should simply since so some still such than that the their them then there these they "
    "this those though through throughout thus to today together tomorrow too toward towards under underway unless "
    "unlike until up upon us versus via vs was we well were what when where whether which while who whom whose why "
    "will with within without would yesterday yet you your"
)
_VERBS = _words(
    "abandons accuses acts adds admits adopts agree agrees allows announces appears appreciates asks awaits backs "
    "began become becomes begins believe believes blames blocks boasts boosts bought brings "
    "broke brought builds buys call came cannot "
    "carries ceases commends commits condemns conducts confirms considers continue continues cuts decides declares "
    "declines defends denies deploys destroys drafts drops eliminates employs enables ends enjoys enters escalates "
    "exits expands expects explains faces fails falls fears feels fights finalizes finds forces gave gets gives goes "
    "got greenlights grew grows halts has hates held helps hides hid hits holds hopes hurts imports imposes insists "
    "intends intercepts invades invites joins keep keeps kept kills knew knows lacks lags launches laid leads leaves "
    "led left lets lies lifts lost loses loves made maintain maintains makes mean means meets met mulls needs notes "
    "obtains opens opposes outsources overthrew owes pauses pays performs planning pledges plays postpones prefers "
    "prepares presents presses prevents prioritizes promises proposes protects provides pulls pursues pushes put puts "
    "quits ramps ran reach reaches readies reads reaffirms reaps recalls receives recognizes reduces refuses rejects "
    "relieves remain remains repels resists resorts resumes respects responds returns reveals revokes rises risks "
    "runs said sanctioned sank saw say says scraps see seek seeks seem seems sees sell sells send sends sent serves "
    "sets shares shot shows shuts signs sits slams softens sold sought speaks spends spent spies stand stands starts "
    "stay stays steals stipulates stood stops strengthens struck succeeds suffers suspects suspends take takes tells "
    "tends tested thinks threatens throws told took tries trusts turns understands unveils urges uses values views "
    "violates vows wages waits wants warns wastes watches weakens welcomes went wins wishes withdraws withdrew won "
    "wrote"
)
_EITHER = _words(  # nouns and verbs alike: verbs before an object or an infinitive
    "aims attacks attempts bans calls changes charges claims clashes combat control curbs demand demands efforts "
    "exports fear fund funds harm help hope lead limits moves need offers orders plan plans position probes prospects "
    "ranks sanctions shifts spy steps strikes supplies support supports talks targets tests threat threats views want "
    "work works"
)
_OBJECT = _words("to the a an that its it no more all")
_NO_PARTICIPLES = _words(
    "armed banking bombing farming funding housing king lending lobbying manufacturing mining offspring red "
    "ruling seed shipping speed spending spring training trading united unmanned warning wing"
)
_NO_ADVERBS = _words("ally anomaly assembly daily early elderly family friendly monthly quarterly supply weekly")
_MODIFIED = _words(  # follows "Russia" and the like where these modify it
    "aid ceasefire conflict crisis deal dossier expert experts hawk hawks hoax invasion peace policy probe relations "
    "sanctions settlement strategy summit tariffs ties trade trip war watchers"
)
_ATTRIBUTIVE = _words(  # no article can follow
    "a aggressive an another any authoritarian belligerent broader capitalist central communist contemporary corporate "
    "corrupt defeated democratic divided each east eastern emerging entire every federal former free future great "
    "greater her his hostile imperial independent industrial its mainland mighty mother my nazi neighboring "
    "neighbouring neutral new no north northern northeastern nuclear-armed occupied old one our peaceful post-soviet "
    "post-war powerful present-day prosperous resurgent rising rural same some south south-eastern south-west southern "
    "southeastern southwestern sovereign stable strong stronger the their this today's tsarist unified united unitary "
    "urban weak weakened weaker west western whole whose wider your"
)
_DEMONYM = re.compile(
    r"\s*(?:,|and|or|and/or)\s+(?:[\w-]*(?:ian|ean|ese|ish)|Russian|French|German|Greek|Dutch|Polish|Iraqi|Israeli|"
    r"Afghan|Saudi|Western|NATO|EU|UN|UK|allied|coalition|foreign|international|global|world|other)\b(?!\s+and\s+the\b)"
)
_SENTENCE_START = re.compile(
    r"(?:^|\n\s*|[.!?][\"'”’)\]]*\s+)[\"“‘(\[]*$|[,:]\s+[\"“‘]$"  # its start, or the start of a quotation
)
_SINGLE_MARK = re.compile(r"((?<![\w.,!?])['‘](?=\w|$))|['’](?!\w)")  # opening, or closing a quotation or a possession
_SENTENCE_END = re.compile(r"\s*$|[\"”’)\]]+(?:\s|$)|\s+(?:[A-Z][a-z]*)\b")


def column(match: re.Match[str]) -> int:
    """Return whose form a mention is: 0 United States, 1 Russia, 2 China, 3 Ukraine."""
    return _CELLS[match["form"]][1]


def exchanged(match: re.Match[str], country: int, left: str = "") -> str:
    """Return a mention as it reads of another country.

    Parameters
    ----------
    match
        A match of `MENTION`.
    country
        Column of the other country.
    left
        What stands before the text that was searched.
    """
    left, form = left + match.string[: match.start()], match["form"]
    role, article, gap, own = _role(match), match["article"] or "", match["gap"] or "", match["own"] or ""
    written = _FORMS[role][country][0]
    if role == _COUNTRY:
        if _drops_article(match):
            article, gap = "", ""
        if country == 0 and (article or _attributive(left)):
            written = "America"
        elif country == 0:
            article, gap = "The" if _SENTENCE_START.search(left) else "the", " "
        if form.endswith(".") and _ends_sentence(match):
            own = "." + own
    if role == _PEOPLE and written == "Chinese people" and article.lower() == "the" and not own:
        written = "Chinese"
    if article.lower() in ("a", "an"):
        article = article[0] + ("n" if written[0] == "A" else "")
    return f"{article}{gap}{written}{_possessive(match, own, written)}"


def unclear(match: re.Match[str]) -> bool:
    """Tell whether a mention cannot be written of another country, as "the continental United States"."""
    before = re.search(r"(?:the|an?|these|those)\s+[\w-]+\s+$", match.string[: match.start()], re.IGNORECASE)
    whole = match["form"].startswith("United States") or _role(match) == _COUNTRY
    alone = not match["article"] and match["form"] in _WITH_ARTICLE and whole
    return bool(before and alone and not _phrase_ends(before.group().split()[-1]))


def _phrase_ends(word: str) -> bool:
    """Tell whether a word before a name, after an article, is a noun, verb or preposition by its looks."""
    return word.lower() in _FUNCTION | _VERBS | _EITHER or word.lower().endswith(("ing", "ed"))


def _rest(match: re.Match[str]) -> str:
    return match.string[match.end() :]


def _role(match: re.Match[str]) -> int:
    """Return the role of a mention: that of its form, but for what the words around tell."""
    form, text = match["form"], match.string
    row, _ = _CELLS[form]
    if row == _COUNTRY and not match["own"]:
        if text[match.start() - 1 : match.start()] in ("-", "/") or text[match.end() : match.end() + 1] in ("-", "/"):
            return _BARE
        if _modifies(match):
            return _ADJECTIVE if form in _WITH_ARTICLE else _BARE
    if form == "Chinese" and not match["own"] and _many(match):
        return _PEOPLE
    return row


def _modifies(match: re.Match[str]) -> bool:
    """Tell whether the name of a country modifies the noun after it, as in "the U.S. president"."""
    rest, form = _rest(match), match["form"]
    article = (match["article"] or "").lower()
    if form in ("States", "America"):
        return False
    if form in _WITH_ARTICLE and _DEMONYM.match(rest):
        return True
    word, following = _words_after(rest)
    if not word or _goes_on(word, following):
        return False
    return form in _WITH_ARTICLE or bool(article) or word in _MODIFIED


def _words_after(rest: str) -> tuple[str, str]:
    """Return the next two words in lower case; the first is empty where something else comes first."""
    found = re.match(r"\s+([\w’'-]+)(?:\s+([\w’'-]+))?", rest)
    return (found[1].lower().replace("’", "'"), (found[2] or "").lower()) if found else ("", "")


def _goes_on(word: str, following: str) -> bool:
    """Tell whether a word goes on after a whole noun phrase: a verb, an adverb, a function word."""
    if word in _EITHER:
        return following in _OBJECT
    if word in _FUNCTION or word in _VERBS or word.endswith("n't"):
        return True
    if word.endswith(("ed", "ing")):
        return word not in _NO_PARTICIPLES and "-" not in word
    return word.endswith("ly") and word not in _NO_ADVERBS


def _many(match: re.Match[str]) -> bool:
    """Tell whether "Chinese" means people: "the Chinese have", "Chinese are"."""
    rest = _rest(match)
    word, following = _words_after(rest)
    if rest.startswith(("-", "/")) or _DEMONYM.match(rest):
        return False
    if (match["article"] or "").lower() == "the":
        return not word or _goes_on(word, following)
    return not match["article"] and word in ("are", "have", "were", "who", "want", "do", "don't")


def _drops_article(match: re.Match[str]) -> bool:
    """Tell whether the article before a name belongs to the name."""
    if (match["article"] or "").lower() != "the":
        return False
    return match["form"] in _WITH_ARTICLE or (
        match["form"] == "Ukraine" and _words_after(_rest(match))[0] not in ("of", "that", "which", "who", "we", "i")
    )


def _attributive(left: str) -> bool:
    """Tell whether the word before a name takes the place of an article or stands between it and the name."""
    found = re.search(r"([\w’'-]+)\s+$", left)
    word = found[1].lower().replace("’", "'") if found else ""
    return word in _ATTRIBUTIVE or (word.endswith("'s") and word not in ("it's", "that's", "there's", "what's"))


def _ends_sentence(match: re.Match[str]) -> bool:
    """Tell whether the last stop of an abbreviation ends the sentence as well."""
    return not match["own"] and bool(_SENTENCE_END.match(_rest(match)))


def _possessive(match: re.Match[str], own: str, written: str) -> str:
    """Return the sign of possession as the written form takes it."""
    if own in ("'", "’"):
        word, following = _words_after(_rest(match))
        closes = not word or (_goes_on(word, following) and _open_quotation(match))
        if closes or not match["form"].lower().endswith("s"):
            return own  # a closing quotation mark
    elif own not in ("'s", "’s"):
        return own
    return own[0] + ("" if written.endswith("s") else "s")


def _open_quotation(match: re.Match[str]) -> bool:
    """Tell whether a quotation in single marks stands open before a mention."""
    marks = [m.group(1) for m in _SINGLE_MARK.finditer(match.string[: match.start()])]
    return bool(marks) and bool(marks[-1])
