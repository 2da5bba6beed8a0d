"""Which of the statements that wait share a batch: those that cost least, padding included."""

from __future__ import annotations

from collections.abc import Sequence

from stance.model.packing import width

__all__ = ["cheapest"]


def cheapest(lengths: Sequence[int], place: int, *, most: int, tokens: int, overhead: float) -> tuple[int, int]:
    """Return the slice of sorted lengths around a place that costs least per token.

    A batch costs its padded tokens and a fixed overhead, so more statements share the overhead, and statements of
    nearly one length waste little on padding.

    Parameters
    ----------
    lengths
        Token counts, ascending.
    place
        What the slice must hold.
    most
        Longest slice.
    tokens
        Most padded tokens of a slice of more than one.
    overhead
        Cost of a batch beyond its padded tokens, in tokens.

    Returns
    -------
    start, end : int
        The slice ``lengths[start:end]``.
    """
    best, least = (place, place + 1), float("inf")
    for end in range(place + 1, min(place + most, len(lengths)) + 1):
        wide = width(lengths[end - 1])
        if wide * (end - place) > tokens and end > place + 1:
            break
        start, total = place, sum(lengths[place:end])
        cost = overhead + wide * (end - place)
        fits = min(most, tokens // wide) - (end - place)
        # shorter and shorter ones join for as long as what each adds is cheaper than the average so far
        while start and fits > 0 and wide * total < lengths[start - 1] * cost:
            start, fits = start - 1, fits - 1
            total += lengths[start]
            cost += wide
        if cost / total < least:
            best, least = (start, end), cost / total
    return best
