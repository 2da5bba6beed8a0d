"""Labelling: store, queue, page, agreement, loop. The page needs the extra ``annotate``."""
