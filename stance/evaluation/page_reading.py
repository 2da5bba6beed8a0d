"""Sections of the page that people read item by item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from stance.evaluation.behaviour import BehaviourExample, BehaviourResult
from stance.evaluation.markup import Cell, coloured, figure_cell, folded, item_line, section, table, text_cell
from stance.evaluation.result import Evaluation
from stance.evaluation.show import name_of, p_value, slice_name
from stance.evaluation.slices import SMALL, Slice
from stance.evaluation.suspects import Suspect

__all__ = ["behaviour_section", "comparison_section", "end_to_end_section", "errors_section", "slices_section"]

_ITEMS = 20


def comparison_section(result: Evaluation, text: bool) -> str:
    """Return the section: differences, and what changed."""
    names = [n for n in ("macro_f1", "f1_against_favor", "accuracy") if n in result.comparisons[0].differences]
    rows = []
    for c in result.comparisons:
        cells = [text_cell(c.other, kind="wrap")]
        for n in names:
            cells += [figure_cell(c.differences[n], signed=True), _p_cell(c.corrected[n])]
        cells += [_p_cell(c.corrected["mcnemar"]), text_cell(str(c.wins)), text_cell(str(c.losses))]
        rows.append(("", [*cells, text_cell(str(c.both_wrong))]))
    columns = ["Other system"]
    for n in names:
        columns += [f"Δ {name_of(n)}", "p"]
    columns += ["p (McNemar)", "Wins", "Losses", "Both wrong"]
    parts = []
    for c in result.comparisons:
        if c.kind == "baseline" and any(x.kind != "baseline" for x in result.comparisons):
            continue
        won = "".join(_changed(result, i, c.other, text) for i in c.won)
        lost = "".join(_changed(result, i, c.other, text) for i in c.lost)
        parts.append(
            f"<details><summary>What changed against {escape(c.other)}: {c.wins} won, {c.losses} lost</summary>"
            f'<h3>Won</h3><ol class="items">{won or "<li>none</li>"}</ol>'
            f'<h3>Lost</h3><ol class="items">{lost or "<li>none</li>"}</ol></details>'
        )
    return section(
        "comparison",
        "Is it better than that one?",
        "<p>The model minus the other system on the same items. Each draw takes the same documents for both. p is "
        "two-sided and corrected by Holm over every test in this table. McNemar's test takes items for independent, "
        "the bootstrap does not: where they disagree, believe the bootstrap.</p>",
        table("Differences", columns, rows),
        *parts,
    )


def _p_cell(p: float) -> Cell:
    return text_cell(p_value(p), sort=p)


def _changed(result: Evaluation, item: int, other: str, text: bool) -> str:
    theirs = next(s for s in result.systems if s.predictions.name == other).predictions.predicted[item]
    ours, gold = result.model.predictions.predicted[item], result.items.gold[item]
    labels = result.items.labels
    tags = (
        f"gold {_tag(labels[gold])} · this model {_tag(labels[ours], ours == gold)} · "
        f"other {_tag(labels[theirs], theirs == gold)}"
    )
    return item_line(result.items, item, tags, (), text=text)


def _tag(label: str, right: bool | None = None) -> str:
    kind = "" if right is None else " good" if right else " bad"
    return f'<span class="tag{kind}">{escape(label)}</span>'


def slices_section(result: Evaluation) -> str:
    """Return the section: where the model fails."""
    if result.worst:
        worst = table("The worst slices, the largest gap first", _SLICE_COLUMNS, map(_slice_row, result.worst))
    else:
        worst = (
            '<p class="note">No slice is worse than the rest once the number of slices searched is accounted for.</p>'
        )
    return section(
        "slices",
        "Where does it fail?",
        "<h3>Worst slices found</h3>",
        "<p>Every slice and every pair of slices with enough items was searched; listed are those whose errors exceed "
        "the rest's after Holm's correction.</p>",
        worst,
        "<h3>All slices</h3>",
        f"<p>Gap is the accuracy of the rest minus that of the slice. Slices under {SMALL} items or 5 documents are "
        "marked as small: too few to conclude from.</p>",
        table("Slices by dimension", _SLICE_COLUMNS, map(_slice_row, result.slices)),
    )


_SLICE_COLUMNS = ["Slice", "Items", "Documents", "Accuracy", "Macro-F1", "Gap", "p"]


def _slice_row(s: Slice) -> tuple[str, list[Cell]]:
    small = ' <span class="tag warn">small</span>' if s.small else ""
    name = (' class="wrap"', escape(slice_name(s)) + small)
    f = s.figures
    return "", [
        name,
        text_cell(str(s.items)),
        text_cell(str(s.clusters)),
        figure_cell(f["accuracy"], bar=True),
        figure_cell(f["macro_f1"]),
        figure_cell(f["gap"], signed=True),
        _p_cell(s.p_value),
    ]


def errors_section(result: Evaluation, text: bool) -> str:
    """Return the section: items to read."""
    parts = [
        "<p>Shading shows what each word added to the label the model gave (warm) or took from it (cool, dotted), by "
        "integrated gradients.</p>"
        if result.attributions and text
        else "",
        "<h3>Most confident mistakes</h3>",
        _list(_mistake(result, i, text) for i in result.mistakes[:_ITEMS]),
        "<h3>Labels that may be wrong</h3>",
        *_suspects(result, text),
        "<h3>Near-duplicates between splits</h3>",
        _leaks(result),
    ]
    return section("errors", "Errors to read", *parts)


_SUSPECTED = (
    "<p>A suspected label error is a gold label that the model contradicts with confidence: its probability of another "
    "label is at least as high as it usually is where people gave that other label (confident learning, for each "
    "target apart). The margin is how much likelier the model finds the other label than the given one. Either people "
    "or the model may be wrong: a suspicion is a reason to read again, not a correction, and no figure of this report "
    "leaves these items out. It means nothing for a model that was trained on them.</p>"
)


def _suspects(result: Evaluation, text: bool) -> list[str]:
    if result.model.predictions.probabilities is None:
        return ['<p class="note">The predictions carry no probabilities: labels cannot be checked.</p>']
    shown = result.suspects[:_ITEMS]
    size = f"{result.suspected} of {len(result.items)} labels are suspected"
    return [
        _SUSPECTED,
        f"<p>{size}; {len(shown)} are shown, the widest margin first.</p>",
        _list(_suspect(result, s, text) for s in shown),
    ]


def _suspect(result: Evaluation, s: Suspect, text: bool) -> str:
    labels = result.items.labels
    tags = (
        f"given {_tag(labels[result.items.gold[s.item]])} · model leans to {_tag(labels[s.suggested])} "
        f"(margin {s.margin:.2f})"
    )
    return item_line(result.items, s.item, tags, result.attributions.get(s.item, ()), text=text)


def _list(lines: Iterable[str]) -> str:
    found = "".join(lines)
    return f'<ol class="items">{found}</ol>' if found else '<p class="note">None.</p>'


def _mistake(result: Evaluation, item: int, text: bool) -> str:
    p = result.model.predictions
    labels = result.items.labels
    sure = f" at {p.probabilities[item].max():.0%}" if p.probabilities is not None else ""
    tags = f"gold {_tag(labels[result.items.gold[item]])} · predicted {_tag(labels[p.predicted[item]], False)}{sure}"
    return item_line(result.items, item, tags, result.attributions.get(item, ()), text=text)


def _leaks(result: Evaluation) -> str:
    if result.run.get("splits") == 1:
        return '<p class="note">The corpus has one split: there is nothing to compare it with.</p>'
    if not result.leaks:
        return '<p class="note">No statement of this split repeats one of another split, and no document is shared.</p>'
    rows = [
        (
            "",
            [
                text_cell(leak.kind, kind="left"),
                text_cell(f"{leak.split}: {leak.id}", kind="wrap"),
                text_cell(f"{leak.other_split}: {leak.other_id}", kind="wrap"),
                text_cell(f"{leak.similarity:.2f}", sort=leak.similarity),
            ],
        )
        for leak in result.leaks[:50]
    ]
    return table(f"{len(result.leaks)} leak(s), the most similar first", ["Kind", "One", "Other", "Similarity"], rows)


def behaviour_section(results: Sequence[BehaviourResult]) -> str:
    """Return the section: behaviour tests; nothing if none ran."""
    if not results:
        return ""
    rows, failed, passed = [], [], []
    for r in results:
        low, high = r.interval
        cells = [
            text_cell(r.kind, kind="left"),
            text_cell(r.name or "all tests", kind="left"),
            text_cell(str(r.checks)),
            text_cell(f"{r.rate:.0%}", sort=r.rate),
            text_cell(f"{low:.0%} to {high:.0%}", sort=low),
        ]
        rows.append(("" if r.name else "model", cells))
        failed += [_example(r, e) for e in r.failures]
        passed += [_example(r, e) for e in r.successes]
    return section(
        "behaviour",
        "Does it behave?",
        "<p>Statements made from templates: some must get a stated label, others the same label as before a change "
        "that must not matter (or the sides swapped with the countries).</p>",
        table("Pass rates with 95 % intervals by Wilson", ["Kind", "Test", "Checks", "Passed", "Interval"], rows),
        folded(f"Examples that failed ({len(failed)} shown)", "".join(failed)),
        folded(f"Examples that passed ({len(passed)} shown)", "".join(passed)),
    )


def _example(result: BehaviourResult, e: BehaviourExample) -> str:
    wanted = ", ".join(f"{escape(t)} {_tag(label)}" for t, label in e.expected.items())
    got = ", ".join(f"{escape(t)} {_tag(label, label == e.expected[t])}" for t, label in e.found.items())
    before = f'<div class="meta">before the change: {escape(e.before)}</div>' if e.before else ""
    who = f"{escape(e.speaker)} · " if e.speaker else ""
    return (
        f"<li><div>must be {wanted}; found {got}</div><blockquote>{coloured(e.statement, ())}</blockquote>{before}"
        f'<div class="meta">{who}{escape(result.kind)}: {escape(result.name)}</div></li>'
    )


def end_to_end_section(result: Evaluation, text: bool) -> str:
    """Return the section: whole articles; nothing for a corpus of statements."""
    e = result.end_to_end
    if e is None:
        return ""
    rows = [
        ("model" if n == "triple_f1" else "", [text_cell(name_of(n)), figure_cell(f, bar=True)])
        for n, f in e.figures.items()
    ]
    missed = "".join(
        f'<li>{f"<blockquote>{coloured(words, ())}</blockquote>" if text else ""}<div class="meta">article '
        f"{escape(own)}</div></li>"
        for own, words in e.missed[:_ITEMS]
    )
    return section(
        "end-to-end",
        "From article to triple",
        f"<p>{e.articles} whole articles with {e.gold} gold statements; {e.found} were found. A triple (statement, "
        "speaker, stance toward an addressed target) counts only if all three are right.</p>",
        table("Each stage alone, and all together", ["Figure", "Value"], rows),
        folded(f"Gold statements that were missed ({len(e.missed)})", missed),
    )
