"""May these weights be released? ``python -m training.release_gate [--model FOLDER] [--write]``.

``tests/quality_floors.json`` pins the model (content hash), the corpora it was measured on (hashes), and a limit for
every figure on validation statements: a floor, or a ceiling for errors. The gate measures them again and refuses a
model that is past a limit, or of which a pinned figure was not measured. With ``--write`` the file is brought up to
date for a new model: limits close up to what it reaches, less a margin. One is loosened or dropped only if it is named
(``--lower "own: macro-F1" "DSE: macro-F1"``), and those of a corpus whose items have changed are set anew only with
``--new-items``; each limit that is loosened or dropped is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.model import StanceClassifier, shipped_model
from training.corpora import data_folder
from training.corpora.country_stance import TARGETS
from training.evaluate import scores
from training.families import by_family, pairs_right
from training.flips import flip_consistency
from training.tables import SILENT, calibration_error, each_target, figures, part
from training.tasks import Task, corpus_hash, own_task, tasks

__all__ = ["FLOORS", "MARGIN", "corpus_hash", "main", "measured", "verdict"]

FLOORS = Path(__file__).resolve().parents[1] / "tests" / "quality_floors.json"
MARGIN = 0.005
"""How far from the measured figure a limit is set: processors round differently."""
_PINNED = ("macro-F1", "F1 against+favor")
_PAIRS = "minimal pairs of which all is right"
_FLIPS = "flip-consistency"
_ERRORS = ("calibration error", "wrong of the answered")
"""What a figure's name begins with that may not rise; all others may not fall."""


def measured(classifier: StanceClassifier, data: Path | None) -> dict[str, Any]:
    """Measure every pinned figure on validation statements.

    Parameters
    ----------
    classifier
        The model.
    data
        Folder of the corpora; without it only our own statements are measured.

    Returns
    -------
    dict
        ``figures`` and ``corpora`` (hashes), by corpus.
    """
    held = {"own": own_task("validation")}
    if data is not None:
        held |= {name: task for name, (_, task) in tasks(data, "validation").items()}
    p = {name: scores(classifier, task) for name, task in held.items()}
    found = {name: _pinned(task, p[name].argmax(1)) for name, task in held.items()}
    families = by_family(held["own"], p["own"].argmax(1))
    found["own"] |= {f"family {name}": family.right[0] for name, family in families.items()}
    right, count = np.sum([*pairs_right(held["own"], p["own"].argmax(1)).values()], axis=0)
    found["own"][_PAIRS] = float(right / count)
    if country := held.get("country-stance"):
        found[country.name] |= _by_target(country, p[country.name].argmax(1))
        found[country.name] |= _errors(country, p[country.name], classifier.abstains(p[country.name]))
    for name in held.keys() & {"own", "country-stance"}:
        found[name][_FLIPS] = flip_consistency(classifier, held[name].examples).consistent[0]
    rounded = {name: {figure: round(v, 4) for figure, v in values.items()} for name, values in found.items()}
    return {"figures": rounded, "corpora": {name: corpus_hash(task) for name, task in held.items()}}


def _pinned(task: Task, predicted: NDArray[np.int64]) -> dict[str, float]:
    return {name: value for name, (value, _, _) in figures(task, predicted).items() if name in _PINNED}


def _by_target(task: Task, predicted: NDArray[np.int64]) -> dict[str, float]:
    """Return macro-F1 toward each target."""
    masks = [(target, mine) for target, mine in each_target(task) if target in TARGETS and mine.any()]
    return {f"macro-F1, {target}": figures(part(task, m), predicted[m])["macro-F1"][0] for target, m in masks}


def _errors(task: Task, p: NDArray[np.float64], abstained: NDArray[np.bool_]) -> dict[str, float]:
    """Return the errors that have ceilings; where nothing is predicted as addressed, those of it are ``nan``."""
    predicted = p.argmax(1)
    addressed = predicted != SILENT
    calibration, answered = f"{_ERRORS[0]}, predicted as addressed", addressed & ~abstained
    return {
        _ERRORS[0]: calibration_error(task, p, np.ones_like(addressed))[0],
        calibration: calibration_error(task, p, addressed)[0] if addressed.any() else np.nan,
        _ERRORS[1]: float((predicted != task.gold)[answered].mean()) if answered.any() else np.nan,
    }


def _is_error(figure: str) -> bool:
    return figure.startswith(_ERRORS)


def _kind(figure: str) -> str:
    return "ceiling" if _is_error(figure) else "floor"


def _keeps(figure: str, value: float, limit: float) -> bool:
    """Tell whether a figure is within its limit; ``nan`` never is."""
    return value <= limit if _is_error(figure) else value >= limit


def _limit(figure: str, value: float) -> float:
    """Return the limit that a measured figure sets: the margin away from it, on the side of the worse."""
    if _is_error(figure):
        return float(np.ceil((value + MARGIN) * 1000) / 1000)
    return float(np.floor((value - MARGIN) * 1000) / 1000)


def _limits(pinned: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Return the limit of each corpus and figure."""
    kinds = [pinned.get("floors", {}), pinned.get("ceilings", {})]
    return {(name, f): v for kind in kinds for name, values in kind.items() for f, v in values.items()}


def _values(found: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(name, figure): value for name, values in found["figures"].items() for figure, value in values.items()}


def verdict(pinned: dict[str, Any], classifier_id: str, found: dict[str, Any]) -> list[str]:
    """Return what speaks against a release, one line each; empty if nothing does."""
    problems = []
    if pinned["model"] != classifier_id:
        problems.append(f"the floors belong to {pinned['model']}, this is {classifier_id}")
    for name, digest in found["corpora"].items():
        if pinned["corpora"].get(name) != digest:
            problems.append(f"{name}: measured on other items ({digest}) than pinned ({pinned['corpora'].get(name)})")
    limits, values = _limits(pinned), _values(found)
    for (name, figure), limit in limits.items():
        if (name, figure) not in values:
            problems.append(f"{name}: {figure} was not measured, its {_kind(figure)} is {limit:.4f}")
    for (name, figure), value in values.items():
        limit = limits.get((name, figure))
        side = "over" if _is_error(figure) else "under"
        if limit is None:
            problems.append(f"{name}: {figure} has no {_kind(figure)}")
        elif not _keeps(figure, value, limit):
            problems.append(f"{name}: {figure} {value:.4f} is {side} its {_kind(figure)} {limit:.4f}")
    return problems


def _updated(
    pinned: dict[str, Any], classifier_id: str, found: dict[str, Any], *, lower: Collection[str], new_items: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return the new contents of the file, and a line for each limit that is loosened or dropped.

    Raises
    ------
    SystemExit
        If one would be that is not named in `lower`, if a name is none of a limit's, or if items have changed and
        `new_items` is false.
    """
    before, values = _limits(pinned), _values(found)
    changed = _changed(pinned, found)
    if changed and not new_items:
        raise SystemExit(
            f"{', '.join(changed)}: measured on other items than pinned; say --new-items to set limits anew"
        )
    if unknown := set(lower) - {": ".join(key) for key in before}:
        raise SystemExit(f"--lower names no pinned limit: {', '.join(sorted(unknown))}")
    new: dict[str, dict[str, dict[str, float]]] = {"floors": {}, "ceilings": {}}
    for (name, figure), value in values.items():
        limit, old = _limit(figure, value), before.get((name, figure))
        may_sink = name in changed or f"{name}: {figure}" in lower
        if old is not None and not may_sink and (_keeps(figure, value, old) and not _keeps(figure, limit, old)):
            limit = old  # within the margin of the old one
        new[_kind(figure) + "s"].setdefault(name, {})[figure] = limit
    after = _limits(new)
    loosened = {
        key: _told(key, old, after.get(key)) for key, old in before.items() if _looser(key, old, after.get(key))
    }
    unnamed = [line for key, line in loosened.items() if key[0] not in changed and ": ".join(key) not in lower]
    if unnamed:
        raise SystemExit("\n".join([*unnamed, 'say --lower "NAME: FIGURE" … to allow it']))
    made = {"model": classifier_id, "split": "validation", "corpora": found["corpora"], **new}
    return made, list(loosened.values())


def _changed(pinned: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return the corpora that are pinned with other items."""
    before = pinned.get("corpora", {})
    return [name for name, digest in found["corpora"].items() if before.get(name, digest) != digest]


def _looser(key: tuple[str, str], old: float, new: float | None) -> bool:
    return new is None or not _keeps(key[1], new, old)


def _told(key: tuple[str, str], old: float, new: float | None) -> str:
    became = "is dropped, not measured" if new is None else f"becomes {new:.4f}"
    return f"{': '.join(key)}: the {_kind(key[1])} {old:.4f} {became}"


def main() -> int:
    """Measure, compare and print the verdict; return 1 if something speaks against a release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--write", action="store_true", help="bring the file of limits up to date for this model")
    parser.add_argument(
        "--lower",
        nargs="+",
        default=[],
        metavar="NAME",
        help='with --write: limits that may be loosened or dropped, each as "corpus: figure"',
    )
    parser.add_argument("--new-items", action="store_true", help="with --write: set limits of changed items anew")
    arguments = parser.parse_args()
    classifier = StanceClassifier.from_pretrained(arguments.model)
    found = measured(classifier, data_folder())
    pinned = json.loads(FLOORS.read_text(encoding="utf-8"))
    for name, values in found["figures"].items():
        print(name, found["corpora"][name], values)
    if arguments.write:
        new, loosened = _updated(pinned, classifier.id, found, lower=arguments.lower, new_items=arguments.new_items)
        FLOORS.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
        print("\n".join([*loosened, f"wrote {FLOORS.name} for {classifier.id}"]))
        return 0
    problems = verdict(pinned, classifier.id, found)
    print("\n".join(problems) if problems else f"{classifier.id} may be released")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
