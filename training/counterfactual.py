"""Entity-swapped counterfactuals: exchange the countries in a statement and the labels go with them.

A model trained on news learns reputations ("Russia" goes with "against"). Seeing the same sentence with the
countries exchanged forces it to read who does what to whom (Kaushik et al. 2020, "Learning the Difference that
Makes a Difference with Counterfactually-Augmented Data"; here the pairs are made by substitution).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace

from stance.learning import Example
from stance.schema import LABELS, Speaker, Statement

__all__ = ["mentioned", "random_order", "swap_countries", "swappable"]

_SILENT = "not_addressed"

# One row per form: (United States, Russia, China, Ukraine). The first spelling of a cell is the one written.
_FORMS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("United States", "United States of America", "US", "U.S.", "USA", "America"),
        ("Russia", "Russian Federation"),
        ("China", "People's Republic of China", "PRC"),
        ("Ukraine",),
    ),
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
# Words that belong to one country alone: a statement that holds one cannot be told of another country.
_BOUND: tuple[str, ...] = (
    r"NATO|White House|Pentagon|Congress|Senat\w*|Republicans?|Democrats?|Democratic|GOP|Clinton|Bush|CIA|FBI|NSA|"
    r"West|Western|Blinken|Kerry|Yellen|Austin|Sullivan|State Department|Texas|California|Wall Street|dollar",
    r"Kremlin|Soviet|USSR|Lavrov|Peskov|Medvedev|Zakharova|Shoigu|Wagner|Gazprom|Duma|ruble|Navalny|Nord Stream|"
    r"RT|TASS|Chechnya|Siberia",
    r"Taiwan\w*|Taipei|Hong Kong|Xinjiang|Uyghurs?|Tibet\w*|Huawei|TikTok|South China Sea|Communist Party|yuan",
    r"Donbass?|Donetsk|Lugansk|Luhansk|Crimea\w*|Kherson|Mariupol|Bakhmut|Artyomovsk|Maidan|Odess?a|Kharkov|Kharkiv|"
    r"Zaporozh\w*|Zaporizh\w*|Azov\w*|DPR|LPR|hryvnia|special military operation",
)
_CELLS = {
    spelling: (row, column)
    for row, forms in enumerate(_FORMS)
    for column, cell in enumerate(forms)
    for spelling in cell
}
_MENTION = re.compile(r"(?<!\w)(" + "|".join(re.escape(s) for s in sorted(_CELLS, key=len, reverse=True)) + r")(?!\w)")
_BOUND_TO = [re.compile(rf"(?<!\w)(?:{words})(?!\w)") for words in _BOUND]


def mentioned(text: str) -> set[int]:
    """Return the columns (0 United States … 3 Ukraine) of the countries that a text names in a swappable form."""
    return {_CELLS[m.group(1)][1] for m in _MENTION.finditer(text)}


def swappable(example: Example, targets: tuple[str, ...], order: tuple[int, ...]) -> bool:
    """Tell whether a statement still makes sense after its countries are exchanged.

    Every country that moves and that the speaker addresses must be named in a form that can be exchanged, and
    no word may bind a moved country to itself.
    """
    text = _all_text(example.statement)
    named = mentioned(text)
    moved = {i for i, j in enumerate(order) if i != j}
    addressed = {i for i, t in enumerate(targets) if _addressed(example, t)}
    if not named & moved or not addressed & moved <= named:
        return False
    return not any(_BOUND_TO[i].search(text) for i in moved)


def _addressed(example: Example, target: str) -> bool:
    """Tell whether the speaker addresses a target, by its label or else by what is believed of it."""
    if target in example.labels:
        return example.labels[target] != _SILENT
    belief = example.beliefs.get(target)
    return belief is not None and LABELS[max(range(len(LABELS)), key=belief.__getitem__)] != _SILENT


def swap_countries(example: Example, targets: tuple[str, ...], order: tuple[int, ...]) -> Example:
    """Exchange countries: what was said (and is believed) of ``targets[i]`` is said of ``targets[order[i]]``.

    Check `swappable` first.
    """
    s = example.statement
    swapped = replace(
        s,
        text=_swap(s.text, order),
        before=_swap(s.before, order),
        after=_swap(s.after, order),
        speaker=Speaker(_swap(s.speaker.name, order), _swap(s.speaker.mention, order)) if s.speaker else None,
    )
    names: Mapping[str, str] = {target: targets[order[i]] for i, target in enumerate(targets)}
    labels = {names.get(target, target): label for target, label in example.labels.items()}
    beliefs = {names.get(target, target): belief for target, belief in example.beliefs.items()}
    return replace(example, statement=swapped, labels=labels, beliefs=beliefs)


def random_order(rng: random.Random, count: int = 4) -> tuple[int, ...]:
    """Draw an order that moves at least two countries."""
    order = list(range(count))
    while order == sorted(order):
        rng.shuffle(order)
    return tuple(order)


def _swap(text: str, order: tuple[int, ...]) -> str:
    def put(match: re.Match[str]) -> str:
        row, column = _CELLS[match.group(1)]
        return match.group(1) if order[column] == column else _FORMS[row][order[column]][0]

    return _MENTION.sub(put, text)


def _all_text(s: Statement) -> str:
    return " ".join((s.text, s.before, s.after, s.speaker.name if s.speaker else ""))
