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
from training.country_names import MENTION, column, exchanged, unclear

__all__ = ["mentioned", "random_order", "swap_countries", "swappable"]

_SILENT = "not_addressed"

# Words that belong to one country alone: a statement that holds one cannot be told of another country.
_BOUND: tuple[str, ...] = (
    r"NATO|White House|Pentagon|Congress|Senat\w*|Republicans?|Democrats?|Democratic|GOP|Clinton|Bush|CIA|FBI|NSA|"
    r"AMERICANS?|Americas|Americani\w+|(?:African|Latin|North|South|Native|Asian|Central|Mexican|Cuban|Arab|Irish|Italian|"
    r"Japanese|Korean|Hispanic|Indian|Polish|Greek|Muslim|European|Inter|Pan|Meso|Anglo)[ -]America(?:ns?)?|"
    r"(?:Russian|Chinese|Ukrainian) Americans?|"
    r"American (?:Airlines|Bar|Bridge|Civil Liberties|Conservative|Conservation|Enterprise|Express|Federation|"
    r"Horror|Hustle|Idol|Indians?|Jewish|Legion|Medical|Progress|Psycho|Samoa|Sniper|Son|University)|"
    r"Americans (?:for|United)|America (?:First|Ferrera|Great|Online|Vera)|America's Got|"
    r"(?:Bank|Voice|Boy Scouts|Society) of America|"
    r"(?:Captain|Fortress|Good Morning|Miss|Mr\.|Ms\.|PAC|Priorities|RT) America|"
    r"USA TODAY|USA Today|Miss USA|(?:US|U\.S\.) (?:Airways|Bancorp|Bank|News|Open|Steel|Weekly)|"
    r"Washington(?:,? D\.?C\.?| Beltway| Consensus| Examiner| Free Beacon| Institute| Journal| Monthly| Monument|"
    r" National\w*| Post| Redskins| State| state| Times| University| Week)|"
    r"(?:Booker T\.|Denzel|Fort|George|Kerry|Lake|Martha|Mount) Washington|Washington, [A-Z]\w+,|"
    r"(?:Ashley|Barron|Beau|Eric|Frank|Hunter|Ivanka|James|Jill|Lara|Malia|Mary|Melania|Michelle|Mrs\.|Ms\.|Sasha|"
    r"Tiffany) (?:Biden|Trump|Obama)|Joseph Biden|[A-Z]\. (?:Biden|Trump|Obama)|Donald Trump,? Jr|"
    r"Trump (?:Foundation|Hotel|International|Jr|Organi[sz]ation|Tower|University)|Trumps|Trumpi\w+|Bidens|"
    r"Bidenomics|Obamas|Obamacare|"
    r"West|Western|Blinken|Kerry|Yellen|Austin|Sullivan|State Department|Texas|California|Wall Street|dollar",
    r"Kremlin|Soviet|USSR|Lavrov|Peskov|Medvedev|Zakharova|Shoigu|Wagner|Gazprom|Duma|ruble|Navalny|Nord Stream|"
    r"RT|TASS|Chechnya|Siberia|RUSSIA\w*|Russo\w*|Russif\w*|Russia Today|Russian (?:Orthodox|[Rr]oulette)|"
    r"[A-Z]\. Putin|"
    r"Moscow (?:Exchange|[Mm]etro|Mechanism|Oblast|[Rr]egion|Times)|(?:CSKA|Carnegie|Spartak) Moscow",
    r"Taiwan\w*|Taipei|Hong Kong|Xinjiang|Uyghurs?|Tibet\w*|Huawei|TikTok|"
    r"South China|East China|China Sea|Indo-China|CHINA|CHINESE|Sino|Chinatowns?|China Daily|"
    r"Chinese (?:New Year|[Ww]all|zodiac)|Beijing (?:Daily|Olympics)|Communist Party|yuan",
    r"Donbass?|Donetsk|Lugansk|Luhansk|Crimea\w*|Kherson|Mariupol|Bakhmut|Artyomovsk|Maidan|Odess?a|Kharkov|Kharkiv|"
    r"Zaporozh\w*|Zaporizh\w*|Azov\w*|DPR|LPR|hryvnia|special military operation|"
    r"UKRAIN\w+|Ukrainiani\w+|(?:Kyiv|Kiev) (?:District|Independent|Oblast|Post|Polytechnic|[Rr]egion)|"
    r"(?:Chicken|Dynamo) (?:Kyiv|Kiev)",
)
# What the United States have no like of.
_LANGUAGE = re.compile(
    r"(?<!\w)(?:Russian|Chinese|Ukrainian)[ -](?:language|speak\w+)|"
    r"(?:in|speaks?|speaking|spoke) (?:Russian|Chinese|Ukrainian)(?=[.,;:!?]|\s+(?:and|at|or)\b|$)"
)
_LEADER = re.compile(r"(?<!\w)(?:Biden|Trump|Obama)(?!\w)")  # two of them cannot both become one of another country
_BOUND_TO = [re.compile(rf"(?<!\w)(?:{words})(?!\w)") for words in _BOUND]


def mentioned(text: str) -> set[int]:
    """Return the columns (0 United States … 3 Ukraine) of the countries that a text names in a swappable form."""
    return {column(m) for m in MENTION.finditer(text)}


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
    if any(_BOUND_TO[i].search(text) for i in moved):
        return False
    if 0 in moved and (len(set(_LEADER.findall(text))) > 1 or _LANGUAGE.search(text)):
        return False
    return not any(column(m) in moved and unclear(m) for m in MENTION.finditer(text))


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
        text=_swap(s.text, order, s.before),
        before=_swap(s.before, order),
        after=_swap(s.after, order, s.before + s.text),
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


def _swap(text: str, order: tuple[int, ...], left: str = "") -> str:
    def put(match: re.Match[str]) -> str:
        country = order[column(match)]
        return match.group() if country == column(match) else exchanged(match, country, left)

    return MENTION.sub(put, text)


def _all_text(s: Statement) -> str:
    return " ".join((s.text, s.before, s.after, s.speaker.name if s.speaker else ""))
