"""Who says what within one sentence: reporting verbs, their subjects and what is said.

All offsets here are relative to the masked paragraph (see `sentences.mask_quotes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stance.quotes.sentences import MASK, STOP
from stance.quotes.subjects import Mention, subject_after, subject_before
from stance.quotes.words import Cue, cues
from stance.schema import QuoteType

__all__ = ["Attribution", "attributions"]


@dataclass(frozen=True, slots=True)
class Attribution:
    """One piece of content with its cue and speaker.

    Parameters
    ----------
    start, end
        Offsets of the content; for ``direct`` those of the quotation with its marks.
    quote_type
        ``direct``, ``indirect`` or ``mixed``.
    cue
        Offsets of the reporting words, or ``None``.
    speaker
        The speaker's words, or ``None``.
    group
        Attributions of one sentence with the same number are parts of one quotation.
    """

    start: int
    end: int
    quote_type: QuoteType
    cue: tuple[int, int] | None
    speaker: Mention | None
    group: int


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    cue: Cue
    form: str


_WORD = re.compile(r"[A-Za-z]+")
_DETERMINER = re.compile(
    r"(?:\b(?:the|a|an|his|her|its|their|our|my|your|this|that|these|those|any|no|of|in|with|for|from|recent|new|"
    r"first|latest|such|some|needless to|that is to|joint|full|final)|['’]s)\s+$",
    re.IGNORECASE,
)
_PASSIVE = re.compile(r"\b(?:is|was|were|are|been|being|be|get|got)(?:\s+\w+ly)?\s+$", re.IGNORECASE)
_AUXILIARY = re.compile(
    r"\b(?:will|would|could|may|might|must|should|did|do|does|not|n['’]t|can|cannot|they|we|I|you|who|people|police|"
    r"many|some|others|both|\w+s)(?:\s+\w+ly|\s+also|\s+now|\s+still)?\s+$"
)
_COORDINATED = re.compile(r"(?:,|\b(?:and|but|or|then|also|later|\w+ly))\s*$")
_SHORT_TAIL = re.compile(r"[\s,]*(?:[\w'’.-]+\s*){0,3}[.!?]*\s*$")
_TIME_TAIL = re.compile(
    r"\s+(?:on|in|at|during|after|before|last|late|early|earlier|this|when|as|while|yesterday|Monday|Tuesday|Wednesday|"
    r"Thursday|Friday|Saturday|Sunday|via|through|by)\b"
)
_ACCORDING = re.compile(r"\b(?:[Aa]ccording to|[Ii]n the words of|[Ii]n the view of)\s+")
_ASIDE = re.compile(r",\s+(?:an?|the|who|whose)\b(?:\s+[\w'’.-]+){1,9},(?=\s+\S+\s+\S+\s+\S)")
_LABEL_LINE = re.compile(rf"\s*([^,.;:{MASK}]{{2,60}}):\s*(?={MASK})")
_DASH_LINE = re.compile(r"^(.{15,}?)\s+[—–-]\s*([^—–,.!?¤]{2,50})$")
_LONGEST_LINE = 250  # characters of a headline that ends in its speaker
_TRAILING = " \t\n.,;:!?…"
_FEWEST_WORDS = 2


def attributions(masked: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> list[Attribution]:
    """Find what is said in the sentence ``masked[start:end]``.

    Parameters
    ----------
    masked
        Paragraph with its quotations masked.
    start, end
        Offsets of the sentence.
    quotes
        Offsets of the quotations with their marks, in order.
    """
    inside = [q for q in quotes if start <= q[0] < end]
    found = _according(masked, start, end)
    if not found:
        found = _by_verbs(masked, start, end, inside) or _by_layout(masked, start, end, inside)
    return found


def _by_verbs(masked: str, start: int, end: int, quotes: list[tuple[int, int]]) -> list[Attribution]:
    found: list[Attribution] = []
    hits = list(_hits(masked, start, end))
    subject: Mention | None = None
    free = start
    for i, hit in enumerate(hits):
        if hit.start < free:
            continue
        limit = _limit(masked, hit, hits[i + 1 :], end)
        parts, mention = _read(masked, start, limit, hit, quotes, subject, free)
        if parts:
            parts = [replace(p, group=i) for p in parts]
            found += [p for p in parts if p.start >= free or p.end <= hit.start]
            free = max([hit.end, *(p.end for p in parts)])
            subject = mention or subject
    return _without_overlap(found)


def _without_overlap(found: list[Attribution]) -> list[Attribution]:
    kept: list[Attribution] = []
    for item in found:
        if all(item.end <= k.start or item.start >= k.end for k in kept):
            kept.append(item)
    return kept


def _hits(masked: str, start: int, end: int) -> Iterator[_Hit]:
    known = cues()
    words = list(_WORD.finditer(masked, start, end))
    for i, word in enumerate(words):
        form = word.group().lower()
        stop = word.end()
        cue = None
        if i + 1 < len(words):
            longer = f"{form} {words[i + 1].group().lower()}"
            if longer in known and masked[stop : words[i + 1].start()] == " ":
                cue, stop, form = known[longer], words[i + 1].end(), longer
        cue = cue or known.get(form)
        if cue and _is_verb(masked, start, word.start(), form, cue):
            yield _Hit(word.start(), stop, cue, form)


def _is_verb(masked: str, start: int, at: int, form: str, cue: Cue) -> bool:
    before = masked[max(start, at - 40) : at]
    if masked[at].isupper() and before.strip():
        return False
    if _DETERMINER.search(before) or (_PASSIVE.search(before) and not form.endswith("ing")):
        return False
    if before.rstrip().endswith((" to", "-", "’", "'")):
        return False
    return not cue.base or bool(_AUXILIARY.search(before))


def _limit(masked: str, hit: _Hit, later: Sequence[_Hit], end: int) -> int:
    """Return where the clause after a verb must end because a coordinated verb of the same subject begins."""
    for other in later:
        before = masked[hit.end : other.start]
        coordinated = re.search(r"(,?\s+(?:and|but)|,)(?:\s+(?:also|later|then|\w+ly))*\s*$", before)
        if coordinated and not other.cue.base and (before[: coordinated.start()].strip()):
            return hit.end + coordinated.start()
    return end


def _read(
    masked: str,
    start: int,
    end: int,
    hit: _Hit,
    quotes: list[tuple[int, int]],
    subject: Mention | None,
    free: int,
) -> tuple[list[Attribution], Mention | None]:
    """Return the attributions of one verb, and the subject they share."""
    mention = _subject(masked, start, hit, subject, free)
    edge = mention.start if mention and mention.start < hit.start else hit.start
    left = masked[start:edge].rstrip()
    beside = _left_quotes(quotes, masked, start, edge, free)
    if beside:
        if mention is None or mention is subject:
            mention = subject_after(masked, hit.end, end) or mention
        parts = [_direct(q, hit, mention) for q in beside]
        rest = hit.end if mention is None or mention.start < hit.start else mention.end
        parts += [_direct(q, hit, mention) for q in quotes if q[0] >= rest and not masked[rest : q[0]].strip(" ,:")]
        return parts, mention
    after = subject_after(masked, hit.end, end) if mention is None and left.endswith((",", MASK, STOP)) else None
    mention = mention or after
    if mention is None:
        return [], None
    trailing = _trailing(masked, start, end, hit, mention, left, edge, free)
    if trailing:
        return [trailing], mention
    if after is not None:
        return [], None
    return _right(masked, end, hit, mention, quotes), mention


def _subject(masked: str, start: int, hit: _Hit, subject: Mention | None, free: int) -> Mention | None:
    before = masked[start : hit.start]
    if hit.form.split()[0].endswith("ing"):
        if subject is None and _COORDINATED.search(before):
            return _first_phrase(masked, start, hit.start)
        return subject
    found = subject_before(masked, max(start, free if subject else start), hit.start)
    if (
        subject
        and (found is None or _COORDINATED.search(masked[free : hit.start]))
        and (found is None or not masked[free : hit.start].strip(" ,").removeprefix("and").removeprefix("but").strip())
    ):
        return subject
    return found


def _first_phrase(masked: str, start: int, end: int) -> Mention | None:
    comma = masked.find(",", start, end)
    verb = re.compile(r"\s+(?:\w+ed|was|is|has|had|were|went|made|took|gave|met|spoke)\b").search(masked, start, end)
    stop = min([x for x in (comma, verb.start() if verb else -1, end) if x >= 0])
    return subject_before(masked, start, stop)


def _left_quotes(quotes: list[tuple[int, int]], masked: str, start: int, edge: int, free: int) -> list[tuple[int, int]]:
    """Return the quotation that ends right before `edge` and opens its sentence or clause."""
    for a, b in reversed(quotes):
        if free <= a and b <= edge and not masked[b:edge].strip(" ,."):
            lead = masked[max(start, free) : a].strip(" ,:")
            words = lead.split()
            return [(a, b)] if not words or words[-1].lower() in ("and", "but", "that") else []
    return []


def _direct(quote: tuple[int, int], hit: _Hit, mention: Mention | None) -> Attribution:
    return Attribution(quote[0], quote[1], "direct", (hit.start, hit.end), mention, 0)


def _trailing(
    masked: str, start: int, end: int, hit: _Hit, mention: Mention, left: str, edge: int, free: int
) -> Attribution | None:
    """Read "the harvest was lost, the minister said": content before a comma, nothing but a short tail after."""
    if not hit.cue.clause or not left.endswith(",") or free > start:
        return None
    rest_at = max(hit.end, mention.end)
    rest = masked[rest_at:end]
    if not (_SHORT_TAIL.fullmatch(rest) or _TIME_TAIL.match(rest) or rest.lstrip().startswith(",")):
        return None
    content = _trim(masked, start, start + len(left))
    if content is None or len(masked[content[0] : content[1]].split()) <= 3:
        return None
    return Attribution(*content, _kind(masked, *content), (hit.start, hit.end), mention, 0)


def _right(masked: str, end: int, hit: _Hit, mention: Mention, quotes: list[tuple[int, int]]) -> list[Attribution]:
    """Read what follows the verb: a quotation, a clause, or the object of accusing, urging, praising …"""
    following = [q for q in quotes if hit.end <= q[0] < end]
    if following:
        a, b = following[0]
        between = masked[hit.end : a]
        if (
            between.rstrip().endswith(":")
            or not between.strip(" ,")
            or (between.rstrip().endswith(",") and not re.search(r"\bthat\b", between))
        ):
            tail = masked[b:end].strip(_TRAILING)
            if not between.strip(" ,:") and "," not in between and ":" not in between and tail:
                return _clause(masked, end, hit, mention)
            rest = [q for q in following[1:] if not masked[b : q[0]].strip(" ,—–-")]
            return [_direct(q, hit, mention) for q in [(a, b), *rest]]
    return _clause(masked, end, hit, mention)


def _clause(masked: str, end: int, hit: _Hit, mention: Mention) -> list[Attribution]:
    rest = masked[hit.end : end]
    that = re.match(r"[\s,]*(?:(?:[\w'’.-]+\s+){0,8}?)that\s+", rest)
    if that and (hit.cue.that or hit.cue.object):
        begin = hit.end + that.end()
    elif hit.form in ("told", "tells", "tell", "reminded", "assured", "warned") and _time_or_receiver(rest):
        begin = hit.end + _time_or_receiver(rest)
    elif hit.cue.clause or hit.cue.object:
        begin = hit.end
    else:
        return []
    content = _trim(masked, begin, end)
    if content is None or len(masked[content[0] : content[1]].split()) < _FEWEST_WORDS:
        return []
    if _TIME_TAIL.match(" " + masked[content[0] : content[1]]) and not that and not hit.cue.object:
        return []
    return [Attribution(*content, _kind(masked, *content), (hit.start, hit.end), mention, 0)]


def _time_or_receiver(rest: str) -> int:
    """Return how far the hearer reaches after "told": "told reporters the deal was off"."""
    match = re.match(
        r"\s+(?:(?:the|a|his|her|their|state)\s+)?(?:[A-Z][\w'’.-]*\s+)*(?:him|her|them|me|us|reporters|journalists|"
        r"lawmakers|parliament|officials|television|TV|agency|newspaper|radio|CNN|BBC|Reuters|AFP|Congress)\s+",
        rest,
    )
    return match.end() if match else 0


def _trim(masked: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and masked[start] in _TRAILING + "—–-":
        start += 1
    while end > start and masked[end - 1] in _TRAILING:
        end -= 1
    return (start, end) if start < end else None


def _kind(masked: str, start: int, end: int) -> QuoteType:
    return "mixed" if MASK in masked[start:end] or STOP in masked[start:end] else "indirect"


def _according(masked: str, start: int, end: int) -> list[Attribution]:
    match = _ACCORDING.search(masked, start, end)
    if not match:
        return []
    mention = subject_after(masked, match.end(), end)
    if mention is None:
        return []
    cue = (match.start(), match.end() - 1)
    lead = masked[start : match.start()].strip(" ,")
    if len(lead.split()) > 2:
        content = _trim(masked, start, match.start())
    else:
        aside = _ASIDE.match(masked, mention.end, end)
        comma = aside.end() - 1 if aside else masked.find(",", mention.end, end)
        content = _trim(masked, comma + 1, end) if comma >= 0 else None
    if content is None:
        return []
    return [Attribution(*content, _kind(masked, *content), cue, mention, 0)]


def _by_layout(masked: str, start: int, end: int, quotes: list[tuple[int, int]]) -> list[Attribution]:
    """Read the forms of headlines: "Minister: ‘We are ready’" and "Talks failed — ministry"."""
    label = _LABEL_LINE.match(masked, start, end)
    if label and quotes and quotes[0][0] == label.end():
        mention = Mention(*label.span(1), label.group(1))
        return [Attribution(*quotes[0], "direct", None, mention, 0)]
    whole = start == 0 and end < _LONGEST_LINE and not masked[end:].strip()
    dash = _DASH_LINE.match(masked[start:end]) if whole else None
    if dash and len(dash.group(2).split()) <= 5:
        mention = Mention(start + dash.start(2), start + dash.end(2), dash.group(2))
        content = _trim(masked, start, start + dash.end(1))
        if content is not None:
            return [Attribution(*content, _kind(masked, *content), None, mention, 0)]
    return []
