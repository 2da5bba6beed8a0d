"""Items that annotators label differently, for the one who decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stance.annotate.ratings import Ratings, ratings_of_store
from stance.annotate.records import StoredItem
from stance.annotate.store import Store
from stance.statistics import unit_disagreement

__all__ = ["Dispute", "disagreement_of_items", "disputes"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item with different labels.

    Parameters
    ----------
    item
        The item.
    split
        Label by annotator, for each target they differ on.
    disagreement
        Mean share of unlike pairs over the targets, 0 to 1.
    settled
        Whether an adjudicator has decided.
    looked
        Whether a second look gave each of these targets a label, which counts until somebody decides.
    """

    item: StoredItem
    split: Mapping[str, Mapping[str, str]]
    disagreement: float
    settled: bool
    looked: bool

    @property
    def state(self) -> str:
        """Where it stands, in words."""
        return "settled" if self.settled else "looked at again" if self.looked else "open"


def disagreement_of_items(ratings: Ratings) -> dict[str, float]:
    """Return the mean share of unlike pairs of each rated item over the targets, 0 to 1."""
    if not ratings.rated:
        return {}
    each = [unit_disagreement(ratings.codes(target), len(ratings.labels)) for target in ratings.targets]
    return dict(zip(ratings.rated, np.mean(each, axis=0).tolist(), strict=True))


def disputes(store: Store) -> list[Dispute]:
    """Return the items that annotators label differently: open ones first, those with most disagreement first."""
    ratings = ratings_of_store(store)
    again = {(look.item, target) for look in ratings.looks for target in look.labels}
    by_item: dict[str, dict[str, Mapping[str, str]]] = {}
    for rating in ratings.ratings:
        by_item.setdefault(rating.item, {})[rating.annotator] = rating.labels
    found = []
    for item, share in disagreement_of_items(ratings).items():
        if share > 0:
            given = by_item[item]
            split = {t: {name: labels[t] for name, labels in given.items() if t in labels} for t in ratings.targets}
            split = {t: labels for t, labels in split.items() if len(set(labels.values())) > 1}
            looked = all((item, target) in again for target in split)
            found.append(Dispute(store.item(item), split, share, item in ratings.decisions, looked))
    return sorted(found, key=lambda d: (d.state != "open", -d.disagreement, d.item.place))
